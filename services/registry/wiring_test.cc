// The commands of the binary, with a configuration file, keys and certificates as an installation
// has them.
#include "services/registry/wiring.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/postgres/testing/pg_fixture.h"
#include "services/registry/config.h"

namespace yikatong::registry {
namespace {

namespace fs = std::filesystem;

class WiringTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = postgres::PgFixture::Start({.service = "registry", .migrations = Migrations()});
    std::string name = (fs::temp_directory_path() / "ykt-wiring-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    const std::string command = std::string(source == nullptr ? "." : source) +
                                "/deploy/certificates/make " + folder_ + " >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  static void TearDownTestSuite() {
    server_.reset();
    fs::remove_all(folder_);
  }

  void SetUp() override { pg_ = server_->FreshDatabase(); }

  // Runs the command line with a file of these settings; `more` wins over what a good file has.
  int Run(const std::vector<std::string>& arguments, const std::string& more = "") {
    const std::string file = folder_ + "/registry.conf";
    std::ofstream(file) << "database_conninfo = " << pg_->runtime_conninfo() << "\n"
                        << "owner_conninfo = " << pg_->owner_conninfo() << "\n"
                        << "tls_ca = " << folder_ << "/services/registry/ca.pem\n"
                        << "tls_certificate = " << folder_ << "/services/registry/tls.pem\n"
                        << "tls_key = " << folder_ << "/services/registry/tls.key\n"
                        << "token_issuers = " << folder_ << "/issuers\n"
                        << "auditlog_address = 127.0.0.1:1\n"
                        << "column_keys = " << folder_ << "/keys/registry-columns.ring\n"
                        << "index_key = " << folder_ << "/keys/registry-index.ring\n"
                        << "signing_key = " << folder_ << "/keys/registry-signing.key\n"
                        << (more.empty() ? "gateway_key = " + folder_ + "/keys/gateway-wrapping.pub"
                                         : more)
                        << "\n";
    std::vector<std::string> words{"registry", "--config", file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (std::string& word : words) argv.push_back(word.data());
    return RunCommand(static_cast<int>(argv.size()), argv.data(),
                      [this](const config::Config& config) {
                        telemetry::Metrics metrics;
                        const auto parts = Parts::Make(config, metrics);
                        if (!parts.ok()) return parts.status();
                        served_ = true;
                        const rpc::GuardOptions guard = (*parts)->GuardOptionsOf(config);
                        for (const char* who : {"civil", "civil", "civil", "service:dispatch",
                                                "service:dispatch", "service:dispatch"}) {
                          allowed_.push_back(guard.allow(who));
                        }
                        if (absl::Status relay = (*parts)->StartRelay(); !relay.ok()) return relay;
                        (*parts)->StopRelay();
                        return (*parts)->database().Ping();
                      });
  }

  static inline std::unique_ptr<postgres::PgFixture> server_;
  static inline std::string folder_;
  std::unique_ptr<postgres::TestDatabase> pg_;
  bool served_ = false;
  std::vector<bool> allowed_;  // the answers to three calls of a department and three of a service
};

TEST_F(WiringTest, ServesWithAGoodConfiguration) {
  EXPECT_EQ(Run({}), 0);
  EXPECT_TRUE(served_);
}

TEST_F(WiringTest, LimitsTheCallsOfAnOrganisationAndLetsServicesWork) {
  const std::string good = "gateway_key = " + folder_ + "/keys/gateway-wrapping.pub";
  EXPECT_EQ(Run({}, good + "\nrate_limit = 2"), 0);
  ASSERT_EQ(allowed_.size(), 6u);
  EXPECT_EQ(allowed_, (std::vector<bool>{true, true, false, true, true, true}));
}

TEST_F(WiringTest, ChecksAConfigurationWithoutServing) {
  EXPECT_EQ(Run({"--check-config"}), 0);
  EXPECT_NE(Run({"--check-config"}, "gateway_key = " + folder_ + "/keys/no-such.pub"), 0);
  EXPECT_NE(Run({"--check-config"},
                "gateway_key = " + folder_ + "/keys/gateway-wrapping.pub\nunknown = 1"),
            0);
  EXPECT_NE(Run({"--check-config"}, "gateway_key = " + folder_ +
                                        "/keys/gateway-wrapping.pub\nbusiness_clock = adjustable"),
            0)
      << "an adjustable clock needs its owner's address";
  EXPECT_FALSE(served_);
}

TEST_F(WiringTest, MigratesAsTheOwnerAndOnlyWhatIsMissing) {
  EXPECT_EQ(Run({"--migrate"}), 0);
  EXPECT_EQ(Run({"--migrate"}), 0);
  EXPECT_FALSE(served_);
}

TEST_F(WiringTest, RaisesTheRestoreEpochWithTheMigrationsToo) {
  const std::string restored =
      "gateway_key = " + folder_ + "/keys/gateway-wrapping.pub\nrestore_id = monday";
  EXPECT_EQ(Run({"--migrate"}, restored), 0);
  EXPECT_EQ(Run({"--migrate"}, restored), 0);
  EXPECT_EQ(pg_->Sql("SELECT restore_epoch FROM numbering"), "1");
  EXPECT_EQ(pg_->Sql("SELECT restore_id || epoch FROM restored"), "monday1");
}

TEST_F(WiringTest, RaisesTheRestoreEpochOnceForEachRestore) {
  const std::string good = "gateway_key = " + folder_ + "/keys/gateway-wrapping.pub";
  EXPECT_EQ(Run({"--raise-restore-epoch"}), 1) << "which restore it is must be said";
  EXPECT_EQ(pg_->Sql("SELECT restore_epoch FROM numbering"), "0");
  EXPECT_EQ(Run({"--raise-restore-epoch"}, good + "\nrestore_id = monday"), 0);
  EXPECT_EQ(Run({"--raise-restore-epoch"}, good + "\nrestore_id = monday"), 0);
  EXPECT_EQ(pg_->Sql("SELECT restore_epoch FROM numbering"), "1");
}

}  // namespace
}  // namespace yikatong::registry
