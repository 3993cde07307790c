#include "services/banksim/domain/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace yikatong::banksim {
namespace {

constexpr std::string_view kHead = "V|YKTJ1\n";
constexpr std::size_t kChecksumDigits = 8;

std::uint32_t Checksum(std::string_view text) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

void AppendChecksum(std::string& out, std::size_t start) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::uint32_t sum = Checksum(std::string_view(out).substr(start));
  for (int shift = 28; shift >= 0; shift -= 4) out.push_back(kDigits[sum >> shift & 15]);
  out.push_back('\n');
}

// The fields of a line without its checksum; every field ends in a bar.
void SplitFields(std::string_view body, JournalFields& fields) {
  fields.clear();
  while (!body.empty()) {
    const std::size_t bar = body.find('|');
    fields.push_back(body.substr(0, bar));
    body.remove_prefix(bar + 1);
  }
}

// Splits a line whose checksum fits into its fields; false where it does not.
bool SplitLine(std::string_view line, JournalFields& fields) {
  if (line.size() < kChecksumDigits + 2) return false;
  const std::string_view body = line.substr(0, line.size() - kChecksumDigits);
  std::uint32_t sum = 0;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(body.data() + body.size(), end, sum, 16);
  if (error != std::errc() || stop != end || sum != Checksum(body) || body.back() != '|') {
    return false;
  }
  SplitFields(body, fields);
  return true;
}

// Reads a file line by line in pieces, so that a journal of any length needs no memory.
class LineReader {
 public:
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}

  // False at the end; a last line without its end is no line.
  bool Next(std::string_view& line) {
    for (;;) {
      const std::size_t at = buffer_.find('\n', start_);
      if (at != std::string::npos) {
        line = std::string_view(buffer_).substr(start_, at - start_);
        offset_ += static_cast<std::int64_t>(at + 1 - start_);
        start_ = at + 1;
        return true;
      }
      buffer_.erase(0, start_);
      start_ = 0;
      const std::size_t had = buffer_.size();
      buffer_.resize(had + (1 << 18));
      const ssize_t got = read(descriptor_, buffer_.data() + had, buffer_.size() - had);
      buffer_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
      if (got <= 0) return false;
    }
  }
  std::int64_t offset() const { return offset_; }

 private:
  const int descriptor_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::int64_t offset_ = 0;
};

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

absl::StatusOr<Journal> Journal::Open(const std::string& path, Replay replay) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return absl::UnavailableError("the journal cannot be opened: " + std::string(strerror(errno)));
  }
  Journal journal(descriptor, std::move(replay));
  LineReader reader(descriptor);
  std::string_view line;
  std::vector<std::string> group;
  JournalFields fields;
  std::int64_t whole = 0;
  bool broken = false;
  if (reader.Next(line)) {
    if (std::string(line) + "\n" != kHead) return absl::DataLossError("not a journal of this bank");
    whole = reader.offset();
    while (reader.Next(line)) {
      const bool fits = SplitLine(line, fields);
      if (fits && fields[0] != "E") {
        group.emplace_back(line);
        continue;
      }
      // Only the last group can be torn: a whole one behind a line that does not fit is damage, not
      // a crash.
      broken = broken || !fits;
      if (!fits) continue;
      if (broken || fields.size() != 2 || fields[1] != std::to_string(group.size())) {
        return absl::DataLossError("the journal is damaged behind byte " + std::to_string(whole));
      }
      for (const std::string& one : group) {
        if (!SplitLine(one, fields)) return absl::DataLossError("the journal changed while read");
        if (absl::Status replayed = journal.replay_(fields); !replayed.ok()) return replayed;
      }
      group.clear();
      whole = reader.offset();
    }
  }
  if (ftruncate(descriptor, whole) != 0 || lseek(descriptor, whole, SEEK_SET) < 0 ||
      (whole == 0 && !WriteAll(descriptor, kHead)) || fdatasync(descriptor) != 0) {
    return absl::UnavailableError("the journal cannot be written");
  }
  journal.size_ = whole == 0 ? static_cast<std::int64_t>(kHead.size()) : whole;
  return journal;
}

Journal::~Journal() {
  if (descriptor_ >= 0) close(descriptor_);
}

Journal::Journal(Journal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      replay_(std::move(other.replay_)),
      size_(other.size_),
      group_(std::move(other.group_)),
      lines_(other.lines_) {}

Journal::Line::Line(Journal& journal, char kind)
    : journal_(journal), start_(journal.group_.size()) {
  journal_.group_.push_back(kind);
  journal_.group_.push_back('|');
}

Journal::Line::~Line() {
  AppendChecksum(journal_.group_, start_);
  ++journal_.lines_;
}

Journal::Line& Journal::Line::Text(std::string_view text) {
  journal_.group_.append(text);
  journal_.group_.push_back('|');
  return *this;
}

Journal::Line& Journal::Line::Number(std::int64_t number, int width) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  for (int have = static_cast<int>(end - digits); have < width; ++have) {
    journal_.group_.push_back('0');
  }
  journal_.group_.append(digits, end);
  journal_.group_.push_back('|');
  return *this;
}

absl::Status Journal::Commit() {
  if (lines_ == 0) return absl::OkStatus();
  const std::size_t start = group_.size();
  group_ += "E|" + std::to_string(lines_) + "|";
  AppendChecksum(group_, start);
  const bool durable = WriteAll(descriptor_, group_) && fdatasync(descriptor_) == 0;
  if (durable) {
    size_ += static_cast<std::int64_t>(group_.size());
    JournalFields fields;
    std::string_view rest = std::string_view(group_).substr(0, start);
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      SplitFields(rest.substr(0, end - kChecksumDigits), fields);
      // The lines that are on the disk now must be those that memory can follow.
      if (absl::Status replayed = replay_(fields); !replayed.ok()) {
        std::fprintf(stderr, "the journal contradicts itself: %s\n", replayed.ToString().c_str());
        std::abort();
      }
      rest.remove_prefix(end + 1);
    }
    Forget();
    return absl::OkStatus();
  }
  const int why = errno;
  Forget();
  if (ftruncate(descriptor_, size_) != 0 || lseek(descriptor_, size_, SEEK_SET) < 0 ||
      fdatasync(descriptor_) != 0) {
    std::fputs("the journal can neither be written nor restored\n", stderr);
    std::abort();
  }
  return absl::UnavailableError("the journal cannot be written: " + std::string(strerror(why)));
}

void Journal::Forget() {
  group_.clear();
  lines_ = 0;
}

}  // namespace yikatong::banksim
