// What officers see of one person or household, masked; and merging two records of one person.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/base/names.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/registry/domain/rows.h"
#include "services/registry/sql/queries.h"
#include "services/registry/store/pg_people_store.h"

namespace yikatong::registry {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

namespace {

constexpr const char* kEventNames[] = {"registered",     "card_replaced",        "card_lost",
                                       "card_cancelled", "card_activated",       "died",
                                       "moved",          "account_name_changed", "merged"};
constexpr const char* kCardStateNames[] = {"none", "not_active", "active",
                                           "lost", "cancelled",  "in_production"};

// Where a page of history ended.
struct Place {
  absl::CivilDay day;
  std::int64_t event_no = 0;
};

std::string TokenOf(const HistoryEntry& entry) {
  return base::FormatDate(entry.happened_on) + "." + std::to_string(entry.event_no);
}

absl::StatusOr<std::optional<Place>> ReadToken(std::string_view token) {
  if (token.empty()) return std::optional<Place>();
  Place place;
  const std::optional<absl::CivilDay> day =
      base::ParseDate(token.substr(0, std::min<std::size_t>(10, token.size())));
  if (!day.has_value() || token.size() < 12 || token[10] != '.')
    return status::Refuse(Reason::kPageTokenInvalid);
  place.day = *day;
  const char* const end = token.data() + token.size();
  const auto [read, error] = std::from_chars(token.data() + 11, end, place.event_no);
  if (error != std::errc() || read != end) return status::Refuse(Reason::kPageTokenInvalid);
  return std::optional(place);
}

// Facts of one event, none of them personal beyond the last four digits.
std::string DetailOf(const Row& row) {
  std::string detail;
  const auto add = [&](const std::string& fact) { detail += (detail.empty() ? "" : "; ") + fact; };
  if (!row.Bool(4)) add("overtaken by a later event");
  if (row.Int64(5) != 0) add("account version " + std::to_string(row.Int64(5)));
  if (const std::string last4 = row.MaybeText(9).value_or(""); !last4.empty())
    add("card account ****" + last4);
  if (const std::int64_t state = row.MaybeInt64(10).value_or(0); state > 0 && state <= 5) {
    add(std::string("card ") + kCardStateNames[state]);
  }
  if (row.Int64(6) != 0) add("village " + std::to_string(row.Int64(6)));
  if (row.Int64(7) != 0) add("person " + std::to_string(row.Int64(7)));
  return detail;
}

}  // namespace

absl::StatusOr<MaskedPerson> PgPeopleStore::ReadMasked(const Row& row,
                                                       std::vector<std::int64_t>& with_alias) {
  MaskedPerson person;
  person.person_id = row.Int64(0);
  YKT_ASSIGN_OR_RETURN(const std::string name,
                       vault_.Open(kPersonName, person.person_id, 0, row.Bytes(1)));
  YKT_ASSIGN_OR_RETURN(const std::string id_no,
                       vault_.Open(kPersonIdNo, person.person_id, 0, row.Bytes(2)));
  person.masked_name = base::MaskName(name, base::MaskStyle::kWeb);
  person.masked_id_no = MaskIdNumber(id_no);
  person.birth_year = static_cast<int>(row.Date(3).year());
  person.died_on = row.MaybeDate(4);
  person.village_code = row.Int64(5);
  person.household_id = row.MaybeInt64(6).value_or(0);
  person.household_role = static_cast<HouseholdRole>(row.Int(7));
  person.card_state = static_cast<CardState>(row.Int(8));
  const bool card = person.card_state == CardState::kActive || row.IsNull(10);
  person.bank_code = row.MaybeText(card ? 9 : 10).value_or("");
  person.account_last4 = row.MaybeText(card ? 11 : 12).value_or("");
  person.account_version = row.Int64(13);
  if (row.Bool(14)) with_alias.push_back(person.person_id);
  return person;
}

absl::StatusOr<MaskedPerson> PgPeopleStore::ReadOne(Transaction& tx, const identity::Caller& caller,
                                                    std::int64_t person_id) {
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx.Run(sql::kGetPerson, person_id, scope.all_districts, scope.districts));
  if (rows.empty()) return status::Refuse(Reason::kPersonUnknown);
  std::vector<std::int64_t> with_alias;
  YKT_ASSIGN_OR_RETURN(MaskedPerson person, ReadMasked(rows[0], with_alias));
  YKT_ASSIGN_OR_RETURN(const auto aliases, ReadAliases(tx, with_alias));
  for (const auto& [kept, alias] : aliases) person.aliases.push_back(alias);
  return person;
}

absl::StatusOr<MaskedPerson> PgPeopleStore::FindPerson(const identity::Caller& caller,
                                                       std::string_view id_no,
                                                       std::string_view purpose) {
  const std::string index = vault_.Hash("id_no", id_no);
  const identity::Scope scope = identity::ScopeOf(caller);
  MaskedPerson person;
  absl::Status status = database_.Transact("find_person", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kFindPerson, postgres::Bytes{index},
                                                 scope.all_districts, scope.districts));
    if (rows.empty()) return status::Refuse(Reason::kPersonUnknown);
    YKT_ASSIGN_OR_RETURN(person, ReadOne(tx, caller, rows[0].Int64(0)));
    return Audit(tx, caller,
                 {.kind = "person.found",
                  .subject = "people/" + std::to_string(person.person_id),
                  .district = DistrictOf(person.village_code),
                  .request_id = {},
                  .root = {},
                  .leaves = 0,
                  .details = {{"purpose", std::string(purpose)}}});
  });
  YKT_RETURN_IF_ERROR(status);
  return person;
}

