#include "common/codes/social_card.h"

#include <array>

#include "common/codes/id_number.h"
#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

constexpr std::array<SocialCardState, 10> kStates = {
    SocialCardState::kNotActive,   SocialCardState::kActive,     SocialCardState::kLostAtCounter,
    SocialCardState::kLostByPhone, SocialCardState::kLostByUnit, SocialCardState::kLostOnline,
    SocialCardState::kLostInHall,  SocialCardState::kCancelled,  SocialCardState::kRecalled,
    SocialCardState::kInProduction};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool IsLost(SocialCardState state) {
  const int code = static_cast<int>(state);
  return code >= 20 && code < 30;
}

std::string SocialCardStateCode(SocialCardState state) {
  const int code = static_cast<int>(state);
  return {static_cast<char>('0' + code / 10), static_cast<char>('0' + code % 10)};
}

absl::StatusOr<SocialCardState> ParseSocialCardState(std::string_view code) {
  for (const SocialCardState state : kStates) {
    if (SocialCardStateCode(state) == code) return state;
  }
  return status::Refuse(Reason::kSocialCardStateUnknown);
}

absl::Status CheckSocialCardNumber(std::string_view text) {
  bool good = text.size() == 8 || text.size() == 9;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    good = IsDigit(text[i]) || (i == 0 && text[i] >= 'A' && text[i] <= 'Z');
  }
  return good ? absl::OkStatus() : status::Refuse(Reason::kSocialCardNumberInvalid);
}

absl::Status CheckCardIdentification(std::string_view text) {
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    good = i < 6 ? IsDigit(c) : hex;
  }
  good = good && IsProvinceCode((text[0] - '0') * 10 + (text[1] - '0'));
  return good ? absl::OkStatus() : status::Refuse(Reason::kSocialCardNumberInvalid);
}

}  // namespace yikatong::codes
