#include "services/registry/rpc/wire.h"

#include <string>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::registry {
namespace {

std::string DateText(const std::optional<absl::CivilDay>& day) {
  return day.has_value() ? base::FormatDate(*day) : std::string();
}

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  out.set_seconds(micros / 1'000'000);
  out.set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
}

template <typename Response>
void AnswerToWire(const ChunkAnswer& answer, Response& out) {
  out.set_accepted(answer.accepted);
  for (const Rejection& rejection : answer.rejections) {
    auto& row = *out.add_rejections();
    row.set_row(rejection.row);
    row.set_reason(std::string(status::ReasonName(rejection.reason)));
    row.set_detail(rejection.detail);
  }
}

}  // namespace

std::vector<PersonInput> FromWire(const v1::LoadPeopleRequest& request) {
  std::vector<PersonInput> rows;
  rows.reserve(static_cast<std::size_t>(request.rows_size()));
  for (const v1::PersonRow& row : request.rows()) {
    rows.push_back({.row = row.row(),
                    .id_no = row.id_no(),
                    .name = row.name(),
                    .village_code = row.village_code(),
                    .household_no = row.household_no(),
                    .household_role = row.household_role(),
                    .guardian_id_no = row.guardian_id_no(),
                    .phone = row.phone(),
                    .died_on = row.died_on(),
                    .card_no = row.card_no(),
                    .card_state = row.card_state(),
                    .card_bank_code = row.card_bank_code(),
                    .card_account_no = row.card_account_no(),
                    .card_account_name = row.card_account_name(),
                    .legacy_bank_code = row.legacy_bank_code(),
                    .legacy_account_no = row.legacy_account_no(),
                    .legacy_kind = row.legacy_kind()});
  }
  return rows;
}

std::vector<ChangeInput> FromWire(const v1::ApplyChangesRequest& request) {
  std::vector<ChangeInput> rows;
  rows.reserve(static_cast<std::size_t>(request.rows_size()));
  for (const v1::ChangeRow& row : request.rows()) {
    rows.push_back({.row = row.row(),
                    .event_id = row.event_id(),
                    .kind = row.kind(),
                    .id_no = row.id_no(),
                    .happened_on = row.happened_on(),
                    .card_no = row.card_no(),
                    .bank_code = row.bank_code(),
                    .account_no = row.account_no(),
                    .account_name = row.account_name(),
                    .village_code = row.village_code()});
  }
  return rows;
}

std::vector<PersonLookup> FromWire(const v1::ResolvePeopleRequest& request) {
  std::vector<PersonLookup> lookups;
  lookups.reserve(static_cast<std::size_t>(request.lookups_size()));
  for (const v1::PersonLookup& lookup : request.lookups()) {
    lookups.push_back({.id_no = lookup.id_no(), .name = lookup.name()});
  }
  return lookups;
}

std::vector<PayeeRef> FromWire(const google::protobuf::RepeatedPtrField<v1::PayeeRef>& payees) {
  std::vector<PayeeRef> refs;
  refs.reserve(static_cast<std::size_t>(payees.size()));
  for (const v1::PayeeRef& payee : payees) {
    refs.push_back({.item_id = payee.item_id(),
                    .payee_person_id = payee.payee_person_id(),
                    .account_version = payee.account_version(),
                    .beneficiary_person_id = payee.beneficiary_person_id()});
  }
  return refs;
}

std::vector<SealGroup> FromWire(const google::protobuf::RepeatedPtrField<v1::SealGroup>& wire) {
  std::vector<SealGroup> groups;
  groups.reserve(static_cast<std::size_t>(wire.size()));
  for (const v1::SealGroup& group : wire) {
    groups.push_back({.chunk_id = group.chunk_id(),
                      .bank_codes = {group.bank_codes().begin(), group.bank_codes().end()},
                      .other_banks = group.other_banks(),
                      .with_identity = group.with_identity()});
  }
  return groups;
}

absl::StatusOr<PayRule> MakePayRule(bool card_required, std::string_view period_first_day,
                                    int grace_months) {
  const std::optional<absl::CivilDay> day = base::ParseDate(period_first_day);
  // A period without a first day (once in a life) has no grace to be measured by.
  if (!day.has_value() && (!period_first_day.empty() || grace_months != 0)) {
    return status::Refuse(status::Reason::kFieldInvalid, "YYYY-MM-DD",
                          {{"field", "period_first_day"}});
  }
  return PayRule{.card_required = card_required,
                 .period_first_day = day.value_or(absl::CivilDay()),
                 .death_grace_months = grace_months};
}