absl::StatusOr<MaskedPerson> PgPeopleStore::GetPerson(const identity::Caller& caller,
                                                      std::int64_t person_id,
                                                      std::string_view purpose) {
  MaskedPerson person;
  absl::Status status = database_.Transact("get_person", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(person, ReadOne(tx, caller, person_id));
    return Audit(tx, caller,
                 {.kind = "person.read",
                  .subject = "people/" + std::to_string(person.person_id),
                  .district = DistrictOf(person.village_code),
                  .request_id = {},
                  .root = {},
                  .leaves = 0,
                  .details = {{"purpose", std::string(purpose)}}});
  });
  YKT_RETURN_IF_ERROR(status);
  return person;
}

absl::StatusOr<HistoryPage> PgPeopleStore::ListHistory(const identity::Caller& caller,
                                                       std::int64_t person_id,
                                                       std::string_view purpose, int page_size,
                                                       std::string_view page_token) {
  YKT_ASSIGN_OR_RETURN(const std::optional<Place> after, ReadToken(page_token));
  HistoryPage page;
  absl::Status status = database_.Transact("list_history", [&](Transaction& tx) -> absl::Status {
    page = {};
    YKT_ASSIGN_OR_RETURN(const MaskedPerson person, ReadOne(tx, caller, person_id));
    std::vector<std::int64_t> records = person.aliases;
    records.push_back(person.person_id);
    Columns columns;
    columns.Int64s(records).Lone();
    columns.Scalar(after.has_value() ? postgres::Param(after->day) : postgres::Param(nullptr));
    columns.Scalar(after.has_value() ? after->event_no : 0).Scalar(page_size + 1);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kListHistory, columns));
    for (const Row row : rows) {
      if (static_cast<int>(page.entries.size()) == page_size) {
        page.next_page_token = TokenOf(page.entries.back());
        break;
      }
      page.entries.push_back({.event_no = row.Int64(0),
                              .happened_on = row.Date(1),
                              .recorded_at = row.Time(2),
                              .kind = kEventNames[row.Int(3)],
                              .detail = DetailOf(row),
                              .source = row.Text(8)});
    }
    return Audit(tx, caller,
                 {.kind = "person.history_read",
                  .subject = "people/" + std::to_string(person.person_id),
                  .district = DistrictOf(person.village_code),
                  .request_id = {},
                  .root = {},
                  .leaves = 0,
                  .details = {{"purpose", std::string(purpose)}}});
  });
  YKT_RETURN_IF_ERROR(status);
  return page;
}

absl::StatusOr<std::vector<MaskedPerson>> PgPeopleStore::GetHousehold(
    const identity::Caller& caller, std::int64_t household_id, std::string_view purpose) {
  const identity::Scope scope = identity::ScopeOf(caller);
  std::vector<MaskedPerson> members;
  absl::Status status = database_.Transact("get_household", [&](Transaction& tx) -> absl::Status {
    members.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kGetHousehold, household_id,
                                                 scope.all_districts, scope.districts));
    if (rows.empty()) return status::Refuse(Reason::kNotFound);
    std::vector<std::int64_t> with_alias;
    for (const Row row : rows) {
      YKT_ASSIGN_OR_RETURN(MaskedPerson person, ReadMasked(row, with_alias));
      members.push_back(std::move(person));
    }
    YKT_ASSIGN_OR_RETURN(const auto aliases, ReadAliases(tx, with_alias));
    for (MaskedPerson& person : members) {
      const auto [first, last] = aliases.equal_range(person.person_id);
      for (auto it = first; it != last; ++it) person.aliases.push_back(it->second);
    }
    return Audit(tx, caller,
                 {.kind = "household.read",
                  .subject = "households/" + std::to_string(household_id),
                  .district = DistrictOf(members.front().village_code),
                  .request_id = {},
                  .root = {},
                  .leaves = 0,
                  .details = {{"purpose", std::string(purpose)}}});
  });
  YKT_RETURN_IF_ERROR(status);
  return members;
}

absl::StatusOr<MaskedPerson> PgPeopleStore::Merge(const identity::Caller& caller,
                                                  const MergeOrder& order) {
  MaskedPerson person;
  absl::Status status;
  for (int run = 0; run < kMaxRuns; ++run) {
    status = database_.Transact("merge_people", [&](Transaction& tx) -> absl::Status {
      YKT_RETURN_IF_ERROR(MergeOnce(tx, caller, order));
      YKT_ASSIGN_OR_RETURN(person, ReadOne(tx, caller, order.kept_person_id));
      return absl::OkStatus();
    });
    if (status.ok()) return person;
    if (!MayRunAgain(status)) break;
  }
  return status;
}

