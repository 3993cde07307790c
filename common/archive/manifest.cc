#include "common/archive/manifest.h"

#include <fmt/core.h>

#include <charconv>
#include <limits>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::archive {
namespace {

constexpr std::string_view kHeader = "yikatong-archive/v1\n";
constexpr std::string_view kKeepings[] = {"application", "payment_evidence", "statement"};
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kLeastDigits = 6;

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("not a canonical archive manifest: {}", what));
}

// One word: valid UTF-8 without blanks and control characters.
bool IsWord(std::string_view text) {
  if (!base::IsUtf8(text)) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) return false;
  }
  return true;
}

bool IsPartName(std::string_view name) {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || c == '_')) return false;
  }
  return !name.empty();
}

template <typename T>
bool ParseNumber(std::string_view text, T& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && stop == text.data() + text.size();
}

// Reads lines one after the other; what does not fit makes all that follows fail too.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Next(std::string_view key, std::string_view& value) {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos || rest_.substr(0, key.size()) != key ||
        rest_.substr(key.size(), 2) != ": ") {
      return false;
    }
    value = rest_.substr(key.size() + 2, end - key.size() - 2);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool Number(std::string_view key, auto& number) {
    std::string_view value;
    return Next(key, value) && ParseNumber(value, number);
  }
  bool Text(std::string_view key, std::string& text) {
    std::string_view value;
    if (!Next(key, value)) return false;
    text = std::string(value);
    return true;
  }
  bool Day(std::string_view key, absl::CivilDay& day) {
    std::string_view value;
    if (!Next(key, value)) return false;
    const auto read = base::ParseDate(value);
    if (read.has_value()) day = *read;
    return read.has_value();
  }
  bool Sum(std::string_view key, CountAndFen& sum) {
    std::string_view value;
    if (!Next(key, value)) return false;
    const std::size_t blank = value.find(' ');
    return blank != std::string_view::npos && ParseNumber(value.substr(0, blank), sum.items) &&
           ParseNumber(value.substr(blank + 1), sum.fen);
  }
  bool Hash(std::string_view key, crypto::Digest& hash) {
    std::string_view value;
    if (!Next(key, value)) return false;
    const auto bytes = base::FromHex(value);
    const auto digest = bytes.has_value() ? crypto::DigestOf(*bytes) : std::nullopt;
    if (digest.has_value()) hash = *digest;
    return digest.has_value();
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// "roster application 2036-03-18 10 19433 2334455"
bool ParsePart(std::string_view text, Part& part) {
  std::string_view words[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t blank = i < 5 ? text.find(' ') : text.size();
    if (blank == std::string_view::npos) return false;
    words[i] = text.substr(0, blank);
    text.remove_prefix(i < 5 ? blank + 1 : blank);
  }
  part.name = std::string(words[0]);
  bool known = false;
  for (std::size_t i = 0; i < std::size(kKeepings); ++i) {
    if (kKeepings[i] != words[1]) continue;
    part.keeping = static_cast<Keeping>(i);
    known = true;
  }
  const auto day = base::ParseDate(words[2]);
  if (!known || !day.has_value()) return false;
  part.keep_until = *day;
  return ParseNumber(words[3], part.files) && ParseNumber(words[4], part.records) &&
         ParseNumber(words[5], part.bytes);
}

}  // namespace

std::string_view KeepingName(Keeping keeping) {
  return kKeepings[static_cast<std::size_t>(keeping)];
}

