// Messages of the contract to values of the domain and back. Nothing is decided here.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "services/bankgateway/domain/cases.h"
#include "services/bankgateway/domain/types.h"
#include "yikatong/bankgateway/v1/bankgateway.pb.h"

namespace yikatong::bankgateway {

Bank FromWire(const v1::Bank& wire);
void ToWire(const Bank& bank, v1::Bank& wire);
absl::StatusOr<Agreement> FromWire(const v1::Agreement& wire);  // FIELD_INVALID
void ToWire(const Agreement& agreement, v1::Agreement& wire);
// All but what the seal says.
Chunk FromWire(const v1::SubmitChunkRequest& wire);
void ToWire(const Outcome& outcome, v1::Outcome& wire);
void ToWire(const Instruction& instruction, v1::Instruction& wire);
void ToWire(const File& file, v1::File& wire);
void ToWire(const Reconciliation& reconciliation, v1::Reconciliation& wire);
void ToWire(const Difference& difference, v1::Difference& wire);
void ToWire(const Case& one, v1::Case& wire);
void ToWire(const CaseDetails& details, v1::CaseDetails& wire);
Proposal FromWire(const v1::ProposeDecisionRequest& wire);
void ToWire(const Statistics& statistics, v1::GetStatisticsResponse& wire);

// 100 for 0; FIELD_INVALID below 0 or above 1000.
absl::StatusOr<int> PageSize(std::int32_t asked);
// A page token that is a number; `fallback` for none, PAGE_TOKEN_INVALID for another text.
absl::StatusOr<std::int64_t> NumberToken(const std::string& token, std::int64_t fallback);

}  // namespace yikatong::bankgateway
