// What the catalogue may be told.
#pragma once

#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "common/config/config.h"
#include "common/postgres/database.h"

namespace yikatong::catalogue {

config::Schema Settings();

// As the runtime role.
postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config);
// As the owner role, for migrations; empty where none is configured.
std::string OwnerConninfoOf(const config::Config& config);
// The first business date of an adjustable clock; nothing for today.
std::optional<absl::CivilDay> FirstBusinessDateOf(const config::Config& config);

}  // namespace yikatong::catalogue
