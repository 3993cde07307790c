#include "services/catalogue/domain/policies.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/base/hex.h"
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/checks.h"
#include "services/catalogue/domain/policy_list.h"
#include "services/catalogue/domain/publication.h"
#include "services/catalogue/domain/version_state.h"

namespace yikatong::catalogue {
namespace {

using identity::Caller;
using identity::Role;
using status::Reason;

// The next state of a version that is about to be written.
absl::StatusOr<VersionState> Step(VersionState from, VersionEvent event) {
  base::failpoint::Note("version", StateName(from), EventName(event));
  return Next(from, event);
}

absl::Status UnknownPolicy(std::string_view policy_id) {
  return status::Refuse(Reason::kPolicyUnknown, "", {{"policy", std::string(policy_id)}});
}

absl::Status UnknownVersion(std::string_view policy_id, std::int32_t version) {
  return status::Refuse(Reason::kPolicyVersionUnknown, "",
                        {{"policy", std::string(policy_id)}, {"version", std::to_string(version)}});
}

bool IsPolicyId(std::string_view id) {
  return !id.empty() && id.size() <= 32 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool Owns(const Caller& caller, const Policy& policy) {
  return caller.organisation == policy.department_id && caller.InField(policy.field) &&
         caller.InDistrict(policy.district);
}

bool MayDraft(const Caller& caller, const Policy& policy) {
  return caller.Has(Role::kSystemAdmin) || Owns(caller, policy);
}

bool IsPublic(const PolicyVersion& version) {
  return version.state == VersionState::kApproved || version.state == VersionState::kPublished;
}

bool Sees(const Viewer& viewer, const Policy& policy, const PolicyVersion& version) {
  return viewer.all || viewer.organisation == policy.department_id || IsPublic(version);
}

std::string SubjectOf(const PolicyVersion& version) {
  return fmt::format("policies/{}/versions/{}", version.policy_id, version.version);
}

absl::Status RecordVersion(Repository& repository, const Policy& policy,
                           const PolicyVersion& version, std::string_view kind,
                           std::map<std::string, std::string> details = {}) {
  details.emplace("state", StateName(version.state));
  if (version.rules.effective_from.has_value()) {
    details.emplace("effective_from", base::FormatDate(*version.rules.effective_from));
  }
  return repository.Record({.kind = std::string(kind),
                            .district = policy.district,
                            .subject = SubjectOf(version),
                            .details = std::move(details)});
}

enum class Who { kDrafter, kOwner, kConference };

// The policy and version that a change is about, locked. What the caller may not change does not
// exist for it.
absl::StatusOr<std::pair<Policy, PolicyVersion>> LockForChange(Repository& repository,
                                                               std::string_view policy_id,
                                                               std::int32_t version, Who who) {
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> policy, repository.LockPolicy(policy_id));
  const Caller& caller = repository.call().caller;
  const bool may = policy.has_value() &&
                   (who == Who::kConference ||
                    (who == Who::kDrafter ? MayDraft(caller, *policy) : Owns(caller, *policy)));
  if (!may) return UnknownPolicy(policy_id);
  YKT_ASSIGN_OR_RETURN(const std::optional<PolicyVersion> found,
                       repository.FindVersion(policy_id, version));
  // Before it is submitted a version is nobody's business but its department's.
  if (!found.has_value() || (who == Who::kConference && found->state == VersionState::kDraft)) {
    return UnknownVersion(policy_id, version);
  }
  return std::make_pair(*policy, *found);
}

// EFFECTIVE_DATE_ORDER unless `rules` begin after every other version that `counts`.
template <typename Counts>
absl::Status CheckOrder(Repository& repository, std::string_view policy_id, std::int32_t self,
                        const Rules& rules, Counts counts) {
  if (!rules.effective_from.has_value()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const std::vector<PolicyVersion> versions, repository.Versions(policy_id));
  for (const PolicyVersion& other : versions) {
    if (other.version == self || !counts(other) || !other.rules.effective_from.has_value())
      continue;
    const bool later = self == 0 || other.version < self || IsPublic(other);
    if (later && *other.rules.effective_from >= *rules.effective_from) {
      return status::Refuse(Reason::kEffectiveDateOrder, "",
                            {{"version", std::to_string(other.version)},
                             {"effective_from", base::FormatDate(*other.rules.effective_from)}});
    }
  }
  return absl::OkStatus();
}

bool NotRejected(const PolicyVersion& version) { return version.state != VersionState::kRejected; }

absl::Status CheckNewPolicy(const Policy& policy) {
  if (!IsPolicyId(policy.policy_id)) {
    return BadField("policy.policy_id", "1 to 32 letters, digits, '-' and '_'");
  }
  if (!IsText(policy.name_zh, 300)) return BadField("policy.name_zh", "1 to 300 bytes");
  if (!IsTextOrEmpty(policy.name_en, 300)) return BadField("policy.name_en", "at most 300 bytes");
  if (!IsFieldName(policy.field)) return BadField("policy.field", "is no field");
  if (!IsDistrict(policy.district)) return BadField("policy.district", "six digits");
  if (!IsTextOrEmpty(policy.level, 32)) return BadField("policy.level", "at most 32 bytes");
  if (!IsTextOrEmpty(policy.basis, 1000)) return BadField("policy.basis", "at most 1000 bytes");
  if (!IsTextOrEmpty(policy.region, 200)) return BadField("policy.region", "at most 200 bytes");
  if (policy.confidence != "A" && policy.confidence != "B" && policy.confidence != "C") {
    return BadField("policy.confidence", "A, B or C");
  }
  return absl::OkStatus();
}

absl::StatusOr<Department> DepartmentOf(Repository& repository, std::string_view department_id) {
  YKT_ASSIGN_OR_RETURN(std::optional<Department> department,
                       repository.FindDepartment(department_id));
  if (!department.has_value()) {
    return status::Refuse(Reason::kDepartmentUnknown, "",
                          {{"department", std::string(department_id)}});
  }
  return *std::move(department);
}

bool IsResponsible(const Department& department, std::string_view field) {
  return std::ranges::find(department.fields, field) != department.fields.end();
}

// Whoever pays a policy in a district is a department there that its field belongs to: nobody pays
// over another department's agreement with a bank.
absl::Status CheckPayer(Repository& repository, const Policy& policy, std::int32_t district,
                        std::string_view department_id) {
  YKT_ASSIGN_OR_RETURN(const Department department, DepartmentOf(repository, department_id));
  if (department.district != district) return BadField("department_id", "is of another district");
  if (!IsResponsible(department, policy.field)) {
    return BadField("department_id", "is not responsible for the policy's field");
  }
  return absl::OkStatus();
}

}  // namespace

Viewer ViewerOf(const Caller& caller) {
  return {.all = caller.IsService() || caller.Has(Role::kJointConference) ||
                 caller.Has(Role::kCityFinance) || caller.Has(Role::kAuditor) ||
                 caller.Has(Role::kSystemAdmin),
          .organisation = caller.organisation};
}

absl::StatusOr<Policy> CreatePolicy(Repository& repository, Policy policy) {
  YKT_RETURN_IF_ERROR(CheckNewPolicy(policy));
  policy.latest_version = 0;
  const Caller& caller = repository.call().caller;
  if (!MayDraft(caller, policy)) {
    return status::Refuse(Reason::kPermissionDenied,
                          "a department creates its own policies, in its field and district");
  }
  YKT_ASSIGN_OR_RETURN(const Department department, DepartmentOf(repository, policy.department_id));
  if (!IsResponsible(department, policy.field)) {
    return BadField("policy.field", "is none of the department's");
  }
  if (department.district != policy.district) {
    return BadField("policy.district", "is not the department's");
  }
  YKT_ASSIGN_OR_RETURN(const bool inserted, repository.InsertPolicy(policy));
  if (!inserted) {
    return status::Refuse(Reason::kAlreadyExists, "", {{"policy", policy.policy_id}});
  }
  YKT_RETURN_IF_ERROR(repository.Record(
      {.kind = "policy.created",
       .district = policy.district,
       .subject = "policies/" + policy.policy_id,
       .details = {{"department", policy.department_id},
                   {"slot_unit", std::string(base::SlotUnitName(policy.slot_unit))},
                   {"key_kind", std::string(policy::KeyKindName(policy.key_kind))}}}));
  return policy;
}

absl::StatusOr<Policy> GetPolicy(Repository& repository, std::string_view policy_id) {
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> policy, repository.FindPolicy(policy_id));
  if (!policy.has_value()) return UnknownPolicy(policy_id);
  const Viewer viewer = ViewerOf(repository.call().caller);
  if (viewer.all || viewer.organisation == policy->department_id) return *policy;
  YKT_ASSIGN_OR_RETURN(const std::vector<PolicyVersion> versions, repository.Versions(policy_id));
  if (!std::any_of(versions.begin(), versions.end(), IsPublic)) return UnknownPolicy(policy_id);
  return *policy;
}

