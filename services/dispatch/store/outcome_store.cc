#include "services/dispatch/store/outcome_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/base/ranges.h"
#include "common/crypto/merkle.h"
#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/recovery_store.h"

namespace yikatong::dispatch {
namespace {

constexpr std::int32_t kMaxOutcomeNo = 32'767;
// References of neighbouring items are a hundred apart, and a bank pays every second or third of
// them: one stretch of an index is read faster than each is found from its root, also where it
// holds a few times as many.
constexpr std::int64_t kNeighbourReferences = 1'600;

Bucket BucketOf(AttemptState state) {
  switch (state) {
    case AttemptState::kSent:
      return Bucket::kInTransit;
    case AttemptState::kPaid:
      return Bucket::kPaid;
    case AttemptState::kFailed:
      return Bucket::kFailed;
    case AttemptState::kUnknown:
      return Bucket::kUnknown;
    case AttemptState::kReturned:
      return Bucket::kReturnedOpen;
  }
  return Bucket::kNowhere;
}

// An attempt that an outcome is about.
struct Target {
  std::int64_t batch_id = 0;
  std::int32_t chunk = 0;
  std::int64_t amount_fen = 0;
  std::int32_t outcome_no = 0;
  AttemptState state = AttemptState::kSent;
  std::int64_t person_id = 0;
  std::int64_t village = 0;
  std::string masked_name;
  bool moved_on = false;  // its item was sent again or given up; read where a decision says paid
};

using Targets = std::unordered_map<std::int64_t, Target>;

bool SaysPaidAfterAll(const ReportedOutcome& outcome) {
  return outcome.state == AttemptState::kPaid && IsDecided(outcome.reason);
}

struct BatchFacts {
  BatchRow batch;
  BatchFunding funding;
  std::map<std::tuple<Bucket, Bucket, std::string>, CountAndFen> moved;
  bool may_reopen = false;  // something is told that follows a payment
};

// Completes the targets with what their audit leaves say of the item.
absl::Status ReadItems(postgres::Transaction& tx, const postgres::Columns& ranges,
                       Targets& targets) {
  std::unordered_multimap<std::int64_t, Target*> of_item;
  of_item.reserve(targets.size());
  for (auto& [reference, target] : targets) of_item.emplace(ItemOfReference(reference), &target);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows items, tx.RunColumns(sql::kOutcomeItems, ranges));
  std::size_t found = 0;
  for (const postgres::Row row : items) {
    const auto [first, last] = of_item.equal_range(row.Int64(0));
    for (auto it = first; it != last; ++it, ++found) {
      it->second->person_id = row.Int64(1);
      it->second->village = row.Int64(2);
      it->second->masked_name = row.Text(3);
    }
  }
  YKT_INVARIANT(found == targets.size(), "an attempt without an item");
  return absl::OkStatus();
}

absl::StatusOr<Targets> ReadTargets(postgres::Transaction& tx, const OutcomeChunk& chunk) {
  std::vector<std::int64_t> references;
  references.reserve(chunk.outcomes.size());
  for (const ReportedOutcome& outcome : chunk.outcomes) references.push_back(outcome.reference);
  std::sort(references.begin(), references.end());
  const base::Ranges ranges = base::DenseRanges(references, kNeighbourReferences);
  postgres::Columns columns;
  columns.Scalar(chunk.district).Int64s(ranges.first).Int64s(ranges.last);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows attempts, tx.RunColumns(sql::kOutcomeTargets, columns));
  Targets targets;
  targets.reserve(references.size());
  for (const postgres::Row row : attempts) {
    const std::int64_t reference = row.Int64(0);
    if (!std::binary_search(references.begin(), references.end(), reference)) continue;
    Target& target = targets[reference];
    target.batch_id = row.Int64(1);
    target.chunk = row.Int(2);
    target.amount_fen = row.Int64(3);
  }
  YKT_RETURN_IF_ERROR(ReadItems(tx, columns, targets));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows known, tx.RunColumns(sql::kOutcomeKnown, columns));
  for (const postgres::Row row : known) {
    const std::int64_t reference = row.Int64(0);
    if (!std::binary_search(references.begin(), references.end(), reference)) continue;
    const auto target = targets.find(reference);
    YKT_INVARIANT(target != targets.end(), "an outcome without an attempt");
    target->second.outcome_no = row.Int(1);
    target->second.state = static_cast<AttemptState>(row.Int(2));
  }
  return targets;
}

