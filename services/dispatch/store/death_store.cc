#include "services/dispatch/store/death_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "common/base/dates.h"
#include "common/base/period.h"
#include "common/policy/eligibility.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/recovery.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/recovery_store.h"

namespace yikatong::dispatch {
namespace {

constexpr int kBatchesAPage = 200;
// How long before its period a batch may have been collected: a yearly one, at the year's
// beginning.
constexpr int kCollectedBefore = 400;
constexpr char kReason[] = "the registry told the death after the payment";

// Whom an item may name, and the death that it then concerns.
using Deaths = std::unordered_map<std::int64_t, PersonChange>;

// A batch that may have paid for months after a death.
struct PaidBatch {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  base::Period period = base::Period::Life();
  std::string rule;
  std::int64_t first_item = 0;
  std::int64_t last_item = 0;
  absl::CivilDay created_on;
};

absl::StatusOr<Deaths> ReadDeaths(postgres::Transaction& tx,
                                  std::span<const PersonChange> changes) {
  Deaths deaths;
  std::vector<std::int64_t> people;
  for (const PersonChange& change : changes) {
    if (change.kind != PersonChange::Kind::kDeath) continue;
    deaths[change.person_id] = change;  // the newest word of it
    people.push_back(change.person_id);
  }
  if (people.empty()) return deaths;
  postgres::Columns columns;
  columns.Int64s(people).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows aliases,
                       tx.RunColumns(sql::kMergedPeopleFind, columns));
  for (const postgres::Row row : aliases) deaths.emplace(row.Int64(1), deaths.at(row.Int64(0)));
  return deaths;
}

absl::StatusOr<std::vector<PaidBatch>> ReadBatches(postgres::Transaction& tx,
                                                   absl::CivilDay earliest, std::int64_t after) {
  const std::string month = fmt::format("{:04d}-{:02d}", earliest.year(), earliest.month());
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kDeathBatches, earliest - kCollectedBefore, after, month, kBatchesAPage));
  std::vector<PaidBatch> batches;
  for (const postgres::Row row : rows) {
    const std::optional<base::Period> period = base::Period::Parse(row.Text(3));
    YKT_INVARIANT(period.has_value(), "a batch has a period that is none");
    batches.push_back({row.Int(0), row.Int64(1), *period, row.Bytes(4), row.Int64(5),
                       row.Int64(5) + row.Int64(6) - 1, row.Date(7)});
  }
  return batches;
}

// The people to whom this batch had nothing to pay any more.
std::vector<std::int64_t> NotEntitled(const policy::PolicyRule& rule, const PaidBatch& batch,
                                      const Deaths& deaths) {
  std::vector<std::int64_t> people;
  for (const auto& [person, death] : deaths) {
    if (!policy::CheckAlive(rule.eligibility, death.happened_on, batch.period, batch.created_on)
             .ok()) {
      people.push_back(person);
    }
  }
  return people;
}

}  // namespace

absl::StatusOr<std::vector<WrongPayment>> DeathStore::FindWrong(
    std::span<const PersonChange> changes) {
  Deaths deaths;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("read_deaths", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(deaths, ReadDeaths(tx, changes));
        return absl::OkStatus();
      }));
  std::vector<WrongPayment> wrong;
  if (deaths.empty()) return wrong;
  absl::CivilDay earliest = absl::CivilDay::max();
  for (const auto& [person, death] : deaths) earliest = std::min(earliest, death.happened_on);
  std::int64_t after = 0;
  while (true) {
    std::vector<PaidBatch> batches;
    YKT_RETURN_IF_ERROR(
        context_.database.Read("death_batches", [&](postgres::Transaction& tx) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(batches, ReadBatches(tx, earliest, after));
          return absl::OkStatus();
        }));
    for (const PaidBatch& batch : batches) {
      YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(batch.rule));
      const std::vector<std::int64_t> people = NotEntitled(rule, batch, deaths);
      if (people.empty()) continue;
      std::vector<WrongPayment> found;
      YKT_RETURN_IF_ERROR(
          context_.database.Read("death_items", [&](postgres::Transaction& tx) -> absl::Status {
            found.clear();
            postgres::Columns columns;
            columns.Scalar(batch.district)
                .Scalar(batch.batch_id)
                .Scalar(batch.first_item)
                .Scalar(batch.last_item)
                .Int64s(people)
                .Lone();
            YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                                 tx.RunColumns(sql::kDeathItems, columns));
            for (const postgres::Row row : rows) {
              const PersonChange& death = deaths.at(row.Int64(1));
              found.push_back({batch.district, batch.batch_id, row.Int64(0), row.Int64(2),
                               death.person_id, death.number, death.happened_on});
            }
            return absl::OkStatus();
          }));
      wrong.insert(wrong.end(), found.begin(), found.end());
    }
    if (batches.size() < kBatchesAPage) break;
    after = batches.back().batch_id;
  }
  std::sort(wrong.begin(), wrong.end(), [](const WrongPayment& a, const WrongPayment& b) {
    return std::tie(a.district, a.person_id, a.item_id) <
           std::tie(b.district, b.person_id, b.item_id);
  });
  return wrong;
}