absl::StatusOr<std::string> ManifestText(const Manifest& manifest) {
  YKT_INVARIANT(
      manifest.package_no >= 1 && (manifest.package_no > 1) == manifest.former.has_value(),
      "a package and its former do not fit");
  std::string text(kHeader);
  const auto line = [&](std::string_view key, const auto& value) {
    text += fmt::format("{}: {}\n", key, value);
  };
  for (const std::string* word :
       {&manifest.department_id, &manifest.field, &manifest.policy_id, &manifest.period}) {
    YKT_INVARIANT(IsWord(*word), "a value of an archive's manifest is not one word");
  }
  line("batch", manifest.batch_id);
  line("package", manifest.package_no);
  line("former", manifest.former.has_value() ? crypto::HexOf(*manifest.former) : std::string());
  line("district", manifest.district);
  line("department", manifest.department_id);
  line("field", manifest.field);
  line("policy", manifest.policy_id);
  line("policy_version", manifest.policy_version);
  line("period", manifest.period);
  const auto sum = [&](std::string_view key, const CountAndFen& value) {
    line(key, fmt::format("{} {}", value.items, value.fen));
  };
  sum("declared", manifest.declared);
  sum("accepted", manifest.accepted);
  sum("paid", manifest.paid);
  line("created_on", base::FormatDate(manifest.created_on));
  line("closed_on", base::FormatDate(manifest.closed_on));
  line("sealed_on", base::FormatDate(manifest.sealed_on));
  line("last_paid_on",
       manifest.last_paid_on.has_value() ? base::FormatDate(*manifest.last_paid_on) : "");
  line("keep_until", base::FormatDate(manifest.keep_until));
  for (const Part& part : manifest.parts) {
    YKT_INVARIANT(IsPartName(part.name), "an archive's part has a malformed name");
    line("part",
         fmt::format("{} {} {} {} {} {}", part.name, KeepingName(part.keeping),
                     base::FormatDate(part.keep_until), part.files, part.records, part.bytes));
  }
  line("files", manifest.files);
  line("files_sha256", crypto::HexOf(manifest.files_sha256));
  YKT_INVARIANT(text.size() <= kMaxManifestBytes, "an archive's manifest is too large");
  return text;
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  if (text.size() > kMaxManifestBytes) return Malformed("too large");
  if (text.substr(0, kHeader.size()) != kHeader) return Malformed("unknown header");
  Reader reader(text.substr(kHeader.size()));
  Manifest read;
  std::string_view value;
  if (!reader.Number("batch", read.batch_id) || !reader.Number("package", read.package_no) ||
      !reader.Next("former", value)) {
    return Malformed("batch, package or former");
  }
  if (!value.empty()) {
    const auto bytes = base::FromHex(value);
    read.former = bytes.has_value() ? crypto::DigestOf(*bytes) : std::nullopt;
    if (!read.former.has_value()) return Malformed("former");
  }
  if (!reader.Number("district", read.district) || !reader.Text("department", read.department_id) ||
      !reader.Text("field", read.field) || !reader.Text("policy", read.policy_id) ||
      !reader.Number("policy_version", read.policy_version) ||
      !reader.Text("period", read.period)) {
    return Malformed("what the batch is");
  }
  if (!reader.Sum("declared", read.declared) || !reader.Sum("accepted", read.accepted) ||
      !reader.Sum("paid", read.paid)) {
    return Malformed("sums");
  }
  if (!reader.Day("created_on", read.created_on) || !reader.Day("closed_on", read.closed_on) ||
      !reader.Day("sealed_on", read.sealed_on) || !reader.Next("last_paid_on", value)) {
    return Malformed("days");
  }
  if (!value.empty()) {
    read.last_paid_on = base::ParseDate(value);
    if (!read.last_paid_on.has_value()) return Malformed("last_paid_on");
  }
  if (!reader.Day("keep_until", read.keep_until)) return Malformed("keep_until");
  while (reader.Next("part", value)) {
    if (!ParsePart(value, read.parts.emplace_back())) return Malformed("part");
  }
  if (!reader.Number("files", read.files) || !reader.Hash("files_sha256", read.files_sha256) ||
      !reader.AtEnd()) {
    return Malformed("files");
  }
  // Whatever reads but is not what we would write is refused.
  const absl::StatusOr<std::string> again = ManifestText(read);
  if (!again.ok() || *again != text) return Malformed("another form of the same");
  return read;
}

std::string FilePath(std::string_view part, std::int64_t number) {
  return fmt::format("data/{}/{:06}{}", part, number, kSuffix);
}

std::string_view PartOfPath(std::string_view path) {
  constexpr std::string_view kData = "data/";
  if (!path.starts_with(kData) || !path.ends_with(kSuffix)) return {};
  const std::size_t slash = path.find('/', kData.size());
  if (slash == std::string_view::npos || slash + 1 > path.size() - kSuffix.size()) return {};
  const std::string_view part = path.substr(kData.size(), slash - kData.size());
  const std::string_view digits = path.substr(slash + 1, path.size() - kSuffix.size() - slash - 1);
  std::int64_t number = 0;
  if (!IsPartName(part) || digits.size() < kLeastDigits || !ParseNumber(digits, number) ||
      FilePath(part, number) != path) {
    return {};
  }
  return part;
}

std::string FileLine(const crypto::Digest& sha256, std::string_view path) {
  return fmt::format("{}  {}\n", crypto::HexOf(sha256), path);
}

absl::StatusOr<ListedFile> ParseFileLine(std::string_view line) {
  constexpr std::size_t kHex = 64;
  const auto bytes = base::FromHex(line.substr(0, kHex));
  const auto digest = bytes.has_value() ? crypto::DigestOf(*bytes) : std::nullopt;
  ListedFile file;
  if (!digest.has_value() || line.substr(kHex, 2) != "  ") {
    return absl::InvalidArgumentError("not a line of a list of files");
  }
  file.sha256 = *digest;
  file.path = std::string(line.substr(kHex + 2));
  if (PartOfPath(file.path).empty() || FileLine(file.sha256, file.path) != std::string(line) + "\n")
    return absl::InvalidArgumentError("a list of files names something else");
  return file;
}

std::string PackageSubject(std::int32_t district, std::int64_t batch_id, std::int32_t package_no) {
  return fmt::format("batches/{}/{}/archives/{}", district, batch_id, package_no);
}

}  // namespace yikatong::archive
