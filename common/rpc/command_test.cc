#include "common/rpc/command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status/status.h"

namespace yikatong::rpc {
namespace {

class CommandTest : public testing::Test {
 protected:
  int Run(std::vector<std::string> words) {
    config::Schema schema("probe");
    schema.Text("colour", "red", "Of the probe.").Path("failpoints", "", "Of every server.");
    const auto noting = [this](const char* name) {
      return [this, name](const config::Config& config) -> absl::Status {
        done_ = name + (" " + config.Text("colour"));
        return failure_;
      };
    };
    words.insert(words.begin(), "probe");
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (std::string& word : words) argv.push_back(word.data());
    done_.clear();
    return RunCommand(schema, static_cast<int>(argv.size()), argv.data(),
                      {.serve = noting("serve"),
                       .migrate = noting("migrate"),
                       .check_config = noting("check"),
                       .raise_restore_epoch = noting("raise")});
  }

  std::string done_;
  absl::Status failure_;
};

TEST_F(CommandTest, ServesUnlessItIsAskedForSomethingElse) {
  EXPECT_EQ(Run({}), 0);
  EXPECT_EQ(done_, "serve red");
  EXPECT_EQ(Run({"--migrate"}), 0);
  EXPECT_EQ(done_, "migrate red");
  EXPECT_EQ(Run({"--check-config"}), 0);
  EXPECT_EQ(done_, "check red");
  EXPECT_EQ(Run({"--raise-restore-epoch"}), 0);
  EXPECT_EQ(done_, "raise red");
  EXPECT_EQ(Run({"--finish-restore"}), 2) << "nothing is to be finished here";
}

TEST_F(CommandTest, FailsWithTheCommandAndDoesNothingOnSettingsThatCannotBeRead) {
  failure_ = status::Refuse(status::Reason::kConfigInvalid, "owner_conninfo is needed to migrate");
  EXPECT_EQ(Run({"--migrate"}), 1);
  EXPECT_EQ(Run({"--nonsense"}), 2);
  EXPECT_EQ(done_, "");
}

}  // namespace
}  // namespace yikatong::rpc