absl::Status DeathStore::OpenCase(postgres::Transaction& tx, std::span<const WrongPayment> wrong,
                                  AppliedChanges& applied) {
  const std::int32_t district = wrong.front().district;
  std::vector<std::int64_t> items;
  for (const WrongPayment& payment : wrong) items.push_back(payment.item_id);
  postgres::Columns columns;
  columns.Scalar(district).Int64s(items).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows fresh, tx.RunColumns(sql::kDeathNewItems, columns));
  if (fresh.empty()) return absl::OkStatus();
  std::vector<std::int64_t> fresh_items;
  for (const postgres::Row row : fresh) fresh_items.push_back(row.Int64(0));
  std::sort(fresh_items.begin(), fresh_items.end());

  YKT_ASSIGN_OR_RETURN(
      const std::int64_t first,
      TakeRecoveryIds(tx, district, static_cast<std::int64_t>(fresh_items.size())));
  RecoveryRows rows;
  rows.district = district;
  rows.cause = RecoveryCause::kDeceased;
  rows.reason = kReason;
  for (const WrongPayment& payment : wrong) {
    if (!std::binary_search(fresh_items.begin(), fresh_items.end(), payment.item_id)) continue;
    rows.recovery_ids.push_back(first + static_cast<std::int64_t>(rows.recovery_ids.size()));
    rows.batch_ids.push_back(payment.batch_id);
    rows.item_ids.push_back(payment.item_id);
    rows.due_fen.push_back(payment.amount_fen);
  }
  const WrongPayment& one = wrong.front();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows known,
                       tx.Run(sql::kRecoveryCaseOfDeath, district, one.person_id));
  rows.case_id = known.empty() ? first : known[0].Int64(0);
  if (known.empty()) {
    YKT_RETURN_IF_ERROR(tx.Run(sql::kRecoveryCaseInsert, district, rows.case_id, one.person_id,
                               static_cast<int>(rows.cause), one.died_on, one.change_number,
                               rows.reason, "", context_.business.Today())
                            .status());
    ++applied.cases;
  }
  YKT_RETURN_IF_ERROR(InsertRecoveries(tx, context_, rows));
  applied.recoveries += static_cast<std::int64_t>(rows.item_ids.size());
  YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, OwnCaller(), rows.batch_ids.front()));
  return Audit(tx, context_, OwnCaller(), batch,
               {.kind = "recovery.proposed",
                .details = {{"cause", RecoveryCauseName(rows.cause)},
                            {"change", std::to_string(one.change_number)},
                            {"items", fmt::format("{}", fmt::join(rows.item_ids, ","))}},
                .subject_tail = fmt::format("/cases/{}", rows.case_id)})
      .status();
}

absl::StatusOr<AppliedChanges> DeathStore::Apply(std::string_view peer, const PeerCursor& cursor,
                                                 std::span<const PersonChange> changes,
                                                 const std::vector<WrongPayment>& wrong) {
  AppliedChanges result;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("apply_changes", [&](postgres::Transaction& tx) -> absl::Status {
        result = {};
        YKT_ASSIGN_OR_RETURN(std::int64_t applied, LockPeerCursor(tx, peer, cursor));
        for (const PersonChange& change : changes) {
          YKT_INVARIANT(change.number > applied, "changes are applied one after the other");
          applied = change.number;
          if (change.kind == PersonChange::Kind::kDeath) ++result.deaths;
          if (change.kind == PersonChange::Kind::kMerged) {
            YKT_RETURN_IF_ERROR(
                tx.Run(sql::kMergedPersonInsert, change.person_id, change.other_person_id)
                    .status());
          }
        }
        const std::span<const WrongPayment> all(wrong);
        for (std::size_t from = 0; from < all.size();) {
          std::size_t to = from;
          while (to < all.size() && all[to].district == all[from].district &&
                 all[to].person_id == all[from].person_id) {
            ++to;
          }
          YKT_RETURN_IF_ERROR(OpenCase(tx, all.subspan(from, to - from), result));
          from = to;
        }
        return AdvancePeerCursor(tx, peer, cursor, applied);
      }));
  return result;
}

}  // namespace yikatong::dispatch
