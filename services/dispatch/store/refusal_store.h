// Refusals of known callers, as audit entries of their own.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/identity/caller.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// In a transaction of its own: the one that was refused is rolled back by now.
absl::Status RecordRefusal(const StoreContext& context, const identity::Caller& caller,
                           std::string_view method, std::string_view reason);

}  // namespace yikatong::dispatch
