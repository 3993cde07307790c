#include "services/dispatch/domain/item_leaf.h"

#include <charconv>

#include "common/crypto/hmac.h"

namespace yikatong::dispatch {
namespace {

void AppendText(std::string& out, std::string_view key, std::string_view value) {
  out.append(key);
  out.append(": ");
  out.append(value);
  out.push_back('\n');
}

void AppendNumber(std::string& out, std::string_view key, std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  AppendText(out, key, std::string_view(digits, static_cast<std::size_t>(end.ptr - digits)));
}

}  // namespace

crypto::Digest ItemSalt(std::string_view salt_key, std::int64_t item_id) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, item_id);
  return crypto::HmacSha256(salt_key,
                            std::string_view(digits, static_cast<std::size_t>(end.ptr - digits)));
}

void WriteItemLeaf(const ItemLeaf& leaf, const crypto::Digest& salt, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.assign("yikatong-item/v1\n");
  AppendText(out, "step", leaf.step);
  AppendNumber(out, "item", leaf.item_id);
  AppendNumber(out, "batch", leaf.batch_id);
  AppendNumber(out, "person", leaf.person_id);
  AppendNumber(out, "village", leaf.village);
  AppendText(out, "policy", leaf.policy_id);
  AppendText(out, "period", leaf.period);
  AppendNumber(out, "amount_fen", leaf.amount_fen);
  AppendText(out, "state", leaf.state);
  AppendText(out, "name", leaf.masked_name);
  out.append("salt: ");
  for (const std::uint8_t byte : salt) {
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  out.push_back('\n');
}

std::string ItemLeafBytes(const ItemLeaf& leaf, std::string_view salt_key) {
  std::string out;
  WriteItemLeaf(leaf, ItemSalt(salt_key, leaf.item_id), out);
  return out;
}

}  // namespace yikatong::dispatch
