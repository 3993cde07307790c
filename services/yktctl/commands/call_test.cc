#include "services/yktctl/commands/call.h"

#include <gtest/gtest.h>

#include "services/yktctl/app.h"
#include "yikatong/bank/v1/simulator.pb.h"
#include "yikatong/dispatch/v1/budget.pb.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"
#include "yikatong/registry/v1/registry.pb.h"

namespace yikatong::yktctl {
namespace {

// What the words of a command line make of a request; the parser's complaint where they make
// nothing.
std::string Parse(google::protobuf::Message& request, const std::vector<Field>& fields,
                  std::vector<std::string> words) {
  CLI::App app;
  BindFields(app, request, fields);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "";
}

TEST(BindFields, SetsNumbersMoneyInYuanListsAndFieldsInsideOfMessages) {
  dispatch::v1::CreateBatchRequest batch;
  EXPECT_EQ(Parse(batch, {{"district", ""}, {"declared_fen", "", false, "total"}},
                  {"--district", "120105", "--total", "1045.50"}),
            "");
  EXPECT_EQ(batch.district(), 120105);
  EXPECT_EQ(batch.declared_fen(), 104'550);

  dispatch::v1::ReissueItemsRequest reissue;
  EXPECT_EQ(Parse(reissue, {{"item_ids", "", false, "item"}}, {"--item", "7", "--item", "8"}), "");
  EXPECT_EQ(reissue.item_ids_size(), 2);

  bank::v1::SetFaultsRequest faults;
  EXPECT_EQ(Parse(faults, {{"faults.down", ""}, {"faults.delay_ms", ""}},
                  {"--down", "yes", "--delay-ms", "5"}),
            "");
  EXPECT_TRUE(faults.faults().down());
  EXPECT_EQ(faults.faults().delay_ms(), 5);
}

TEST(BindFields, SaysWhatAFieldTakesInsteadOfWhatItGot) {
  dispatch::v1::DecideObjectionRequest decide;
  EXPECT_NE(Parse(decide, {{"decision", ""}}, {"--decision", "MAYBE"}).find("UPHELD"),
            std::string::npos);
  EXPECT_EQ(Parse(decide, {{"decision", ""}}, {"--decision", "upheld"}), "");
  EXPECT_EQ(decide.decision(), dispatch::v1::OBJECTION_STATE_UPHELD);
  dispatch::v1::AppropriateBudgetRequest budget;
  EXPECT_NE(Parse(budget, {{"amount_fen", ""}}, {"--amount", "1.005"}), "");
  EXPECT_NE(Parse(budget, {{"line_id", ""}}, {"--line-id", "two"}), "");
  EXPECT_NE(Parse(budget, {{"basis", "", true}}, {}), "");
}

TEST(BindFields, TakesAnOrdersKindByItsShortName) {
  dispatch::v1::RequestBudgetOrderRequest order;
  const std::vector<Field> fields = {{"kind", ""}, {"to_line_id", "", false, "to_line"}};
  EXPECT_EQ(Parse(order, fields, {"--kind", "carry_over", "--to-line", "9"}), "");
  EXPECT_EQ(order.kind(), dispatch::v1::BUDGET_ORDER_KIND_CARRY_OVER);
  EXPECT_EQ(order.to_line_id(), 9);
  EXPECT_NE(Parse(order, fields, {"--kind", "gift"}).find("TRANSFER"), std::string::npos);
}

TEST(RunCommand, ExplainsEachCommandOfABudgetWithoutAService) {
  Connections connections;
  for (const char* command : {"receive", "cancel-receipt", "receipts", "pass-down", "pass-downs",
                              "request", "decide", "withdraw", "orders", "blockers", "statement"}) {
    EXPECT_EQ(RunCommand({"budget", command, "--help"}, connections), kDone) << command;
    EXPECT_EQ(RunCommand({"budget", command, "--no-such-option"}, connections), kUsage) << command;
  }
}

TEST(RunCommand, EndsWithTheCodeOfWrongUsageWithoutACommandAServiceOrAPerson) {
  Connections connections;
  EXPECT_EQ(RunCommand({}, connections), kUsage);
  EXPECT_EQ(RunCommand({"batch", "no-such-command"}, connections), kUsage);
  EXPECT_EQ(RunCommand({"--endpoints", "/nowhere.json", "--as", "x", "clock", "show"}, connections),
            kUsage);
  EXPECT_EQ(RunCommand({"--help"}, connections), kDone);
}

}  // namespace
}  // namespace yikatong::yktctl
