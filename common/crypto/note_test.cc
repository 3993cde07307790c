#include "common/crypto/note.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "common/crypto/testing/seeded_random.h"

namespace yikatong::crypto {
namespace {

// The example of Go's sumdb/note package, from which the format comes.
constexpr char kNeumannVerifier[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr char kNeumannSeed[] = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr char kNeumannText[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr char kNeumannNote[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

NoteSigner Signer(const char* name, std::uint64_t seed) {
  SeededRandom random(seed);
  return NoteSigner::Make(name, Ed25519PrivateKey::Generate(random)).value();
}

TEST(Note, SignsAsOtherImplementationsDo) {
  std::string seed;
  ASSERT_TRUE(absl::Base64Unescape(kNeumannSeed, &seed));
  const auto key = Ed25519PrivateKey::FromSeed(Secret(seed.substr(1)));
  ASSERT_TRUE(key.ok());
  const auto signer = NoteSigner::Make("PeterNeumann", *key);
  ASSERT_TRUE(signer.ok());
  EXPECT_EQ(signer->verifier().VerifierKey(), kNeumannVerifier);
  EXPECT_EQ(signer->Sign(kNeumannText).value(), kNeumannNote);
}

TEST(Note, VerifiesWhatOtherImplementationsSigned) {
  const auto verifier = NoteVerifier::Parse(kNeumannVerifier);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_EQ(verifier->name(), "PeterNeumann");
  EXPECT_EQ(verifier->key_hash(), 0xc74f20a3u);
  EXPECT_EQ(verifier->Open(kNeumannNote).value(), kNeumannText);
}

TEST(Note, RefusesEveryAlteredByte) {
  const auto verifier = NoteVerifier::Parse(kNeumannVerifier);
  ASSERT_TRUE(verifier.ok());
  const std::string note = kNeumannNote;
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string altered = note;
    altered[i] ^= 1;
    EXPECT_FALSE(verifier->Open(altered).ok()) << "byte " << i;
    EXPECT_FALSE(verifier->Open(note.substr(0, i)).ok()) << "cut at " << i;
  }
}

TEST(Note, PassesOverSignaturesOfOthersAndNeedsItsOwn) {
  const NoteSigner log = Signer("example/log", 1);
  const NoteSigner witness = Signer("example/witness", 2);
  const std::string text = "line one\n\nline three\n";
  const std::string by_log = log.Sign(text).value();
  const std::string by_witness = witness.Sign(text).value();
  const std::string cosigned = by_log + by_witness.substr(text.size() + 1);
  EXPECT_EQ(log.verifier().Open(cosigned).value(), text);
  EXPECT_EQ(witness.verifier().Open(cosigned).value(), text);
  EXPECT_EQ(witness.verifier().Open(by_log).status().code(), absl::StatusCode::kPermissionDenied);
  const NoteSigner same_name = Signer("example/log", 3);
  EXPECT_FALSE(same_name.verifier().Open(by_log).ok());
}

TEST(Note, RefusesTextsAndNamesThatTheFormatCannotHold) {
  const NoteSigner log = Signer("example/log", 1);
  EXPECT_FALSE(log.Sign("no newline").ok());
  EXPECT_FALSE(log.Sign("tab\there\n").ok());
  EXPECT_FALSE(log.Sign("not utf-8 \xff\n").ok());
  EXPECT_FALSE(log.Sign("overlong \xc0\xaf\n").ok());
  EXPECT_FALSE(log.Sign("surrogate \xed\xa0\x80\n").ok());
  EXPECT_TRUE(log.Sign("津财农〔2021〕86号 𠮷\n").ok());
  SeededRandom random(1);
  const auto key = Ed25519PrivateKey::Generate(random);
  for (const char* name : {"", "two words", "a+b", "line\nbreak"}) {
    EXPECT_FALSE(NoteSigner::Make(name, key).ok()) << name;
  }
}

TEST(Note, RefusesVerifierKeysWhoseHashIsNotTheirs) {
  for (const char* key : {"", "PeterNeumann", "PeterNeumann+c74f20a3",
                          "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+c74f20a3+AhpcxQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}) {
    EXPECT_FALSE(NoteVerifier::Parse(key).ok()) << key;
  }
}

TEST(Checkpoints, HaveTheFormOfTlogCheckpoint) {
  Checkpoint checkpoint;
  checkpoint.origin = "audit.yikatong.example";
  checkpoint.size = 20852163;
  checkpoint.root = Sha256("root");
  EXPECT_EQ(FormatCheckpoint(checkpoint),
            "audit.yikatong.example\n20852163\n" +
                absl::Base64Escape(std::string(BytesOf(checkpoint.root))) + "\n");
}

TEST(Checkpoints, ComeBackFromTheirText) {
  Checkpoint checkpoint;
  checkpoint.origin = "audit.example";
  checkpoint.root = Sha256("root");
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    checkpoint.size = size;
    EXPECT_EQ(ParseCheckpoint(FormatCheckpoint(checkpoint)).value(), checkpoint);
  }
  checkpoint.extensions = {"first", "second line"};
  EXPECT_EQ(ParseCheckpoint(FormatCheckpoint(checkpoint)).value(), checkpoint);
}

TEST(Checkpoints, RefuseAnyOtherSpelling) {
  const std::string root = absl::Base64Escape(std::string(32, 'r'));
  ASSERT_TRUE(ParseCheckpoint("log\n5\n" + root + "\n").ok());
  for (const std::string& text :
       {std::string(), std::string("log\n5\n"), "\n5\n" + root + "\n", "log\n05\n" + root + "\n",
        "log\n+5\n" + root + "\n", "log\n-5\n" + root + "\n", "log\n 5\n" + root + "\n",
        "log\n5\n" + root, "log\n5\n" + root + "\n\n", "log\n5\n" + root + "\nlast",
        "log\n18446744073709551616\n" + root + "\n", "log\n5\n" + root.substr(4) + "\n",
        "log\n5\n " + root + "\n", "log\n5x\n" + root + "\n"}) {
    EXPECT_FALSE(ParseCheckpoint(text).ok()) << text;
  }
}

TEST(Checkpoints, OpenOnlyForTheirLogAndItsKey) {
  const NoteSigner log = Signer("audit.example", 1);
  Checkpoint checkpoint;
  checkpoint.origin = "audit.example";
  checkpoint.size = 7;
  checkpoint.root = Sha256("root");
  const std::string note = SignCheckpoint(checkpoint, log).value();
  EXPECT_EQ(OpenCheckpoint(note, log.verifier()).value(), checkpoint);
  EXPECT_FALSE(OpenCheckpoint(note, Signer("audit.example", 2).verifier()).ok());
  checkpoint.origin = "other.example";
  EXPECT_EQ(OpenCheckpoint(SignCheckpoint(checkpoint, log).value(), log.verifier()).status().code(),
            absl::StatusCode::kPermissionDenied)
      << "signed by this key, but for another log";
  checkpoint.origin = "two\nlines";
  EXPECT_FALSE(SignCheckpoint(checkpoint, log).ok());
}

}  // namespace
}  // namespace yikatong::crypto
