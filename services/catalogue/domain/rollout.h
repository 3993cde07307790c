// "Must this be paid to the social-security card, here and today?" Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

struct CardDecision {
  bool required = false;
  std::string exemption_id;  // what lifts the demand; empty where nothing does
  std::optional<absl::CivilDay>
      stage_from;  // first day of the earliest stage that demands the card
};

// The card is demanded once any stage that has begun holds the district and the field; an approved
// exemption that holds on `day` lifts it. A city-level payer (120000) counts as every district only
// from the stage that holds all.
CardDecision DecideCard(const std::vector<RolloutStage>& stages,
                        const std::vector<Exemption>& exemptions, std::int32_t district,
                        std::string_view field, std::string_view policy_id, absl::CivilDay day);

// Whether `exemption` lifts the demand for this payment on `day`.
bool Lifts(const Exemption& exemption, std::int32_t district, std::string_view field,
           std::string_view policy_id, absl::CivilDay day);

inline constexpr int kMaxRolloutStages = 100;

// FIELD_INVALID for a district without six digits, an empty field, a missing basis, too many
// stages.
absl::Status CheckStages(const std::vector<RolloutStage>& stages);

// EXEMPTION_PERIOD where it ends before it begins or before `today`, or lasts longer than a year;
// FIELD_INVALID without a reason, field or district.
absl::Status CheckExemption(const Exemption& exemption, absl::CivilDay today);

}  // namespace yikatong::catalogue