// Marks the targets whose item went on since they failed. Under the lock of their batches, so that
// no repair takes the money meanwhile.
absl::Status FindMovedOn(postgres::Transaction& tx, const OutcomeChunk& chunk, Targets& targets) {
  std::vector<std::int64_t> references;
  std::set<std::int64_t> batches;
  for (const ReportedOutcome& outcome : chunk.outcomes) {
    const auto target = targets.find(outcome.reference);
    if (target == targets.end() || !SaysPaidAfterAll(outcome)) continue;
    references.push_back(outcome.reference);
    batches.insert(target->second.batch_id);
  }
  for (const std::int64_t batch_id : batches) {
    YKT_RETURN_IF_ERROR(LockBatch(tx, OwnCaller(), batch_id).status());
  }
  if (references.empty()) return absl::OkStatus();
  postgres::Columns columns;
  columns.Scalar(chunk.district).Int64s(references).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kOutcomeMovedOn, columns));
  for (const postgres::Row row : rows) targets.at(row.Int64(0)).moved_on = true;
  return absl::OkStatus();
}

// What one outcome moves in the ledger. What fails stays reserved, so that a reissue needs no new
// money; where what comes back goes is said by AccountForReturn. What two persons decided goes the
// way back between reserved and paid.
absl::Status Post(Posting& posting, const BatchFacts& facts, const Target& target, AttemptState to,
                  std::string_view reason, absl::CivilDay today) {
  Account debit = Account::kPaid;
  const Account credit = target.state == AttemptState::kFailed ? Account::kReserved
                         : target.state == AttemptState::kPaid ? Account::kPaid
                                                               : Account::kInTransit;
  switch (to) {
    case AttemptState::kSent:
    case AttemptState::kUnknown:
      return absl::OkStatus();  // still on its way
    case AttemptState::kPaid:
      break;
    case AttemptState::kFailed:
      debit = Account::kReserved;
      break;
    case AttemptState::kReturned:
      return posting.MoveBack(facts.funding, target.batch_id, target.chunk, AttemptStateName(to),
                              reason, today, target.amount_fen);
  }
  return posting.Move(facts.funding, target.batch_id, target.chunk, AttemptStateName(to), reason,
                      debit, credit, target.amount_fen);
}

// What a report is to what is known of its attempt.
enum class Verdict { kNew, kRepeated, kContradicting, kPaidBesides };

Verdict Judge(const Target& target, const ReportedOutcome& outcome) {
  if (outcome.outcome_no < 1 || outcome.outcome_no > kMaxOutcomeNo) return Verdict::kContradicting;
  if (outcome.outcome_no < target.outcome_no) return Verdict::kRepeated;
  if (outcome.outcome_no == target.outcome_no) {
    return outcome.state == target.state ? Verdict::kRepeated : Verdict::kContradicting;
  }
  // Money that is not ours is a difference between books, and nothing that happened to an item.
  if (outcome.amount_fen != target.amount_fen) return Verdict::kContradicting;
  if (target.moved_on && target.state == AttemptState::kFailed && SaysPaidAfterAll(outcome)) {
    return Verdict::kPaidBesides;
  }
  return NextAttemptState(target.state, outcome.state, IsDecided(outcome.reason)).ok()
             ? Verdict::kNew
             : Verdict::kContradicting;
}

}  // namespace

absl::StatusOr<std::optional<OutcomeCursor>> OutcomeStore::TakeCursor(
    std::string_view gateway, const std::string& worker, std::span<const std::string> dead) {
  return TakePeerCursor(context_, gateway, worker, dead);
}

