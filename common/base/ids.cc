#include "common/base/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "common/base/hex.h"

namespace yikatong::base {

std::string RandomIdSource::NewId() {
  unsigned char bytes[16];
  std::size_t have = 0;
  while (have < sizeof bytes) {
    const ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      std::perror("getrandom");
      std::abort();
    }
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  return ToHex(std::string_view(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

std::string SequentialIdSource::NewId() {
  const std::uint64_t number = ++last_;
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%08x000040008%015llx", head_,
                                 static_cast<unsigned long long>(number));
  return std::string(text, static_cast<std::size_t>(size));
}

bool IsId(std::string_view text) {
  if (text.size() != 32) return false;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace yikatong::base
