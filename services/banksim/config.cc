#include "services/banksim/config.h"

#include "common/rpc/settings.h"

namespace yikatong::banksim {

config::Schema Settings() {
  config::Schema schema("banksim");
  rpc::DeclareServer(schema);
  schema.Path("journal", config::kRequired, "The bank's journal; made where it is missing.")
      .Path("signer_key", "",
            "PEM public key (Ed25519) of whoever signs files; empty takes every signature.")
      .List("agreements", "", "Agreements that the bank has signed, each as number:bank_code.")
      .Bool("open_agreements", true, "Whether a file under another agreement opens it.")
      .Int("horizon_days", 3, 0, 30, "Days after which a file that is not found never comes.")
      .Text("catalogue_address", "", "Owner of the business date; empty: the calendar in Beijing.")
      .EachItsOwn()
      .Duration("day_poll", "200ms", absl::Milliseconds(10), absl::Minutes(1),
                "How often the business date is asked for.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        for (const std::string& one : config.List("agreements")) {
          const std::size_t colon = one.find(':');
          if (colon == std::string::npos || one.size() - colon != 13) {
            return "agreements: " + one + " is not number:bank_code";
          }
        }
        return std::nullopt;
      });
  return schema;
}

}  // namespace yikatong::banksim