absl::Status PgPeopleStore::MergeOnce(Transaction& tx, const identity::Caller& caller,
                                      const MergeOrder& order) {
  const std::int64_t kept_id = order.kept_person_id;
  const std::int64_t merged_id = order.merged_person_id;
  const std::string mac = vault_.Hash(
      "merge", std::to_string(kept_id) + "\n" + std::to_string(merged_id) + "\n" + order.reason);
  YKT_ASSIGN_OR_RETURN(const Rows before, tx.Run(sql::kFindMergeRequest, order.request_id));
  if (!before.empty()) {
    if (before[0].Bytes(0) == mac) return absl::OkStatus();
    return status::Refuse(Reason::kRequestIdReused);
  }
  const identity::Scope scope = identity::ScopeOf(caller);
  const std::string two = "{" + std::to_string(kept_id) + "," + std::to_string(merged_id) + "}";
  YKT_ASSIGN_OR_RETURN(const Rows locked,
                       tx.Run(sql::kLockTwoPeople, two, scope.all_districts, scope.districts));
  if (locked.size() != 2) return status::Refuse(Reason::kPersonUnknown);
  for (const Row row : locked) {
    if (!row.IsNull(1))
      return status::Refuse(Reason::kMergeInvalid, "one of them was merged before");
  }
  std::map<std::int64_t, std::int64_t> versions;
  YKT_ASSIGN_OR_RETURN(auto states, ReadStates(tx, {kept_id, merged_id}, versions));
  YKT_INVARIANT(states.size() == 2, "a locked person has no account version");
  PersonState& kept = states.at(kept_id);
  const PersonState& merged = states.at(merged_id);
  CountDeltas counts;
  for (const auto& [id, state] : states) {
    AddTo(counts, DistrictOf(state.village_code),
          CountOf(!state.died_on.has_value(), state.account.card_state, state.account.legacy_kind),
          -1);
  }
  if (merged.died_on.has_value() &&
      (!kept.died_on.has_value() || *merged.died_on < *kept.died_on)) {
    kept.died_on = std::max(*merged.died_on, kept.born_on);
  }
  AddTo(counts, DistrictOf(kept.village_code),
        CountOf(!kept.died_on.has_value(), kept.account.card_state, kept.account.legacy_kind), 1);

  // Whoever was routed by either record is routed anew: the version is above both.
  YKT_ASSIGN_OR_RETURN(const IdBlock ids, TakeIds(tx));
  const std::int64_t version = std::max(std::max(versions.at(kept_id), versions.at(merged_id)) + 1,
                                        ids.least_account_version);
  const absl::Time now = clock_.Now();
  const absl::CivilDay today = business_clock_.Today();
  YKT_RETURN_IF_ERROR(WriteVersions(
      tx, {{.person_id = kept_id, .account_version = version, .account = kept.account}}, now));
  YKT_RETURN_IF_ERROR(UpdatePeople(tx, {{kept_id, kept}}, {{kept_id, version}}));
  YKT_RETURN_IF_ERROR(tx.Run(sql::kMergePerson, kept_id, merged_id).status());
  YKT_RETURN_IF_ERROR(tx.Run(sql::kMarkMergedInto, kept_id).status());
  YKT_RETURN_IF_ERROR(tx.Run(sql::kMoveHouseholdHead, kept_id, merged_id).status());

  {
    YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                         postgres::BinaryCopy::Start(tx, sql::kCopyPersonEvent, 11));
    for (const std::int64_t id : {kept_id, merged_id}) {
      copy.Int64(id);
      copy.Int64(ids.first + (id == kept_id ? 1 : 0));
      copy.Time(now);
      copy.Date(today);
      copy.Int16(static_cast<std::int16_t>(ChangeKind::kMerged));
      copy.Bool(true);
      copy.Int64(id == kept_id ? version : 0);
      copy.Int64(0);
      copy.Int64(id == kept_id ? merged_id : kept_id);
      copy.Text("merge");
      copy.Null();
      YKT_RETURN_IF_ERROR(copy.EndRow());
    }
    YKT_RETURN_IF_ERROR(copy.Finish().status());
  }
  YKT_RETURN_IF_ERROR(AppendCounts(tx, counts));
  YKT_RETURN_IF_ERROR(tx.Run(sql::kInsertMergeRequest, order.request_id, postgres::Bytes{mac},
                             kept_id, merged_id, now, caller.Actor())
                          .status());
  YKT_RETURN_IF_ERROR(
      Audit(tx, caller,
            {.kind = "people.merged",
             .subject = "people/" + std::to_string(kept_id),
             .district = DistrictOf(kept.village_code),
             .request_id = order.request_id,
             .root = {},
             .leaves = 0,
             .details = {{"merged", std::to_string(merged_id)}, {"reason", order.reason}}}));
  std::vector<FeedEntry> feed{{.number = 0,
                               .kind = ChangeKind::kMerged,
                               .person_id = kept_id,
                               .happened_on = today,
                               .account_version = version,
                               .other_person_id = merged_id,
                               .recorded_at = now}};
  return AppendChanges(tx, feed, now);
}

}  // namespace yikatong::registry
