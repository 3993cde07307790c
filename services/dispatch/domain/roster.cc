#include "services/dispatch/domain/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/base/dates.h"
#include "common/base/names.h"
#include "common/codes/id_number.h"
#include "common/money/money.h"
#include "common/policy/amount.h"
#include "common/policy/eligibility.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"

namespace yikatong::dispatch {
namespace {

using policy::KeyKind;
using policy::PayeeRule;
using status::Reason;

constexpr std::size_t kMaxObjectId = 64;
constexpr int kNamedFromAge = 14;  // 个人信息保护法 art. 28: children under fourteen

// Why a row is refused; an empty reason lets it pass.
struct Fault {
  std::string reason;
  std::string detail;

  explicit operator bool() const { return !reason.empty(); }
};

Fault FaultOf(Reason reason, std::string detail = {}) {
  return {std::string(status::ReasonName(reason)), std::move(detail)};
}

// A refusal of a rule as the fault of a row: its facts, never its text.
Fault FaultOf(const absl::Status& refusal) {
  std::string detail;
  for (const auto& [key, value] : status::MetadataOf(refusal)) {
    detail += fmt::format("{}{}={}", detail.empty() ? "" : ";", key, value);
  }
  return {status::ReasonNameOf(refusal), std::move(detail)};
}

absl::Status BadChunk(std::string_view fault) {
  return status::Refuse(Reason::kChunkInvalid, fault, {{"fault", std::string(fault)}});
}

std::string_view Number(std::int64_t value, char (&digits)[24]) {
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return {digits, static_cast<std::size_t>(end.ptr - digits)};
}

std::int32_t DistrictOfVillage(std::int64_t village) {
  return village / 10'000'000'000 == kProvince ? static_cast<std::int32_t>(village / 1'000'000) : 0;
}

// The written form of a plot's or machine's number: no blanks, capital letters. Empty where it is
// none.
std::string ObjectOf(std::string_view text) {
  std::string object;
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '/' && c != '.')
      return {};
    object.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return object.size() <= kMaxObjectId ? object : std::string();
}

// A child is a person: both kinds have one key, so that an edge between two such policies meets.
std::string_view KindOf(KeyKind kind) {
  return policy::KeyKindName(kind == KeyKind::kChild ? KeyKind::kPerson : kind);
}

Roster::Scope ScopeOf(std::string name, base::SlotUnit unit, KeyKind kind,
                      const base::Period& period) {
  return {std::move(name), kind, period.Slots(unit), {}};
}

// Adds the claims of one scope; the fault where the row lacks the key.
Fault AddClaims(const Roster::Scope& scope, const ResolvedPerson& person, std::string_view object,
                std::vector<ClaimKey>& claims) {
  char digits[24];
  const std::string_view kind = KindOf(scope.kind);
  const auto add = [&](std::string_view key) {
    for (const std::string& slot : scope.slots)
      claims.push_back(MakeClaimKey(scope.name, slot, kind, key));
  };
  switch (scope.kind) {
    case KeyKind::kPerson:
    case KeyKind::kChild:
      add(Number(person.person_id, digits));
      for (const std::int64_t alias : person.aliases) {
        if (alias != person.person_id) add(Number(alias, digits));
      }
      return {};
    case KeyKind::kHousehold:
      if (person.household_id == 0) return FaultOf(Reason::kHouseholdMissing);
      add(Number(person.household_id, digits));
      return {};
    case KeyKind::kPlot:
    case KeyKind::kMachine:
      if (object.empty()) return FaultOf(Reason::kObjectMissing);
      add(object);
      return {};
  }
  return FaultOf(Reason::kObjectMissing);
}

// Who receives the money.
Fault FindPayee(const Roster& roster, const RosterRow& row, const ResolvedPerson& person,
                const ResolvedPerson* payee, std::int64_t& payee_id) {
  if (payee != nullptr && payee->person_id == 0) return FaultOf(Reason::kPayeeUnknown);
  if (payee != nullptr && !row.payee_name.empty() && !payee->name_matches) {
    return FaultOf(Reason::kNameMismatch, "of=payee");
  }
  switch (roster.rule.payee_rule) {
    case PayeeRule::kSelf:
      if (payee != nullptr && payee->person_id != person.person_id)
        return FaultOf(Reason::kPayeeRelationMissing);
      payee_id = person.person_id;
      return {};
    case PayeeRule::kHeadOfHousehold:
      if (person.household_id == 0 || person.head_person_id == 0)
        return FaultOf(Reason::kHouseholdMissing);
      if (payee != nullptr && payee->person_id != person.head_person_id)
        return FaultOf(Reason::kPayeeRelationMissing);
      payee_id = person.head_person_id;
      return {};
    case PayeeRule::kGuardian:
      if (person.guardian_person_id == 0) return FaultOf(Reason::kPayeeRelationMissing);
      if (payee != nullptr && payee->person_id != person.guardian_person_id) {
        return FaultOf(Reason::kPayeeRelationMissing);
      }
      payee_id = person.guardian_person_id;
      return {};
  }
  return FaultOf(Reason::kPayeeRelationMissing);
}

Fault CheckAmount(const Roster& roster, const RosterRow& row, int age) {
  policy::AmountInput input;
  input.quantity = row.quantity;
  input.members = row.members;
  input.income_fen = row.income_fen;
  input.bill_fen = row.bill_fen;
  input.tier.assign(row.tier);
  input.age = age;
  input.assessed_fen = row.amount_fen;
  const absl::StatusOr<std::int64_t> standard =
      policy::AmountForPeriodFen(roster.rule, input, roster.batch.district, roster.period);
  if (!standard.ok()) {
    Fault fault = FaultOf(standard.status());
    const std::optional<Reason> reason = status::ReasonOf(standard.status());
    if (reason != Reason::kAmountNotStandard && reason != Reason::kStandardMissing) {
      fault.reason = status::ReasonName(Reason::kCalculationInput);
    }
    return fault;
  }
  if (*standard == row.amount_fen) return {};
  return FaultOf(Reason::kAmountNotStandard,
                 fmt::format("standard_fen={};given_fen={}", *standard, row.amount_fen));
}

// One row: either it becomes `candidate` with what it claims, or the fault says why not.
Fault Judge(const Roster& roster, const RosterRow& row, const ResolvedPerson& person,
            const ResolvedPerson* payee, Candidate& candidate, Claimant& claimant) {
  if (person.person_id == 0) return FaultOf(Reason::kPersonUnknown);
  if (!person.name_matches) return FaultOf(Reason::kNameMismatch);

  policy::Person known;
  known.born_on = person.born_on;
  known.died_on = person.died_on;
  known.district = DistrictOfVillage(person.village);
  if (const absl::Status eligible =
          policy::CheckEligible(roster.rule.eligibility, known, roster.period,
                                roster.batch.district, roster.collected_on);
      !eligible.ok()) {
    return FaultOf(eligible);
  }
  if (Fault fault = FindPayee(roster, row, person, payee, candidate.payee_id)) return fault;

  const std::string object = ObjectOf(row.object_id);
  if (Fault fault = AddClaims(roster.own, person, object, claimant.own)) return fault;
  const int age =
      base::AgeAt(person.born_on, policy::ReferenceDate(roster.period, roster.collected_on));
  if (Fault fault = CheckAmount(roster, row, age)) return fault;
  for (std::size_t e = 0; e < roster.edges.size(); ++e) {
    if (Fault fault = AddClaims(roster.edges[e], person, object, claimant.edges)) return fault;
    claimant.edge_no.resize(claimant.edges.size(), static_cast<std::uint16_t>(e));
  }

  candidate.row = row.row;
  candidate.item_id = roster.batch.ItemOfRow(row.row);
  candidate.person_id = person.person_id;
  candidate.village = person.village;
  candidate.amount_fen = row.amount_fen;
  candidate.masked_name =
      PublicName(row.name, row.payee_name, base::AgeAt(person.born_on, roster.collected_on));
  claimant.item_id = candidate.item_id;
  return {};
}

void Reject(const RosterRow& row, Fault fault, ChunkDraft& draft) {
  draft.rejections.push_back(
      {row.row, std::move(fault.reason), std::move(fault.detail), row.amount_fen});
}

std::int64_t Clamp(__int128 value) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  return value > kMost ? kMost : value < kLeast ? kLeast : static_cast<std::int64_t>(value);
}

}  // namespace

