#include "services/catalogue/domain/administration.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/checks.h"
#include "services/catalogue/domain/policies.h"

namespace yikatong::catalogue {
namespace {

using identity::Caller;
using identity::Role;
using status::Reason;

// The twelve-digit code of the division above; 0 for the city.
std::int64_t ParentOf(const Division& division) {
  const auto cut = [&](std::int64_t unit) { return division.code / unit * unit; };
  switch (division.level) {
    case DivisionLevel::kVillage:
      return cut(1'000);
    case DivisionLevel::kTown:
      return cut(1'000'000);
    case DivisionLevel::kDistrict:
      return cut(10'000'000'000);
    case DivisionLevel::kCity:
      break;
  }
  return 0;
}

// Whether the code ends in the zeros that its level has, and begins with the district.
bool CodeFits(const Division& division) {
  if (division.code < 100'000'000'000 || division.code > 999'999'999'999) return false;
  if (division.code / 1'000'000 != division.district) return false;
  const std::int64_t town = division.code / 1'000 % 1'000;
  const std::int64_t village = division.code % 1'000;
  switch (division.level) {
    case DivisionLevel::kVillage:
      return town != 0 && village != 0;
    case DivisionLevel::kTown:
      return town != 0 && village == 0;
    case DivisionLevel::kDistrict:
      return town == 0 && village == 0 && division.district % 100 != 0;
    case DivisionLevel::kCity:
      return division.code % 10'000'000'000 == 0;
  }
  return false;
}

absl::Status CheckDepartments(const std::vector<Department>& departments) {
  std::set<std::string_view> seen;
  for (const Department& one : departments) {
    if (!IsText(one.department_id, 64) || !seen.insert(one.department_id).second) {
      return BadField("departments.department_id", "each needs 1 to 64 bytes of its own");
    }
    if (!IsText(one.name, 200)) return BadField("departments.name", "1 to 200 bytes");
    if (!IsDistrict(one.district)) return BadField("departments.district", "six digits");
    for (const std::string& field : one.fields) {
      if (!IsFieldName(field)) return BadField("departments.fields", "is no field");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDivisions(Repository& repository, const std::vector<Division>& divisions) {
  if (divisions.size() > kMaxDivisionsInOneCall) {
    return BadField("divisions", fmt::format("at most {} in one call", kMaxDivisionsInOneCall));
  }
  std::set<std::int64_t> codes;
  for (const Division& one : divisions) {
    if (!CodeFits(one)) {
      return status::Refuse(Reason::kDivisionCodeInvalid, "",
                            {{"division", std::to_string(one.code)}});
    }
    if (!codes.insert(one.code).second) return BadField("divisions.code", "stands twice");
    if (!IsText(one.name, 200)) return BadField("divisions.name", "1 to 200 bytes");
  }
  std::set<std::int64_t> missing;
  for (const Division& one : divisions) {
    const std::int64_t parent = ParentOf(one);
    if (parent != 0 && !codes.contains(parent)) missing.insert(parent);
  }
  if (missing.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(
      const std::vector<std::int64_t> known,
      repository.KnownDivisions(std::vector<std::int64_t>(missing.begin(), missing.end())));
  for (const std::int64_t code : known) missing.erase(code);
  if (missing.empty()) return absl::OkStatus();
  return status::Refuse(Reason::kDivisionUnknown, "a division above is neither stored nor sent",
                        {{"division", std::to_string(*missing.begin())}});
}

absl::Status UnknownTarget() {
  return status::Refuse(Reason::kNotFound,
                        "no performance target for this policy, district and year");
}

std::string SubjectOf(const PerformanceTarget& target) {
  return fmt::format("targets/{}/{}/{}", target.policy_id, target.district, target.year);
}

}  // namespace

absl::StatusOr<Imported> ImportReferenceData(Repository& repository,
                                             const std::vector<Department>& departments,
                                             const std::vector<Division>& divisions) {
  YKT_RETURN_IF_ERROR(CheckDepartments(departments));
  YKT_RETURN_IF_ERROR(CheckDivisions(repository, divisions));
  Imported imported;
  YKT_ASSIGN_OR_RETURN(imported.departments_changed, repository.PutDepartments(departments));
  YKT_ASSIGN_OR_RETURN(imported.divisions_changed, repository.PutDivisions(divisions));
  YKT_RETURN_IF_ERROR(
      repository.Record({.kind = "reference_data.imported",
                         .district = policy::kCityDivision,
                         .subject = "reference_data",
                         .details = {{"departments", std::to_string(imported.departments_changed)},
                                     {"divisions", std::to_string(imported.divisions_changed)}}}));
  return imported;
}

absl::StatusOr<std::vector<RolloutStage>> SetRollout(Repository& repository,
                                                     std::vector<RolloutStage> stages) {
  YKT_RETURN_IF_ERROR(CheckStages(stages));
  std::stable_sort(stages.begin(), stages.end(), [](const RolloutStage& a, const RolloutStage& b) {
    return a.from_date < b.from_date;
  });
  YKT_RETURN_IF_ERROR(repository.ReplaceRollout(stages));
  YKT_RETURN_IF_ERROR(repository.Record({.kind = "rollout.set",
                                         .district = policy::kCityDivision,
                                         .subject = "rollout",
                                         .details = {{"stages", std::to_string(stages.size())}}}));
  return stages;
}

absl::StatusOr<CardDecision> CheckCard(Repository& repository, std::int32_t district,
                                       std::string_view policy_id,
                                       std::optional<absl::CivilDay> date) {
  if (!IsDistrict(district)) return BadField("district", "six digits");
  YKT_ASSIGN_OR_RETURN(const Policy policy, GetPolicy(repository, policy_id));
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  const absl::CivilDay day = date.value_or(today);
  YKT_ASSIGN_OR_RETURN(const std::vector<RolloutStage> stages, repository.Rollout());
  YKT_ASSIGN_OR_RETURN(const std::vector<Exemption> exemptions,
                       repository.ExemptionsInForce(district, policy.field, day));
  return DecideCard(stages, exemptions, district, policy.field, policy.policy_id, day);
}

absl::StatusOr<Exemption> CreateExemption(Repository& repository, Exemption exemption,
                                          std::string_view id) {
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  YKT_RETURN_IF_ERROR(CheckExemption(exemption, today));
  const Caller& caller = repository.call().caller;
  if (!caller.InDistrict(exemption.district) || !caller.InField(exemption.field)) {
    return status::Refuse(Reason::kPermissionDenied,
                          "a department asks for its own district and field");
  }
  if (!exemption.policy_id.empty()) {
    YKT_ASSIGN_OR_RETURN(const Policy policy, GetPolicy(repository, exemption.policy_id));
    if (policy.field != exemption.field) {
      return BadField("exemption.policy_id", "belongs to another field");
    }
  }
  exemption.exemption_id = std::string(id);
  exemption.state = ExemptionState::kRequested;
  exemption.requested_by = caller.person;
  YKT_RETURN_IF_ERROR(repository.InsertExemption(exemption));
  YKT_RETURN_IF_ERROR(
      repository.Record({.kind = "exemption.requested",
                         .district = exemption.district,
                         .subject = "exemptions/" + exemption.exemption_id,
                         .details = {{"field", exemption.field},
                                     {"policy", exemption.policy_id},
                                     {"valid_from", base::FormatDate(exemption.valid_from)},
                                     {"valid_to", base::FormatDate(exemption.valid_to)}}}));
  return exemption;
}

absl::StatusOr<Exemption> DecideExemption(Repository& repository, std::string_view exemption_id,
                                          bool approve) {
  YKT_ASSIGN_OR_RETURN(std::optional<Exemption> exemption, repository.LockExemption(exemption_id));
  const Caller& caller = repository.call().caller;
  // What lies outside of the caller's districts does not exist for it.
  if (!exemption.has_value() || !caller.InDistrict(exemption->district)) {
    return status::Refuse(Reason::kNotFound, "no such exemption");
  }
  if (exemption->state != ExemptionState::kRequested) {
    return status::Refuse(Reason::kStateConflict, "the exemption is decided already");
  }
  if (exemption->requested_by == caller.person) {
    return status::Refuse(Reason::kSamePerson, "who asked for an exemption does not decide it");
  }
  exemption->state = approve ? ExemptionState::kApproved : ExemptionState::kRefused;
  base::failpoint::Note("exemption", "REQUESTED", approve ? "approve" : "refuse");
  YKT_RETURN_IF_ERROR(repository.DecideExemption(exemption_id, exemption->state));
  YKT_RETURN_IF_ERROR(
      repository.Record({.kind = approve ? "exemption.approved" : "exemption.refused",
                         .district = exemption->district,
                         .subject = "exemptions/" + exemption->exemption_id,
                         .details = {}}));
  return *std::move(exemption);
}

absl::StatusOr<PerformanceTarget> SetTarget(Repository& repository, PerformanceTarget target) {
  if (target.year < 2000 || target.year > 2199) return BadField("target.year", "2000 to 2199");
  if (!IsDistrict(target.district)) return BadField("target.district", "six digits");
  if (target.target_people <= 0) return BadField("target.target_people", "must be positive");
  if (target.target_fen <= 0) return BadField("target.target_fen", "must be positive");
  if (!IsText(target.goal, 4000)) return BadField("target.goal", "1 to 4000 bytes");
  const Caller& caller = repository.call().caller;
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> policy, repository.LockPolicy(target.policy_id));
  if (!policy.has_value() || !caller.InField(policy->field) ||
      !caller.InDistrict(target.district)) {
    return status::Refuse(Reason::kPolicyUnknown, "", {{"policy", target.policy_id}});
  }
  YKT_ASSIGN_OR_RETURN(const std::optional<PerformanceTarget> present,
                       repository.LockTarget(target.policy_id, target.district, target.year));
  if (present.has_value() && present->approved) {
    return status::Refuse(Reason::kStateConflict, "the target is approved already");
  }
  target.approved = false;
  target.set_by = caller.person;
  YKT_RETURN_IF_ERROR(repository.PutTarget(target));
  YKT_RETURN_IF_ERROR(
      repository.Record({.kind = "target.set",
                         .district = target.district,
                         .subject = SubjectOf(target),
                         .details = {{"people", std::to_string(target.target_people)},
                                     {"fen", std::to_string(target.target_fen)}}}));
  return target;
}

absl::StatusOr<PerformanceTarget> ApproveTarget(Repository& repository, std::string_view policy_id,
                                                std::int32_t district, std::int32_t year) {
  const Caller& caller = repository.call().caller;
  const bool may = district == policy::kCityDivision
                       ? caller.Has(Role::kCityFinance)
                       : caller.Has(Role::kCityFinance) || caller.InDistrict(district);
  if (!may) return UnknownTarget();
  YKT_ASSIGN_OR_RETURN(std::optional<PerformanceTarget> target,
                       repository.LockTarget(policy_id, district, year));
  if (!target.has_value()) return UnknownTarget();
  if (target->approved) {
    return status::Refuse(Reason::kStateConflict, "the target is approved already");
  }
  if (target->set_by == caller.person) {
    return status::Refuse(Reason::kSamePerson, "who set a target does not approve it");
  }
  target->approved = true;
  YKT_RETURN_IF_ERROR(repository.PutTarget(*target));
  YKT_RETURN_IF_ERROR(repository.Record({.kind = "target.approved",
                                         .district = district,
                                         .subject = SubjectOf(*target),
                                         .details = {}}));
  return *std::move(target);
}

absl::StatusOr<PerformanceTarget> GetTarget(Repository& repository, std::string_view policy_id,
                                            std::int32_t district, std::int32_t year) {
  const Caller& caller = repository.call().caller;
  if (!ViewerOf(caller).all && !caller.InDistrict(district)) return UnknownTarget();
  YKT_ASSIGN_OR_RETURN(const std::optional<PerformanceTarget> target,
                       repository.FindTarget(policy_id, district, year));
  if (!target.has_value()) return UnknownTarget();
  return *target;
}

absl::StatusOr<absl::CivilDay> AdvanceClock(Repository& repository, std::int32_t days,
                                            std::optional<absl::CivilDay> to_date) {
  if (!repository.ClockAdjustable()) return status::Refuse(Reason::kClockNotAdjustable);
  if ((days != 0) == to_date.has_value()) return BadField("days", "give either days or to_date");
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  if (days < 0 || (to_date.has_value() && *to_date < today)) {
    return status::Refuse(Reason::kClockNotBack, "", {{"today", base::FormatDate(today)}});
  }
  const absl::CivilDay next = to_date.value_or(today + days);
  if (next - today > kMaxClockDays)
    return BadField("days", fmt::format("at most {}", kMaxClockDays));
  YKT_RETURN_IF_ERROR(repository.MoveClock(next));
  YKT_RETURN_IF_ERROR(repository.Record(
      {.kind = "clock.advanced",
       .district = policy::kCityDivision,
       .subject = "clock",
       .details = {{"from", base::FormatDate(today)}, {"to", base::FormatDate(next)}}}));
  return next;
}

}  // namespace yikatong::catalogue
