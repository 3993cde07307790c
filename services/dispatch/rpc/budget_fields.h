// Checks of single fields that the methods about budget have in common. What is wrong is named in
// the metadata.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "common/status/status.h"

namespace yikatong::dispatch {

inline constexpr std::int64_t kMostFen = 1'000'000'000'000'000;  // 10 trillion yuan a line

absl::Status FieldInvalid(std::string_view field, std::string_view what);
absl::Status CheckAmount(std::int64_t amount_fen);  // AMOUNT_INVALID
absl::Status CheckSource(std::string_view source);
absl::Status CheckYear(std::int32_t year);
// The number of a document, 1 to 500 bytes.
absl::Status CheckDocument(std::string_view document, std::string_view field = "document");

// How many rows a page has: 100 where nothing was asked for.
absl::StatusOr<int> PageSize(int asked);
// The districts that a list is about, within the caller's: an array literal for SQL, "*" for all.
std::string DistrictsWanted(const identity::Caller& caller, std::int32_t asked);

// A page token is a plain position, "a-b". PAGE_TOKEN_INVALID; nothing is read from an empty one.
template <typename A, typename B>
bool ReadToken(std::string_view token, A& a, B& b) {
  const char* const end = token.data() + token.size();
  const auto first = std::from_chars(token.data(), end, a);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, b);
  return second.ec == std::errc() && second.ptr == end;
}

template <typename Message>
absl::StatusOr<Message> Parse(const std::string& bytes) {
  Message message;
  YKT_INVARIANT(message.ParseFromString(bytes), "a stored answer is not readable");
  return message;
}

}  // namespace yikatong::dispatch
