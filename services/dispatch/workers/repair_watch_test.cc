// Who tells what waits for somebody, and until when, over real batches.
#include "services/dispatch/workers/repair_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class RepairWatchTest : public MoneyTest {
 protected:
  void SetUp() override {
    MoneyTest::SetUp();
    watch_ = std::make_unique<RepairWatch>(rig_->repair_list, rig_->clock, metrics_);
  }
  // A batch of three of which `failed` have failed.
  void Fail(int failed) {
    const std::int64_t batch = Paying(3);
    Replica replica(*rig_, "a");
    Work(replica);
    for (int row = 1; row <= failed; ++row) Report({Failed(Item(batch, row) * 100 + 1)});
    Follow(replica);
  }
  std::int64_t Told(const std::string& what) {
    return static_cast<std::int64_t>(
        metrics_.Gauges("yikatong_repairs_" + what, "What is told.", {"kind"})
            .With({RepairKindName(RepairKind::kFailed)})
            .Value());
  }
  std::int64_t CountedAt() {
    return static_cast<std::int64_t>(
        metrics_.Gauges("yikatong_repairs_counted_timestamp_seconds", "When.").With().Value());
  }
  std::int64_t Now() { return absl::ToUnixSeconds(rig_->clock.Now()); }

  telemetry::Metrics metrics_;
  std::unique_ptr<RepairWatch> watch_;
};

TEST_F(RepairWatchTest, CountsNowAndAgainWhatWaitsAndWhatIsOverdue) {
  EXPECT_EQ(CountedAt(), 0) << "and so it is seen that nobody has";
  Fail(2);
  watch_->Look(true);
  EXPECT_EQ(Told("open"), 2);
  EXPECT_EQ(Told("overdue"), 0);
  EXPECT_EQ(CountedAt(), Now());
  const std::int64_t first = Now();
  rig_->business.MoveTo(rig_->business.Today() + 30);
  rig_->clock.Advance(RepairWatch::kEvery - absl::Seconds(1));
  watch_->Look(true);
  EXPECT_EQ(Told("overdue"), 0) << "not so soon again";
  EXPECT_EQ(CountedAt(), first);
  rig_->clock.Advance(absl::Seconds(1));
  watch_->Look(true);
  EXPECT_EQ(Told("overdue"), 2);
  EXPECT_EQ(CountedAt(), Now());
}

TEST_F(RepairWatchTest, WhoNoLongerFollowsTellsNothingAndCountsAtOnceWhenItFollowsAgain) {
  Fail(2);
  watch_->Look(true);
  ASSERT_EQ(Told("open"), 2);
  const std::int64_t first = CountedAt();
  rig_->clock.Advance(absl::Seconds(10));
  watch_->Look(false);
  EXPECT_EQ(Told("open"), 0);
  EXPECT_EQ(Told("overdue"), 0);
  EXPECT_EQ(CountedAt(), first) << "others have a later one";
  watch_->Look(false);
  EXPECT_EQ(Told("open"), 0);
  watch_->Look(true);
  EXPECT_EQ(Told("open"), 2);
  EXPECT_EQ(CountedAt(), Now());
}

TEST_F(RepairWatchTest, ACountThatFailsLeavesTheTimeOfTheLastOne) {
  Fail(1);
  watch_->Look(true);
  const std::int64_t first = CountedAt();
  rig_->clock.Advance(RepairWatch::kEvery);
  Sql("ALTER TABLE exception RENAME TO gone");
  watch_->Look(true);
  EXPECT_EQ(Told("open"), 1);
  EXPECT_EQ(CountedAt(), first);
  Sql("ALTER TABLE gone RENAME TO exception");
  rig_->clock.Advance(RepairWatch::kEvery);
  watch_->Look(true);
  EXPECT_EQ(CountedAt(), Now());
}

}  // namespace
}  // namespace yikatong::dispatch::testing
