// The use cases around the policies: reference data, the rollout of the card with its exemptions,
// performance targets, the business clock. As policies.h: in the caller's transaction, with an
// audit entry for each change.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/catalogue/domain/ports.h"
#include "services/catalogue/domain/rollout.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

struct Imported {
  int departments_changed = 0;
  int divisions_changed = 0;
};

inline constexpr std::size_t kMaxDivisionsInOneCall = 5000;

absl::StatusOr<Imported> ImportReferenceData(Repository& repository,
                                             const std::vector<Department>& departments,
                                             const std::vector<Division>& divisions);

// Returns the schedule by date.
absl::StatusOr<std::vector<RolloutStage>> SetRollout(Repository& repository,
                                                     std::vector<RolloutStage> stages);
// `date` empty: today.
absl::StatusOr<CardDecision> CheckCard(Repository& repository, std::int32_t district,
                                       std::string_view policy_id,
                                       std::optional<absl::CivilDay> date);
// `id`: for the new exemption.
absl::StatusOr<Exemption> CreateExemption(Repository& repository, Exemption exemption,
                                          std::string_view id);
absl::StatusOr<Exemption> DecideExemption(Repository& repository, std::string_view exemption_id,
                                          bool approve);

absl::StatusOr<PerformanceTarget> SetTarget(Repository& repository, PerformanceTarget target);
absl::StatusOr<PerformanceTarget> ApproveTarget(Repository& repository, std::string_view policy_id,
                                                std::int32_t district, std::int32_t year);
absl::StatusOr<PerformanceTarget> GetTarget(Repository& repository, std::string_view policy_id,
                                            std::int32_t district, std::int32_t year);

inline constexpr int kMaxClockDays = 3660;

// Exactly one of `days` (above 0) and `to_date` is given. Returns the new business date.
absl::StatusOr<absl::CivilDay> AdvanceClock(Repository& repository, std::int32_t days,
                                            std::optional<absl::CivilDay> to_date);

}  // namespace yikatong::catalogue
