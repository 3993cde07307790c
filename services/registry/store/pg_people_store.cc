#include "services/registry/store/pg_people_store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/registry/sql/queries.h"

namespace yikatong::registry {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

namespace {

// Ids are epoch · 10^13 + block · 4096 + place, so that each epoch has room for two billion blocks.
constexpr std::int64_t kEpochIds = 10'000'000'000'000;
constexpr std::int64_t kBlockIds = 4096;
constexpr std::int64_t kEpochVersions = 1'000'000'000;

// Look-ups by chunk return the record that was named and, where it was merged, the one that stands
// for the person: where the columns of each begin.
constexpr int kOwnColumns = 1;
constexpr int kMergedColumns = 8;

void AddParams(Columns& columns, std::span<const PayeeRef> payees) {
  std::vector<std::int64_t> people;
  std::vector<std::optional<std::int64_t>> beneficiaries;
  people.reserve(payees.size());
  beneficiaries.reserve(payees.size());
  for (const PayeeRef& payee : payees) {
    const bool same =
        payee.beneficiary_person_id == 0 || payee.beneficiary_person_id == payee.payee_person_id;
    people.push_back(payee.payee_person_id);
    beneficiaries.push_back(same ? std::nullopt : std::optional(payee.beneficiary_person_id));
  }
  columns.Int64s(people).Int64s(beneficiaries);
}

}  // namespace

std::map<std::string, std::string> SessionSettings() {
  return {{"plan_cache_mode", "force_generic_plan"},
          {"enable_seqscan", "off"},
          {"enable_hashjoin", "off"},
          {"enable_mergejoin", "off"}};
}

CountDelta CountOf(bool living, CardState card_state, AccountKind legacy_kind) {
  return {
      .people = 1,
      .living = living ? 1 : 0,
      .active_cards = card_state == CardState::kActive ? 1 : 0,
      .legacy_only = card_state == CardState::kNone && legacy_kind != AccountKind::kNone ? 1 : 0};
}

void AddTo(CountDeltas& deltas, std::int32_t district, const CountDelta& delta, int sign) {
  CountDelta& sum = deltas[district];
  sum.people += sign * delta.people;
  sum.living += sign * delta.living;
  sum.active_cards += sign * delta.active_cards;
  sum.legacy_only += sign * delta.legacy_only;
}

bool MayRunAgain(const absl::Status& status) {
  const std::optional<Reason> reason = status::ReasonOf(status);
  return reason == Reason::kConcurrentChange || reason == Reason::kDuplicateKey ||
         reason == Reason::kCommitUnknown;
}

std::string EncodeRejections(const std::vector<Rejection>& rejections) {
  std::string text;
  for (const Rejection& rejection : rejections) {
    text += std::to_string(rejection.row) + "\t" +
            std::string(status::ReasonName(rejection.reason)) + "\t" + rejection.detail + "\n";
  }
  return text;
}

absl::StatusOr<std::vector<Rejection>> DecodeRejections(std::string_view text) {
  std::vector<Rejection> rejections;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t first = text.find('\t');
    const std::size_t second = first == std::string_view::npos ? first : text.find('\t', first + 1);
    YKT_INVARIANT(end != std::string_view::npos && second < end, "a stored answer cannot be read");
    Rejection rejection;
    std::from_chars(text.data(), text.data() + first, rejection.row);
    const auto reason = status::FindReason(text.substr(first + 1, second - first - 1));
    YKT_INVARIANT(reason.has_value(), "a stored answer has a reason that does not exist");
    rejection.reason = *reason;
    rejection.detail = std::string(text.substr(second + 1, end - second - 1));
    rejections.push_back(std::move(rejection));
    text.remove_prefix(end + 1);
  }
  return rejections;
}

absl::Status PgPeopleStore::Audit(Transaction& tx, const identity::Caller& caller, Deed deed) {
  outbox::Entry entry;
  entry.service = "registry";
  entry.kind = std::move(deed.kind);
  entry.district = deed.district;
  entry.subject = std::move(deed.subject);
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = clock_.Now();
  entry.business_date = business_clock_.Today();
  entry.request_id = std::move(deed.request_id);
  entry.root = std::move(deed.root);
  entry.leaves = deed.leaves;
  entry.details = std::move(deed.details);
  return outbox::Append(tx, ids_.NewId(), entry);
}

