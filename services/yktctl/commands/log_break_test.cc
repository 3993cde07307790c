#include "services/yktctl/commands/log_break.h"

#include <gtest/gtest.h>

#include <string>

#include "common/crypto/testing/seeded_random.h"
#include "common/outbox/entry.h"
#include "common/status/status.h"

namespace yikatong::yktctl {
namespace {

using status::Reason;

class LogBreakTest : public testing::Test {
 protected:
  crypto::NoteSigner NewSigner(const char* origin) {
    return crypto::NoteSigner::Make(origin, crypto::Ed25519PrivateKey::Generate(random_)).value();
  }
  static crypto::Digest Root(const char* of) { return crypto::Sha256(of); }
  // The break after a log of 30 entries.
  outbox::Entry Entry() {
    outbox::Entry entry;
    entry.service = "auditlog";
    entry.kind = "log.begun_anew";
    entry.district = 120000;
    entry.subject = "logs/audit.test";
    entry.actor_org = "service:auditlog";
    entry.at = absl::FromUnixSeconds(1'790'000'000);
    entry.business_date = absl::CivilDay(2026, 9, 21);
    entry.details = {{"former_key", former_.verifier().VerifierKey()},
                     {"former_root", crypto::HexOf(Root("30"))},
                     {"former_size", "30"},
                     {"reason", "restored from a backup"}};
    return entry;
  }
  static absl::StatusOr<LogBreak> Read(const outbox::Entry& entry) {
    return ReadBreak(outbox::CanonicalBody(entry).value());
  }
  static std::string Note(const crypto::NoteSigner& signer, std::uint64_t size, const char* root) {
    return crypto::SignCheckpoint({signer.verifier().name(), size, Root(root), {}}, signer).value();
  }

  crypto::SeededRandom random_{1};
  crypto::NoteSigner former_ = NewSigner("audit.test");
};

TEST_F(LogBreakTest, SaysWhichLogWentBeforeAndWhereItEnded) {
  const auto read = Read(Entry());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->former.VerifierKey(), former_.verifier().VerifierKey());
  EXPECT_EQ(read->size, 30u);
  EXPECT_EQ(read->root, Root("30"));
  EXPECT_EQ(read->reason, "restored from a backup");
}

TEST_F(LogBreakTest, IsNotFoundInALogThatFollowsNoOther) {
  outbox::Entry first = Entry();
  first.kind = "list.published";
  EXPECT_EQ(status::ReasonOf(Read(first).status()), Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(ReadBreak("anything").status()), Reason::kProofInvalid);
}

TEST_F(LogBreakTest, MustSayAllOfIt) {
  const auto without = [&](const char* key, const char* value) {
    outbox::Entry entry = Entry();
    entry.details[key] = value;
    return status::ReasonOf(Read(entry).status());
  };
  EXPECT_EQ(without("former_key", "audit.test"), Reason::kProofInvalid);
  EXPECT_EQ(without("former_size", ""), Reason::kProofInvalid);
  EXPECT_EQ(without("former_size", "30 or so"), Reason::kProofInvalid);
  EXPECT_EQ(without("former_root", "00"), Reason::kProofInvalid);
  outbox::Entry entry = Entry();
  entry.subject = "logs/another.test";
  EXPECT_EQ(status::ReasonOf(Read(entry).status()), Reason::kProofInvalid);
}

TEST_F(LogBreakTest, FitsACheckpointThatIsItsOwnOrAnEarlierOne) {
  const LogBreak log_break = Read(Entry()).value();
  EXPECT_TRUE(CheckKept(log_break, Note(former_, 30, "30")).ok());
  EXPECT_TRUE(CheckKept(log_break, Note(former_, 7, "7")).ok());
}

TEST_F(LogBreakTest, IsRefutedByALaterOrAnotherCheckpoint) {
  const LogBreak log_break = Read(Entry()).value();
  const auto refuted = [&](const std::string& note) {
    return status::ReasonOf(CheckKept(log_break, note)) == Reason::kProofInvalid;
  };
  EXPECT_TRUE(refuted(Note(former_, 31, "31"))) << "it hides an entry";
  EXPECT_TRUE(refuted(Note(former_, 30, "other")));
  EXPECT_TRUE(refuted(Note(NewSigner("audit.test"), 7, "7"))) << "of another key";
  EXPECT_TRUE(refuted("no note"));
}

}  // namespace
}  // namespace yikatong::yktctl