void ToWire(const ChunkAnswer& answer, v1::LoadPeopleResponse& out) { AnswerToWire(answer, out); }
void ToWire(const ChunkAnswer& answer, v1::ApplyChangesResponse& out) { AnswerToWire(answer, out); }

void ToWire(const FeedPage& page, v1::ListChangesResponse& out) {
  out.set_head(page.head);
  for (const FeedEntry& entry : page.entries) {
    v1::Change& change = *out.add_changes();
    change.set_number(entry.number);
    change.set_kind(static_cast<v1::ChangeKind>(entry.kind));
    change.set_person_id(entry.person_id);
    change.set_happened_on(base::FormatDate(entry.happened_on));
    change.set_account_version(entry.account_version);
    change.set_other_person_id(entry.other_person_id);
    SetTime(entry.recorded_at, *change.mutable_recorded_at());
  }
}

void ToWire(const std::vector<ResolvedPerson>& people, v1::ResolvePeopleResponse& out) {
  for (const ResolvedPerson& person : people) {
    v1::ResolvedPerson& resolved = *out.add_people();
    if (person.person_id == 0) continue;
    resolved.set_person_id(person.person_id);
    resolved.set_name_matches(person.name_matches);
    resolved.set_born_on(base::FormatDate(person.born_on));
    resolved.set_died_on(DateText(person.died_on));
    resolved.set_village_code(person.village_code);
    resolved.set_household_id(person.household_id);
    resolved.set_head_person_id(person.head_person_id);
    resolved.set_guardian_person_id(person.guardian_person_id);
    for (const std::int64_t alias : person.aliases) resolved.add_alias_person_ids(alias);
  }
}

void ToWire(const std::vector<ResolvedAccount>& accounts,
            google::protobuf::RepeatedPtrField<v1::ResolvedAccount>& out) {
  out.Reserve(static_cast<int>(accounts.size()));
  for (const ResolvedAccount& account : accounts) {
    v1::ResolvedAccount& resolved = *out.Add();
    resolved.set_item_id(account.item_id);
    resolved.set_bank_code(account.bank_code);
    resolved.set_account_version(account.account_version);
    resolved.set_kind(static_cast<v1::AccountKind>(account.kind));
    if (account.reason.has_value())
      resolved.set_reason(std::string(status::ReasonName(*account.reason)));
    if (account.group.has_value()) resolved.set_group(static_cast<int>(*account.group) + 1);
  }
}

void ToWire(const MaskedPerson& person, v1::Person& out) {
  out.set_person_id(person.person_id);
  out.set_masked_name(person.masked_name);
  out.set_masked_id_no(person.masked_id_no);
  out.set_birth_year(person.birth_year);
  out.set_village_code(person.village_code);
  out.set_household_id(person.household_id);
  out.set_household_role(static_cast<v1::HouseholdRole>(person.household_role));
  out.set_died_on(DateText(person.died_on));
  out.set_card_state(static_cast<v1::CardState>(person.card_state));
  out.set_bank_code(person.bank_code);
  out.set_account_last4(person.account_last4);
  out.set_account_version(person.account_version);
  for (const std::int64_t alias : person.aliases) out.add_alias_person_ids(alias);
}

void ToWire(const HistoryPage& page, v1::ListPersonHistoryResponse& out) {
  out.set_next_page_token(page.next_page_token);
  for (const HistoryEntry& entry : page.entries) {
    v1::HistoryEvent& event = *out.add_events();
    event.set_happened_on(base::FormatDate(entry.happened_on));
    SetTime(entry.recorded_at, *event.mutable_recorded_at());
    event.set_kind(entry.kind);
    event.set_detail(entry.detail);
    event.set_source(entry.source);
  }
}

void ToWire(const Statistics& counts, v1::GetStatisticsResponse& out) {
  out.set_people(counts.people);
  out.set_living(counts.living);
  out.set_active_cards(counts.active_cards);
  out.set_legacy_only(counts.legacy_only);
  out.set_changes(counts.changes);
}

}  // namespace yikatong::registry
