// What the catalogue may be told.
#pragma once

#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "common/config/config.h"

namespace yikatong::catalogue {

config::Schema Settings();

// The first business date of an adjustable clock; nothing for today.
std::optional<absl::CivilDay> FirstBusinessDateOf(const config::Config& config);

}  // namespace yikatong::catalogue