absl::StatusOr<PgPeopleStore::IdBlock> PgPeopleStore::TakeIds(Transaction& tx) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kTakeIdBlock));
  const std::int64_t epoch = rows[0].Int64(0);
  return IdBlock{.first = epoch * kEpochIds + rows[0].Int64(1) * kBlockIds,
                 .least_account_version = epoch * kEpochVersions + 1};
}

absl::Status PgPeopleStore::AppendCounts(Transaction& tx, const CountDeltas& deltas) {
  std::vector<std::int32_t> districts;
  std::vector<std::int64_t> people, living, active_cards, legacy_only;
  for (const auto& [district, delta] : deltas) {
    if (delta.people == 0 && delta.living == 0 && delta.active_cards == 0 && delta.legacy_only == 0)
      continue;
    districts.push_back(district);
    people.push_back(delta.people);
    living.push_back(delta.living);
    active_cards.push_back(delta.active_cards);
    legacy_only.push_back(delta.legacy_only);
  }
  if (districts.empty()) return absl::OkStatus();
  Columns columns;
  columns.Scalar(ids_.NewId()).Int32s(districts).Int64s(people).Int64s(living);
  columns.Int64s(active_cards).Int64s(legacy_only);
  return tx.RunColumns(sql::kInsertCountDeltas, columns).status();
}

absl::StatusOr<std::multimap<std::int64_t, std::int64_t>> PgPeopleStore::ReadAliases(
    Transaction& tx, const std::vector<std::int64_t>& person_ids) {
  std::multimap<std::int64_t, std::int64_t> aliases;
  if (person_ids.empty()) return aliases;
  Columns columns;
  columns.Int64s(person_ids).Lone();
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kListAliases, columns));
  for (const Row row : rows) aliases.emplace(row.Int64(0), row.Int64(1));
  return aliases;
}

absl::StatusOr<std::vector<ResolvedPerson>> PgPeopleStore::ResolvePeople(
    std::span<const PersonLookup> lookups, bool with_head) {
  std::vector<std::string> indexes;
  indexes.reserve(lookups.size());
  // No number has the hash of the empty text, so what was no ID number is found nowhere.
  for (const PersonLookup& lookup : lookups) indexes.push_back(vault_.Hash("id_no", lookup.id_no));
  Columns columns;
  columns.ByteStrings(indexes).Scalar(with_head);
  std::vector<ResolvedPerson> people;
  absl::Status status = database_.Read("resolve_people", [&](Transaction& tx) -> absl::Status {
    people.assign(lookups.size(), ResolvedPerson{});
    std::vector<std::int64_t> with_alias;
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kResolvePeople, columns));
    for (const Row row : rows) {
      const auto i = static_cast<std::size_t>(row.Int64(0) - 1);
      ResolvedPerson& person = people[i];
      const int at = row.IsNull(kMergedColumns) ? kOwnColumns : kMergedColumns;
      person.person_id = row.Int64(at);
      YKT_ASSIGN_OR_RETURN(const std::string name,
                           vault_.Open(kPersonName, person.person_id, 0, row.Bytes(at + 1)));
      person.name_matches = !lookups[i].name.empty() && name == lookups[i].name;
      person.born_on = row.Date(at + 2);
      person.died_on = row.MaybeDate(at + 3);
      person.village_code = row.Int64(at + 4);
      person.household_id = row.MaybeInt64(at + 5).value_or(0);
      if (row.Bool(at + 6)) with_alias.push_back(person.person_id);
      person.head_person_id = row.MaybeInt64(15).value_or(0);
      person.guardian_person_id = row.MaybeInt64(16).value_or(0);
    }
    if (with_alias.empty()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(const auto aliases, ReadAliases(tx, with_alias));
    for (ResolvedPerson& person : people) {
      const auto [first, last] = aliases.equal_range(person.person_id);
      for (auto it = first; it != last; ++it) person.aliases.push_back(it->second);
    }
    return absl::OkStatus();
  });
  YKT_RETURN_IF_ERROR(status);
  return people;
}

