#include "services/dispatch/workers/chunk_worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/base/dates.h"
#include "common/base/period.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/domain/ids.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr absl::Duration kRarestLook = absl::Milliseconds(250);  // where nothing happens
constexpr std::size_t kSummaryLength = 30;
// How often a chunk looks whether the window is open: the wall clock may be set meanwhile.
constexpr absl::Duration kWindowLooks = absl::Seconds(30);
// Why a chunk waits whose repetition the gateway refused.
constexpr char kRefusedInDoubt[] = "REFUSED_IN_DOUBT";

PayeeTerms TermsOf(const ChunkContent& content, bool card_required) {
  PayeeTerms terms;
  terms.card_required = card_required;
  terms.death_grace_months = content.rule.eligibility.death_grace_months;
  const std::optional<base::Period> period = base::Period::Parse(content.batch.period);
  if (period.has_value() && period->FirstDay().has_value()) {
    terms.period_first_day = base::FormatDate(*period->FirstDay());
  }
  return terms;
}

// The answers of the gateway that say that this submission can never be taken as it is.
bool RefusesForGood(const absl::Status& status) {
  const std::optional<Reason> reason = status::ReasonOf(status);
  return reason == Reason::kAgreementExpired || reason == Reason::kAgreementSuspended ||
         reason == Reason::kAgreementUnknown || reason == Reason::kBankSuspended ||
         reason == Reason::kBankNotCovered;
}

