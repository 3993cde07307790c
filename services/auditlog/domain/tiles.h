// Tiles in the form of C2SP tlog-tiles: what other people's monitors read a log by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/merkle.h"

namespace yikatong::auditlog {

inline constexpr int kTileHeight = 8;
inline constexpr int kTileWidth = 256;  // hashes or entries of a full one
inline constexpr int kMaxTileLevel = 7;

struct TileId {
  int level = 0;
  std::uint64_t index = 0;
  int width = kTileWidth;
};

// "tile/0/x001/x234/067", with ".p/12" behind it for a partial tile. Level -1 stands for entries.
std::string TilePath(const TileId& id);
inline constexpr int kEntriesLevel = -1;

// The nodes that a tile holds, in order. FIELD_INVALID for a level, index or width that no tile
// has; NOT_FOUND where the tree of `tree_size` leaves does not have all of them yet.
absl::StatusOr<std::vector<crypto::NodeId>> NodesOfTile(const TileId& id, std::uint64_t tree_size);

// The same checks for a bundle of entries; gives the first entry's index.
absl::StatusOr<std::uint64_t> FirstOfBundle(std::uint64_t index, int width,
                                            std::uint64_t tree_size);

// Appends one body with its length before it, big-endian in two bytes.
void AppendToBundle(std::string& bundle, std::string_view body);

}  // namespace yikatong::auditlog
