#include "common/identity/token.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <shared_mutex>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/base/ids.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/keys.h"
#include "common/crypto/sha256.h"
#include "common/status/status.h"

namespace yikatong::identity {
namespace {

using nlohmann::json;
using status::Reason;

constexpr char kSignaturePrefix[] = "yikatong-token-v1\n";
constexpr size_t kMaxListed = 64;
constexpr size_t kMaxCached = 1024;
constexpr int64_t kReloadMillis = 30'000;
// A sender of nonsense key ids must not make us read the disk for each of them.
constexpr int64_t kUnknownKeyReloadMillis = 1'000;

bool IsName(std::string_view text, std::string_view also) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

// Empty, or what is wrong with the claims.
std::string Fault(const TokenClaims& claims) {
  if (!IsName(claims.person, "_.-")) return "sub";
  if (!IsName(claims.organisation, "._-")) return "org";  // civil.120105
  if (!IsName(claims.token_id, "_-")) return "jti";
  if (claims.roles.empty()) return "roles";
  if (claims.fields.empty() || claims.fields.size() > kMaxListed) return "fields";
  for (const std::string& field : claims.fields) {
    if (field != kEveryField && !IsName(field, "_")) return "fields";
  }
  if (claims.districts.empty() || claims.districts.size() > kMaxListed) return "districts";
  for (int32_t district : claims.districts) {
    if (district < 100000 || district > 999999) return "districts";
  }
  return {};
}

std::string Encode(std::string_view bytes) {
  return absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()));
}

// Nothing unless `text` is exactly what Encode gives: absl's decoder also takes blanks and padding.
std::optional<std::string> Decode(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes) ||
      Encode(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

// A key is named by itself, so that nobody can configure the wrong name for it.
std::string KeyId(const crypto::Ed25519PublicKey& key) {
  return crypto::HexOf(crypto::Sha256(key.Raw())).substr(0, 16);
}

absl::Status Invalid(std::string_view detail) {
  return status::Refuse(Reason::kTokenInvalid, detail);
}

struct Verified {
  TokenClaims claims;
  std::string key_id;
  absl::Time issued;
  absl::Time expires;
};

std::optional<std::string> Text(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<int64_t> Seconds(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const uint64_t seconds = found->get<uint64_t>();
  if (seconds > 253402300799u) return std::nullopt;  // the year 9999
  return static_cast<int64_t>(seconds);
}

// The claims of a payload whose signature was not looked at yet; nothing for one not well formed.
std::optional<Verified> ParsePayload(const std::string& payload) {
  const json object = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto kid = Text(object, "kid"), sub = Text(object, "sub"), org = Text(object, "org"),
             jti = Text(object, "jti"), aud = Text(object, "aud");
  const auto iat = Seconds(object, "iat"), exp = Seconds(object, "exp");
  if (!kid || !sub || !org || !jti || !aud || !iat || !exp || *aud != kAudience) {
    return std::nullopt;
  }
  Verified out{.claims = {.person = *sub, .organisation = *org, .token_id = *jti},
               .key_id = *kid,
               .issued = absl::FromUnixSeconds(*iat),
               .expires = absl::FromUnixSeconds(*exp)};
  for (const char* list : {"roles", "fields", "districts"}) {
    const auto found = object.find(list);
    if (found == object.end() || !found->is_array() || found->size() > kMaxListed) {
      return std::nullopt;
    }
  }
  for (const json& name : object["roles"]) {
    const auto role = name.is_string() ? ParseRole(name.get<std::string>()) : std::nullopt;
    if (!role) return std::nullopt;
    out.claims.roles.Add(*role);
  }
  for (const json& field : object["fields"]) {
    if (!field.is_string()) return std::nullopt;
    out.claims.fields.push_back(field.get<std::string>());
  }
  for (const json& district : object["districts"]) {
    if (!district.is_number_unsigned() || district.get<uint64_t>() > 999999) return std::nullopt;
    out.claims.districts.push_back(district.get<int32_t>());
  }
  if (!Fault(out.claims).empty()) return std::nullopt;
  return out;
}

template <typename T>
std::vector<T> SortedUnique(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

using KeyMap = std::map<std::string, crypto::Ed25519PublicKey, std::less<>>;

absl::StatusOr<KeyMap> ReadIssuers(const std::string& folder) {
  KeyMap keys;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".pem") continue;
    absl::StatusOr<crypto::Ed25519PublicKey> key =
        crypto::ReadEd25519PublicKey(entry->path().string());
    if (!key.ok()) return key.status();
    keys.emplace(KeyId(*key), *key);
  }
  if (error) {
    return absl::NotFoundError("token issuers in " + folder + ": " + error.message());
  }
  if (keys.empty()) return absl::NotFoundError("no token issuer key (*.pem) in " + folder);
  return keys;
}

}  // namespace

