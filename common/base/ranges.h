// Keys that lie close together, as ranges: an index reads a stretch of neighbours in a fraction of
// the time that it takes to find each of them from its root.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace yikatong::base {

// Both ends belong to it.
struct Ranges {
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> last;  // as many as `first`
};

// The fewest ranges that hold all of `sorted` (ascending; a key may repeat) and in which no two
// neighbours are more than `gap` apart. What else lies within them the reader leaves out.
Ranges DenseRanges(std::span<const std::int64_t> sorted, std::int64_t gap);

}  // namespace yikatong::base