absl::StatusOr<policy::Exclusion> CreateExclusion(Repository& repository, std::string_view policy_a,
                                                  std::string_view policy_b,
                                                  std::string_view basis) {
  if (policy_a == policy_b) return BadField("policy_b", "is the same policy");
  if (!IsText(basis, 1000)) return BadField("basis", "1 to 1000 bytes");
  if (policy_b < policy_a) std::swap(policy_a, policy_b);
  // Locked in the order of their ids, so that two edges cannot wait for each other.
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> a, repository.LockPolicy(policy_a));
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> b, repository.LockPolicy(policy_b));
  const Caller& caller = repository.call().caller;
  const bool may = a.has_value() && b.has_value() && (MayDraft(caller, *a) || MayDraft(caller, *b));
  if (!may) return UnknownPolicy(a.has_value() ? policy_b : policy_a);
  const std::optional<policy::KeyKind> key = policy::CoarserKey(a->key_kind, b->key_kind);
  if (!key.has_value()) {
    return status::Refuse(Reason::kPolicyInvalid, "the two policies have no key in common",
                          {{"field", "key_kind"}});
  }
  policy::Exclusion exclusion{.exclusion_id = policy::ExclusionId(policy_a, policy_b),
                              .policy_a = std::string(policy_a),
                              .policy_b = std::string(policy_b),
                              .slot_unit = base::Coarser(a->slot_unit, b->slot_unit),
                              .key_kind = *key,
                              .basis = std::string(basis)};
  YKT_ASSIGN_OR_RETURN(const bool inserted, repository.InsertExclusion(exclusion));
  if (!inserted) {
    return status::Refuse(Reason::kAlreadyExists, "", {{"exclusion", exclusion.exclusion_id}});
  }
  YKT_RETURN_IF_ERROR(repository.Record({.kind = "exclusion.created",
                                         .district = a->district,
                                         .subject = "exclusions/" + exclusion.exclusion_id,
                                         .details = {}}));
  return exclusion;
}

