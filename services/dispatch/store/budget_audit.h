// Audit entries about budget lines, receipts and orders.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// Appends an outbox entry about `subject` ("budget-lines/120105/3"), in this transaction.
absl::Status AuditBudget(postgres::Transaction& tx, const StoreContext& context,
                         const identity::Caller& caller, std::int32_t district,
                         std::string_view subject, std::string_view kind,
                         std::string_view request_id, std::map<std::string, std::string> details);

}  // namespace yikatong::dispatch
