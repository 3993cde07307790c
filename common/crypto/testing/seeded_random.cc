#include "common/crypto/testing/seeded_random.h"

#include <cstring>

#include "common/crypto/sha256.h"

namespace yikatong::crypto {

void SeededRandom::Fill(void* bytes, std::size_t count) {
  const std::lock_guard lock(mutex_);
  auto* out = static_cast<unsigned char*>(bytes);
  while (count > 0) {
    const std::uint64_t position[2] = {seed_, block_++};
    const Digest digest =
        Sha256(std::string_view(reinterpret_cast<const char*>(position), sizeof(position)));
    const std::size_t taken = count < digest.size() ? count : digest.size();
    std::memcpy(out, digest.data(), taken);
    out += taken;
    count -= taken;
  }
}

}  // namespace yikatong::crypto
