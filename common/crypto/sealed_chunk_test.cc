#include "common/crypto/sealed_chunk.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/crypto/sha256.h"
#include "common/crypto/testing/seeded_random.h"

namespace yikatong::crypto {
namespace {

class SealedChunks : public testing::Test {
 protected:
  static std::vector<RowToSeal> Rows(int count) {
    std::vector<RowToSeal> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      RowToSeal row;
      row.clear = {10'500'000'000'001 + i, fmt::format("person-{:08}", i),
                   i % 2 == 0 ? "ICBC" : "ABC", 3 + i};
      row.account = {fmt::format("62170000{:08}", i), "王小明", fmt::format("{:04}", i % 10000),
                     i % 2 == 0 ? "" : "12010519491231002X", i % 3 == 0 ? "13800000000" : ""};
      rows.push_back(std::move(row));
    }
    return rows;
  }

  SealedChunk Seal(int count = 4) {
    return SealChunk("batch 7, chunk 2", Rows(count), registry_, gateway_.PublicKey(), random_)
        .value();
  }

  absl::StatusOr<std::vector<SealedAccount>> Open(const SealedChunk& chunk) {
    return OpenChunk(chunk, gateway_, {registry_.PublicKey()});
  }

  // Signs an altered chunk by the format, as no function of the interface would: the rows' own
  // seals must hold even against a trusted signer who never saw the accounts.
  SealedChunk SignedAgain(SealedChunk chunk) {
    const std::string bytes = EncodeSealedChunk(chunk);
    const Digest digest = Sha256(bytes.substr(0, bytes.size() - kEd25519SignatureBytes));
    chunk.signature = registry_.Sign("yikatong sealed chunk v1\n" + StringOf(digest));
    return chunk;
  }

  SeededRandom random_{11};
  Ed25519PrivateKey registry_ = Ed25519PrivateKey::Generate(random_);
  Ed25519PrivateKey stranger_ = Ed25519PrivateKey::Generate(random_);
  X25519PrivateKey gateway_ = X25519PrivateKey::Generate(random_);
  X25519PrivateKey other_gateway_ = X25519PrivateKey::Generate(random_);
};

TEST_F(SealedChunks, GiveTheRecipientEveryAccountInOrder) {
  const SealedChunk chunk = Seal(100);
  const auto accounts = Open(chunk);
  ASSERT_TRUE(accounts.ok()) << accounts.status();
  const auto rows = Rows(100);
  ASSERT_EQ(accounts->size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ((*accounts)[i], rows[i].account);
    EXPECT_EQ(chunk.rows[i].clear, rows[i].clear);
  }
}

TEST_F(SealedChunks, ComeBackFromTheirBytesUnchanged) {
  const SealedChunk chunk = Seal();
  const auto decoded = DecodeSealedChunk(EncodeSealedChunk(chunk));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, chunk);
  EXPECT_EQ(decoded->context, "batch 7, chunk 2");
  EXPECT_TRUE(Open(*decoded).ok());
}

TEST_F(SealedChunks, ShowTheirCarrierNoAccountNameOrNumber) {
  const std::string bytes = EncodeSealedChunk(Seal(10));
  for (const char* sensitive : {"62170000", "王小明", "12010519491231002X", "13800000000"}) {
    EXPECT_EQ(bytes.find(sensitive), std::string::npos) << sensitive;
  }
  EXPECT_NE(bytes.find("ICBC"), std::string::npos) << "the bank stands in clear";
}

TEST_F(SealedChunks, RefuseEveryAlteredByte) {
  const std::string bytes = EncodeSealedChunk(Seal(2));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string altered = bytes;
    altered[i] ^= 1;
    const auto decoded = DecodeSealedChunk(altered);
    EXPECT_FALSE(decoded.ok() && Open(*decoded).ok()) << "byte " << i;
    EXPECT_FALSE(DecodeSealedChunk(bytes.substr(0, i)).ok()) << "cut at " << i;
  }
  EXPECT_FALSE(DecodeSealedChunk(bytes + "x").ok());
}

