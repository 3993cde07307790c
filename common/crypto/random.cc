#include "common/crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "common/crypto/openssl.h"

namespace yikatong::crypto {
namespace {

constexpr std::size_t kShortBytes = 16;

struct ThreadBuffer {
  std::array<unsigned char, 1024> bytes{};
  std::size_t used = bytes.size();

  ~ThreadBuffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

}  // namespace

std::string RandomSource::Bytes(std::size_t count) {
  std::string bytes(count, '\0');
  Fill(bytes.data(), bytes.size());
  return bytes;
}

std::uint64_t RandomSource::Number() {
  std::uint64_t number = 0;
  Fill(&number, sizeof(number));
  return number;
}

void SystemRandom::Fill(void* bytes, std::size_t count) {
  if (count > kShortBytes) {
    internal::Must(RAND_priv_bytes_ex(nullptr, static_cast<unsigned char*>(bytes), count, 0) == 1,
                   "RAND_priv_bytes_ex");
    return;
  }
  thread_local ThreadBuffer buffer;
  if (buffer.used + count > buffer.bytes.size()) {
    internal::Must(RAND_bytes_ex(nullptr, buffer.bytes.data(), buffer.bytes.size(), 0) == 1,
                   "RAND_bytes_ex");
    buffer.used = 0;
  }
  std::memcpy(bytes, buffer.bytes.data() + buffer.used, count);
  // What was handed out must not be handed out again, nor be found in memory.
  std::memset(buffer.bytes.data() + buffer.used, 0, count);
  buffer.used += count;
}

}  // namespace yikatong::crypto
