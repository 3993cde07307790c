#include "common/base/ranges.h"

namespace yikatong::base {

Ranges DenseRanges(std::span<const std::int64_t> sorted, std::int64_t gap) {
  Ranges ranges;
  for (const std::int64_t key : sorted) {
    if (ranges.last.empty() || key - ranges.last.back() > gap) {
      ranges.first.push_back(key);
      ranges.last.push_back(key);
    } else {
      ranges.last.back() = key;
    }
  }
  return ranges;
}

}  // namespace yikatong::base