absl::StatusOr<std::vector<PayeeRecord>> PgPeopleStore::ReadPayees(std::span<const PayeeRef> payees,
                                                                   PayeeDetail detail) {
  const bool sealed = detail != PayeeDetail::kChoice;
  Columns columns;
  AddParams(columns, payees);
  if (sealed) columns.Scalar(detail == PayeeDetail::kAccountAndIdentity);
  std::vector<PayeeRecord> records;
  absl::Status status = database_.Read("read_payees", [&](Transaction& tx) -> absl::Status {
    records.assign(payees.size(), PayeeRecord{});
    YKT_ASSIGN_OR_RETURN(
        const Rows rows,
        tx.RunColumns(sealed ? sql::kReadPayeesSealed : sql::kReadPayees, columns));
    for (const Row row : rows) {
      const auto i = static_cast<std::size_t>(row.Int64(0) - 1);
      const PayeeRef& payee = payees[i];
      PayeeRecord& record = records[i];
      const int at = row.IsNull(kMergedColumns) ? kOwnColumns : kMergedColumns;
      record.person_id = row.Int64(at);
      record.died_on = row.MaybeDate(at + 1);
      record.account_version = row.Int64(at + 2);
      record.card_state = static_cast<CardState>(row.Int(at + 3));
      record.card_bank_code = row.MaybeText(at + 4).value_or("");
      record.legacy_kind = static_cast<AccountKind>(row.Int(at + 5));
      record.legacy_bank_code = row.MaybeText(at + 6).value_or("");
      const std::optional<std::int64_t> beneficiary = row.MaybeInt64(15);
      record.beneficiary_is_payee = payee.beneficiary_person_id == 0 ||
                                    payee.beneficiary_person_id == payee.payee_person_id ||
                                    beneficiary == record.person_id;
      record.beneficiary_died_on = row.MaybeDate(16);
      record.known = record.beneficiary_is_payee || beneficiary.has_value();
      if (!sealed) continue;
      const std::int64_t id = record.person_id;
      const std::int64_t version = record.account_version;
      YKT_ASSIGN_OR_RETURN(record.name, vault_.Open(kPersonName, id, 0, row.Bytes(17)));
      YKT_ASSIGN_OR_RETURN(record.card_account_no,
                           vault_.Open(kCardAccount, id, version, row.MaybeBytes(18)));
      YKT_ASSIGN_OR_RETURN(record.card_account_name,
                           vault_.Open(kCardAccountName, id, version, row.MaybeBytes(19)));
      YKT_ASSIGN_OR_RETURN(record.legacy_account_no,
                           vault_.Open(kLegacyAccount, id, version, row.MaybeBytes(20)));
      YKT_ASSIGN_OR_RETURN(record.id_no, vault_.Open(kPersonIdNo, id, 0, row.MaybeBytes(21)));
      YKT_ASSIGN_OR_RETURN(record.phone, vault_.Open(kPersonPhone, id, 0, row.MaybeBytes(22)));
    }
    return absl::OkStatus();
  });
  YKT_RETURN_IF_ERROR(status);
  return records;
}

absl::Status PgPeopleStore::RecordSealing(const identity::Caller& caller,
                                          std::span<const Sealing> sealings, std::int64_t refused) {
  return database_.Transact("record_sealing", [&](Transaction& tx) -> absl::Status {
    for (const Sealing& sealing : sealings) {
      YKT_RETURN_IF_ERROR(
          Audit(tx, caller,
                {.kind = "accounts.sealed",
                 .subject = "chunks/" + sealing.chunk_id,
                 .request_id = {},
                 .root = sealing.accounts == 0 ? std::string() : crypto::StringOf(sealing.root),
                 .leaves = sealing.accounts,
                 .details = {{"sealed", std::to_string(sealing.accounts)},
                             {"refused_of_chunk", std::to_string(refused)}}}));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<Statistics> PgPeopleStore::Count(const identity::Caller& caller,
                                                std::int32_t district) {
  const identity::Scope scope = identity::ScopeOf(caller);
  Statistics counts;
  absl::Status status = database_.Read("count_people", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kReadCounts, district, scope.all_districts, scope.districts));
    YKT_ASSIGN_OR_RETURN(const Rows head, tx.Run(sql::kReadHead));
    counts = {.people = rows[0].Int64(0),
              .living = rows[0].Int64(1),
              .active_cards = rows[0].Int64(2),
              .legacy_only = rows[0].Int64(3),
              .changes = head[0].Int64(0)};
    return absl::OkStatus();
  });
  YKT_RETURN_IF_ERROR(status);
  return counts;
}

absl::Status PgPeopleStore::RecordRefusal(const identity::Caller& caller, std::string_view method,
                                          std::string_view reason) {
  return database_.Transact("record_refusal", [&](Transaction& tx) {
    return Audit(tx, caller,
                 {.kind = "call.refused",
                  .subject = std::string(method),
                  .request_id = {},
                  .root = {},
                  .leaves = 0,
                  .details = {{"reason", std::string(reason)}}});
  });
}

}  // namespace yikatong::registry