// What is nobody's fault but a peer's, the database's or the clock's: the chunk is not blamed for
// it. A peer that does not know us, or not yet the method, is one of those: it says nothing of a
// chunk, and would set all of them aside within seconds.
bool Passing(const absl::Status& status) {
  if (status::ReasonOf(status) == Reason::kSendWindowClosed || RefusesForGood(status)) return true;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

// The peers answer in the order of the question.
absl::Status CheckAnswers(const std::vector<PayeeQuery>& asked,
                          const std::vector<PayeeAccount>& answers) {
  YKT_INVARIANT(answers.size() == asked.size(),
                "the registry answered for other payees than were asked for");
  for (std::size_t i = 0; i < asked.size(); ++i) {
    YKT_INVARIANT(answers[i].item_id == asked[i].item_id,
                  "the registry answered in another order than it was asked");
  }
  return absl::OkStatus();
}

std::string NoAgreementReason(const Agreements& agreements) {
  return agreements.reason.empty() ? std::string(status::ReasonName(Reason::kNoAgreement))
                                   : agreements.reason;
}

// The words in the person's passbook: policy and period, in the 30 characters that there are.
std::string SummaryOf(const BatchRow& batch) {
  const std::size_t room = kSummaryLength - std::min(kSummaryLength, batch.period.size() + 1);
  return batch.policy_id.substr(0, room) + " " + batch.period;
}

std::int64_t NumberOf(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::vector<PayeeQuery> PayeesOf(const ChunkContent& content) {
  std::vector<PayeeQuery> payees;
  payees.reserve(content.items.size());
  for (const ChunkItem& item : content.items)
    payees.push_back({item.item_id, item.payee_id, item.person_id});
  return payees;
}

}  // namespace

bool InSendWindow(const ChunkWorkerOptions& options, absl::Time now) {
  const absl::Duration day = now - base::BeijingStartOf(base::BeijingDate(now));
  if (options.window_from == options.window_to) return true;
  if (options.window_from < options.window_to)
    return options.window_from <= day && day < options.window_to;
  return day >= options.window_from || day < options.window_to;
}

absl::Duration UntilSendWindow(const ChunkWorkerOptions& options, absl::Time now) {
  if (InSendWindow(options, now)) return absl::ZeroDuration();
  const absl::CivilDay today = base::BeijingDate(now);
  const absl::Time opens = base::BeijingStartOf(today) + options.window_from;
  return (opens > now ? opens : base::BeijingStartOf(today + 1) + options.window_from) - now;
}

void ChunkWorker::Run(const std::atomic<bool>& stop) {
  absl::Duration idle = options_.idle;
  while (!stop.load()) {
    const absl::StatusOr<bool> worked = WorkOnce();
    if (worked.ok() && *worked) {
      idle = options_.idle;
      continue;
    }
    if (!worked.ok()) {
      telemetry::Log::Warning("chunk_worker_waits",
                              {{"status", status::ReasonNameOf(worked.status())}});
    }
    absl::SleepFor(worked.ok() ? idle : absl::Seconds(1));
    // The longer there was nothing to do, the rarer the looks: a day has many idle hours.
    idle = std::min(idle * 2, std::max(options_.idle, kRarestLook));
  }
}

absl::StatusOr<bool> ChunkWorker::WorkOnce() {
  const rpc::CallScope scope(rpc::Trace::New());
  // Who may be taken for dead takes nothing more: others would take it back at once.
  if (!registry_.MayAct()) return false;
  const std::vector<std::string> dead = registry_.DeadWorkers();
  YKT_ASSIGN_OR_RETURN(std::optional<TakenChunk> chunk,
                       store_.Take(registry_.worker(), slot_, dead));
  if (!chunk.has_value()) return false;
  // Counted when it is taken: one that kills its worker gets here with the count of its victims.
  if (chunk->taken > options_.max_failures) {
    YKT_RETURN_IF_ERROR(store_.SetAside(*chunk, "taken too often without an end"));
    return true;
  }
  const absl::Status status = Work(*chunk);
  if (status.ok()) return true;
  const bool waits_for_window = status::ReasonOf(status) == Reason::kSendWindowClosed;
  if (!waits_for_window) {
    telemetry::Log::Warning("chunk_step_failed",
                            {{"batch", std::to_string(chunk->batch_id)},
                             {"chunk", std::to_string(chunk->chunk)},
                             {"stage", std::to_string(static_cast<int>(chunk->stage))},
                             {"reason", status::ReasonNameOf(status)},
                             {"message", std::string(status.message())}});
  }
  if (status::ReasonOf(status) == Reason::kLeaseLost) return true;
  const bool passing = Passing(status);
  std::string why = status::ReasonNameOf(status);
  if (why.empty()) why = absl::StatusCodeToString(status.code());
  if (!passing && chunk->taken >= options_.max_failures) {
    YKT_RETURN_IF_ERROR(store_.SetAside(*chunk, why));
    return true;
  }
  // Nobody waits for what may not be sent before the window opens; all else is late meanwhile.
  std::optional<absl::Duration> due_in;
  if (waits_for_window) due_in = UntilSendWindow(options_, clock_.Now());
  YKT_RETURN_IF_ERROR(store_.PutBack(*chunk, DelayAfter(*chunk, status), !passing,
                                     RefusesForGood(status) ? kRefusedInDoubt : why, due_in));
  return true;
}

absl::Duration ChunkWorker::DelayAfter(const TakenChunk& chunk, const absl::Status& status) const {
  if (status::ReasonOf(status) == Reason::kSendWindowClosed) return kWindowLooks;
  if (RefusesForGood(status)) return options_.refusal_settles;
  return Passing(status) ? absl::Seconds(1) : absl::Seconds(chunk.taken);
}

absl::Status ChunkWorker::MaySubmit() {
  if (!InSendWindow(options_, clock_.Now())) return status::Refuse(Reason::kSendWindowClosed);
  return store_.CheckAuditBacklog(options_.audit_backlog_limit);
}

absl::Status ChunkWorker::Work(const TakenChunk& chunk) {
  if (chunk.stage == ChunkStage::kSend) {
    YKT_ASSIGN_OR_RETURN(const std::vector<PendingSubmission> pending, store_.Pending(chunk));
    return SendSubmissions(chunk, pending);
  }
  const absl::Status may_submit = MaySubmit();
  // Before anything is read: all chunks of a closed window's night come here again and again.
  if (chunk.stage == ChunkStage::kSubmit) YKT_RETURN_IF_ERROR(may_submit);
  YKT_ASSIGN_OR_RETURN(const ChunkContent content, store_.Load(chunk));
  YKT_ASSIGN_OR_RETURN(const Terms terms, AskTerms(content));
  if (!may_submit.ok() || terms.agreements.usable.empty()) {
    YKT_ASSIGN_OR_RETURN(const bool left, RouteItems(chunk, content, terms));
    return left ? may_submit : absl::OkStatus();
  }
  YKT_ASSIGN_OR_RETURN(const std::vector<PendingSubmission> pending,
                       SubmitItems(chunk, content, terms));
  return pending.empty() ? absl::OkStatus() : SendSubmissions(chunk, pending);
}

absl::StatusOr<ChunkWorker::Terms> ChunkWorker::AskTerms(const ChunkContent& content) {
  Terms terms;
  YKT_ASSIGN_OR_RETURN(terms.card_required,
                       policies_.CardRequired(content.batch.district, content.batch.policy_id));
  YKT_ASSIGN_OR_RETURN(terms.agreements, gateway_.ResolveAgreements(content.batch.district,
                                                                    content.batch.department_id));
  return terms;
}

absl::StatusOr<bool> ChunkWorker::RouteItems(const TakenChunk& chunk, const ChunkContent& content,
                                             const Terms& terms) {
  const Agreements& agreements = terms.agreements;
  const std::vector<PayeeQuery> payees = PayeesOf(content);
  std::vector<PayeeAccount> accounts;
  if (!payees.empty()) {
    YKT_ASSIGN_OR_RETURN(accounts,
                         accounts_.Resolve(TermsOf(content, terms.card_required), payees));
    YKT_RETURN_IF_ERROR(CheckAnswers(payees, accounts));
  }
  const std::vector<StrayItem> strays =
      FindStrays(agreements.usable, NoAgreementReason(agreements), accounts);
  const std::size_t left = accounts.size() - strays.size();
  YKT_RETURN_IF_ERROR(store_.SaveRouting(chunk, content, strays));
  return left > 0;
}

absl::StatusOr<std::vector<PendingSubmission>> ChunkWorker::SubmitItems(const TakenChunk& chunk,
                                                                        const ChunkContent& content,
                                                                        const Terms& asked) {
  const std::vector<AgreementOption>& options = asked.agreements.usable;
  const std::vector<PayeeQuery> payees = PayeesOf(content);
  std::vector<NewSubmission> submissions(options.size());
  std::vector<std::string> names;
  for (std::size_t g = 0; g < options.size(); ++g) {
    // The fence makes the ids of each try its own: one that is not committed is never sent, and no
    // other goes out under its name.
    names.push_back(fmt::format("{}-{}-{}-{}-{}", chunk.district, chunk.batch_id, chunk.chunk,
                                chunk.fence, g + 1));
    submissions[g].request_id = names.back();
    submissions[g].agreement_no = options[g].agreement_no;
    submissions[g].submission_no = static_cast<std::int16_t>(g + 1);
  }
  SealedChunk sealed;
  if (!payees.empty()) {
    YKT_ASSIGN_OR_RETURN(sealed, accounts_.Seal(GroupsOf(options), names,
                                                TermsOf(content, asked.card_required), payees));
    YKT_RETURN_IF_ERROR(CheckAnswers(payees, sealed.accounts));
  }
  std::vector<StrayItem> strays;
  std::vector<NewAttempt> attempts;
  attempts.reserve(payees.size());
  std::vector<std::vector<InstructionRow>> rows(options.size());
  for (std::size_t i = 0; i < payees.size(); ++i) {
    const PayeeAccount& account = sealed.accounts[i];
    const ChunkItem& item = content.items[i];
    if (!account.group.has_value()) {
      strays.push_back({item.item_id, account.reason, EndsItem(account.reason)});
      continue;
    }
    YKT_INVARIANT(item.attempts < kMaxAttempts, "an item was reissued too often");
    const std::int64_t reference = MakeReference(item.item_id, item.attempts + 1);
    NewSubmission& submission = submissions[*account.group];
    attempts.push_back({&item, reference, submission.submission_no, NumberOf(account.bank_code),
                        account.account_version, account.social_card});
    rows[*account.group].push_back({reference, item.item_id, item.amount_fen});
    submission.amount_fen += item.amount_fen;
  }
  for (std::size_t g = 0; g < options.size(); ++g) {
    submissions[g].rows = static_cast<std::int64_t>(rows[g].size());
    if (rows[g].empty()) continue;
    submissions[g].bytes =
        gateway_.EncodeSubmission(names[g], chunk.district, options[g].agreement_no,
                                  SummaryOf(content.batch), sealed.envelopes[g], rows[g]);
  }
  std::erase_if(submissions, [](const NewSubmission& one) { return one.rows == 0; });
  YKT_RETURN_IF_ERROR(store_.SaveAttempts(chunk, content, attempts, submissions, strays));
  // The very bytes that were committed, without reading them back.
  std::vector<PendingSubmission> pending;
  pending.reserve(submissions.size());
  for (NewSubmission& one : submissions)
    pending.push_back({one.submission_no, one.rows, std::move(one.bytes)});
  return pending;
}

absl::Status ChunkWorker::SendSubmissions(const TakenChunk& chunk,
                                          const std::vector<PendingSubmission>& pending) {
  // A refusal says that this call has done nothing. It says nothing of an earlier one whose answer
  // was lost (on the way, or by a worker that died): that may still be at work, and only time in
  // which nothing is sent ends it.
  const bool refusal_is_final = chunk.why == kRefusedInDoubt;
  for (const PendingSubmission& submission : pending) {
    YKT_RETURN_IF_ERROR(SendOne(chunk, submission, refusal_is_final));
  }
  return store_.Finish(chunk);
}

absl::Status ChunkWorker::SendOne(const TakenChunk& chunk, const PendingSubmission& submission,
                                  bool refusal_is_final) {
  // Nothing of ours may be under way any more when somebody else may take the chunk over.
  const absl::Duration left =
      absl::Milliseconds(registry_.ActUntilMillis() - clock_.MonotonicMillis());
  if (left <= absl::ZeroDuration())
    return status::Refuse(Reason::kLeaseLost, "this worker was away for too long");
  const absl::StatusOr<std::int64_t> taken =
      gateway_.Submit(submission.bytes, std::min(left, options_.submit_timeout));
  if (taken.ok()) {
    YKT_INVARIANT(*taken == submission.rows,
                  "the gateway took another number of rows than were sent");
    return store_.Acknowledge(chunk, submission.submission_no);
  }
  if (!RefusesForGood(taken.status()) || !refusal_is_final) return taken.status();
  YKT_ASSIGN_OR_RETURN(const ChunkContent content, store_.Load(chunk));
  return store_.Refuse(chunk, content, submission.submission_no,
                       status::ReasonNameOf(taken.status()));
}

}  // namespace yikatong::dispatch
