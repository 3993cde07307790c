// Social-security cards (社会保障卡): the number and the state. The number is that of the card,
// neither the ID number nor the bank card's number on the same piece of plastic.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace yikatong::codes {

// States as the card offices number them. Only an active card is paid to.
enum class SocialCardState {
  kNotActive = 0,
  kActive = 10,
  kLostAtCounter = 20,
  kLostByPhone = 21,
  kLostByUnit = 22,
  kLostOnline = 24,
  kLostInHall = 25,
  kCancelled = 30,
  kRecalled = 40,
  kInProduction = 99,
};

inline bool IsPayable(SocialCardState state) { return state == SocialCardState::kActive; }
// Whether the holder may get it back into use; a cancelled or recalled card never is.
bool IsLost(SocialCardState state);

std::string SocialCardStateCode(SocialCardState state);  // "00", "10", …
// SOCIAL_CARD_STATE_UNKNOWN.
absl::StatusOr<SocialCardState> ParseSocialCardState(std::string_view code);

// One digit or capital letter and 7 or 8 digits; there is no public check digit.
// SOCIAL_CARD_NUMBER_INVALID.
absl::Status CheckSocialCardNumber(std::string_view text);

// The card identification code (卡识别码): 32 hexadecimal digits, capital or small, that begin with
// the six digits of the issuer's area. SOCIAL_CARD_NUMBER_INVALID.
absl::Status CheckCardIdentification(std::string_view text);

}  // namespace yikatong::codes
