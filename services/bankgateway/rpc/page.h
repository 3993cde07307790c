// What the lists of the service share. Nothing is decided here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "services/bankgateway/rpc/wire.h"

namespace yikatong::bankgateway {

inline absl::Status BadField(std::string_view field) {
  return status::Refuse(status::Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

// Fills a page of one more than was asked for: the last one only says that there is another page.
template <typename Value, typename Add, typename Token>
void FillPage(std::vector<Value>& values, int count, const Add& add, const Token& token,
              std::string* next) {
  const bool more = values.size() > static_cast<std::size_t>(count);
  if (more) values.resize(static_cast<std::size_t>(count));
  for (const Value& value : values) ToWire(value, *add());
  if (more) *next = token(values.back());
}

}  // namespace yikatong::bankgateway
