// The pinned rule in the catalogue's own form: the bytes of a GetPayableVersionResponse.
#pragma once

#include "services/dispatch/domain/rule_codec.h"

namespace yikatong::catalogue::v1 {
class GetPayableVersionResponse;
}

namespace yikatong::dispatch {

class CatalogueRuleCodec final : public RuleCodec {
 public:
  absl::StatusOr<policy::PolicyRule> Decode(std::string_view bytes) const override;

  // INVARIANT_BROKEN for an answer that lacks what every version has.
  static absl::StatusOr<policy::PolicyRule> FromWire(
      const catalogue::v1::GetPayableVersionResponse& wire);
};

}  // namespace yikatong::dispatch