TEST_F(SealedChunks, RefuseSwappedRows) {
  SealedChunk chunk = Seal();
  std::swap(chunk.rows[0], chunk.rows[1]);
  EXPECT_EQ(Open(chunk).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SealedChunks, RefuseSwappedRowsAndAccountsEvenUnderATrustedSignature) {
  SealedChunk whole_rows = Seal();
  std::swap(whole_rows.rows[0], whole_rows.rows[1]);
  EXPECT_EQ(Open(SignedAgain(whole_rows)).status().code(), absl::StatusCode::kDataLoss);

  SealedChunk accounts_only = Seal();
  std::swap(accounts_only.rows[0].ciphertext, accounts_only.rows[2].ciphertext);
  EXPECT_EQ(Open(SignedAgain(accounts_only)).status().code(), absl::StatusCode::kDataLoss);

  EXPECT_TRUE(Open(SignedAgain(Seal())).ok()) << "the signature of this test is a good one";
}

TEST_F(SealedChunks, RefuseEveryAlteredFieldEvenUnderATrustedSignature) {
  const SealedChunk good = Seal();
  const auto altered = [&](auto change) {
    SealedChunk chunk = good;
    change(chunk);
    return Open(SignedAgain(chunk)).status().code();
  };
  using Code = absl::StatusCode;
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows[1].clear.item_id += 1; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows[1].clear.person_id += "x"; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows[1].clear.bank_code = "CCB"; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows[1].clear.account_version -= 1; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows[1].ciphertext[0] ^= 1; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.context = "batch 8"; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.wrapped_key[3] ^= 1; }), Code::kDataLoss);
  EXPECT_EQ(altered([](SealedChunk& c) { c.rows.erase(c.rows.begin()); }), Code::kDataLoss);
}

TEST_F(SealedChunks, RefuseADroppedOrAddedRow) {
  SealedChunk dropped = Seal();
  dropped.rows.pop_back();
  EXPECT_EQ(Open(dropped).status().code(), absl::StatusCode::kPermissionDenied);
  SealedChunk added = Seal();
  added.rows.push_back(added.rows.front());
  EXPECT_EQ(Open(added).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SealedChunks, OpenForTheirRecipientOnly) {
  EXPECT_EQ(OpenChunk(Seal(), other_gateway_, {registry_.PublicKey()}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  SealedChunk readdressed = Seal();
  readdressed.recipient_id = KeyId(other_gateway_.PublicKey());
  EXPECT_EQ(
      OpenChunk(SignedAgain(readdressed), other_gateway_, {registry_.PublicKey()}).status().code(),
      absl::StatusCode::kDataLoss);
}

TEST_F(SealedChunks, AreTakenFromTrustedSignersOnly) {
  EXPECT_EQ(OpenChunk(Seal(), gateway_, {stranger_.PublicKey()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(OpenChunk(Seal(), gateway_, {}).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(OpenChunk(Seal(), gateway_, {stranger_.PublicKey(), registry_.PublicKey()}).ok())
      << "two keys are trusted while one is being replaced";
  SealedChunk forged = Seal();
  forged.signer_id = KeyId(stranger_.PublicKey());
  EXPECT_EQ(OpenChunk(forged, gateway_, {stranger_.PublicKey()}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(SealedChunks, CanBeVerifiedByTheirCarrierWithoutBeingOpened) {
  SealedChunk chunk = Seal();
  EXPECT_TRUE(VerifyChunk(chunk, {registry_.PublicKey()}).ok());
  chunk.rows[0].clear.account_version += 1;
  EXPECT_FALSE(VerifyChunk(chunk, {registry_.PublicKey()}).ok());
}

TEST_F(SealedChunks, NeverRepeatTheirKey) {
  const SealedChunk first = Seal();
  const SealedChunk second = Seal();
  EXPECT_NE(first.ephemeral_public_key, second.ephemeral_public_key);
  EXPECT_NE(first.rows[0].ciphertext, second.rows[0].ciphertext);
}

TEST_F(SealedChunks, HoldToTheirBounds) {
  EXPECT_EQ(SealChunk("", Rows(kMaxSealedRows + 1), registry_, gateway_.PublicKey(), random_)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  auto rows = Rows(1);
  rows[0].account.account_name = std::string(65536, 'x');
  EXPECT_EQ(SealChunk("", rows, registry_, gateway_.PublicKey(), random_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Open(Seal(0)).ok()) << "an empty chunk is a chunk";
}

}  // namespace
}  // namespace yikatong::crypto
