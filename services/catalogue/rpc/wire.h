// Messages of the contract to plain values and back. Reading refuses with FIELD_INVALID and the
// field in the metadata what has no plain value: an unspecified enum, a malformed date. Nothing
// else is decided here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/policy/amount.h"
#include "services/catalogue/domain/policies.h"
#include "services/catalogue/domain/rollout.h"
#include "services/catalogue/domain/types.h"
#include "yikatong/catalogue/v1/catalogue.pb.h"

namespace yikatong::catalogue {

namespace pb = ::yikatong::catalogue::v1;

absl::StatusOr<absl::CivilDay> ReadDay(std::string_view field, const std::string& text);
absl::StatusOr<std::optional<absl::CivilDay>> ReadOptionalDay(std::string_view field,
                                                              const std::string& text);

Department FromWire(const pb::Department& wire);
absl::StatusOr<Division> FromWire(const pb::Division& wire);
absl::StatusOr<std::optional<DivisionLevel>> ReadLevel(pb::DivisionLevel wire);
absl::StatusOr<Policy> FromWire(const pb::Policy& wire);
// The rules of a version; identifier, number, state and etag are read by the caller.
absl::StatusOr<Rules> FromWire(const pb::PolicyVersion& wire);
absl::StatusOr<std::int64_t> ReadEtag(const std::string& etag);
policy::AmountInput FromWire(const pb::CalculationInput& wire);
absl::StatusOr<std::vector<RolloutStage>> FromWire(
    const google::protobuf::RepeatedPtrField<pb::RolloutStage>& wire);
absl::StatusOr<Exemption> FromWire(const pb::Exemption& wire);
PerformanceTarget FromWire(const pb::PerformanceTarget& wire);

void ToWire(const Department& value, pb::Department* wire);
void ToWire(const Division& value, pb::Division* wire);
void ToWire(const Policy& value, pb::Policy* wire);
void ToWire(const PolicyVersion& value, pb::PolicyVersion* wire);
void ToWire(const policy::Exclusion& value, pb::Exclusion* wire);
void ToWire(const ListEntry& value, pb::ListEntry* wire);
void ToWire(const PublishedList& value, pb::PublishedList* wire);
void ToWire(const OverduePublication& value, absl::CivilDay today, pb::OverduePublication* wire);
void ToWire(const RolloutStage& value, pb::RolloutStage* wire);
void ToWire(const Exemption& value, pb::Exemption* wire);
void ToWire(const PerformanceTarget& value, pb::PerformanceTarget* wire);

}  // namespace yikatong::catalogue
