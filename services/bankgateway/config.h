// What the gateway may be told.
#pragma once

#include "common/config/config.h"
#include "common/postgres/database.h"

namespace yikatong::bankgateway {

config::Schema Settings();

// As the runtime role. `metrics` outlives the database; it may be null.
postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config,
                                            telemetry::Metrics* metrics = nullptr);

}  // namespace yikatong::bankgateway