absl::StatusOr<Roster> Roster::Of(BatchRow batch, policy::PolicyRule rule,
                                  absl::CivilDay collected_on) {
  const std::optional<base::Period> period = base::Period::Parse(batch.period);
  YKT_INVARIANT(period.has_value(), "a batch has a period that is none");
  YKT_INVARIANT(rule.policy_id == batch.policy_id,
                "a batch is pinned to the rule of another policy");
  Roster roster;
  roster.period = *period;
  roster.collected_on = collected_on;
  roster.own = ScopeOf(PolicyScope(rule.policy_id), rule.slot_unit, rule.key_kind, *period);
  for (const policy::Exclusion& edge : rule.exclusions) {
    Scope scope = ScopeOf(EdgeScope(edge.exclusion_id), edge.slot_unit, edge.key_kind, *period);
    scope.other_policy = edge.policy_a == rule.policy_id ? edge.policy_b : edge.policy_a;
    roster.edges.push_back(std::move(scope));
  }
  roster.edge_owner = EdgeOwner(rule.policy_id);
  roster.batch = std::move(batch);
  roster.rule = std::move(rule);
  return roster;
}

absl::StatusOr<ChunkDraft> ReadRows(const Roster& roster, std::int32_t chunk,
                                    std::string content_hash, std::span<const RosterRow> rows) {
  if (chunk < 1) return BadChunk("the chunk number is below 1");
  if (rows.empty()) return BadChunk("the chunk has no row");
  if (rows.size() > kMaxChunkRows) return BadChunk("the chunk has more than 2000 rows");
  if (rows[0].row < 1) return BadChunk("a row number is below 1");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].row != rows[i - 1].row + 1)
      return BadChunk("row numbers are not consecutive and ascending");
  }

  ChunkDraft draft;
  draft.chunk = chunk;
  draft.content_hash = std::move(content_hash);
  draft.first_row = rows.front().row;
  draft.last_row = rows.back().row;
  draft.beneficiary_of.assign(rows.size(), -1);
  draft.payee_of.assign(rows.size(), -1);
  draft.lookups.reserve(rows.size());
  __int128 sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RosterRow& row = rows[i];
    sum += row.amount_fen;
    if (row.row > roster.batch.declared_count) {
      Reject(row,
             FaultOf(Reason::kRowNumberBeyondDeclared,
                     fmt::format("declared={}", roster.batch.declared_count)),
             draft);
      continue;
    }
    if (const absl::Status amount = money::CheckRowAmount(row.amount_fen); !amount.ok()) {
      Reject(row, {status::ReasonNameOf(amount), fmt::format("amount_fen={}", row.amount_fen)},
             draft);
      continue;
    }
    codes::IdNumber id, payee;
    if (const auto wrong =
            codes::ReadIdNumber(row.id_no, roster.collected_on, codes::IdInput::kTyped, id)) {
      Reject(row, FaultOf(*wrong), draft);
      continue;
    }
    bool other_payee = false;
    if (!row.payee_id_no.empty()) {
      if (const auto wrong = codes::ReadIdNumber(row.payee_id_no, roster.collected_on,
                                                 codes::IdInput::kTyped, payee)) {
        Reject(row, FaultOf(*wrong, "of=payee"), draft);
        continue;
      }
      other_payee = !(payee == id);
    }
    draft.beneficiary_of[i] = static_cast<std::int32_t>(draft.lookups.size());
    draft.lookups.push_back({std::string(id.Text()), std::string(row.name)});
    if (other_payee) {
      draft.payee_of[i] = static_cast<std::int32_t>(draft.lookups.size());
      draft.lookups.push_back({std::string(payee.Text()), std::string(row.payee_name)});
    }
  }
  draft.rows_fen = Clamp(sum);
  return draft;
}

