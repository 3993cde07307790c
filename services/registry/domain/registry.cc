#include "services/registry/domain/registry.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "common/base/names.h"
#include "common/base/redact.h"
#include "common/base/utf8.h"
#include "common/crypto/merkle.h"
#include "common/crypto/sealed_chunk.h"
#include "common/status/status.h"
#include "services/registry/domain/account_choice.h"
#include "services/registry/domain/rows.h"

namespace yikatong::registry {
namespace {

using status::Reason;

absl::Status FieldInvalid(std::string_view field, std::string_view why) {
  return status::Refuse(Reason::kFieldInvalid, why, {{"field", std::string(field)}});
}

// Short and plain: what stands in audit entries.
absl::Status CheckPlain(std::string_view field, std::string_view value, std::string_view more) {
  if (value.empty() || value.size() > 64) return FieldInvalid(field, "1 to 64 characters");
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && more.find(c) == std::string_view::npos) {
      return FieldInvalid(field, "letters, digits and " + std::string(more));
    }
  }
  return absl::OkStatus();
}

// Ids that people choose are stored and shown: nothing that could be somebody's number.
absl::Status CheckName(std::string_view field, std::string_view value, std::string_view more) {
  YKT_RETURN_IF_ERROR(CheckPlain(field, value, more));
  if (base::LooksSensitive(value, base::References::kShown)) {
    return FieldInvalid(field, "it looks like somebody's number");
  }
  return absl::OkStatus();
}

absl::Status CheckRowCount(std::size_t rows, std::size_t most) {
  if (rows > most) {
    return status::Refuse(Reason::kRowLimitExceeded, {},
                          {{"rows", std::to_string(rows)}, {"limit", std::to_string(most)}});
  }
  return absl::OkStatus();
}

absl::Status CheckRowNumber(std::int64_t row, std::set<std::int64_t>& seen) {
  if (row < 1) return FieldInvalid("rows.row", "rows count from 1");
  if (!seen.insert(row).second) return FieldInvalid("rows.row", "two rows have one number");
  return absl::OkStatus();
}

// The purpose as it is recorded.
absl::StatusOr<std::string> CheckPurpose(std::string_view purpose) {
  const auto points = base::DecodeUtf8(purpose);
  if (!points.has_value() || points->empty() || points->size() > 200) {
    return status::Refuse(Reason::kPurposeMissing);
  }
  if (!base::IsLine(purpose)) return FieldInvalid("purpose", "one line, no control characters");
  return base::RedactSensitive(purpose);
}

absl::Status CheckRule(const PayRule& rule, const std::vector<PayeeRef>& payees) {
  YKT_RETURN_IF_ERROR(CheckRowCount(payees.size(), kMaxPayees));
  if (payees.empty()) return FieldInvalid("payees", "at least one");
  if (rule.death_grace_months < 0 || rule.death_grace_months > kMaxGraceMonths) {
    return FieldInvalid("death_grace_months", "0 to 120");
  }
  for (const PayeeRef& payee : payees) {
    if (payee.payee_person_id <= 0) return FieldInvalid("payees.payee_person_id", "a person");
  }
  return absl::OkStatus();
}

// The row that goes into the seal: the account that was chosen, and whose it is.
// Dispatch and gateway know the person by the id that was asked with, merged or not.
crypto::RowToSeal MakeSealedRow(const PayeeRef& payee, const ResolvedAccount& account,
                                const PayeeRecord& record, bool with_identity) {
  const bool card = account.kind == AccountKind::kSocialCard;
  crypto::RowToSeal row;
  row.clear.item_id = account.item_id;
  row.clear.person_id = std::to_string(payee.payee_person_id);
  row.clear.bank_code = account.bank_code;
  row.clear.account_version = account.account_version;
  row.account.account_number = card ? record.card_account_no : record.legacy_account_no;
  row.account.account_name =
      card && !record.card_account_name.empty() ? record.card_account_name : record.name;
  row.account.last_four = LastFour(row.account.account_number);
  if (with_identity) {
    row.account.id_number = record.id_no;
    row.account.phone = record.phone;
  }
  return row;
}

