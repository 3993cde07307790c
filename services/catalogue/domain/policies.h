// The use cases of policies and their versions: what each may do, to what, in which state. They run
// in the caller's transaction, append an audit entry for each change, and know nothing of wire or
// tables.
//
// A policy is changed by its own department only; to everybody else it is POLICY_UNKNOWN, unless
// something of it is approved or the caller may see everything. A system administrator may draft
// for any department (the first load of a list), and nothing more: submitting and publishing stay
// with the department.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/period.h"
#include "common/policy/amount.h"
#include "services/catalogue/domain/ports.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

struct Payable {
  Policy policy;
  PolicyVersion version;
  std::vector<policy::Exclusion> exclusions;
};

struct Quote {
  std::int64_t amount_fen = 0;
  std::int32_t version = 0;
};

// Errors are those of the contract (catalogue.proto).
absl::StatusOr<Policy> CreatePolicy(Repository& repository, Policy policy);
absl::StatusOr<Policy> GetPolicy(Repository& repository, std::string_view policy_id);
absl::StatusOr<policy::Exclusion> CreateExclusion(Repository& repository, std::string_view policy_a,
                                                  std::string_view policy_b,
                                                  std::string_view basis);

absl::StatusOr<PolicyVersion> CreateVersion(Repository& repository, std::string_view policy_id,
                                            Rules rules);
// `revision`: the one that the caller saw.
absl::StatusOr<PolicyVersion> UpdateVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version, std::int64_t revision,
                                            Rules rules);
absl::StatusOr<PolicyVersion> SubmitVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version);
absl::StatusOr<PolicyVersion> ApproveVersion(Repository& repository, std::string_view policy_id,
                                             std::int32_t version, absl::Time now);
absl::StatusOr<PolicyVersion> RejectVersion(Repository& repository, std::string_view policy_id,
                                            std::int32_t version, std::string_view reason);
absl::StatusOr<PolicyVersion> PublishVersion(Repository& repository, std::string_view policy_id,
                                             std::int32_t version);
absl::StatusOr<PolicyVersion> GetVersion(Repository& repository, std::string_view policy_id,
                                         std::int32_t version);
// Those that the caller sees, the newest first, one more than the page holds. The key of a page is
// the number.
absl::StatusOr<std::vector<PolicyVersion>> ListVersions(Repository& repository,
                                                        std::string_view policy_id,
                                                        const PageRequest& page);

// `department_id`: who pays, a department of that district which is responsible for the policy's
// field; empty: not asked about.
absl::StatusOr<Payable> GetPayable(Repository& repository, std::string_view policy_id,
                                   const base::Period& period, std::int32_t district,
                                   std::string_view department_id = {});
// `version` 0: the one in force today.
absl::StatusOr<Quote> QuoteAmount(Repository& repository, std::string_view policy_id,
                                  std::int32_t version, std::int32_t district,
                                  const policy::AmountInput& input);

// The consolidated list of a division, as its finance.
absl::StatusOr<PublishedList> PublishList(Repository& repository, std::int32_t district);

}  // namespace yikatong::catalogue
