#include "common/base/failpoint.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace yikatong::base::failpoint {
namespace {

class FailpointTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "failpoint-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    ASSERT_TRUE(Arm(folder_).ok());
  }
  void TearDown() override {
    Disarm();
    std::filesystem::remove_all(folder_);
  }
  void Put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ + "/" + name) << content << "\n";
  }
  bool Has(const std::string& name) const { return std::filesystem::exists(folder_ + "/" + name); }

  // Runs `work` in a child; its wait status.
  static int InChild(const auto& work, int options = 0) {
    const pid_t child = fork();
    if (child == 0) {
      work();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, options), child);
    if (WIFSTOPPED(status)) {
      EXPECT_EQ(kill(child, SIGCONT), 0);
      int ended = 0;
      EXPECT_EQ(waitpid(child, &ended, 0), child);
      EXPECT_EQ(ended, 0) << "a process that was woken goes on";
    }
    return status;
  }

  std::string folder_;
};

TEST_F(FailpointTest, APointThatIsNotArmedDoesNothingAndIsRemembered) {
  EXPECT_TRUE(Hit("pack.before_commit").ok());
  EXPECT_TRUE(Has("passed/pack.before_commit"));
}

TEST_F(FailpointTest, AnArmedPointFailsOnceWithTheStatusItIsGiven) {
  Put("pack.before_commit", "fail ABORTED");
  EXPECT_EQ(Hit("pack.before_commit").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(Hit("pack.before_commit").ok());
  EXPECT_TRUE(Has("fired/pack.before_commit." + std::to_string(getpid())));
}

TEST_F(FailpointTest, KillEndsTheProcessAtThePoint) {
  Put("pack.after_commit", "kill");
  const int status = InChild([] {
    Hit("pack.after_commit").IgnoreError();
    _exit(7);  // not reached
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(FailpointTest, StopHaltsTheProcessUntilItIsWoken) {
  Put("pack.after_commit", "stop");
  const int status = InChild([] { Hit("pack.after_commit").IgnoreError(); }, WUNTRACED);
  EXPECT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(WSTOPSIG(status), SIGSTOP);
}

TEST_F(FailpointTest, WaitHoldsOneThreadUntilItIsLetGo) {
  Put("pack.before_begin", "wait");
  std::atomic<bool> through{false};
  std::thread held([&] {
    Hit("pack.before_begin").IgnoreError();
    through = true;
  });
  // It took the file, so it is at the point.
  while (Has("pack.before_begin")) std::this_thread::yield();
  EXPECT_FALSE(through);
  Put("pack.before_begin.go", "");
  held.join();
  EXPECT_TRUE(through);
}

TEST_F(FailpointTest, OfSeveralThreadsAtAnArmedPointOneTakesIt) {
  Put("take", "fail UNAVAILABLE");
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (!Hit("take").ok()) ++failed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 1);
}

TEST_F(FailpointTest, WhatATransactionChangesIsAPointOfItsOwn) {
  Put("batch.SEALED.publish_notice.before_commit", "fail UNAVAILABLE");
  const TransactionMoments moments("publish_notice");
  ASSERT_TRUE(moments.BeforeBegin().ok());
  ASSERT_TRUE(moments.BeforeCommit().ok()) << "nothing was noted yet";
  ASSERT_TRUE(moments.BeforeBegin().ok());
  Note("batch", "SEALED", "publish_notice");
  EXPECT_FALSE(moments.BeforeCommit().ok());
}

TEST_F(FailpointTest, WhatWasRolledBackIsNoPointOfTheNextTry) {
  const TransactionMoments moments("publish_notice");
  ASSERT_TRUE(moments.BeforeBegin().ok());
  Note("batch", "SEALED", "publish_notice");
  ASSERT_TRUE(moments.BeforeBegin().ok());
  Put("batch.SEALED.publish_notice.before_commit", "fail UNAVAILABLE");
  EXPECT_TRUE(moments.BeforeCommit().ok());
}

TEST_F(FailpointTest, TheReplyOfACallIsAPointOfAllThatItChanged) {
  Put("batch.SEALED.publish_notice.before_reply", "fail UNAVAILABLE");
  {
    const CallMoments other("/yikatong.dispatch.v1.DispatchService/GetBatch");
    EXPECT_TRUE(other.BeforeReply().ok());
  }
  const CallMoments call("/yikatong.dispatch.v1.DispatchService/PublishNotice");
  const TransactionMoments moments("publish_notice");
  ASSERT_TRUE(moments.BeforeBegin().ok());
  Note("batch", "SEALED", "publish_notice");
  ASSERT_TRUE(moments.BeforeCommit().ok());
  moments.AfterCommit();
  EXPECT_FALSE(call.BeforeReply().ok());
  EXPECT_TRUE(Has("passed/PublishNotice.before_reply"));
}

TEST_F(FailpointTest, TheWallClockIsOffByWhatTheFolderSays) {
  EXPECT_EQ(ClockShiftSeconds(), 0);
  Put("clock", "-3600");
  // It is looked at every 20 ms.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (ClockShiftSeconds() != -3600 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_EQ(ClockShiftSeconds(), -3600);
}

TEST_F(FailpointTest, DisarmedNothingFires) {
  Put("pack.before_commit", "fail ABORTED");
  Disarm();
  EXPECT_TRUE(Hit("pack.before_commit").ok());
  EXPECT_TRUE(Has("pack.before_commit"));
}

}  // namespace
}  // namespace yikatong::base::failpoint
