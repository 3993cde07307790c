// Wire form of what the domain knows, and back. Nothing is decided here.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/calendar/calendar.h"
#include "common/policy/rule.h"
#include "services/dispatch/domain/batch.h"
#include "services/dispatch/domain/notice.h"
#include "services/dispatch/domain/request.h"
#include "services/dispatch/domain/roster.h"
#include "services/dispatch/domain/rule_codec.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"

namespace yikatong::dispatch {

// What stands in the row alone: as lists show it, without totals.
v1::Batch ToWire(const BatchRow& batch);
// All of it. `rule` says which review step is next, `calendar` by when.
v1::Batch ToWire(const Batch& batch, const policy::PolicyRule& rule,
                 const calendar::Calendar& calendar);
// The same for a batch that is past its review and needs no calendar; INVARIANT_BROKEN for one in
// review.
absl::StatusOr<v1::Batch> ToWire(const Batch& batch, const policy::PolicyRule& rule);

// The bytes of a batch as an answer. Thread safe; what it is given outlives it.
class BatchEncoder {
 public:
  BatchEncoder(const RuleCodec& rules, const calendar::Calendar& calendar)
      : rules_(rules), calendar_(calendar) {}
  absl::StatusOr<std::string> operator()(const Batch& batch) const;

 private:
  const RuleCodec& rules_;
  const calendar::Calendar& calendar_;
};

Attachment FromWire(const type::v1::Attachment& wire);
v1::Notice ToWire(const Notice& notice);
v1::Objection ToWire(const Objection& objection);
void ToWire(const Rejection& rejection, type::v1::RowRejection* wire);
// Borrows the message's text.
RosterRow FromWire(const v1::ItemRow& wire);

// SHA-256 over the method's name and the message's bytes.
std::string ContentHash(std::string_view method, const google::protobuf::MessageLite& message);
Request RequestOf(std::string_view method, std::string_view request_id,
                  const google::protobuf::MessageLite& message);

}  // namespace yikatong::dispatch
