// Bytes that are wiped from memory when their owner goes, and that no log statement can print by
// accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace yikatong::crypto {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  ~Secret() { Wipe(); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;

  // Named so that every use of the bytes themselves can be found.
  std::string_view Reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  void Wipe();

  std::string bytes_;
};

}  // namespace yikatong::crypto