// Which group takes which bank's accounts.
struct BankGroups {
  std::map<std::string, std::size_t, std::less<>> named;
  std::optional<std::size_t> others;

  std::optional<std::size_t> Of(std::string_view bank_code) const {
    const auto group = named.find(bank_code);
    return group == named.end() ? others : group->second;
  }
};

absl::StatusOr<BankGroups> GroupBanks(const std::vector<SealGroup>& groups) {
  if (groups.empty() || groups.size() > kMaxSealGroups) return FieldInvalid("groups", "1 to 100");
  BankGroups banks;
  std::set<std::string_view> ids;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const SealGroup& group = groups[g];
    YKT_RETURN_IF_ERROR(CheckPlain("groups.chunk_id", group.chunk_id, "-_.:/"));
    if (!ids.insert(group.chunk_id).second) {
      return FieldInvalid("groups.chunk_id", "another one for each group");
    }
    for (const std::string& bank_code : group.bank_codes) {
      if (!banks.named.emplace(bank_code, g).second) {
        return FieldInvalid("groups.bank_codes", "each bank in one group");
      }
    }
    if (!group.other_banks) continue;
    if (banks.others.has_value()) {
      return FieldInvalid("groups.other_banks", "true for one group at most");
    }
    banks.others = g;
  }
  return banks;
}

}  // namespace

absl::StatusOr<ChunkAnswer> Registry::Load(const identity::Caller& caller, std::string_view load_id,
                                           std::int32_t chunk,
                                           const std::vector<PersonInput>& rows) {
  YKT_RETURN_IF_ERROR(CheckName("load_id", load_id, "-_."));
  if (chunk < 1) return FieldInvalid("chunk", "chunks count from 1");
  if (rows.empty()) return FieldInvalid("rows", "at least one");
  YKT_RETURN_IF_ERROR(CheckRowCount(rows.size(), kMaxLoadRows));
  const absl::CivilDay today = business_clock_.Today();
  LoadChunk load{.load_id = std::string(load_id),
                 .chunk = chunk,
                 .content = {},
                 .people = {},
                 .rejections = {}};
  load.people.reserve(rows.size());
  std::set<std::int64_t> numbers;
  std::set<std::string> people;
  for (const PersonInput& row : rows) {
    YKT_RETURN_IF_ERROR(CheckRowNumber(row.row, numbers));
    AppendCanonical(row, load.content);
    std::variant<NewPerson, Rejection> checked = CheckPerson(row, today);
    if (auto* rejection = std::get_if<Rejection>(&checked)) {
      load.rejections.push_back(std::move(*rejection));
    } else if (!people.insert(std::get<NewPerson>(checked).id_no).second) {
      load.rejections.push_back({.row = row.row, .reason = Reason::kPersonRepeated, .detail = {}});
    } else {
      load.people.push_back(std::move(std::get<NewPerson>(checked)));
    }
  }
  return store_.Load(caller, load);
}

absl::StatusOr<ChunkAnswer> Registry::ApplyChanges(const identity::Caller& caller,
                                                   std::string_view source, std::int32_t chunk,
                                                   const std::vector<ChangeInput>& rows) {
  YKT_RETURN_IF_ERROR(CheckName("source", source, "_"));
  if (chunk < 1) return FieldInvalid("chunk", "chunks count from 1");
  if (rows.empty()) return FieldInvalid("rows", "at least one");
  YKT_RETURN_IF_ERROR(CheckRowCount(rows.size(), kMaxChangeRows));
  const absl::CivilDay today = business_clock_.Today();
  ChangeChunk changes{
      .source = std::string(source), .chunk = chunk, .changes = {}, .rejections = {}};
  changes.changes.reserve(rows.size());
  std::set<std::int64_t> numbers;
  for (const ChangeInput& row : rows) {
    YKT_RETURN_IF_ERROR(CheckRowNumber(row.row, numbers));
    std::variant<Change, Rejection> checked = CheckChange(row, today);
    if (auto* rejection = std::get_if<Rejection>(&checked)) {
      changes.rejections.push_back(std::move(*rejection));
    } else {
      changes.changes.push_back(std::move(std::get<Change>(checked)));
    }
  }
  return store_.ApplyChanges(caller, changes);
}

