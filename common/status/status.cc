#include "common/status/status.h"

#include <charconv>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "common/base/redact.h"

namespace yikatong::status {
namespace {

constexpr char kPayloadUrl[] = "type.yikatong/reason.v1";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// The payload is a list of fields, each its length in decimal, a colon and its bytes: the reason's
// name first, then keys and values in turn. Lengths keep any byte in a value harmless.
void AppendField(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
}

struct Payload {
  std::string name;
  Metadata metadata;
};

std::optional<Payload> ReadPayload(const absl::Status& status) {
  const absl::optional<absl::Cord> cord = status.GetPayload(kPayloadUrl);
  if (!cord) return std::nullopt;
  const std::string encoded(*cord);
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < encoded.size();) {
    std::size_t size = 0;
    const char* end = encoded.data() + encoded.size();
    const auto [colon, error] = std::from_chars(encoded.data() + at, end, size);
    if (error != std::errc() || colon == end || *colon != ':' ||
        size > static_cast<std::size_t>(end - colon - 1)) {
      return std::nullopt;
    }
    fields.emplace_back(colon + 1, size);
    at = static_cast<std::size_t>(colon + 1 - encoded.data()) + size;
  }
  if (fields.size() % 2 == 0) return std::nullopt;
  Payload payload{std::move(fields[0]), {}};
  for (std::size_t i = 1; i < fields.size(); i += 2) {
    payload.metadata.emplace(std::move(fields[i]), std::move(fields[i + 1]));
  }
  return payload;
}

absl::Status Build(absl::StatusCode code, std::string_view message, std::string_view name,
                   const Metadata& metadata) {
  absl::Status status(code, View(message));
  std::string encoded;
  AppendField(encoded, name);
  for (const auto& [key, value] : metadata) {
    AppendField(encoded, key);
    // A sum in fen can have as many digits as a mobile number.
    AppendField(encoded, key.ends_with("_fen")
                             ? value
                             : base::RedactSensitive(value, base::References::kShown));
  }
  status.SetPayload(kPayloadUrl, absl::Cord(encoded));
  return status;
}

}  // namespace

absl::Status Refuse(Reason reason, std::string_view detail, const Metadata& metadata) {
  std::string message(ReasonText(reason, Lang::kEnglish));
  if (!detail.empty()) {
    message += ": ";
    message += base::RedactSensitive(detail, base::References::kShown);
  }
  return Build(CodeOf(reason), message, ReasonName(reason), metadata);
}

absl::Status Invariant(std::string_view detail, const Metadata& metadata) {
  return Refuse(Reason::kInvariantBroken, detail, metadata);
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  if (status.ok()) return std::nullopt;
  const std::optional<Payload> payload = ReadPayload(status);
  if (!payload) return std::nullopt;
  return FindReason(payload->name);
}

std::string ReasonNameOf(const absl::Status& status) {
  if (status.ok()) return {};
  std::optional<Payload> payload = ReadPayload(status);
  return payload ? std::move(payload->name) : std::string();
}

Metadata MetadataOf(const absl::Status& status) {
  if (status.ok()) return {};
  std::optional<Payload> payload = ReadPayload(status);
  return payload ? std::move(payload->metadata) : Metadata();
}

absl::Status WithMetadata(const absl::Status& status, const Metadata& more) {
  if (status.ok()) return status;
  std::optional<Payload> payload = ReadPayload(status);
  if (!payload) return status;
  payload->metadata.insert(more.begin(), more.end());
  const absl::string_view message = status.message();
  return Build(status.code(), std::string_view(message.data(), message.size()), payload->name,
               payload->metadata);
}

absl::Status Rebuild(absl::StatusCode code, std::string_view message, std::string_view reason_name,
                     const Metadata& metadata) {
  if (code == absl::StatusCode::kOk) return absl::OkStatus();
  if (reason_name.empty()) return absl::Status(code, View(message));
  return Build(code, message, reason_name, metadata);
}

std::string Describe(const absl::Status& status, Lang lang) {
  const absl::string_view view = status.message();
  const std::string_view message(view.data(), view.size());
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason) return std::string(message);
  std::string text(ReasonText(*reason, lang));
  // The message begins with the English text; what follows it is the detail of this one case.
  const std::string_view english = ReasonText(*reason, Lang::kEnglish);
  if (message.starts_with(english)) {
    text += message.substr(english.size());
  } else if (!message.empty()) {
    text += ": ";
    text += message;
  }
  text += lang == Lang::kChinese ? "。" : ". ";
  text += ReasonAction(*reason, lang);
  return text;
}

}  // namespace yikatong::status
