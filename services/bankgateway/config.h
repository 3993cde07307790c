// What the gateway may be told.
#pragma once

#include <string>

#include "common/config/config.h"
#include "common/postgres/database.h"

namespace yikatong::bankgateway {

config::Schema Settings();

// As the runtime role.
postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config);
// As the owner role, for migrations; empty where none is configured.
std::string OwnerConninfoOf(const config::Config& config);

}  // namespace yikatong::bankgateway
