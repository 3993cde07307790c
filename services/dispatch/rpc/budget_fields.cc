#include "services/dispatch/rpc/budget_fields.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

namespace yikatong::dispatch {

using status::Reason;

absl::Status FieldInvalid(std::string_view field, std::string_view what) {
  return status::Refuse(Reason::kFieldInvalid, what, {{"field", std::string(field)}});
}

absl::Status CheckAmount(std::int64_t amount_fen) {
  if (amount_fen <= 0 || amount_fen > kMostFen) return status::Refuse(Reason::kAmountInvalid);
  return absl::OkStatus();
}

absl::Status CheckSource(std::string_view source) {
  static constexpr std::string_view kSources[] = {"central", "city", "district", "fund"};
  if (std::find(std::begin(kSources), std::end(kSources), source) == std::end(kSources)) {
    return FieldInvalid("source", "central, city, district or fund");
  }
  return absl::OkStatus();
}

absl::Status CheckYear(std::int32_t year) {
  if (year < 2000 || year > 2199) return FieldInvalid("year", "2000 to 2199");
  return absl::OkStatus();
}

absl::Status CheckDocument(std::string_view document, std::string_view field) {
  if (document.empty() || document.size() > 500) {
    return FieldInvalid(field, "the document's number, 1 to 500 bytes");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0 || asked > 1'000) return FieldInvalid("page_size", "0 to 1000");
  return asked == 0 ? 100 : asked;
}

std::string DistrictsWanted(const identity::Caller& caller, std::int32_t asked) {
  if (asked != 0) return caller.InDistrict(asked) ? fmt::format("{{{}}}", asked) : "{}";
  return caller.AllDistricts() ? "*" : caller.DistrictArray();
}

}  // namespace yikatong::dispatch
