#include "services/catalogue/domain/rollout.h"

#include <algorithm>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/checks.h"

namespace yikatong::catalogue {
namespace {

using status::Reason;

template <typename T, typename V>
bool Holds(const std::vector<T>& list, const V& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

bool Lifts(const Exemption& exemption, std::int32_t district, std::string_view field,
           std::string_view policy_id, absl::CivilDay day) {
  return exemption.state == ExemptionState::kApproved && exemption.district == district &&
         exemption.field == field &&
         (exemption.policy_id.empty() || exemption.policy_id == policy_id) &&
         exemption.valid_from <= day && day <= exemption.valid_to;
}

CardDecision DecideCard(const std::vector<RolloutStage>& stages,
                        const std::vector<Exemption>& exemptions, std::int32_t district,
                        std::string_view field, std::string_view policy_id, absl::CivilDay day) {
  CardDecision decision;
  for (const RolloutStage& stage : stages) {
    if (stage.from_date > day || !Holds(stage.districts, district) || !Holds(stage.fields, field)) {
      continue;
    }
    if (!decision.stage_from.has_value() || stage.from_date < *decision.stage_from) {
      decision.stage_from = stage.from_date;
    }
  }
  decision.required = decision.stage_from.has_value();
  if (!decision.required) return decision;
  for (const Exemption& exemption : exemptions) {
    if (!Lifts(exemption, district, field, policy_id, day)) continue;
    decision.required = false;
    decision.exemption_id = exemption.exemption_id;
    break;
  }
  return decision;
}

absl::Status CheckStages(const std::vector<RolloutStage>& stages) {
  if (stages.size() > kMaxRolloutStages) {
    return BadField("stages", fmt::format("at most {}", kMaxRolloutStages));
  }
  for (const RolloutStage& stage : stages) {
    for (const std::int32_t district : stage.districts) {
      if (!IsDistrict(district)) return BadField("stages.districts", "six digits");
    }
    for (const std::string& field : stage.fields) {
      if (!IsFieldName(field)) return BadField("stages.fields", "1 to 32 letters, digits and _");
    }
    if (!IsText(stage.basis, 500)) {
      return BadField("stages.basis", "1 to 500 bytes");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckExemption(const Exemption& exemption, absl::CivilDay today) {
  if (!IsDistrict(exemption.district)) return BadField("exemption.district", "six digits");
  if (!IsFieldName(exemption.field)) return BadField("exemption.field", "is no field");
  if (!IsText(exemption.reason, 2000)) {
    return BadField("exemption.reason", "1 to 2000 bytes");
  }
  if (exemption.valid_to < exemption.valid_from || exemption.valid_to < today ||
      exemption.valid_to > base::AddMonths(exemption.valid_from, 12)) {
    return status::Refuse(Reason::kExemptionPeriod, "",
                          {{"valid_from", base::FormatDate(exemption.valid_from)},
                           {"valid_to", base::FormatDate(exemption.valid_to)}});
  }
  return absl::OkStatus();
}

}  // namespace yikatong::catalogue