absl::StatusOr<FeedPage> Registry::ListChanges(std::int64_t after, int page_size) {
  if (after < 0) return FieldInvalid("after", "0 or the number of a change");
  if (page_size < 0 || page_size > kMaxFeedPage) return FieldInvalid("page_size", "0 to 5000");
  return store_.ListChanges(after, page_size == 0 ? kDefaultFeedPage : page_size);
}

absl::StatusOr<std::vector<ResolvedPerson>> Registry::ResolvePeople(
    std::vector<PersonLookup> lookups, bool with_head) {
  YKT_RETURN_IF_ERROR(CheckRowCount(lookups.size(), kMaxLookups));
  if (lookups.empty()) return FieldInvalid("lookups", "at least one");
  const absl::CivilDay today = business_clock_.Today();
  for (PersonLookup& lookup : lookups) {
    lookup.id_no = NormalIdNumber(lookup.id_no, today);
    lookup.name = base::NormaliseName(lookup.name).value_or("");
  }
  return store_.ResolvePeople(lookups, with_head);
}

absl::StatusOr<std::vector<ResolvedAccount>> Registry::ResolveAccounts(
    const std::vector<PayeeRef>& payees, const PayRule& rule) {
  YKT_RETURN_IF_ERROR(CheckRule(rule, payees));
  YKT_ASSIGN_OR_RETURN(const std::vector<PayeeRecord> records,
                       store_.ReadPayees(payees, PayeeDetail::kChoice));
  std::vector<ResolvedAccount> accounts;
  accounts.reserve(payees.size());
  for (std::size_t i = 0; i < payees.size(); ++i) {
    accounts.push_back(ChooseAccount(payees[i], records[i], rule));
  }
  return accounts;
}

absl::StatusOr<SealedAnswer> Registry::SealAccounts(const identity::Caller& caller,
                                                    const std::vector<SealGroup>& groups,
                                                    const std::vector<PayeeRef>& payees,
                                                    const PayRule& rule) {
  YKT_ASSIGN_OR_RETURN(const BankGroups banks, GroupBanks(groups));
  YKT_RETURN_IF_ERROR(CheckRule(rule, payees));
  std::set<std::int64_t> items;
  for (const PayeeRef& payee : payees) {
    if (payee.item_id <= 0 || !items.insert(payee.item_id).second) {
      return FieldInvalid("payees.item_id", "each item once");
    }
  }
  const bool with_identity = std::any_of(
      groups.begin(), groups.end(), [](const SealGroup& group) { return group.with_identity; });
  YKT_ASSIGN_OR_RETURN(const std::vector<PayeeRecord> records,
                       store_.ReadPayees(payees, with_identity ? PayeeDetail::kAccountAndIdentity
                                                               : PayeeDetail::kAccount));
  SealedAnswer answer;
  answer.accounts.reserve(payees.size());
  std::vector<std::vector<crypto::RowToSeal>> rows(groups.size());
  std::vector<crypto::MerkleAccumulator> leaves(groups.size());
  std::int64_t refused = 0;
  for (std::size_t i = 0; i < payees.size(); ++i) {
    ResolvedAccount& account =
        answer.accounts.emplace_back(ConfirmAccount(payees[i], records[i], rule));
    if (!account.reason.has_value()) {
      account.group = banks.Of(account.bank_code);
      if (!account.group.has_value()) account.reason = Reason::kBankNotCovered;
    }
    if (account.reason.has_value()) {
      ++refused;
      continue;
    }
    const std::size_t group = *account.group;
    crypto::RowToSeal row =
        MakeSealedRow(payees[i], account, records[i], groups[group].with_identity);
    YKT_INVARIANT(!row.account.account_number.empty(), "a chosen account has no number");
    leaves[group].Add(crypto::LeafHash(std::to_string(account.item_id) + "|" + row.clear.person_id +
                                       "|" + account.bank_code + "|" +
                                       std::to_string(account.account_version)));
    rows[group].push_back(std::move(row));
  }
  std::vector<Sealing> sealings;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    answer.sealed_chunks.emplace_back();
    if (rows[g].empty()) continue;
    YKT_ASSIGN_OR_RETURN(
        const crypto::SealedChunk chunk,
        crypto::SealChunk(groups[g].chunk_id, rows[g], keys_.signer, keys_.gateway, random_));
    answer.sealed_chunks.back() = crypto::EncodeSealedChunk(chunk);
    sealings.push_back(
        {groups[g].chunk_id, static_cast<std::int64_t>(rows[g].size()), leaves[g].Root()});
  }
  // Who asked and got nothing is told too.
  if (sealings.empty()) sealings.push_back({groups.front().chunk_id, 0, {}});
  YKT_RETURN_IF_ERROR(store_.RecordSealing(caller, sealings, refused));
  return answer;
}

