// Messages of the contract to plain values and back.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/registry/domain/types.h"
#include "yikatong/registry/v1/registry.pb.h"

namespace yikatong::registry {

std::vector<PersonInput> FromWire(const v1::LoadPeopleRequest& request);
std::vector<ChangeInput> FromWire(const v1::ApplyChangesRequest& request);
std::vector<PersonLookup> FromWire(const v1::ResolvePeopleRequest& request);
std::vector<SealGroup> FromWire(const google::protobuf::RepeatedPtrField<v1::SealGroup>& wire);
std::vector<PayeeRef> FromWire(const google::protobuf::RepeatedPtrField<v1::PayeeRef>& payees);
// FIELD_INVALID for a day that is none.
absl::StatusOr<PayRule> MakePayRule(bool card_required, std::string_view period_first_day,
                                    int grace_months);

void ToWire(const ChunkAnswer& answer, v1::LoadPeopleResponse& out);
void ToWire(const ChunkAnswer& answer, v1::ApplyChangesResponse& out);
void ToWire(const FeedPage& page, v1::ListChangesResponse& out);
void ToWire(const std::vector<ResolvedPerson>& people, v1::ResolvePeopleResponse& out);
void ToWire(const std::vector<ResolvedAccount>& accounts,
            google::protobuf::RepeatedPtrField<v1::ResolvedAccount>& out);
void ToWire(const MaskedPerson& person, v1::Person& out);
void ToWire(const HistoryPage& page, v1::ListPersonHistoryResponse& out);
void ToWire(const Statistics& counts, v1::GetStatisticsResponse& out);

}  // namespace yikatong::registry
