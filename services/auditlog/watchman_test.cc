#include "services/auditlog/watchman.h"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "common/crypto/testing/seeded_random.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

class WatchmanTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 1; i <= 700; i += 100) {
      std::vector<std::string> bodies;
      bodies.reserve(100);
      for (int k = 0; k < 100; ++k) {
        bodies.push_back(BodyOf("dispatch", "chunk.sent", 120105, std::to_string(i + k)));
      }
      ASSERT_TRUE(log_.Append(ServiceCaller("dispatch"), {{"dispatch", 1}, i, bodies}).ok());
    }
  }
  bool Logged(const std::string& text) {
    const std::lock_guard lock(mutex_);
    for (const std::string& line : lines_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }
  bool Shows(const std::string& text) const {
    return metrics_.Exposition().find(text) != std::string::npos;
  }

  std::mutex mutex_;
  std::vector<std::string> lines_;
  telemetry::LogCapture capture_{[this](std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  }};
  crypto::SeededRandom random_{1};
  crypto::NoteSigner signer_ =
      crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random_)).value();
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  telemetry::Metrics metrics_;
  MemoryStore store_;
  Integrity integrity_;
  MemoryCheckpoint memory_;
  AuditLog log_{store_, integrity_, &memory_, signer_, clock_};
  Watchman watchman_{log_, store_, integrity_, &memory_, clock_, metrics_, {}};
};

TEST_F(WatchmanTest, RemembersAGoodTree) {
  watchman_.CheckEnds();
  watchman_.CheckWhole();
  EXPECT_TRUE(integrity_.intact());
  EXPECT_EQ(memory_.remembered->size, 700u);
  EXPECT_TRUE(Shows("yikatong_auditlog_intact 1"));
  EXPECT_TRUE(Shows("yikatong_auditlog_tree_size 700"));
}

TEST_F(WatchmanTest, StopsTheLogAndNamesTheIndexWhenARowWasAltered) {
  store_.entries[100].body[60] ^= 1;
  watchman_.CheckEnds();
  EXPECT_TRUE(integrity_.intact()) << "an old entry is found by the whole check";
  watchman_.CheckWhole();
  EXPECT_FALSE(integrity_.intact());
  EXPECT_TRUE(Shows("yikatong_auditlog_intact 0"));
  EXPECT_TRUE(Logged("\"audit_log_altered\""));
  EXPECT_TRUE(Logged("\"index\":\"100\""));
  EXPECT_TRUE(Logged("\"trace_id\":\""));
  EXPECT_EQ(status::ReasonOf(log_.NewestCheckpoint().status()), status::Reason::kAuditLogAltered);
}

TEST_F(WatchmanTest, FindsWithinOneShortCheckThatTheLogWasCut) {
  watchman_.CheckEnds();
  store_.entries.resize(600);
  watchman_.CheckEnds();
  EXPECT_FALSE(integrity_.intact());
}

TEST_F(WatchmanTest, LooksByItselfAndStopsAtOnce) {
  Watchman looking(log_, store_, integrity_, &memory_, clock_, metrics_,
                   {absl::Hours(1), absl::Hours(1)});
  looking.Start();
  looking.Stop();  // waits for the look that runs, not for the hour
  EXPECT_TRUE(integrity_.intact());
}

}  // namespace
}  // namespace yikatong::auditlog