absl::StatusOr<PolicyVersion> CreateVersion(Repository& repository, std::string_view policy_id,
                                            Rules rules) {
  YKT_ASSIGN_OR_RETURN(const std::optional<Policy> policy, repository.LockPolicy(policy_id));
  if (!policy.has_value() || !MayDraft(repository.call().caller, *policy)) {
    return UnknownPolicy(policy_id);
  }
  YKT_RETURN_IF_ERROR(CheckDraft(*policy, rules));
  YKT_RETURN_IF_ERROR(CheckOrder(repository, policy_id, 0, rules, NotRejected));
  PolicyVersion version;
  version.policy_id = policy->policy_id;
  version.version = policy->latest_version + 1;
  version.rules = std::move(rules);
  version.revision = 1;
  YKT_RETURN_IF_ERROR(repository.InsertVersion(version));
  YKT_RETURN_IF_ERROR(RecordVersion(repository, *policy, version, "version.created"));
  version.effective_to = version.rules.end_on;
  return version;
}

absl::StatusOr<PolicyVersion> UpdateVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version, std::int64_t revision,
                                            Rules rules) {
  YKT_ASSIGN_OR_RETURN(auto found, LockForChange(repository, policy_id, version, Who::kDrafter));
  auto& [policy, row] = found;
  YKT_ASSIGN_OR_RETURN(row.state, Step(row.state, VersionEvent::kUpdate));
  if (row.revision != revision) {
    return status::Refuse(Reason::kConcurrentChange, "the etag is not that of the present draft");
  }
  YKT_RETURN_IF_ERROR(CheckDraft(policy, rules));
  YKT_RETURN_IF_ERROR(CheckOrder(repository, policy_id, version, rules, NotRejected));
  row.rules = std::move(rules);
  YKT_RETURN_IF_ERROR(repository.UpdateVersion(row));
  YKT_RETURN_IF_ERROR(RecordVersion(repository, policy, row, "version.updated"));
  ++row.revision;
  row.effective_to = row.rules.end_on;
  return row;
}

