#include "services/banksim/wiring.h"

#include <string>
#include <utility>

#include "common/base/hex.h"
#include "common/crypto/keys.h"
#include "common/crypto/sha256.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"

namespace yikatong::banksim {

absl::StatusOr<BankOptions> BankOptionsOf(const config::Config& config) {
  BankOptions options;
  options.journal_path = config.Path("journal");
  options.open_agreements = config.Bool("open_agreements");
  options.horizon_days = static_cast<int>(config.Int("horizon_days"));
  for (const std::string& one : config.List("agreements")) {
    const std::size_t colon = one.find(':');
    options.agreements[one.substr(0, colon)] = one.substr(colon + 1);
  }
  if (!config.Path("signer_key").empty()) {
    YKT_ASSIGN_OR_RETURN(crypto::Ed25519PublicKey key,
                         crypto::ReadEd25519PublicKey(config.Path("signer_key")));
    const crypto::Digest digest = crypto::Sha256(key.Raw());
    options.signature_fits =
        [key = std::move(key), id = base::ToHex(crypto::BytesOf(digest).substr(0, 8))](
            std::string_view key_id, std::string_view sha256, std::string_view signature) {
          return key_id == id && key.Verify(sha256, signature);
        };
  }
  return options;
}

absl::StatusOr<std::unique_ptr<rpc::Channel>> OpenCatalogue(const config::Config& config,
                                                            telemetry::Metrics& metrics) {
  if (config.Text("catalogue_address").empty()) return std::unique_ptr<rpc::Channel>();
  return rpc::OpenPeer(config, "catalogue", &metrics);
}

}  // namespace yikatong::banksim