absl::StatusOr<MaskedPerson> Registry::FindPerson(const identity::Caller& caller,
                                                  std::string_view id_no,
                                                  std::string_view purpose) {
  YKT_ASSIGN_OR_RETURN(const std::string recorded, CheckPurpose(purpose));
  const std::string normal = NormalIdNumber(std::string(id_no), business_clock_.Today());
  if (normal.empty()) return status::Refuse(Reason::kIdNumberInvalid);
  return store_.FindPerson(caller, normal, recorded);
}

absl::StatusOr<MaskedPerson> Registry::GetPerson(const identity::Caller& caller,
                                                 std::int64_t person_id, std::string_view purpose) {
  YKT_ASSIGN_OR_RETURN(const std::string recorded, CheckPurpose(purpose));
  return store_.GetPerson(caller, person_id, recorded);
}

absl::StatusOr<HistoryPage> Registry::ListHistory(const identity::Caller& caller,
                                                  std::int64_t person_id, std::string_view purpose,
                                                  int page_size, std::string_view page_token) {
  YKT_ASSIGN_OR_RETURN(const std::string recorded, CheckPurpose(purpose));
  if (page_size < 0 || page_size > kMaxHistoryPage) return FieldInvalid("page_size", "0 to 1000");
  return store_.ListHistory(caller, person_id, recorded,
                            page_size == 0 ? kDefaultHistoryPage : page_size, page_token);
}

absl::StatusOr<std::vector<MaskedPerson>> Registry::GetHousehold(const identity::Caller& caller,
                                                                 std::int64_t household_id,
                                                                 std::string_view purpose) {
  YKT_ASSIGN_OR_RETURN(const std::string recorded, CheckPurpose(purpose));
  return store_.GetHousehold(caller, household_id, recorded);
}

absl::StatusOr<MaskedPerson> Registry::MergePeople(const identity::Caller& caller,
                                                   const MergeOrder& order) {
  const auto points = base::DecodeUtf8(order.reason);
  if (!points.has_value() || points->empty() || points->size() > 500 ||
      !base::IsLine(order.reason)) {
    return FieldInvalid("reason", "one line of 1 to 500 characters");
  }
  if (order.kept_person_id == order.merged_person_id) {
    return status::Refuse(Reason::kMergeInvalid, "the two are one record");
  }
  MergeOrder recorded = order;
  recorded.reason = base::RedactSensitive(order.reason);
  return store_.Merge(caller, recorded);
}

absl::StatusOr<Statistics> Registry::Count(const identity::Caller& caller, std::int32_t district) {
  return store_.Count(caller, district);
}

}  // namespace yikatong::registry
