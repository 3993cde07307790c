// Which request a mutation is, so that the same one again gets its first answer.
#pragma once

#include <string>

namespace yikatong::dispatch {

struct Request {
  std::string method;        // "SealBatch"
  std::string request_id;    // checked: 1 to 64 printable characters
  std::string content_hash;  // 32 bytes over method and content
};

}  // namespace yikatong::dispatch
