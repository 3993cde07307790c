// What the workers tell of themselves: which bank it is that fails, or owes an answer.
#include "services/bankgateway/workers/workers.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

class WorkersTest : public GatewayTest {
 protected:
  void RunUntil(const std::function<bool()>& shown) {
    Workers workers({gateway_->files, gateway_->directory, gateway_->outcomes, gateway_->cases,
                     gateway_->restores, gateway_->sender, gateway_->collector, gateway_->look_up},
                    metrics_, {});
    workers.Start();
    while (!shown()) std::this_thread::yield();
  }
  double Steps(const std::string& worker, const std::string& bank, const std::string& result) {
    return metrics_.Counters("yikatong_gateway_steps_total", "", {"worker", "bank", "result"})
        .With({worker, bank, result})
        .Value();
  }
  bool Shows(const std::string& line) {
    return metrics_.Exposition().find(line) != std::string::npos;
  }

  telemetry::Metrics metrics_;
};

TEST_F(WorkersTest, TellTheBankThatFailsFromOneThatHasNothingToSay) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  fake().down = true;
  RunUntil([&] {
    return Steps("results", kBank, "failed") > 1 && Steps("results", kOtherBank, "idle") > 1 &&
           Steps("pack", "", "idle") > 1;
  });
  EXPECT_EQ(Steps("results", kBank, "idle"), 0);
  EXPECT_EQ(Steps("results", kBank, "done"), 0);
  EXPECT_EQ(Steps("results", kOtherBank, "failed"), 0);
}

TEST_F(WorkersTest, TellWhatEachBankOwesAnAnswerFor) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  SubmitAndSend(1, 3);
  RunUntil([&] {
    return Shows(R"(yikatong_gateway_awaiting{bank="102100099996"} 3)") &&
           Shows(R"(yikatong_gateway_awaiting{bank="103100000026"} 0)");
  });
}

TEST_F(WorkersTest, AnswersAndRowsThatAreToldToBeUnknownAreNoLongerAwaited) {
  SubmitAndSend(1, 3);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  TakeResults();
  EXPECT_EQ((*gateway_->directory.AwaitedByBank())[kBank], 2);
  NextDay(2);
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ((*gateway_->directory.AwaitedByBank())[kBank], 0);
}

}  // namespace
}  // namespace yikatong::bankgateway::testing
