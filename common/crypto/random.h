// Random bytes as a parameter, so that tests can repeat what they did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace yikatong::crypto {

// A source of bytes that nobody can guess. Implementations are thread safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(void* bytes, std::size_t count) = 0;

  std::string Bytes(std::size_t count);
  std::uint64_t Number();
};

// The operating system's generator through OpenSSL. Short requests (nonces) are cut from a buffer
// of the thread, as a call for each row would cost more than its encryption. Where no randomness
// can be had the process ends: nothing may be sealed under a key that can be guessed.
class SystemRandom : public RandomSource {
 public:
  void Fill(void* bytes, std::size_t count) override;
};

}  // namespace yikatong::crypto
