#include "services/dispatch/workers/chunk_worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>
#include <utility>

#include "common/base/dates.h"
#include "common/base/period.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/domain/ids.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

// An account that changes again and again while its chunk is being sealed is left for a later try.
constexpr int kMaxSealings = 3;
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

// The items of a chunk that go out under one agreement.
struct Group {
  const AgreementOption* agreement = nullptr;
  std::vector<PayeeQuery> payees;
};

}  // namespace

bool InSendWindow(const ChunkWorkerOptions& options, absl::Time now) {
  const absl::Duration day = now - base::BeijingStartOf(base::BeijingDate(now));
  if (options.window_from == options.window_to) return true;
  if (options.window_from < options.window_to)
    return options.window_from <= day && day < options.window_to;
  return day >= options.window_from || day < options.window_to;
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
  YKT_RETURN_IF_ERROR(store_.PutBack(*chunk, DelayAfter(*chunk, status), !passing,
                                     RefusesForGood(status) ? kRefusedInDoubt : why));
  return true;
}

absl::Duration ChunkWorker::DelayAfter(const TakenChunk& chunk, const absl::Status& status) const {
  if (status::ReasonOf(status) == Reason::kSendWindowClosed) return kWindowLooks;
  if (RefusesForGood(status)) return options_.refusal_settles;
  return Passing(status) ? absl::Seconds(1) : absl::Seconds(chunk.taken);
}

absl::Status ChunkWorker::Work(TakenChunk& chunk) {
  if (chunk.stage == ChunkStage::kSend) return SendSubmissions(chunk);
  // Before anything is read: all chunks of a closed window's night come here again and again.
  const auto may_submit = [&]() -> absl::Status {
    if (!InSendWindow(options_, clock_.Now())) return status::Refuse(Reason::kSendWindowClosed);
    return store_.CheckAuditBacklog(options_.audit_backlog_limit);
  };
  if (chunk.stage == ChunkStage::kSubmit) YKT_RETURN_IF_ERROR(may_submit());
  YKT_ASSIGN_OR_RETURN(ChunkContent content, store_.Load(chunk));
  YKT_ASSIGN_OR_RETURN(const Terms terms, AskTerms(content));
  if (chunk.stage == ChunkStage::kRoute) {
    YKT_RETURN_IF_ERROR(RouteItems(chunk, content, terms));
    if (chunk.stage != ChunkStage::kSubmit) return absl::OkStatus();
    YKT_RETURN_IF_ERROR(may_submit());
  }
  YKT_RETURN_IF_ERROR(SubmitItems(chunk, content, terms));
  if (chunk.stage == ChunkStage::kRoute) {
    // Sent back. Those that have left since stand among the exceptions now.
    YKT_ASSIGN_OR_RETURN(content, store_.Load(chunk));
    YKT_RETURN_IF_ERROR(RouteItems(chunk, content, terms));
    if (chunk.stage == ChunkStage::kSubmit) YKT_RETURN_IF_ERROR(SubmitItems(chunk, content, terms));
  }
  return chunk.stage == ChunkStage::kSend ? SendSubmissions(chunk) : absl::OkStatus();
}

absl::StatusOr<ChunkWorker::Terms> ChunkWorker::AskTerms(const ChunkContent& content) {
  Terms terms;
  YKT_ASSIGN_OR_RETURN(terms.card_required,
                       policies_.CardRequired(content.batch.district, content.batch.policy_id));
  YKT_ASSIGN_OR_RETURN(terms.agreements, gateway_.ResolveAgreements(content.batch.district,
                                                                    content.batch.department_id));
  return terms;
}

absl::Status ChunkWorker::RouteItems(TakenChunk& chunk, const ChunkContent& content,
                                     const Terms& terms) {
  const Agreements& agreements = terms.agreements;
  std::vector<PayeeQuery> payees;
  payees.reserve(content.items.size());
  for (const ChunkItem& item : content.items)
    payees.push_back({item.item_id, item.payee_id, item.person_id, 0});
  std::vector<PayeeAccount> accounts;
  if (!payees.empty()) {
    YKT_ASSIGN_OR_RETURN(accounts,
                         accounts_.Resolve(TermsOf(content, terms.card_required), payees));
    YKT_RETURN_IF_ERROR(CheckAnswers(payees, accounts));
  }
  const Routing routing = RouteChunk(agreements.usable, NoAgreementReason(agreements), accounts);
  std::vector<Route> routes;
  routes.reserve(routing.routed.size());
  for (const RoutedItem& routed : routing.routed) {
    routes.push_back(
        {routed.item_id, routed.account_version, agreements.usable[routed.agreement].agreement_no});
  }
  YKT_RETURN_IF_ERROR(store_.SaveRoutes(chunk, content, routes, routing.strays));
  chunk.stage = routes.empty() ? ChunkStage::kDone : ChunkStage::kSubmit;
  return absl::OkStatus();
}

