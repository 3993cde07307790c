// Random bytes for tests: the same seed gives the same bytes. Never for keys that protect anything.
#pragma once

#include <cstdint>
#include <mutex>

#include "common/crypto/random.h"

namespace yikatong::crypto {

class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : seed_(seed) {}
  void Fill(void* bytes, std::size_t count) override;

 private:
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::uint64_t block_ = 0;
};

}  // namespace yikatong::crypto
