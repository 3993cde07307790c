// The canonical bytes of one item as a leaf of an audit subtree. Not protobuf: whoever verifies a
// proof in ten years needs this page and SHA-256, nothing else.
//
//   yikatong-item/v1
//   step: collect
//   item: 1050000000001         (the number without leading zeros)
//   batch: 10500000007
//   person: 4711
//   village: 120105001001
//   policy: P001
//   period: 2026-03
//   amount_fen: 104500
//   state: accepted
//   name: 测*
//   salt: <64 hex digits>
//
// Every line ends in "\n", the last one too. No value holds a line break. The salt is HMAC-SHA256
// under the batch's own key of the item id in decimal digits: without it nobody can guess a
// neighbour's leaf from its hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/crypto/sha256.h"

namespace yikatong::dispatch {

struct ItemLeaf {
  std::string_view step;  // collect, submit, outcome
  std::int64_t item_id = 0;
  std::int64_t batch_id = 0;
  std::int64_t person_id = 0;
  std::int64_t village = 0;
  std::string_view policy_id;
  std::string_view period;
  std::int64_t amount_fen = 0;
  std::string_view state;  // accepted, sent, paid …
  std::string_view masked_name;
};

// The salt of one item: 32 bytes.
crypto::Digest ItemSalt(std::string_view salt_key, std::int64_t item_id);

// Writes the leaf's bytes over `out`, whose storage is used again from item to item.
void WriteItemLeaf(const ItemLeaf& leaf, const crypto::Digest& salt, std::string& out);
std::string ItemLeafBytes(const ItemLeaf& leaf, std::string_view salt_key);

}  // namespace yikatong::dispatch
