#include "services/catalogue/config.h"

#include <chrono>

#include "common/base/dates.h"
#include "common/outbox/restore.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/settings.h"

namespace yikatong::catalogue {

config::Schema Settings() {
  config::Schema schema("catalogue");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  postgres::DeclareDatabase(schema);
  outbox::DeclareRestore(schema);
  redis::DeclareRedis(schema);
  schema
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: a date that is moved by hand, for demonstrations "
              "only.")
      .Text("business_date", "",
            "First business date of an adjustable clock that has none yet; empty for today.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        const std::string& date = config.Text("business_date");
        if (date.empty()) return std::nullopt;
        if (!base::ParseDate(date).has_value()) return "business_date is not a date YYYY-MM-DD";
        if (config.Text("business_clock") == "adjustable") return std::nullopt;
        return "business_date is only for business_clock = adjustable";
      });
  return schema;
}

std::optional<absl::CivilDay> FirstBusinessDateOf(const config::Config& config) {
  return base::ParseDate(config.Text("business_date"));
}

}  // namespace yikatong::catalogue
