#include "services/dispatch/workers/chunk_worker.h"

#include <fmt/core.h>

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

// What is nobody's fault but a peer's or the database's: the chunk is not blamed for it.
bool Passing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
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
  if (options.window_from <= options.window_to)
    return options.window_from <= day && day < options.window_to;
  return day >= options.window_from || day < options.window_to;
}

void ChunkWorker::Run(const std::atomic<bool>& stop) {
  while (!stop.load()) {
    const absl::StatusOr<bool> worked = WorkOnce();
    if (worked.ok() && *worked) continue;
    if (!worked.ok()) {
      telemetry::Log::Warning("chunk_worker_waits",
                              {{"status", status::ReasonNameOf(worked.status())}});
    }
    absl::SleepFor(worked.ok() ? options_.idle : absl::Seconds(1));
  }
}

absl::StatusOr<bool> ChunkWorker::WorkOnce() {
  const std::vector<std::string> dead = registry_.DeadWorkers();
  YKT_ASSIGN_OR_RETURN(std::optional<TakenChunk> chunk, store_.Take(registry_.worker(), dead));
  if (!chunk.has_value()) return false;
  // Counted when it is taken: one that kills its worker gets here with the count of its victims.
  if (chunk->taken > options_.max_failures) {
    YKT_RETURN_IF_ERROR(store_.SetAside(*chunk, "taken too often without an end"));
    return true;
  }
  const absl::Status status = Work(*chunk);
  if (status.ok()) return true;
  telemetry::Log::Warning("chunk_step_failed",
                          {{"batch", std::to_string(chunk->batch_id)},
                           {"chunk", std::to_string(chunk->chunk)},
                           {"stage", std::to_string(static_cast<int>(chunk->stage))},
                           {"reason", status::ReasonNameOf(status)},
                           {"message", std::string(status.message())}});
  if (status::ReasonOf(status) == Reason::kLeaseLost) return true;
  const bool passing = Passing(status) || status::ReasonOf(status) == Reason::kSendWindowClosed;
  if (!passing && chunk->taken >= options_.max_failures) {
    YKT_RETURN_IF_ERROR(store_.SetAside(*chunk, status::ReasonNameOf(status)));
    return true;
  }
  YKT_RETURN_IF_ERROR(store_.PutBack(*chunk,
                                     passing ? absl::Seconds(1) : absl::Seconds(chunk->taken),
                                     !passing, status::ReasonNameOf(status)));
  return true;
}

absl::Status ChunkWorker::Work(TakenChunk& chunk) {
  if (chunk.stage == ChunkStage::kSend) return SendSubmissions(chunk);
  YKT_ASSIGN_OR_RETURN(const ChunkContent content, store_.Load(chunk));
  if (chunk.stage == ChunkStage::kRoute) YKT_RETURN_IF_ERROR(RouteItems(chunk, content));
  if (chunk.stage == ChunkStage::kSubmit) {
    if (!InSendWindow(options_, clock_.Now())) return status::Refuse(Reason::kSendWindowClosed);
    YKT_RETURN_IF_ERROR(store_.CheckAuditBacklog(options_.audit_backlog_limit));
    YKT_RETURN_IF_ERROR(SubmitItems(chunk, content));
  }
  if (chunk.stage == ChunkStage::kSend) return SendSubmissions(chunk);
  return absl::OkStatus();
}