class TokenSigner::Impl {
 public:
  Impl(crypto::Ed25519PrivateKey signing_key, const base::Clock& real_clock)
      : key(std::move(signing_key)), key_id(KeyId(key.PublicKey())), clock(real_clock) {}

  const crypto::Ed25519PrivateKey key;
  const std::string key_id;
  const base::Clock& clock;
};

TokenSigner::TokenSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenSigner::~TokenSigner() = default;

absl::StatusOr<std::unique_ptr<TokenSigner>> TokenSigner::Load(const std::string& key_file,
                                                               const base::Clock& clock) {
  YKT_ASSIGN_OR_RETURN(crypto::Ed25519PrivateKey key, crypto::ReadEd25519PrivateKey(key_file));
  return std::unique_ptr<TokenSigner>(
      new TokenSigner(std::make_unique<Impl>(std::move(key), clock)));
}

const std::string& TokenSigner::key_id() const { return impl_->key_id; }

absl::StatusOr<std::string> TokenSigner::Mint(const TokenClaims& claims,
                                              absl::Duration lifetime) const {
  TokenClaims full = claims;
  if (full.token_id.empty()) full.token_id = base::RandomIdSource().NewId();
  if (const std::string fault = Fault(full); !fault.empty()) {
    return absl::InvalidArgumentError("a token cannot carry these " + fault);
  }
  if (lifetime < absl::Seconds(1)) {
    return absl::InvalidArgumentError("a token lives at least one second");
  }
  json roles = json::array();
  for (Role role : full.roles.ToVector()) roles.push_back(RoleName(role));
  const int64_t now = absl::ToUnixSeconds(impl_->clock.Now());
  const json payload = {{"kid", impl_->key_id},
                        {"sub", full.person},
                        {"org", full.organisation},
                        {"roles", roles},
                        {"fields", SortedUnique(full.fields)},
                        {"districts", SortedUnique(full.districts)},
                        {"iat", now},
                        {"exp", now + absl::ToInt64Seconds(lifetime)},
                        {"jti", full.token_id},
                        {"aud", kAudience}};
  const std::string body = Encode(payload.dump());
  std::string token = body + "." + Encode(impl_->key.Sign(kSignaturePrefix + body));
  if (token.size() > kMaxTokenBytes) {
    return absl::InvalidArgumentError("a token of these claims is larger than any server takes");
  }
  return token;
}

