#include "common/crypto/keys.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "common/crypto/openssl.h"

namespace yikatong::crypto {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 64u << 10;

absl::StatusOr<Secret> ReadKeyFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const std::string message = fmt::format("key file {}: {}", path, std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(message) : absl::PermissionDeniedError(message);
  }
  std::string content(kMaxKeyFileBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < content.size() &&
         (got = ::read(file, content.data() + size, content.size() - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  ::close(file);
  const Secret secret(std::string_view(content).substr(0, size));
  OPENSSL_cleanse(content.data(), content.size());
  if (got < 0) return absl::DataLossError(fmt::format("key file {}: cannot be read", path));
  if (size > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(fmt::format("key file {}: longer than any key", path));
  }
  return secret;
}

template <typename Key>
absl::StatusOr<Key> ReadPem(const std::string& path) {
  const absl::StatusOr<Secret> content = ReadKeyFile(path);
  if (!content.ok()) return content.status();
  absl::StatusOr<Key> key = Key::FromPem(content->Reveal());
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("key file {}: {}", path, std::string(key.status().message())));
  }
  return key;
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool ParseHexKey(std::string_view hex, std::string& bytes) {
  if (hex.size() != 64) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

std::string_view Trim(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

absl::Status AddKeyLine(std::string_view line, int number, KeyRing& ring) {
  const std::size_t space = line.find_first_of(" \t");
  const std::string_view id_text = line.substr(0, space);
  unsigned id = 0;
  const auto [end, error] = std::from_chars(id_text.begin(), id_text.end(), id);
  if (error != std::errc() || end != id_text.end() || id == 0 || id > 65535) {
    return absl::InvalidArgumentError(
        fmt::format("line {}: a key id is a number from 1 to 65535", number));
  }
  std::string bytes;
  if (space == std::string_view::npos || !ParseHexKey(Trim(line.substr(space)), bytes)) {
    return absl::InvalidArgumentError(fmt::format("line {}: a key is 64 hex digits", number));
  }
  const bool added = ring.keys.emplace(static_cast<std::uint16_t>(id), Secret(bytes)).second;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (!added) {
    return absl::InvalidArgumentError(fmt::format("line {}: key id {} is there twice", number, id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Ed25519PrivateKey> ReadEd25519PrivateKey(const std::string& path) {
  return ReadPem<Ed25519PrivateKey>(path);
}
absl::StatusOr<Ed25519PublicKey> ReadEd25519PublicKey(const std::string& path) {
  return ReadPem<Ed25519PublicKey>(path);
}
absl::StatusOr<X25519PrivateKey> ReadX25519PrivateKey(const std::string& path) {
  return ReadPem<X25519PrivateKey>(path);
}
absl::StatusOr<X25519PublicKey> ReadX25519PublicKey(const std::string& path) {
  return ReadPem<X25519PublicKey>(path);
}

absl::StatusOr<KeyRing> ParseKeyRing(std::string_view text) {
  KeyRing ring;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = Trim(text.substr(0, newline));
    text = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
    if (line.empty() || line.front() == '#') continue;
    const absl::Status added = AddKeyLine(line, number, ring);
    if (!added.ok()) return added;
  }
  if (ring.keys.empty()) return absl::InvalidArgumentError("there is no key");
  return ring;
}

absl::StatusOr<KeyRing> ReadKeyRing(const std::string& path) {
  const absl::StatusOr<Secret> content = ReadKeyFile(path);
  if (!content.ok()) return content.status();
  absl::StatusOr<KeyRing> ring = ParseKeyRing(content->Reveal());
  if (!ring.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("key file {}: {}", path, std::string(ring.status().message())));
  }
  return ring;
}

absl::Status WriteSecretFile(const std::string& path, const Secret& content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    const std::string message = fmt::format("key file {}: {}", path, std::strerror(errno));
    return errno == EEXIST ? absl::AlreadyExistsError(message)
                           : absl::PermissionDeniedError(message);
  }
  std::string_view left = content.Reveal();
  bool written = true;
  while (written && !left.empty()) {
    const ssize_t count = ::write(file, left.data(), left.size());
    written = count > 0;
    if (written) left.remove_prefix(static_cast<std::size_t>(count));
  }
  written = written && ::fsync(file) == 0;
  if (::close(file) != 0 || !written) {
    return absl::DataLossError(fmt::format("key file {}: cannot be written", path));
  }
  return absl::OkStatus();
}

}  // namespace yikatong::crypto
