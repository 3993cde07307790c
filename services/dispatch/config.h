// What dispatch may be told.
#pragma once

#include <optional>
#include <string>

#include "common/config/config.h"
#include "common/postgres/database.h"

namespace yikatong::dispatch {

config::Schema Settings();

// As the runtime role. `metrics` outlives the database; it may be null.
postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config,
                                            telemetry::Metrics* metrics = nullptr);

// Whether sending is allowed: from and to as time of day in Beijing, read from `HH:MM-HH:MM`.
struct SendWindow {
  absl::Duration from;
  absl::Duration to;
};
std::optional<SendWindow> ParseSendWindow(const std::string& text);

}  // namespace yikatong::dispatch
