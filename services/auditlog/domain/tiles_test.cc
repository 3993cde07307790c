#include "services/auditlog/domain/tiles.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

TEST(Tiles, HaveThePathsOfTheSpecification) {
  EXPECT_EQ(TilePath({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(TilePath({2, 67, 256}), "tile/2/067");
  EXPECT_EQ(TilePath({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({1, 999, 12}), "tile/1/999.p/12");
  EXPECT_EQ(TilePath({1, 1000, 12}), "tile/1/x001/000.p/12");
  EXPECT_EQ(TilePath({kEntriesLevel, 1234067, 256}), "tile/entries/x001/x234/067");
}

TEST(Tiles, HoldTheCompleteNodesOfEveryEighthLevel) {
  const auto nodes = NodesOfTile({1, 2, 3}, 153'600);
  ASSERT_TRUE(nodes.ok());
  EXPECT_EQ(*nodes, (std::vector<crypto::NodeId>{{8, 512}, {8, 513}, {8, 514}}));
}

TEST(Tiles, AreThereAsFarAsTheTreeReaches) {
  EXPECT_TRUE(NodesOfTile({0, 1, 44}, 300).ok());
  EXPECT_EQ(status::ReasonOf(NodesOfTile({0, 1, 45}, 300).status()), Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(NodesOfTile({0, 2, 1}, 300).status()), Reason::kNotFound);
  EXPECT_TRUE(NodesOfTile({1, 0, 1}, 300).ok());
  EXPECT_EQ(status::ReasonOf(NodesOfTile({1, 0, 2}, 300).status()), Reason::kNotFound);
}

TEST(Tiles, OfNoLevelOrWidthAreRefused) {
  for (const TileId& id : {TileId{-1, 0, 1}, TileId{8, 0, 1}, TileId{0, 0, 0}, TileId{0, 0, 257},
                           TileId{0, ~std::uint64_t{0}, 1}}) {
    EXPECT_EQ(status::ReasonOf(NodesOfTile(id, 1000).status()), Reason::kFieldInvalid);
  }
}

TEST(Tiles, PutTheLengthBeforeEachEntryOfABundle) {
  std::string bundle;
  AppendToBundle(bundle, std::string(300, 'x'));
  AppendToBundle(bundle, "y");
  EXPECT_EQ(bundle.substr(0, 2), std::string("\x01\x2c", 2));
  EXPECT_EQ(bundle.substr(302), std::string("\x00\x01y", 3));
  EXPECT_EQ(FirstOfBundle(2, 88, 600).value(), 512u);
  EXPECT_FALSE(FirstOfBundle(2, 89, 600).ok());
}

}  // namespace
}  // namespace yikatong::auditlog
