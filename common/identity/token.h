// The signed token that names a person: base64url(JSON) "." base64url(Ed25519 signature).
//
// JSON: kid (issuer key id), sub, org, roles, fields, districts, iat, exp (seconds), jti, aud
// ("yikatong"). The signature covers a prefix of its own and the first part, so that no other
// signature of the same key can be taken for a token. Times are real time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/identity/caller.h"

namespace yikatong::identity {

inline constexpr char kAudience[] = "yikatong";
inline constexpr size_t kMaxTokenBytes = 4096;

struct TokenClaims {
  std::string person = {};
  std::string organisation = {};
  RoleSet roles = {};
  std::vector<std::string> fields = {};  // {"*"} is every field
  std::vector<int32_t> districts = {};   // {120000} is the whole city
  std::string token_id = {};             // empty: the signer makes one
};

// Mints tokens with one issuer key. Used by `yktctl token mint`; no server holds such a key.
class TokenSigner {
 public:
  // `key_file`: PEM Ed25519 private key. `clock` must outlive the signer.
  static absl::StatusOr<std::unique_ptr<TokenSigner>> Load(const std::string& key_file,
                                                           const base::Clock& clock);
  ~TokenSigner();
  // INVALID_ARGUMENT for claims that a verifier would refuse.
  absl::StatusOr<std::string> Mint(const TokenClaims& claims, absl::Duration lifetime) const;
  const std::string& key_id() const;

 private:
  class Impl;
  explicit TokenSigner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The half of a caller that the SAN URI of a client certificate names: `ykt://org/<code>` or
// `ykt://service/<name>`. UNAUTHENTICATED for anything else.
absl::StatusOr<Caller> CallerOfCertificate(std::string_view uri);

// Verifies tokens against the issuers' public keys. Thread safe.
//
// The keys are every *.pem of one folder, each named by the hash of the key itself. The folder is
// read again when a token names an unknown key, and every 30 s: an issuer rotates by adding its new
// key everywhere, signing with it, and removing the old one after the longest lifetime.
class TokenVerifier {
 public:
  struct Options {
    std::string issuer_folder;
    absl::Duration max_lifetime = absl::Hours(12);
    absl::Duration leeway = absl::Seconds(30);  // of other machines' clocks, for `iat` only
  };
  // Fails when the folder holds no key, or one that is not Ed25519.
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Load(Options options,
                                                             const base::Clock& clock);
  ~TokenVerifier();

  // `certified`: from CallerOfCertificate. `token`: empty when none was sent. UNAUTHENTICATED with
  // the reason UNAUTHENTICATED (an organisation without a token), TOKEN_INVALID, TOKEN_EXPIRED (or
  // not valid yet), or TOKEN_ORGANISATION (a token of another organisation, or any token beside a
  // service's certificate).
  absl::StatusOr<Caller> Authenticate(const Caller& certified, std::string_view token) const;

 private:
  class Impl;
  explicit TokenVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yikatong::identity