absl::Status ChunkWorker::RouteItems(TakenChunk& chunk, const ChunkContent& content) {
  YKT_ASSIGN_OR_RETURN(const bool card_required,
                       policies_.CardRequired(chunk.district, content.batch.policy_id));
  YKT_ASSIGN_OR_RETURN(const Agreements agreements,
                       gateway_.ResolveAgreements(chunk.district, content.batch.department_id));
  std::vector<PayeeQuery> payees;
  payees.reserve(content.items.size());
  for (const ChunkItem& item : content.items)
    payees.push_back({item.item_id, item.payee_id, item.person_id, 0});
  std::vector<PayeeAccount> accounts;
  if (!payees.empty()) {
    YKT_ASSIGN_OR_RETURN(accounts, accounts_.Resolve(TermsOf(content, card_required), payees));
    YKT_INVARIANT(accounts.size() == payees.size(),
                  "the registry answered for other payees than were asked for");
  }
  const Routing routing = RouteChunk(agreements.usable, agreements.reason, accounts);
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

absl::Status ChunkWorker::SubmitItems(TakenChunk& chunk, const ChunkContent& content) {
  YKT_ASSIGN_OR_RETURN(const std::vector<Route> routes, store_.ReadRoutes(chunk));
  YKT_ASSIGN_OR_RETURN(const bool card_required,
                       policies_.CardRequired(chunk.district, content.batch.policy_id));
  YKT_ASSIGN_OR_RETURN(const Agreements agreements,
                       gateway_.ResolveAgreements(chunk.district, content.batch.department_id));
  std::unordered_map<std::int64_t, const ChunkItem*> items;
  for (const ChunkItem& item : content.items) items[item.item_id] = &item;

  // An item that was stopped or held since it was routed is not among the chunk's items any more.
  std::map<std::string, Group> groups;
  std::vector<StrayItem> strays;
  for (const AgreementOption& option : agreements.usable)
    groups[option.agreement_no].agreement = &option;
  for (const Route& route : routes) {
    const auto item = items.find(route.item_id);
    if (item == items.end()) continue;
    const auto group = groups.find(route.agreement_no);
    if (group == groups.end()) {
      strays.push_back(
          {route.item_id, agreements.reason.empty() ? "NO_AGREEMENT" : agreements.reason, false});
      continue;
    }
    group->second.payees.push_back(
        {route.item_id, item->second->payee_id, item->second->person_id, route.account_version});
  }

  const PayeeTerms terms = TermsOf(content, card_required);
  std::vector<NewAttempt> attempts;
  std::vector<NewSubmission> submissions;
  attempts.reserve(routes.size());
  for (int sealing = 1;; ++sealing) {
    bool moved = false;
    attempts.clear();
    submissions.clear();
    std::map<std::string, Group> next = groups;
    for (auto& [agreement_no, group] : groups) {
      if (group.payees.empty()) continue;
      // The fence makes the id of each try its own: a seal that was never committed is never sent.
      const std::string request_id = fmt::format("{}-{}-{}-{}-{}", chunk.district, chunk.batch_id,
                                                 chunk.chunk, chunk.fence, submissions.size() + 1);
      YKT_ASSIGN_OR_RETURN(
          SealedChunk sealed,
          accounts_.Seal(request_id, group.agreement->with_identity, terms, group.payees));
      YKT_INVARIANT(sealed.accounts.size() == group.payees.size(),
                    "the registry sealed for other payees than were asked for");
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
            strays.push_back({item.item_id, "BANK_NOT_COVERED", false});
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
      submission.bytes = gateway_.EncodeSubmission(
          request_id, chunk.district, agreement_no,
          fmt::format("{} {}", content.batch.policy_id, content.batch.period), sealed.envelope,
          rows);
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
  for (const PendingSubmission& submission : pending) {
    if (!registry_.MayAct())
      return status::Refuse(Reason::kLeaseLost, "this worker was away for too long");
    const absl::StatusOr<std::int64_t> taken = gateway_.Submit(submission.bytes);
    if (taken.ok()) {
      YKT_INVARIANT(*taken == submission.rows,
                    "the gateway took another number of rows than were sent");
      YKT_RETURN_IF_ERROR(store_.Acknowledge(chunk, submission.submission_no));
      continue;
    }
    const std::optional<Reason> reason = status::ReasonOf(taken.status());
    // Only an answer that says so means that nothing of it is or will be done.
    if (reason == Reason::kAgreementExpired || reason == Reason::kBankSuspended ||
        reason == Reason::kAgreementSuspended || reason == Reason::kAgreementUnknown) {
      YKT_ASSIGN_OR_RETURN(const ChunkContent content, store_.Load(chunk));
      YKT_RETURN_IF_ERROR(store_.Refuse(chunk, content, submission.submission_no,
                                        status::ReasonNameOf(taken.status())));
      continue;
    }
    return taken.status();
  }
  return store_.Finish(chunk);
}

}  // namespace yikatong::dispatch
