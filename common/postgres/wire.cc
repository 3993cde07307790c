#include "common/postgres/wire.h"

#include "common/base/hex.h"
#include "fmt/core.h"

namespace yikatong::postgres::wire {

std::string DateText(absl::CivilDay day) {
  return fmt::format("{:04d}-{:02d}-{:02d}", day.year(), day.month(), day.day());
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
}

std::string WithoutDashes(std::string_view uuid) {
  std::string out;
  out.reserve(uuid.size());
  for (const char c : uuid) {
    if (c != '-') out += c;
  }
  return out;
}

std::string UuidBytes(std::string_view uuid) {
  if (uuid.size() == 16) return std::string(uuid);
  const std::optional<std::string> bytes = base::FromHex(WithoutDashes(uuid));
  return bytes.has_value() && bytes->size() == 16 ? *bytes : "";
}

}  // namespace yikatong::postgres::wire
