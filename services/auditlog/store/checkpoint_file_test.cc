#include "services/auditlog/store/checkpoint_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/crypto/testing/seeded_random.h"
#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

class CheckpointFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "anchor-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::Status Remember(CheckpointFile& file, std::uint64_t size) {
    crypto::Checkpoint checkpoint{"audit.test", size, crypto::Sha256(std::to_string(size)), {}};
    return file.Remember(checkpoint, crypto::SignCheckpoint(checkpoint, signer_).value());
  }
  std::string Path() const { return (folder_ / "checkpoint").string(); }

  std::filesystem::path folder_;
  crypto::SeededRandom random_{1};
  crypto::NoteSigner signer_ =
      crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random_)).value();
};

TEST_F(CheckpointFileTest, RemembersNothingAtFirst) {
  CheckpointFile file(Path(), signer_.verifier());
  EXPECT_FALSE(file.Recall()->has_value());
}

TEST_F(CheckpointFileTest, RemembersTheLargestTreeOverARestart) {
  {
    CheckpointFile file(Path(), signer_.verifier());
    ASSERT_TRUE(Remember(file, 5).ok());
    ASSERT_TRUE(Remember(file, 9).ok());
    ASSERT_TRUE(Remember(file, 7).ok());
    EXPECT_EQ(file.Recall()->value().size, 9u);
  }
  CheckpointFile again(Path(), signer_.verifier());
  EXPECT_EQ(again.Recall()->value().size, 9u);
}

TEST_F(CheckpointFileTest, SaysSoWhenTheFileIsNoCheckpointOfThisLog) {
  {
    CheckpointFile file(Path(), signer_.verifier());
    ASSERT_TRUE(Remember(file, 5).ok());
  }
  const auto other =
      crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random_)).value();
  EXPECT_EQ(status::ReasonOf(CheckpointFile(Path(), other.verifier()).Recall().status()),
            Reason::kAuditLogAltered);
  std::ofstream(Path()) << "something else\n";
  EXPECT_EQ(status::ReasonOf(CheckpointFile(Path(), signer_.verifier()).Recall().status()),
            Reason::kAuditLogAltered);
}

TEST_F(CheckpointFileTest, LeavesNothingBesideTheFile) {
  CheckpointFile file(Path(), signer_.verifier());
  ASSERT_TRUE(Remember(file, 5).ok());
  std::filesystem::remove(Path());
  std::filesystem::create_directory(Path());
  EXPECT_EQ(status::ReasonOf(Remember(file, 9)), Reason::kCheckpointNotKept);
  std::vector<std::string> names;
  for (const auto& one : std::filesystem::directory_iterator(folder_)) {
    names.push_back(one.path().filename().string());
  }
  EXPECT_EQ(names, std::vector<std::string>{"checkpoint"});
}

TEST_F(CheckpointFileTest, FailsWhereItCannotWrite) {
  CheckpointFile file((folder_ / "missing" / "checkpoint").string(), signer_.verifier());
  EXPECT_EQ(status::ReasonOf(Remember(file, 5)), Reason::kCheckpointNotKept);
}

}  // namespace
}  // namespace yikatong::auditlog
