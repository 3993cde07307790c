#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/crypto/aead.h"
#include "common/crypto/column_cipher.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/hmac.h"
#include "common/crypto/keys.h"
#include "common/crypto/random.h"
#include "common/crypto/sha256.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/crypto/x25519.h"

namespace yikatong::crypto {
namespace {

std::string Hex(const std::string& hex) { return absl::HexStringToBytes(hex); }
std::string ToHex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

TEST(Sha256, GivesTheAnswersOfFips180) {
  EXPECT_EQ(HexOf(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, IsTheSameInOnePieceInPartsAndInAStream) {
  const Digest whole = Sha256("one two three");
  EXPECT_EQ(Sha256({"one ", "two", "", " three"}), whole);
  Sha256Hasher hasher;
  for (int round = 0; round < 2; ++round) {
    hasher.Update("one two");
    hasher.Update(" three");
    EXPECT_EQ(hasher.Finish(), whole) << "round " << round;
  }
}

TEST(Sha256, ReadsADigestOnlyFromThirtyTwoBytes) {
  const Digest digest = Sha256("abc");
  EXPECT_EQ(DigestOf(StringOf(digest)), digest);
  EXPECT_FALSE(DigestOf(StringOf(digest).substr(1)).has_value());
}

TEST(Hmac, GivesTheAnswersOfRfc4231) {
  EXPECT_EQ(HexOf(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexOf(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexOf(HmacSha256(std::string(131, '\xaa'),
                             "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hkdf, GivesTheAnswerOfRfc5869) {
  EXPECT_EQ(ToHex(HkdfSha256(std::string(22, '\x0b'), Hex("000102030405060708090a0b0c"),
                             Hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(ConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(EqualInConstantTime("same", "same"));
  EXPECT_FALSE(EqualInConstantTime("same", "sama"));
  EXPECT_FALSE(EqualInConstantTime("same", "same "));
}

TEST(Random, NeverGivesTheSameShortBytesTwice) {
  SystemRandom random;
  std::vector<std::string> nonces;
  nonces.reserve(1000);
  for (int i = 0; i < 1000; ++i) nonces.push_back(random.Bytes(12));
  std::sort(nonces.begin(), nonces.end());
  EXPECT_EQ(std::unique(nonces.begin(), nonces.end()), nonces.end());
}

TEST(Random, IsRepeatedByItsSeedInTests) {
  SeededRandom a(7), b(7), c(8);
  const std::string first = a.Bytes(100);
  EXPECT_EQ(first, b.Bytes(100));
  EXPECT_NE(first, c.Bytes(100));
  EXPECT_NE(first, a.Bytes(100));
}

TEST(Ed25519, GivesTheAnswersOfRfc8032) {
  const auto key = Ed25519PrivateKey::FromSeed(
      Secret(Hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(ToHex(key->PublicKey().Raw()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      ToHex(key->Sign("")),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

TEST(Ed25519, VerifiesItsOwnSignatureAndNoOther) {
  SeededRandom random(1);
  const auto key = Ed25519PrivateKey::Generate(random);
  const auto other = Ed25519PrivateKey::Generate(random);
  const std::string signature = key.Sign("pay 100 fen");
  EXPECT_TRUE(key.PublicKey().Verify("pay 100 fen", signature));
  EXPECT_FALSE(key.PublicKey().Verify("pay 900 fen", signature));
  EXPECT_FALSE(other.PublicKey().Verify("pay 100 fen", signature));
  EXPECT_FALSE(key.PublicKey().Verify("pay 100 fen", signature.substr(1)));
  std::string altered = signature;
  altered[10] ^= 1;
  EXPECT_FALSE(key.PublicKey().Verify("pay 100 fen", altered));
}

TEST(Ed25519, ComesBackFromPem) {
  SeededRandom random(2);
  const auto key = Ed25519PrivateKey::Generate(random);
  const auto again = Ed25519PrivateKey::FromPem(key.Pem().Reveal());
  const auto published = Ed25519PublicKey::FromPem(key.PublicKey().Pem());
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(published.ok());
  EXPECT_TRUE(published->Verify("text", again->Sign("text")));
  EXPECT_FALSE(Ed25519PrivateKey::FromPem(key.PublicKey().Pem()).ok());
  EXPECT_FALSE(X25519PublicKey::FromPem(key.PublicKey().Pem()).ok());
  EXPECT_FALSE(Ed25519PublicKey::FromRaw("short").ok());
}

TEST(X25519, GivesTheAnswerOfRfc7748) {
  const auto alice = X25519PrivateKey::FromRaw(
      Secret(Hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")));
  const auto bob = X25519PublicKey::FromRaw(
      Hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  ASSERT_TRUE(alice.ok() && bob.ok());
  EXPECT_EQ(ToHex(alice->PublicKey().Raw()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(ToHex(std::string(alice->SharedSecret(*bob)->Reveal())),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(X25519, GivesBothSidesOneSecret) {
  SeededRandom random(3);
  const auto a = X25519PrivateKey::Generate(random);
  const auto b = X25519PrivateKey::Generate(random);
  const auto from_a = a.SharedSecret(b.PublicKey());
  const auto from_b = b.SharedSecret(a.PublicKey());
  ASSERT_TRUE(from_a.ok() && from_b.ok());
  EXPECT_EQ(from_a->Reveal(), from_b->Reveal());
}

TEST(X25519, RefusesAPointThatGivesEverybodyTheSameSecret) {
  SeededRandom random(4);
  const auto zero = X25519PublicKey::FromRaw(std::string(32, '\0'));
  ASSERT_TRUE(zero.ok());
  EXPECT_FALSE(X25519PrivateKey::Generate(random).SharedSecret(*zero).ok());
}

TEST(AeadCipher, GivesTheAnswersOfTheGcmSpecification) {
  const auto aead = Aead::Make(Secret(std::string(32, '\0')));
  ASSERT_TRUE(aead.ok());
  const std::string nonce(12, '\0');
  std::string sealed;
  aead->Seal(nonce, "", "", sealed);
  EXPECT_EQ(ToHex(sealed), "530f8afbc74536b9a963b4f1c4cb738b");
  sealed.clear();
  aead->Seal(nonce, "", std::string(16, '\0'), sealed);
  EXPECT_EQ(ToHex(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(AeadCipher, OpensOnlyWhatWasSealedWhereItWasSealed) {
  const auto aead = Aead::Make(Secret(std::string(32, 'k')));
  const auto other = Aead::Make(Secret(std::string(32, 'o')));
  ASSERT_TRUE(aead.ok() && other.ok());
  std::string sealed = "kept:";
  aead->Seal(CountingNonce(5), "row 1", "6217 0001", sealed);
  ASSERT_EQ(sealed.substr(0, 5), "kept:") << "Seal appends";
  sealed.erase(0, 5);
  EXPECT_EQ(aead->Open(CountingNonce(5), "row 1", sealed).value(), "6217 0001");
  EXPECT_FALSE(aead->Open(CountingNonce(6), "row 1", sealed).ok());
  EXPECT_FALSE(aead->Open(CountingNonce(5), "row 2", sealed).ok());
  EXPECT_FALSE(other->Open(CountingNonce(5), "row 1", sealed).ok());
  EXPECT_FALSE(aead->Open(CountingNonce(5), "row 1", "").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] ^= 1;
    EXPECT_FALSE(aead->Open(CountingNonce(5), "row 1", altered).ok()) << "byte " << i;
  }
  EXPECT_EQ(aead->Open(CountingNonce(5), "row 1", sealed).value(), "6217 0001")
      << "a failure leaves nothing behind";
  EXPECT_FALSE(Aead::Make(Secret(std::string(16, 'k'))).ok());
}

TEST(AeadCipher, ServesManyThreadsAtOnce) {
  const auto aead = Aead::Make(Secret(std::string(32, 'k')));
  ASSERT_TRUE(aead.ok());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&aead, thread] {
      for (int i = 0; i < 2000; ++i) {
        const std::string plain = fmt::format("{} of {}", i, thread);
        const std::string nonce = CountingNonce(static_cast<std::uint64_t>(thread) << 32 | i);
        std::string sealed;
        aead->Seal(nonce, plain, plain, sealed);
        ASSERT_EQ(aead->Open(nonce, plain, sealed).value(), plain);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class Columns : public testing::Test {
 protected:
  static KeyRing Ring(std::initializer_list<std::pair<int, char>> keys) {
    KeyRing ring;
    for (const auto& [id, fill] : keys) {
      ring.keys.emplace(static_cast<std::uint16_t>(id), Secret(std::string(32, fill)));
    }
    return ring;
  }

  SeededRandom random_{9};
};

TEST_F(Columns, ComeBackFromTheirPlaceOnly) {
  const auto cipher = ColumnCipher::Make(Ring({{1, 'a'}}), random_);
  ASSERT_TRUE(cipher.ok());
  const std::string stored = cipher->Encrypt({"account", "number", "42"}, "6217000012345678");
  EXPECT_EQ(stored.size(), 16 + kColumnEnvelopeBytes);
  EXPECT_EQ(cipher->Decrypt({"account", "number", "42"}, stored).value(), "6217000012345678");
  EXPECT_EQ(cipher->Decrypt({"account", "number", "43"}, stored).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(cipher->Decrypt({"account", "phone", "42"}, stored).ok());
  EXPECT_FALSE(cipher->Decrypt({"person", "number", "42"}, stored).ok());
  EXPECT_FALSE(cipher->Decrypt({"accountnumber", "", "42"}, stored).ok());
  EXPECT_FALSE(cipher->Decrypt({"account", "number", "42"}, "6217000012345678").ok());
}

TEST_F(Columns, LookDifferentEachTimeThoughTheirValueIsTheSame) {
  const auto cipher = ColumnCipher::Make(Ring({{1, 'a'}}), random_);
  ASSERT_TRUE(cipher.ok());
  EXPECT_NE(cipher->Encrypt({"t", "c", "1"}, "same"), cipher->Encrypt({"t", "c", "1"}, "same"));
}

TEST_F(Columns, AreReadUnderAnOldKeyAndWrittenUnderTheNewest) {
  const auto before = ColumnCipher::Make(Ring({{1, 'a'}}), random_);
  const auto after = ColumnCipher::Make(Ring({{1, 'a'}, {2, 'b'}}), random_);
  const auto much_later = ColumnCipher::Make(Ring({{2, 'b'}}), random_);
  ASSERT_TRUE(before.ok() && after.ok() && much_later.ok());
  const std::string old_value = before->Encrypt({"t", "c", "1"}, "value");
  EXPECT_EQ(after->Decrypt({"t", "c", "1"}, old_value).value(), "value");
  EXPECT_TRUE(after->IsOutdated(old_value));
  EXPECT_FALSE(after->IsOutdated(after->Encrypt({"t", "c", "1"}, "value")));
  const auto lost = much_later->Decrypt({"t", "c", "1"}, old_value).status();
  EXPECT_EQ(lost.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(lost.message()).find("value,"), std::string::npos);
}

TEST_F(Columns, AreFoundByABlindIndexThatDependsOnKeyAndColumn) {
  const BlindIndex index(Secret(std::string(32, 'i')));
  const BlindIndex other(Secret(std::string(32, 'j')));
  EXPECT_EQ(index.Of("id_number", "12010519491231002X"),
            index.Of("id_number", "12010519491231002X"));
  EXPECT_NE(index.Of("id_number", "12010519491231002X"), index.Of("phone", "12010519491231002X"));
  EXPECT_NE(index.Of("id_number", "12010519491231002X"),
            other.Of("id_number", "12010519491231002X"));
  EXPECT_NE(index.Of("ab", "c"), index.Of("a", "bc"));
}

class KeyFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
  SeededRandom random_{5};
};

TEST_F(KeyFiles, AreWrittenForTheirOwnerOnlyAndNeverReplaced) {
  const auto key = Ed25519PrivateKey::Generate(random_);
  ASSERT_TRUE(WriteSecretFile(Path("a.pem"), key.Pem()).ok());
  struct stat info {};
  ASSERT_EQ(::stat(Path("a.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(WriteSecretFile(Path("a.pem"), key.Pem()).code(), absl::StatusCode::kAlreadyExists);
  const auto read = ReadEd25519PrivateKey(Path("a.pem"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->PublicKey().Raw(), key.PublicKey().Raw());
}

TEST_F(KeyFiles, OfAnotherKindAreRefusedByName) {
  ASSERT_TRUE(WriteSecretFile(Path("x.pem"), X25519PrivateKey::Generate(random_).Pem()).ok());
  const auto status = ReadEd25519PrivateKey(Path("x.pem")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("x.pem"), std::string::npos);
  EXPECT_EQ(ReadX25519PublicKey(Path("none.pem")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(ReadX25519PrivateKey(Path("x.pem")).ok());
}

TEST_F(KeyFiles, HoldARingOfSecretKeys) {
  const std::string key(64, 'a');
  std::ofstream(Path("ring")) << "# column keys\n1 " << std::string(64, '0') << "\n\n 12  " << key
                              << " \r\n";
  const auto ring = ReadKeyRing(Path("ring"));
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->newest(), 12);
  EXPECT_EQ(ring->keys.at(12).Reveal(), std::string(32, '\xaa'));
  for (const std::string& bad : {std::string(), "0 " + key, "65536 " + key, "1 " + key.substr(1),
                                 fmt::format("1 {0}\n1 {0}", key), std::string("1"), "x " + key,
                                 "1 " + std::string(64, 'g')}) {
    const auto refused = ParseKeyRing(bad);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(std::string(refused.status().message()).find("aaaa"), std::string::npos)
        << "no byte of a key in a message";
  }
}

}  // namespace
}  // namespace yikatong::crypto
