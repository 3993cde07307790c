#include "services/auditlog/domain/entry.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "common/base/hex.h"
#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

constexpr std::size_t kMaxWordBytes = 200;
constexpr std::string_view kHeading = "yikatong-audit-entry/v1";

// The keys that stand in every entry, in this order. `root` and `leaves` may follow, then details.
constexpr std::string_view kKeys[] = {"service", "kind",          "district",
                                      "subject", "actor_org",     "actor_person",
                                      "at",      "business_date", "request_id"};
enum Place { kService, kKind, kDistrict, kSubject };

absl::Status Malformed(std::string_view what) {
  return status::Refuse(Reason::kAuditEntryMalformed, what);
}

// The front line without its end; nothing where none is left.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// The value of a line `key: value`; nothing for a line of another key.
std::optional<std::string_view> ValueOf(std::string_view line, std::string_view key) {
  if (!line.starts_with(key) || !line.substr(key.size()).starts_with(": ")) return std::nullopt;
  return line.substr(key.size() + 2);
}

bool HoldsControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char byte) {
    return (byte < 0x20 && byte != '\n') || byte == 0x7f;
  });
}

// Words of lower-case letters, digits and underscores that begin with a letter; parted by dots
// where `dots` says so. As the producers write them: what they may write must be taken.
bool IsWords(std::string_view text, bool dots) {
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
  return !at_start && text.size() <= kMaxWordBytes;
}

std::optional<std::int32_t> ParseDistrict(std::string_view text) {
  std::int32_t district = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), district);
  if (error != std::errc() || end != text.end() || text.size() != 6 || text.front() == '0') {
    return std::nullopt;
  }
  return district;
}

bool IsDetail(std::string_view line) {
  constexpr std::string_view kPrefix = "detail.";
  if (!line.starts_with(kPrefix)) return false;
  const std::size_t colon = line.find(": ");
  return colon != std::string_view::npos && colon > kPrefix.size();
}

absl::Status ReadFixed(std::string_view& left, EntryFacts& facts) {
  std::string_view values[std::size(kKeys)];
  for (std::size_t i = 0; i < std::size(kKeys); ++i) {
    const auto line = TakeLine(left);
    const auto value = line ? ValueOf(*line, kKeys[i]) : std::nullopt;
    if (!value) return Malformed("its lines are not in the fixed order");
    values[i] = *value;
  }
  const auto district = ParseDistrict(values[kDistrict]);
  if (!district) return Malformed("its district is not a six-digit code");
  if (!IsWords(values[kService], false)) return Malformed("its service is not a name");
  if (!IsWords(values[kKind], true)) return Malformed("its kind is not words parted by dots");
  facts.service = values[kService];
  facts.kind = values[kKind];
  facts.district = *district;
  facts.subject = CutSubject(values[kSubject]);
  return absl::OkStatus();
}

}  // namespace

std::string_view CutSubject(std::string_view subject) {
  if (subject.size() <= kMaxSubjectBytes) return subject;
  std::size_t size = kMaxSubjectBytes;
  while (size > 0 && (static_cast<unsigned char>(subject[size]) & 0xc0) == 0x80) --size;
  return subject.substr(0, size);
}

absl::StatusOr<EntryFacts> ReadFacts(std::string_view body) {
  if (body.empty() || body.size() > kMaxBodyBytes) return Malformed("it is empty or too long");
  if (body.back() != '\n') return Malformed("its last line has no end");
  if (HoldsControlCharacter(body)) return Malformed("it holds a control character");
  if (!base::IsUtf8(body)) return Malformed("it is not UTF-8");
  std::string_view left = body;
  if (TakeLine(left) != kHeading)
    return Malformed("it does not begin with the heading of version 1");
  EntryFacts facts;
  YKT_RETURN_IF_ERROR(ReadFixed(left, facts));
  auto line = TakeLine(left);
  if (line && line->starts_with("root: ")) {
    const auto bytes = base::FromHex(line->substr(6));
    if (!bytes || !(facts.subtree_root = crypto::DigestOf(*bytes))) {
      return Malformed("its root is not 32 bytes in hexadecimal");
    }
    line = TakeLine(left);
    if (!line || !ValueOf(*line, "leaves")) return Malformed("its root has no count of leaves");
    line = TakeLine(left);
  }
  for (; line; line = TakeLine(left)) {
    if (!IsDetail(*line)) return Malformed("its lines are not in the fixed order");
  }
  return facts;
}

}  // namespace yikatong::auditlog
