// Who may call which method of DispatchService. Fields and districts are checked where the rows
// are.
#pragma once

#include <span>

#include "common/identity/access.h"

namespace yikatong::dispatch {

std::span<const identity::MethodRule> AccessRules();

}  // namespace yikatong::dispatch
