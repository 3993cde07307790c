#include "common/base/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace yikatong::base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DenseRanges, NoKeyIsNoRange) {
  EXPECT_THAT(DenseRanges({}, 100).first, IsEmpty());
  EXPECT_THAT(DenseRanges({}, 100).last, IsEmpty());
}

TEST(DenseRanges, NeighboursWithinTheGapShareARange) {
  const std::int64_t keys[] = {101, 201, 301, 701, 801};
  const Ranges ranges = DenseRanges(keys, 200);
  EXPECT_THAT(ranges.first, ElementsAre(101, 701));
  EXPECT_THAT(ranges.last, ElementsAre(301, 801));
}

TEST(DenseRanges, AGapOfExactlyTheBoundStillJoinsAndOneMoreParts) {
  const std::int64_t keys[] = {10, 20, 31};
  const Ranges ranges = DenseRanges(keys, 10);
  EXPECT_THAT(ranges.first, ElementsAre(10, 31));
  EXPECT_THAT(ranges.last, ElementsAre(20, 31));
}

TEST(DenseRanges, ARepeatedKeyAndALoneOneAreInTheirRange) {
  const std::int64_t keys[] = {5, 5, 1'000'000'000'000'000};
  const Ranges ranges = DenseRanges(keys, 1);
  EXPECT_THAT(ranges.first, ElementsAre(5, 1'000'000'000'000'000));
  EXPECT_THAT(ranges.last, ElementsAre(5, 1'000'000'000'000'000));
}

}  // namespace
}  // namespace yikatong::base