absl::StatusOr<PolicyVersion> SubmitVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version) {
  YKT_ASSIGN_OR_RETURN(auto found, LockForChange(repository, policy_id, version, Who::kOwner));
  auto& [policy, row] = found;
  YKT_ASSIGN_OR_RETURN(row.state, Step(row.state, VersionEvent::kSubmit));
  YKT_RETURN_IF_ERROR(CheckComplete(policy, row.rules));
  YKT_RETURN_IF_ERROR(CheckOrder(repository, policy_id, version, row.rules, NotRejected));
  row.submitted_by = repository.call().caller.person;
  YKT_RETURN_IF_ERROR(repository.UpdateVersion(row));
  YKT_RETURN_IF_ERROR(RecordVersion(repository, policy, row, "version.submitted"));
  ++row.revision;
  return row;
}

absl::StatusOr<PolicyVersion> ApproveVersion(Repository& repository, std::string_view policy_id,
                                             std::int32_t version, absl::Time now) {
  YKT_ASSIGN_OR_RETURN(auto found, LockForChange(repository, policy_id, version, Who::kConference));
  auto& [policy, row] = found;
  YKT_ASSIGN_OR_RETURN(row.state, Step(row.state, VersionEvent::kApprove));
  if (row.submitted_by == repository.call().caller.person) {
    return status::Refuse(Reason::kSamePerson, "who submitted a version does not approve it");
  }
  YKT_RETURN_IF_ERROR(CheckOrder(repository, policy_id, version, row.rules, IsPublic));
  row.approved_at = now;
  YKT_RETURN_IF_ERROR(repository.UpdateVersion(row));
  YKT_RETURN_IF_ERROR(RecordVersion(repository, policy, row, "version.approved"));
  ++row.revision;
  return row;
}

absl::StatusOr<PolicyVersion> RejectVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version, std::string_view reason) {
  YKT_RETURN_IF_ERROR(status::CheckFreeText(reason, "reason"));
  YKT_ASSIGN_OR_RETURN(auto found, LockForChange(repository, policy_id, version, Who::kConference));
  auto& [policy, row] = found;
  YKT_ASSIGN_OR_RETURN(row.state, Step(row.state, VersionEvent::kReject));
  row.rejection_reason = std::string(reason);
  YKT_RETURN_IF_ERROR(repository.UpdateVersion(row));
  YKT_RETURN_IF_ERROR(RecordVersion(repository, policy, row, "version.rejected"));
  ++row.revision;
  return row;
}

absl::StatusOr<PolicyVersion> PublishVersion(Repository& repository, std::string_view policy_id,
                                             std::int32_t version) {
  YKT_ASSIGN_OR_RETURN(auto found, LockForChange(repository, policy_id, version, Who::kOwner));
  auto& [policy, row] = found;
  YKT_ASSIGN_OR_RETURN(row.state, Step(row.state, VersionEvent::kPublish));
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  row.published_on = today;
  YKT_RETURN_IF_ERROR(repository.UpdateVersion(row));
  std::map<std::string, std::string> details = {{"published_on", base::FormatDate(today)}};
  if (const int late = DaysOverdue(*row.rules.effective_from, today); late > 0) {
    details.emplace("days_overdue", std::to_string(late));
  }
  YKT_RETURN_IF_ERROR(
      RecordVersion(repository, policy, row, "version.published", std::move(details)));
  ++row.revision;
  return row;
}

absl::StatusOr<PolicyVersion> GetVersion(Repository& repository, std::string_view policy_id,
                                         std::int32_t version) {
  YKT_ASSIGN_OR_RETURN(const Policy policy, GetPolicy(repository, policy_id));
  YKT_ASSIGN_OR_RETURN(const std::optional<PolicyVersion> found,
                       repository.FindVersion(policy_id, version));
  if (!found.has_value() || !Sees(ViewerOf(repository.call().caller), policy, *found)) {
    return UnknownVersion(policy_id, version);
  }
  return *found;
}

absl::StatusOr<std::vector<PolicyVersion>> ListVersions(Repository& repository,
                                                        std::string_view policy_id,
                                                        const PageRequest& page) {
  std::int32_t before = std::numeric_limits<std::int32_t>::max();
  if (!page.after.empty()) {
    const char* const end = page.after.data() + page.after.size();
    if (std::from_chars(page.after.data(), end, before).ptr != end) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
  }
  YKT_ASSIGN_OR_RETURN(const Policy policy, GetPolicy(repository, policy_id));
  YKT_ASSIGN_OR_RETURN(std::vector<PolicyVersion> versions, repository.Versions(policy_id));
  const Viewer viewer = ViewerOf(repository.call().caller);
  std::erase_if(versions, [&](const PolicyVersion& version) {
    return version.version >= before || !Sees(viewer, policy, version);
  });
  const auto most = static_cast<std::size_t>(page.size) + 1;
  if (versions.size() > most) versions.resize(most);
  return versions;
}

