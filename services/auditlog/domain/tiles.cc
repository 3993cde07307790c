#include "services/auditlog/domain/tiles.h"

#include <fmt/core.h>

#include "common/crypto/wire.h"
#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

absl::Status Invalid(const char* field) {
  return status::Refuse(Reason::kFieldInvalid, field, {{"field", field}});
}

// How many complete nodes a tree has on a level.
std::uint64_t NodesOnLevel(int level, std::uint64_t tree_size) {
  return level >= 64 ? 0 : tree_size >> level;
}

absl::Status CheckReach(std::uint64_t index, int width, std::uint64_t present) {
  if (width < 1 || width > kTileWidth) return Invalid("width");
  if (index > (~std::uint64_t{0} >> kTileHeight)) return Invalid("index");
  const std::uint64_t first = index << kTileHeight;
  if (first > present || present - first < static_cast<std::uint64_t>(width)) {
    return status::Refuse(Reason::kNotFound, "the tree does not reach that far yet");
  }
  return absl::OkStatus();
}

}  // namespace

std::string TilePath(const TileId& id) {
  // Groups of three digits, all but the last with an x before it.
  std::string groups = fmt::format("{:03}", id.index % 1000);
  for (std::uint64_t rest = id.index / 1000; rest > 0; rest /= 1000) {
    groups = fmt::format("x{:03}/{}", rest % 1000, groups);
  }
  std::string path = id.level == kEntriesLevel ? fmt::format("tile/entries/{}", groups)
                                               : fmt::format("tile/{}/{}", id.level, groups);
  if (id.width != kTileWidth) path += fmt::format(".p/{}", id.width);
  return path;
}

absl::StatusOr<std::vector<crypto::NodeId>> NodesOfTile(const TileId& id, std::uint64_t tree_size) {
  if (id.level < 0 || id.level > kMaxTileLevel) return Invalid("level");
  const int node_level = id.level * kTileHeight;
  YKT_RETURN_IF_ERROR(CheckReach(id.index, id.width, NodesOnLevel(node_level, tree_size)));
  std::vector<crypto::NodeId> nodes;
  nodes.reserve(static_cast<std::size_t>(id.width));
  for (int i = 0; i < id.width; ++i) {
    nodes.push_back({node_level, (id.index << kTileHeight) + static_cast<std::uint64_t>(i)});
  }
  return nodes;
}

absl::StatusOr<std::uint64_t> FirstOfBundle(std::uint64_t index, int width,
                                            std::uint64_t tree_size) {
  YKT_RETURN_IF_ERROR(CheckReach(index, width, tree_size));
  return index << kTileHeight;
}

void AppendToBundle(std::string& bundle, std::string_view body) { crypto::PutField(bundle, body); }

}  // namespace yikatong::auditlog