absl::Status JudgeRows(const Roster& roster, std::span<const RosterRow> rows,
                       std::span<const ResolvedPerson> people, ChunkDraft& draft) {
  YKT_INVARIANT(people.size() == draft.lookups.size(),
                "the registry answered other look-ups than were asked");
  draft.candidates.reserve(rows.size());
  draft.claimants.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (draft.beneficiary_of[i] < 0) continue;
    const ResolvedPerson& person = people[static_cast<std::size_t>(draft.beneficiary_of[i])];
    const ResolvedPerson* payee =
        draft.payee_of[i] < 0 ? nullptr : &people[static_cast<std::size_t>(draft.payee_of[i])];
    Candidate candidate;
    Claimant claimant;
    if (Fault fault = Judge(roster, rows[i], person, payee, candidate, claimant)) {
      Reject(rows[i], std::move(fault), draft);
      continue;
    }
    draft.candidates.push_back(std::move(candidate));
    draft.claimants.push_back(std::move(claimant));
  }
  std::sort(draft.rejections.begin(), draft.rejections.end(),
            [](const Rejection& a, const Rejection& b) { return a.row < b.row; });
  return absl::OkStatus();
}

std::string PublicName(std::string_view name, std::string_view payee_name, int age) {
  const auto masked = [](std::string_view text) {
    const std::optional<std::string> written = base::NormaliseName(text);
    return base::MaskName(written ? std::string_view(*written) : text, base::MaskStyle::kWeb);
  };
  if (age >= kNamedFromAge) return masked(name);
  return payee_name.empty() ? "未成年人" : "监护人" + masked(payee_name) + "之子女";
}

}  // namespace yikatong::dispatch