class TokenVerifier::Impl {
 public:
  Impl(Options options, KeyMap keys, const base::Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        keys_(std::move(keys)),
        read_at_ms_(clock.MonotonicMillis()) {}

  // A token whose signature and form hold; times are looked at by CheckTimes at each use.
  absl::StatusOr<Verified> Verify(std::string_view token) {
    if (token.size() > kMaxTokenBytes) return Invalid("larger than any token");
    const crypto::Digest digest = crypto::Sha256(token);
    const std::string cache_key = crypto::StringOf(digest);
    ReloadIfOlder(kReloadMillis);
    {
      std::shared_lock lock(mutex_);
      const auto cached = cache_.find(cache_key);
      if (cached != cache_.end()) return cached->second;
    }
    const size_t dot = token.find('.');
    if (dot == std::string_view::npos) return Invalid("not of the form of a token");
    const std::string_view body = token.substr(0, dot);
    const std::optional<std::string> payload = Decode(body);
    const std::optional<std::string> signature = Decode(token.substr(dot + 1));
    if (!payload || !signature) return Invalid("not of the form of a token");
    const std::optional<Verified> verified = ParsePayload(*payload);
    if (!verified) return Invalid("claims are missing or not well formed");
    std::optional<crypto::Ed25519PublicKey> key = FindKey(verified->key_id);
    if (!key) {
      ReloadIfOlder(kUnknownKeyReloadMillis);
      key = FindKey(verified->key_id);
    }
    if (!key) return Invalid("the issuer is not known");
    if (!key->Verify(kSignaturePrefix + std::string(body), *signature)) {
      return Invalid("the signature does not hold");
    }
    std::unique_lock lock(mutex_);
    // Only what this key set verified is kept: a reload in between may have removed the key.
    if (keys_.contains(verified->key_id)) {
      if (cache_.size() >= kMaxCached) cache_.clear();
      cache_.emplace(cache_key, *verified);
    }
    return *verified;
  }

  absl::Status CheckTimes(const Verified& token) const {
    const absl::Time now = clock_.Now();
    if (token.expires <= token.issued || token.expires - token.issued > options_.max_lifetime) {
      return Invalid("it would live longer than a token may");
    }
    if (token.issued > now + options_.leeway || token.expires <= now) {
      return status::Refuse(Reason::kTokenExpired);
    }
    return absl::OkStatus();
  }

 private:
  std::optional<crypto::Ed25519PublicKey> FindKey(const std::string& key_id) {
    std::shared_lock lock(mutex_);
    const auto found = keys_.find(key_id);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
  }

  // A folder that cannot be read now (in the middle of a swap) leaves the keys as they were.
  void ReloadIfOlder(int64_t age_ms) {
    const int64_t now_ms = clock_.MonotonicMillis();
    {
      std::shared_lock lock(mutex_);
      if (now_ms - read_at_ms_ < age_ms) return;
    }
    absl::StatusOr<KeyMap> keys = ReadIssuers(options_.issuer_folder);
    std::unique_lock lock(mutex_);
    read_at_ms_ = now_ms;
    if (!keys.ok()) return;
    keys_ = *std::move(keys);
    cache_.clear();
  }

  const Options options_;
  const base::Clock& clock_;
  std::shared_mutex mutex_;
  KeyMap keys_;
  int64_t read_at_ms_;
  std::unordered_map<std::string, Verified> cache_;  // by SHA-256 of the token
};

TokenVerifier::TokenVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenVerifier::~TokenVerifier() = default;

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Load(Options options,
                                                                   const base::Clock& clock) {
  YKT_ASSIGN_OR_RETURN(KeyMap keys, ReadIssuers(options.issuer_folder));
  return std::unique_ptr<TokenVerifier>(
      new TokenVerifier(std::make_unique<Impl>(std::move(options), std::move(keys), clock)));
}

absl::StatusOr<Caller> CallerOfCertificate(std::string_view uri) {
  constexpr std::string_view kOrganisation = "ykt://org/";
  constexpr std::string_view kService = "ykt://service/";
  Caller caller;
  if (uri.starts_with(kService)) {
    caller.service = uri.substr(kService.size());
    if (IsName(caller.service, "_-")) return caller;
  } else if (uri.starts_with(kOrganisation)) {
    caller.organisation = uri.substr(kOrganisation.size());
    if (IsName(caller.organisation, "._-")) return caller;
  }
  return status::Refuse(Reason::kUnauthenticated,
                        "no client certificate that names an organisation or a service");
}

absl::StatusOr<Caller> TokenVerifier::Authenticate(const Caller& certified,
                                                   std::string_view token) const {
  if (certified.IsService()) {
    if (token.empty()) return certified;
    return status::Refuse(Reason::kTokenOrganisation, "a service calls by its certificate alone");
  }
  if (token.empty()) {
    return status::Refuse(Reason::kUnauthenticated, "no token that names a person");
  }
  YKT_ASSIGN_OR_RETURN(Verified verified, impl_->Verify(token));
  YKT_RETURN_IF_ERROR(impl_->CheckTimes(verified));
  if (verified.claims.organisation != certified.organisation) {
    return status::Refuse(Reason::kTokenOrganisation);
  }
  Caller caller = certified;
  caller.person = std::move(verified.claims.person);
  caller.roles = verified.claims.roles;
  caller.fields = SortedUnique(std::move(verified.claims.fields));
  caller.districts = SortedUnique(std::move(verified.claims.districts));
  caller.token_id = std::move(verified.claims.token_id);
  return caller;
}

}  // namespace yikatong::identity
