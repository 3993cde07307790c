// Identifiers that a caller stores before it first sends: 32 lower-case hexadecimal digits.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace yikatong::base {

// Gives ids. Implementations are thread safe.
class IdSource {
 public:
  virtual ~IdSource() = default;

  // 32 lower-case hexadecimal digits in the shape of a version 4 UUID without its dashes.
  virtual std::string NewId() = 0;
};

// 122 random bits from the kernel. Ends the process if the kernel has no randomness to give: an id
// that could repeat must not be handed out.
class RandomIdSource final : public IdSource {
 public:
  std::string NewId() override;
};

// 1, 2, 3 … behind a fixed head, so that a test or a seeded run gives the same ids each time.
class SequentialIdSource final : public IdSource {
 public:
  explicit SequentialIdSource(std::uint32_t head = 0) : head_(head) {}
  std::string NewId() override;

 private:
  const std::uint32_t head_;
  std::atomic<std::uint64_t> last_{0};
};

// Whether `text` is 32 lower-case hexadecimal digits.
bool IsId(std::string_view text);

}  // namespace yikatong::base
