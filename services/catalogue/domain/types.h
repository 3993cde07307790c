// What the catalogue keeps, as plain values. The rules of one version use the types of
// common/policy, so that a quote here and a payment elsewhere are computed by the same code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/period.h"
#include "common/policy/rule.h"

namespace yikatong::catalogue {

struct Department {
  std::string department_id;  // organisation code that certificates and tokens name: civil.120105
  std::string name;
  std::int32_t district = policy::kCityDivision;
  std::vector<std::string> fields;

  friend bool operator==(const Department&, const Department&) = default;
};

enum class DivisionLevel { kCity = 1, kDistrict = 2, kTown = 3, kVillage = 4 };

struct Division {
  std::int64_t code = 0;  // twelve digits
  std::string name;
  std::int32_t district = 0;  // six digits
  DivisionLevel level = DivisionLevel::kVillage;
  bool fictitious = false;  // made up for a demonstration

  friend bool operator==(const Division&, const Division&) = default;
};

// One subsidy. Slot unit and key kind belong to it for ever.
struct Policy {
  std::string policy_id;
  std::string name_zh;
  std::string name_en;
  std::string field;
  std::string department_id;
  std::int32_t district = policy::kCityDivision;
  base::SlotUnit slot_unit = base::SlotUnit::kMonth;
  policy::KeyKind key_kind = policy::KeyKind::kPerson;
  std::string level;
  std::string basis;
  std::string confidence;  // A, B or C (from memory)
  std::string region;
  std::int32_t latest_version = 0;

  friend bool operator==(const Policy&, const Policy&) = default;
};

enum class VersionState {
  kDraft = 1,
  kSubmitted = 2,
  kApproved = 3,
  kPublished = 4,
  kRejected = 5
};

// What a version says. A draft may still lack the date and figures.
struct Rules {
  std::optional<absl::CivilDay> effective_from;
  std::optional<absl::CivilDay> end_on;  // an end of its own, which no later version brings
  policy::Calculation calculation;
  policy::Cadence cadence = policy::Cadence::kMonthly;
  policy::Eligibility eligibility;
  policy::PayeeRule payee_rule = policy::PayeeRule::kSelf;
  std::vector<policy::FundingShare> funding;
  policy::NoticeRule notice;
  std::vector<policy::ReviewStep> review_steps;
  std::string description;

  friend bool operator==(const Rules&, const Rules&) = default;
};

struct PolicyVersion {
  std::string policy_id;
  std::int32_t version = 0;
  VersionState state = VersionState::kDraft;
  Rules rules;
  // Last day in force: the day before the next approved version, or the rules' own end; none
  // without either.
  std::optional<absl::CivilDay> effective_to;
  std::string submitted_by;  // person, empty before
  std::optional<absl::Time> approved_at;
  std::optional<absl::CivilDay> published_on;
  std::string rejection_reason;
  std::int64_t revision = 0;  // rises with every change of the row

  friend bool operator==(const PolicyVersion&, const PolicyVersion&) = default;
};

struct ListEntry {
  Policy policy;
  std::optional<PolicyVersion> version;
};

struct PublishedList {
  std::int32_t district = policy::kCityDivision;
  std::int32_t edition = 0;
  absl::CivilDay published_on;
  std::string sha256;  // 32 bytes
  std::int32_t entry_count = 0;
};

struct OverduePublication {
  std::string policy_id;
  std::int32_t version = 0;
  absl::CivilDay effective_from;
};

struct RolloutStage {
  absl::CivilDay from_date;
  std::vector<std::int32_t> districts;  // empty: all
  std::vector<std::string> fields;      // empty: all
  std::string basis;

  friend bool operator==(const RolloutStage&, const RolloutStage&) = default;
};

enum class ExemptionState { kRequested = 1, kApproved = 2, kRefused = 3 };

struct Exemption {
  std::string exemption_id;
  std::int32_t district = 0;
  std::string field;
  std::string policy_id;  // empty: every policy of the field
  std::string reason;
  absl::CivilDay valid_from;
  absl::CivilDay valid_to;  // last day
  ExemptionState state = ExemptionState::kRequested;
  std::string requested_by;  // person

  friend bool operator==(const Exemption&, const Exemption&) = default;
};

struct PerformanceTarget {
  std::string policy_id;
  std::int32_t district = 0;
  std::int32_t year = 0;
  std::int64_t target_people = 0;
  std::int64_t target_fen = 0;
  std::string goal;
  bool approved = false;
  std::string set_by;  // person

  friend bool operator==(const PerformanceTarget&, const PerformanceTarget&) = default;
};

}  // namespace yikatong::catalogue
