// One open transaction as the use cases see it. For pg_storage.cc only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/postgres/database.h"
#include "common/redis/cache.h"
#include "services/catalogue/domain/ports.h"
#include "services/catalogue/store/rules_json.h"

namespace yikatong::catalogue {

class PgRepository final : public Repository {
 public:
  struct Context {
    postgres::Transaction& tx;
    redis::Cache& cache;
    const base::Clock& clock;
    base::IdSource& ids;
    bool clock_adjustable;
    bool reading;  // a snapshot that sees no writes of its own: the cache may be used
  };
  PgRepository(Context context, const Call& call) : context_(context), call_(call) {}

  const Call& call() const override { return call_; }
  absl::StatusOr<absl::CivilDay> Today() override;
  absl::Status Record(const Deed& deed) override;

  absl::StatusOr<int> PutDepartments(const std::vector<Department>& departments) override;
  absl::StatusOr<int> PutDivisions(const std::vector<Division>& divisions) override;
  absl::StatusOr<std::vector<std::int64_t>> KnownDivisions(
      const std::vector<std::int64_t>& codes) override;
  absl::StatusOr<std::optional<Department>> FindDepartment(std::string_view id) override;
  absl::StatusOr<std::vector<Department>> Departments(const PageRequest& page) override;
  absl::StatusOr<std::vector<Division>> Divisions(std::int32_t district,
                                                  std::optional<DivisionLevel> level,
                                                  const PageRequest& page) override;

  absl::StatusOr<bool> InsertPolicy(const Policy& policy) override;
  absl::StatusOr<std::optional<Policy>> FindPolicy(std::string_view id) override;
  absl::StatusOr<std::optional<Policy>> LockPolicy(std::string_view id) override;
  absl::StatusOr<std::vector<ListEntry>> Policies(std::string_view field, bool published_only,
                                                  const Viewer& viewer, absl::CivilDay today,
                                                  const PageRequest& page) override;
  absl::StatusOr<bool> InsertExclusion(const policy::Exclusion& exclusion) override;
  absl::StatusOr<std::vector<policy::Exclusion>> Exclusions(std::string_view policy_id) override;

  absl::Status InsertVersion(const PolicyVersion& version) override;
  absl::Status UpdateVersion(const PolicyVersion& version) override;
  absl::StatusOr<std::optional<PolicyVersion>> FindVersion(std::string_view policy_id,
                                                           std::int32_t version) override;
  absl::StatusOr<std::vector<PolicyVersion>> Versions(std::string_view policy_id) override;
  absl::StatusOr<std::vector<OverduePublication>> Overdue(absl::CivilDay today,
                                                          const PageRequest& page) override;

  absl::StatusOr<std::vector<ListEntry>> PublishedInForce(std::int32_t district,
                                                          absl::CivilDay today) override;
  absl::Status LockLists(std::int32_t district) override;
  absl::StatusOr<std::optional<PublishedList>> FindList(std::int32_t district,
                                                        std::int32_t edition) override;
  absl::Status InsertList(const PublishedList& list,
                          const std::vector<ListEntry>& entries) override;
  absl::StatusOr<std::vector<ListEntry>> ListEntries(std::int32_t district, std::int32_t edition,
                                                     const PageRequest& page) override;

  absl::Status ReplaceRollout(const std::vector<RolloutStage>& stages) override;
  absl::StatusOr<std::vector<RolloutStage>> Rollout() override;
  absl::Status InsertExemption(const Exemption& exemption) override;
  absl::StatusOr<std::optional<Exemption>> LockExemption(std::string_view id) override;
  absl::Status DecideExemption(std::string_view id, ExemptionState state) override;
  absl::StatusOr<std::vector<Exemption>> Exemptions(std::int32_t district,
                                                    const identity::Scope& scope,
                                                    absl::CivilDay today,
                                                    const PageRequest& page) override;
  absl::StatusOr<std::vector<Exemption>> ExemptionsInForce(std::int32_t district,
                                                           std::string_view field,
                                                           absl::CivilDay day) override;

  absl::StatusOr<std::optional<PerformanceTarget>> LockTarget(std::string_view policy_id,
                                                              std::int32_t district,
                                                              std::int32_t year) override;
  absl::StatusOr<std::optional<PerformanceTarget>> FindTarget(std::string_view policy_id,
                                                              std::int32_t district,
                                                              std::int32_t year) override;
  absl::Status PutTarget(const PerformanceTarget& target) override;

  absl::Status MoveClock(absl::CivilDay date) override;
  bool ClockAdjustable() const override { return context_.clock_adjustable; }

 private:
  absl::StatusOr<std::optional<Policy>> OnePolicy(const postgres::Query& query,
                                                  std::string_view id);
  // All that hangs on a policy, from the cache where its revision is there.
  absl::StatusOr<PolicyBundle> Bundle(std::string_view policy_id);
  absl::StatusOr<std::vector<PolicyVersion>> ReadVersions(std::string_view policy_id,
                                                          std::int32_t version);
  absl::StatusOr<std::vector<policy::Exclusion>> ReadExclusions(std::string_view policy_id);
  absl::Status Touch(std::string_view policy_id, std::int32_t version);

  const Context context_;
  const Call& call_;
  std::optional<absl::CivilDay> today_;
  std::map<std::string, std::int64_t, std::less<>> revisions_;  // of policies read here
};

}  // namespace yikatong::catalogue
