#include "common/status/free_text.h"

#include <string>

#include "common/base/redact.h"
#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::status {

absl::Status CheckFreeText(std::string_view text, std::string_view field, std::size_t most) {
  const bool line = !text.empty() && base::IsLine(text);
  if (line && base::DecodeUtf8(text)->size() <= most &&
      !base::LooksSensitive(text, base::References::kShown)) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kFieldInvalid,
                "one line of 1 to " + std::to_string(most) +
                    " characters, without ID, account or phone number",
                {{"field", std::string(field)}});
}

}  // namespace yikatong::status
