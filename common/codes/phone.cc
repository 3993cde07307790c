#include "common/codes/phone.h"

#include "common/status/status.h"

namespace yikatong::codes {

absl::Status CheckPhone(std::string_view text) {
  bool good = text.size() == 11 && text[0] == '1' && text[1] >= '3';
  for (const char c : text) good = good && c >= '0' && c <= '9';
  return good ? absl::OkStatus() : status::Refuse(status::Reason::kPhoneInvalid);
}

}  // namespace yikatong::codes
