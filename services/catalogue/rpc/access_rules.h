// Who may call which method of the catalogue and of the clock; what they may touch is decided where
// the row is.
#pragma once

#include <span>

#include "common/identity/access.h"

namespace yikatong::catalogue {

// Lives for ever.
std::span<const identity::MethodRule> AccessRules();

}  // namespace yikatong::catalogue