absl::StatusOr<Payable> GetPayable(Repository& repository, std::string_view policy_id,
                                   const base::Period& period, std::int32_t district,
                                   std::string_view department_id) {
  YKT_ASSIGN_OR_RETURN(Policy policy, GetPolicy(repository, policy_id));
  if (policy.district != policy::kCityDivision && policy.district != district) {
    return status::Refuse(Reason::kDistrictForeign, "",
                          {{"policy", policy.policy_id}, {"district", std::to_string(district)}});
  }
  if (!department_id.empty()) {
    YKT_RETURN_IF_ERROR(CheckPayer(repository, policy, district, department_id));
  }
  YKT_ASSIGN_OR_RETURN(const std::vector<PolicyVersion> versions, repository.Versions(policy_id));
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  YKT_ASSIGN_OR_RETURN(PolicyVersion version, SelectPayable(policy, versions, period, today));
  YKT_ASSIGN_OR_RETURN(std::vector<policy::Exclusion> exclusions, repository.Exclusions(policy_id));
  return Payable{std::move(policy), std::move(version), std::move(exclusions)};
}

absl::StatusOr<Quote> QuoteAmount(Repository& repository, std::string_view policy_id,
                                  std::int32_t version, std::int32_t district,
                                  const policy::AmountInput& input) {
  PolicyVersion chosen;
  if (version == 0) {
    YKT_ASSIGN_OR_RETURN(const Policy policy, GetPolicy(repository, policy_id));
    YKT_ASSIGN_OR_RETURN(const std::vector<PolicyVersion> versions, repository.Versions(policy_id));
    YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
    const auto at = std::find_if(versions.begin(), versions.end(),
                                 [&](const PolicyVersion& one) { return InForce(one, today); });
    if (at == versions.end()) {
      return status::Refuse(Reason::kPolicyNotInForce, "", {{"policy", policy.policy_id}});
    }
    chosen = *at;
  } else {
    YKT_ASSIGN_OR_RETURN(chosen, GetVersion(repository, policy_id, version));
  }
  YKT_RETURN_IF_ERROR(policy::CheckCalculation(chosen.rules.calculation));
  YKT_ASSIGN_OR_RETURN(const std::int64_t amount,
                       policy::AmountFen(chosen.rules.calculation, input, district));
  return Quote{amount, chosen.version};
}

absl::StatusOr<PublishedList> PublishList(Repository& repository, std::int32_t district) {
  const Caller& caller = repository.call().caller;
  // Finance publishes the city's consolidated list, a district's finance its own.
  const bool may = district == policy::kCityDivision
                       ? caller.Has(Role::kCityFinance)
                       : caller.Has(Role::kDistrictFinanceReviewer) && caller.InDistrict(district);
  if (!may) {
    return status::Refuse(Reason::kPermissionDenied,
                          "finance publishes the list of its own division");
  }
  YKT_RETURN_IF_ERROR(repository.LockLists(district));
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
  YKT_ASSIGN_OR_RETURN(const std::vector<ListEntry> entries,
                       repository.PublishedInForce(district, today));
  std::vector<std::string> lines;
  lines.reserve(entries.size());
  for (const ListEntry& entry : entries) {
    YKT_INVARIANT(entry.version.has_value(), "a list entry without its version");
    lines.push_back(CanonicalEntry(entry.policy, *entry.version));
  }
  YKT_ASSIGN_OR_RETURN(const std::optional<PublishedList> last, repository.FindList(district, 0));
  PublishedList list{.district = district,
                     .edition = last.has_value() ? last->edition + 1 : 1,
                     .published_on = today,
                     .sha256 = ListHash(district, lines),
                     .entry_count = static_cast<std::int32_t>(entries.size())};
  const bool unchanged = last.has_value() ? last->sha256 == list.sha256 : entries.empty();
  if (unchanged) {
    return status::Refuse(Reason::kListUnchanged, "",
                          {{"edition", std::to_string(last.has_value() ? last->edition : 0)}});
  }
  YKT_RETURN_IF_ERROR(repository.InsertList(list, entries));
  YKT_RETURN_IF_ERROR(
      repository.Record({.kind = "list.published",
                         .district = district,
                         .subject = fmt::format("lists/{}/{}", district, list.edition),
                         .details = {{"sha256", base::ToHex(list.sha256)},
                                     {"entries", std::to_string(list.entry_count)}}}));
  return list;
}

}  // namespace yikatong::catalogue