absl::Status ChunkWorker::SubmitItems(TakenChunk& chunk, const ChunkContent& content,
                                      const Terms& asked) {
  const Agreements& agreements = asked.agreements;
  YKT_ASSIGN_OR_RETURN(const std::vector<Route> routes, store_.ReadRoutes(chunk));
  std::unordered_map<std::int64_t, const ChunkItem*> items;
  items.reserve(content.items.size());
  for (const ChunkItem& item : content.items) items.emplace(item.item_id, &item);

  std::map<std::string, Group> groups;
  for (const AgreementOption& option : agreements.usable)
    groups[option.agreement_no].agreement = &option;
  for (const Route& route : routes) {
    // An item that was stopped or held since it was routed is not among the chunk's items any more.
    const auto item = items.find(route.item_id);
    if (item == items.end()) continue;
    const auto group = groups.find(route.agreement_no);
    if (group == groups.end()) {
      // Its agreement has ended since: perhaps another one pays it now.
      YKT_RETURN_IF_ERROR(store_.RouteAnew(chunk));
      chunk.stage = ChunkStage::kRoute;
      return absl::OkStatus();
    }
    group->second.payees.push_back(
        {route.item_id, item->second->payee_id, item->second->person_id, route.account_version});
  }

  std::vector<StrayItem> strays;
  const PayeeTerms terms = TermsOf(content, asked.card_required);
  std::vector<NewAttempt> attempts;
  std::vector<NewSubmission> submissions;
  attempts.reserve(routes.size());
  int seals = 0;
  for (int sealing = 1;; ++sealing) {
    bool moved = false;
    attempts.clear();
    submissions.clear();
    std::map<std::string, Group> next = groups;
    for (auto& [agreement_no, group] : groups) {
      if (group.payees.empty()) continue;
      // The fence makes the ids of each try its own, the count each seal's: one that is not
      // committed is never sent, and no other goes out under its name.
      const std::string request_id = fmt::format("{}-{}-{}-{}-{}", chunk.district, chunk.batch_id,
                                                 chunk.chunk, chunk.fence, ++seals);
      YKT_ASSIGN_OR_RETURN(
          SealedChunk sealed,
          accounts_.Seal(request_id, group.agreement->with_identity, terms, group.payees));
      YKT_RETURN_IF_ERROR(CheckAnswers(group.payees, sealed.accounts));
      NewSubmission submission;
      submission.submission_no = static_cast<std::int16_t>(submissions.size() + 1);
      submission.request_id = request_id;
      submission.agreement_no = agreement_no;
      std::vector<InstructionRow> rows;
      for (std::size_t i = 0; i < group.payees.size(); ++i) {
        const PayeeAccount& account = sealed.accounts[i];
        const ChunkItem& item = *items.at(group.payees[i].item_id);
        if (account.reason == "ACCOUNT_CHANGED") {
          // Until it is submitted an item may be routed anew: to the new account, under the
          // agreement that pays it.
          std::erase_if(next[agreement_no].payees,
                        [&](const PayeeQuery& p) { return p.item_id == item.item_id; });
          const auto chosen = ChooseAgreement(agreements.usable, account.bank_code);
          if (chosen.has_value()) {
            next[agreements.usable[*chosen].agreement_no].payees.push_back(
                {item.item_id, item.payee_id, item.person_id, account.account_version});
          } else {
            strays.push_back(
                {item.item_id, std::string(status::ReasonName(Reason::kBankNotCovered)), false});
          }
          moved = true;
          continue;
        }
        if (!account.reason.empty()) {
          std::erase_if(next[agreement_no].payees,
                        [&](const PayeeQuery& p) { return p.item_id == item.item_id; });
          strays.push_back({item.item_id, account.reason, EndsItem(account.reason)});
          continue;
        }
        YKT_INVARIANT(item.attempts < kMaxAttempts, "an item was reissued too often");
        const std::int64_t reference = MakeReference(item.item_id, item.attempts + 1);
        attempts.push_back({&item, reference, submission.submission_no, NumberOf(account.bank_code),
                            account.account_version, account.social_card});
        rows.push_back({reference, item.item_id, item.amount_fen});
        submission.amount_fen += item.amount_fen;
      }
      if (rows.empty()) continue;
      submission.rows = static_cast<std::int64_t>(rows.size());
      submission.bytes = gateway_.EncodeSubmission(request_id, chunk.district, agreement_no,
                                                   SummaryOf(content.batch), sealed.envelope, rows);
      submissions.push_back(std::move(submission));
    }
    if (!moved) break;
    if (sealing == kMaxSealings)
      return absl::UnavailableError("accounts of the chunk keep changing");
    groups = std::move(next);
    // Items that strayed in this round are out of `groups`; those of earlier rounds stand in
    // `strays` already.
  }
  YKT_RETURN_IF_ERROR(store_.SaveAttempts(chunk, content, attempts, submissions, strays));
  chunk.stage = attempts.empty() ? ChunkStage::kDone : ChunkStage::kSend;
  return absl::OkStatus();
}

absl::Status ChunkWorker::SendSubmissions(const TakenChunk& chunk) {
  YKT_ASSIGN_OR_RETURN(const std::vector<PendingSubmission> pending, store_.Pending(chunk));
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
