// What the use cases need of storage. Implemented over PostgreSQL in store/.
//
// A Repository is one open transaction: everything that is written through it commits together,
// with its audit entries, or not at all. Errors of the database pass through as they are
// (common/postgres/database.h); "not found" is an empty optional, and the use case gives it a
// reason.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/identity/caller.h"
#include "services/catalogue/domain/page.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

// Who asks for a mutation, and with what: the request's id, and a hash of its method and content.
struct Call {
  identity::Caller caller;
  std::string method;
  std::string request_id;
  std::string sha256;  // 32 bytes
};

// Whose drafts a caller sees: the services, the joint conference, finance and auditors all, a
// department its own.
struct Viewer {
  bool all = false;
  std::string organisation;
};
Viewer ViewerOf(const identity::Caller& caller);

// What happened, for the audit log; the repository adds who, when and the request.
struct Deed {
  std::string kind;  // version.approved
  std::int32_t district = policy::kCityDivision;
  std::string subject;  // policies/P001/versions/3
  std::map<std::string, std::string> details;
};

class Repository {
 public:
  virtual ~Repository() = default;

  // The call that this transaction works for.
  virtual const Call& call() const = 0;
  // The business date; the same for the whole transaction.
  virtual absl::StatusOr<absl::CivilDay> Today() = 0;
  virtual absl::Status Record(const Deed& deed) = 0;

  // Reference data. Upserts return how many rows are new or changed.
  virtual absl::StatusOr<int> PutDepartments(const std::vector<Department>& departments) = 0;
  virtual absl::StatusOr<int> PutDivisions(const std::vector<Division>& divisions) = 0;
  virtual absl::StatusOr<std::vector<std::int64_t>> KnownDivisions(
      const std::vector<std::int64_t>& codes) = 0;
  virtual absl::StatusOr<std::optional<Department>> FindDepartment(std::string_view id) = 0;
  virtual absl::StatusOr<std::vector<Department>> Departments(const PageRequest& page) = 0;
  // `district` 0 and no `level`: all.
  virtual absl::StatusOr<std::vector<Division>> Divisions(std::int32_t district,
                                                          std::optional<DivisionLevel> level,
                                                          const PageRequest& page) = 0;

  // Policies. False where one of this id stands already.
  virtual absl::StatusOr<bool> InsertPolicy(const Policy& policy) = 0;
  // Without regard to who sees it; a policy is seen where one of its versions is, see Visible.
  virtual absl::StatusOr<std::optional<Policy>> FindPolicy(std::string_view id) = 0;
  // The same, locked against other writers of this policy until the transaction ends.
  virtual absl::StatusOr<std::optional<Policy>> LockPolicy(std::string_view id) = 0;
  // Those that `viewer` sees, each with the version in force on `today` where there is one.
  virtual absl::StatusOr<std::vector<ListEntry>> Policies(std::string_view field,
                                                          bool published_only, const Viewer& viewer,
                                                          absl::CivilDay today,
                                                          const PageRequest& page) = 0;
  virtual absl::StatusOr<bool> InsertExclusion(const policy::Exclusion& exclusion) = 0;
  virtual absl::StatusOr<std::vector<policy::Exclusion>> Exclusions(std::string_view policy_id) = 0;

  // Versions. The policy must be locked for all writes.
  virtual absl::Status InsertVersion(const PolicyVersion& version) = 0;  // raises latest_version
  virtual absl::Status UpdateVersion(const PolicyVersion& version) = 0;  // raises revision
  virtual absl::StatusOr<std::optional<PolicyVersion>> FindVersion(std::string_view policy_id,
                                                                   std::int32_t version) = 0;
  // All of the policy, the newest first.
  virtual absl::StatusOr<std::vector<PolicyVersion>> Versions(std::string_view policy_id) = 0;
  virtual absl::StatusOr<std::vector<OverduePublication>> Overdue(absl::CivilDay today,
                                                                  const PageRequest& page) = 0;

  // Published lists.
  virtual absl::StatusOr<std::vector<ListEntry>> PublishedInForce(std::int32_t district,
                                                                  absl::CivilDay today) = 0;
  // Serialises the editions of one division until the transaction ends.
  virtual absl::Status LockLists(std::int32_t district) = 0;
  // `edition` 0: the newest.
  virtual absl::StatusOr<std::optional<PublishedList>> FindList(std::int32_t district,
                                                                std::int32_t edition) = 0;
  virtual absl::Status InsertList(const PublishedList& list,
                                  const std::vector<ListEntry>& entries) = 0;
  virtual absl::StatusOr<std::vector<ListEntry>> ListEntries(std::int32_t district,
                                                             std::int32_t edition,
                                                             const PageRequest& page) = 0;

  // Rollout and exemptions.
  virtual absl::Status ReplaceRollout(const std::vector<RolloutStage>& stages) = 0;
  virtual absl::StatusOr<std::vector<RolloutStage>> Rollout() = 0;
  virtual absl::Status InsertExemption(const Exemption& exemption) = 0;
  virtual absl::StatusOr<std::optional<Exemption>> LockExemption(std::string_view id) = 0;
  virtual absl::Status DecideExemption(std::string_view id, ExemptionState state) = 0;
  virtual absl::StatusOr<std::vector<Exemption>> Exemptions(std::int32_t district,
                                                            const identity::Scope& scope,
                                                            absl::CivilDay today,
                                                            const PageRequest& page) = 0;
  // Approved ones that hold on `day`, by id.
  virtual absl::StatusOr<std::vector<Exemption>> ExemptionsInForce(std::int32_t district,
                                                                   std::string_view field,
                                                                   absl::CivilDay day) = 0;

  // Performance targets.
  virtual absl::StatusOr<std::optional<PerformanceTarget>> LockTarget(std::string_view policy_id,
                                                                      std::int32_t district,
                                                                      std::int32_t year) = 0;
  virtual absl::StatusOr<std::optional<PerformanceTarget>> FindTarget(std::string_view policy_id,
                                                                      std::int32_t district,
                                                                      std::int32_t year) = 0;
  virtual absl::Status PutTarget(const PerformanceTarget& target) = 0;

  // The business clock. CLOCK_NOT_ADJUSTABLE where the configuration does not let it move.
  virtual absl::Status MoveClock(absl::CivilDay date) = 0;
  virtual bool ClockAdjustable() const = 0;
};

class Storage {
 public:
  using Work = std::function<absl::Status(Repository&)>;
  // Gives the answer's bytes, which are kept with the request.
  using Answering = std::function<absl::StatusOr<std::string>(Repository&)>;
  virtual ~Storage() = default;

  // Runs `work` once for each request id of the caller's organisation: the same id with the same
  // content returns the first answer and does nothing, with other content it is REQUEST_ID_REUSED.
  // What fails is not kept, so that a mended request may use its id again. `work` may run more than
  // once before one run commits.
  virtual absl::StatusOr<std::string> Once(const Call& call, const Answering& work) = 0;

  // Reads; nothing can be written.
  virtual absl::Status Read(const Call& call, const Work& work) = 0;
};

}  // namespace yikatong::catalogue
