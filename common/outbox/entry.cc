#include "common/outbox/entry.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/base/utf8.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::outbox {
namespace {

constexpr std::string_view kHeader = "yikatong-audit-entry/v1\n";
constexpr std::string_view kDetail = "detail.";
constexpr size_t kMaxBytes = 65'535;  // tlog-tiles writes lengths in two bytes
constexpr size_t kRootBytes = 32;

// Words of lower-case letters, digits and underscores, each beginning with a letter; parted by dots
// where `dots` says so.
bool IsKey(std::string_view text, bool dots) {
  bool at_start = true;
  for (const char c : text) {
    if (c == '.' && dots && !at_start) {
      at_start = true;
      continue;
    }
    const bool letter = c >= 'a' && c <= 'z';
    if (!letter && (at_start || !((c >= '0' && c <= '9') || c == '_'))) return false;
    at_start = false;
  }
  return !text.empty() && !at_start;
}

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("not a canonical audit entry: {}", what));
}

std::string TimeText(absl::Time at) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E3SZ", at, absl::UTCTimeZone());
}

// Takes "key: value\n" off the front of `rest`.
bool TakeLine(std::string_view& rest, std::string_view key, std::string_view* value) {
  if (rest.substr(0, key.size()) != key || rest.substr(key.size(), 2) != ": ") return false;
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos || end < key.size() + 2) return false;
  *value = rest.substr(key.size() + 2, end - key.size() - 2);
  rest.remove_prefix(end + 1);
  return true;
}

template <typename T>
bool ParseNumber(std::string_view text, T* number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

absl::StatusOr<std::string> CanonicalBody(const Entry& entry) {
  YKT_INVARIANT(IsKey(entry.service, false), "an audit entry's service is malformed");
  YKT_INVARIANT(IsKey(entry.kind, true), "an audit entry's kind is malformed");
  YKT_INVARIANT(entry.district >= 100'000 && entry.district <= 999'999,
                "an audit entry's district is malformed");
  YKT_INVARIANT(
      entry.root.empty() ? entry.leaves == 0 : entry.root.size() == kRootBytes && entry.leaves > 0,
      "an audit entry's root and leaves do not fit");
  for (const std::string* value :
       {&entry.subject, &entry.actor_org, &entry.actor_person, &entry.request_id}) {
    YKT_INVARIANT(base::IsLine(*value), "an audit entry's value is not one line of text");
  }
  const absl::CivilSecond at = absl::ToCivilSecond(entry.at, absl::UTCTimeZone());
  YKT_INVARIANT(at.year() >= 1 && at.year() <= 9999 && entry.business_date.year() >= 1 &&
                    entry.business_date.year() <= 9999,
                "an audit entry's time is out of range");
  std::string body(kHeader);
  const auto line = [&](std::string_view key, std::string_view value) {
    body.append(key).append(": ").append(value).append("\n");
  };
  line("service", entry.service);
  line("kind", entry.kind);
  line("district", std::to_string(entry.district));
  line("subject", entry.subject);
  line("actor_org", entry.actor_org);
  line("actor_person", entry.actor_person);
  line("at", TimeText(entry.at));
  line("business_date", base::FormatDate(entry.business_date));
  line("request_id", entry.request_id);
  if (!entry.root.empty()) {
    line("root", base::ToHex(entry.root));
    line("leaves", std::to_string(entry.leaves));
  }
  for (const auto& [key, value] : entry.details) {
    YKT_INVARIANT(IsKey(key, false), "the key of an audit entry's detail is malformed");
    YKT_INVARIANT(base::IsLine(value), "an audit entry's value is not one line of text");
    line(std::string(kDetail) + key, value);
  }
  YKT_INVARIANT(body.size() <= kMaxBytes, "an audit entry is too large");
  return body;
}

absl::StatusOr<Entry> ParseBody(std::string_view body) {
  if (body.size() > kMaxBytes) return Malformed("too large");
  if (body.substr(0, kHeader.size()) != kHeader) return Malformed("unknown header");
  std::string_view rest = body.substr(kHeader.size());
  Entry entry;
  std::string_view value;
  const auto text = [&](std::string_view key, std::string* field) {
    if (!TakeLine(rest, key, &value)) return false;
    *field = std::string(value);
    return true;
  };
  if (!text("service", &entry.service)) return Malformed("service");
  if (!text("kind", &entry.kind)) return Malformed("kind");
  if (!TakeLine(rest, "district", &value) || !ParseNumber(value, &entry.district)) {
    return Malformed("district");
  }
  if (!text("subject", &entry.subject)) return Malformed("subject");
  if (!text("actor_org", &entry.actor_org)) return Malformed("actor_org");
  if (!text("actor_person", &entry.actor_person)) return Malformed("actor_person");
  std::string error;
  if (!TakeLine(rest, "at", &value) ||
      !absl::ParseTime("%Y-%m-%dT%H:%M:%E*SZ", absl::string_view(value.data(), value.size()),
                       absl::UTCTimeZone(), &entry.at, &error)) {
    return Malformed("at");
  }
  if (!TakeLine(rest, "business_date", &value)) return Malformed("business_date");
  const auto date = base::ParseDate(value);
  if (!date.has_value()) return Malformed("business_date");
  entry.business_date = *date;
  if (!text("request_id", &entry.request_id)) return Malformed("request_id");
  if (TakeLine(rest, "root", &value)) {
    const auto root = base::FromHex(value);
    if (!root.has_value()) return Malformed("root");
    entry.root = *root;
    if (!TakeLine(rest, "leaves", &value) || !ParseNumber(value, &entry.leaves)) {
      return Malformed("leaves");
    }
  }
  while (!rest.empty()) {
    const size_t colon = rest.find(": ");
    if (rest.substr(0, kDetail.size()) != kDetail || colon == std::string_view::npos) {
      return Malformed("detail");
    }
    const std::string key(rest.substr(kDetail.size(), colon - kDetail.size()));
    if (!TakeLine(rest, rest.substr(0, colon), &value)) return Malformed("detail");
    entry.details[key] = std::string(value);
  }
  // Whatever reads but is not what we would write (order, case, leading zeros, a doubled key) is
  // refused.
  const absl::StatusOr<std::string> again = CanonicalBody(entry);
  if (!again.ok() || *again != body) return Malformed("another form of the same");
  return entry;
}

}  // namespace yikatong::outbox
