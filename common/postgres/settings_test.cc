#include "common/postgres/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/status/status.h"

namespace yikatong::postgres {
namespace {

class DatabaseSettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "postgres_settings_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Secret(const std::string& text) const {
    std::ofstream(folder_ / "secret") << text << "\n";
    return folder_ / "secret";
  }
  static absl::StatusOr<config::Config> Load(config::Environment environment, PoolSize pool = {}) {
    environment["YKT_PROBE_DATABASE_CONNINFO"] = "host=/run dbname=probe";
    config::Schema schema("probe");
    DeclareDatabase(schema, pool);
    return config::Load(schema, std::nullopt, environment);
  }

  std::filesystem::path folder_;
};

TEST_F(DatabaseSettingsTest, JoinsThePasswordAsLibpqReadsIt) {
  const auto plain = Load({});
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(DatabaseOptionsOf(*plain, "probe").conninfo, "host=/run dbname=probe");
  const auto secret = Load({{"YKT_PROBE_DATABASE_PASSWORD_FILE", Secret("it's \\ here")}});
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(DatabaseOptionsOf(*secret, "probe").conninfo,
            "host=/run dbname=probe password='it\\'s \\\\ here'");
}

TEST_F(DatabaseSettingsTest, KeepsThePoolWithinWhatTheServiceAllows) {
  const PoolSize pool{.connections = 16, .least = 4, .most = 128};
  const auto standing = Load({}, pool);
  ASSERT_TRUE(standing.ok()) << standing.status();
  EXPECT_EQ(DatabaseOptionsOf(*standing, "probe").max_connections, 16);
  EXPECT_EQ(DatabaseOptionsOf(*standing, "probe").application_name, "probe");
  for (const char* bad : {"3", "129"}) {
    EXPECT_EQ(status::ReasonOf(Load({{"YKT_PROBE_DATABASE_CONNECTIONS", bad}}, pool).status()),
              status::Reason::kConfigInvalid)
        << bad;
  }
}

TEST_F(DatabaseSettingsTest, AStartWaitsAsLongAsItIsTold) {
  EXPECT_EQ(StartWaitMs(*Load({})), 0);
  EXPECT_EQ(StartWaitMs(*Load({{"YKT_PROBE_START_WAIT", "30s"}})), 30'000);
  EXPECT_FALSE(Load({{"YKT_PROBE_START_WAIT", "11m"}}).ok());
}

TEST_F(DatabaseSettingsTest, MigratesOnlyAsAnOwner) {
  std::ostringstream out;
  EXPECT_EQ(status::ReasonOf(MigrateAsOwner(*Load({}), "probe", {}, out)),
            status::Reason::kConfigInvalid);
  EXPECT_EQ(out.str(), "");
}

TEST_F(DatabaseSettingsTest, EverythingThatWaitsIsInProportionToTheLease) {
  const auto plain = Load({});
  ASSERT_TRUE(plain.ok()) << plain.status();
  const WorkerOptions defaults;
  EXPECT_EQ(WorkerOptionsOf(*plain).dead_after_ms, defaults.dead_after_ms);
  EXPECT_EQ(WorkerOptionsOf(*plain).beat_every_ms, defaults.beat_every_ms);
  EXPECT_EQ(WorkerOptionsOf(*plain).margin_ms, defaults.margin_ms);
  EXPECT_EQ(WorkerOptionsOf(*plain).forget_after_ms, defaults.forget_after_ms);
  EXPECT_EQ(DatabaseOptionsOf(*plain, "probe").idle_in_transaction_timeout_ms,
            DatabaseOptions().idle_in_transaction_timeout_ms);
  const auto quick = Load({{"YKT_PROBE_LEASE", "3s"}});
  ASSERT_TRUE(quick.ok()) << quick.status();
  EXPECT_EQ(WorkerOptionsOf(*quick).dead_after_ms, 3'000);
  EXPECT_LT(DatabaseOptionsOf(*quick, "probe").idle_in_transaction_timeout_ms, 3'000);
  EXPECT_FALSE(Load({{"YKT_PROBE_LEASE", "1s"}}).ok());
}

}  // namespace
}  // namespace yikatong::postgres