absl::StatusOr<AppliedOutcomes> OutcomeStore::Apply(std::string_view gateway,
                                                    const OutcomeCursor& cursor,
                                                    const OutcomeChunk& chunk) {
  AppliedOutcomes result;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("apply_outcomes", [&](postgres::Transaction& tx) -> absl::Status {
        result = {};
        YKT_ASSIGN_OR_RETURN(const std::int64_t applied, LockPeerCursor(tx, gateway, cursor));
        YKT_INVARIANT(FollowsOutcomes(applied, chunk.number),
                      "outcome chunks are applied one after the other");
        YKT_RETURN_IF_ERROR(ApplyIn(tx, chunk, result));
        return AdvancePeerCursor(tx, gateway, cursor, chunk.number);
      }));
  return result;
}

absl::Status OutcomeStore::ApplyIn(postgres::Transaction& tx, const OutcomeChunk& chunk,
                                   AppliedOutcomes& result) {
  YKT_ASSIGN_OR_RETURN(Targets targets, ReadTargets(tx, chunk));
  YKT_RETURN_IF_ERROR(FindMovedOn(tx, chunk, targets));
  std::map<std::int64_t, BatchFacts> batches;
  for (const auto& [reference, target] : targets) batches[target.batch_id];
  for (const ReportedOutcome& outcome : chunk.outcomes) {
    const auto target = targets.find(outcome.reference);
    if (target == targets.end()) continue;
    if (outcome.state == AttemptState::kReturned || IsDecided(outcome.reason))
      batches[target->second.batch_id].may_reopen = true;
  }
  for (auto& [batch_id, facts] : batches) {
    // Money that comes back opens a closed batch again: nobody may close it meanwhile.
    YKT_ASSIGN_OR_RETURN(facts.batch, facts.may_reopen ? LockBatch(tx, OwnCaller(), batch_id)
                                                       : FindBatch(tx, OwnCaller(), batch_id));
    YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(facts.batch.rule));
    YKT_ASSIGN_OR_RETURN(facts.funding, ReadFunding(tx, facts.batch, rule));
  }

  const absl::CivilDay today = context_.business.Today();
  Posting posting;
  crypto::MerkleAccumulator tree;
  std::string leaf;
  std::vector<const ReportedOutcome*> fresh;
  std::vector<std::int64_t> references;
  std::vector<std::int16_t> states;
  std::map<std::string, std::int64_t> counted;
  for (const ReportedOutcome& outcome : chunk.outcomes) {
    const auto found = targets.find(outcome.reference);
    if (found == targets.end()) {
      ++result.unknown;
      continue;
    }
    Target& target = found->second;
    const Verdict verdict = Judge(target, outcome);
    if (verdict != Verdict::kNew) {
      ++(verdict == Verdict::kRepeated ? result.repeated : result.contradicting);
      if (verdict == Verdict::kPaidBesides) {
        ++result.paid_besides;
        result.paid_besides_fen += target.amount_fen;
        YKT_RETURN_IF_ERROR(
            ProposePaidBesides(tx, context_, batches.at(target.batch_id).batch,
                               {outcome.reference, target.person_id, target.amount_fen}));
      }
      continue;
    }
    BatchFacts& facts = batches.at(target.batch_id);
    const AttemptState to = outcome.state;
    const bool repaired = AttemptOfReference(outcome.reference) > 1;
    const CountAndFen one{1, target.amount_fen};
    const auto move = [&](Bucket from, Bucket into, const std::string& reason) {
      CountAndFen& sum = facts.moved[{from, into, reason}];
      sum.items += one.items;
      sum.fen += one.fen;
    };
    move(BucketOf(target.state), BucketOf(to), outcome.reason);
    if (to == AttemptState::kReturned) {
      move(Bucket::kNowhere, Bucket::kReturned, "");
      if (repaired) move(Bucket::kReissuedPaid, Bucket::kNowhere, "");
    }
    if (to == AttemptState::kFailed && target.state == AttemptState::kPaid && repaired) {
      move(Bucket::kReissuedPaid, Bucket::kNowhere, "");
    }
    if (to == AttemptState::kPaid && repaired) move(Bucket::kNowhere, Bucket::kReissuedPaid, "");
    YKT_RETURN_IF_ERROR(Post(posting, facts, target, to, outcome.reason, today));
    WriteItemLeaf({"outcome", ItemOfReference(outcome.reference), target.batch_id, target.person_id,
                   target.village, facts.batch.policy_id, facts.batch.period, target.amount_fen,
                   AttemptStateName(to), target.masked_name},
                  ItemSalt(facts.batch.salt_key, ItemOfReference(outcome.reference)), leaf);
    tree.Add(crypto::LeafHash(leaf));
    references.push_back(outcome.reference);
    states.push_back(static_cast<std::int16_t>(to));
    ++counted[AttemptStateName(to)];
    fresh.push_back(&outcome);
    base::failpoint::Note("attempt", AttemptStateName(target.state), AttemptStateName(to));
    // The same reference can come twice in one chunk: paid, and returned right after.
    target.state = to;
    target.outcome_no = outcome.outcome_no;
  }
  result.applied = static_cast<std::int64_t>(fresh.size());

  postgres::Columns applied;
  applied.Scalar(chunk.number).Scalar(chunk.district);
  applied.Int64s(references).Lone().Int16s(states).Lone().Scalar(today);
  if (fresh.empty() && result.contradicting == 0 && result.unknown == 0) {
    applied.Scalar(nullptr);
    return tx.RunColumns(sql::kAppliedInsert, applied).status();
  }

  YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                       postgres::BinaryCopy::Start(tx, sql::kOutcomeCopy, 8));
  for (const ReportedOutcome* outcome : fresh) {
    copy.Int32(chunk.district);
    copy.Int64(outcome->reference);
    copy.Int16(static_cast<std::int16_t>(outcome->outcome_no));
    copy.Int16(static_cast<std::int16_t>(outcome->state));
    copy.Text(outcome->reason);
    if (outcome->booked_on.has_value()) {
      copy.Date(*outcome->booked_on);
    } else {
      copy.Null();
    }
    copy.Int64(outcome->amount_fen);
    copy.Int64(chunk.number);
    YKT_RETURN_IF_ERROR(copy.EndRow());
  }
  YKT_RETURN_IF_ERROR(copy.Finish().status());
  for (auto& [batch_id, facts] : batches) {
    std::vector<Movement> movements;
    for (const auto& [key, sum] : facts.moved) {
      movements.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), sum});
    }
    YKT_RETURN_IF_ERROR(AppendMovements(tx, context_, facts.batch, movements));
    if (facts.batch.state == BatchState::kClosed && !movements.empty()) {
      YKT_RETURN_IF_ERROR(Advance(tx, context_, facts.batch, BatchEvent::kReopen));
      YKT_RETURN_IF_ERROR(
          Audit(tx, context_, OwnCaller(), facts.batch, {.kind = "batch.reopened"}).status());
    }
  }
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, chunk.district, posting));

  outbox::Entry entry;
  entry.service = "dispatch";
  entry.kind = "outcomes.applied";
  entry.district = chunk.district;
  entry.subject = fmt::format("outcomes/{}/{}", chunk.district, chunk.number);
  entry.actor_org = "service:dispatch";
  entry.at = context_.clock.Now();
  entry.business_date = today;
  if (!fresh.empty()) {
    entry.root = crypto::StringOf(tree.Root());
    entry.leaves = static_cast<std::int64_t>(tree.size());
  }
  for (const auto& [state, items] : counted) entry.details[state] = std::to_string(items);
  entry.details["contradicting"] = std::to_string(result.contradicting);
  entry.details["unknown_references"] = std::to_string(result.unknown);
  if (result.paid_besides > 0) {
    entry.details["paid_besides"] = std::to_string(result.paid_besides);
    entry.details["paid_besides_fen"] = std::to_string(result.paid_besides_fen);
  }
  const std::string audit_id = context_.ids.NewId();
  YKT_RETURN_IF_ERROR(outbox::Append(tx, audit_id, entry));
  applied.Scalar(audit_id);
  return tx.RunColumns(sql::kAppliedInsert, applied).status();
}

}  // namespace yikatong::dispatch
