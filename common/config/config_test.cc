#include "common/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/status/status.h"

namespace yikatong::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string name = testing::TempDir() + "config_test_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  static Schema Everything() {
    Schema schema("dispatch");
    schema.Text("listen", "127.0.0.1:0", "Address of the gRPC listener.")
        .Choice("business_clock", "calendar", {"calendar", "adjustable"},
                "Who moves the business date.")
        .Int("connections", 8, 1, 64, "Connections of the pool.")
        .Bool("require_card", true, "Whether the card is demanded.")
        .Duration("lease", "30s", absl::Seconds(1), absl::Minutes(10),
                  "How long a worker holds a chunk.")
        .Path("certificate", "", "PEM file.")
        .List("peers", "", "Addresses of peers.")
        .OptionalSecret("database_password", "Password of the runtime role.");
    return schema;
  }

  static std::string Message(const absl::StatusOr<Config>& config) {
    return std::string(config.status().message());
  }

  std::string folder_;
};

TEST_F(ConfigTest, DefaultsHoldWhereNothingIsGiven) {
  const absl::StatusOr<Config> config = Load(Everything(), std::nullopt, {});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->Text("listen"), "127.0.0.1:0");
  EXPECT_EQ(config->Text("business_clock"), "calendar");
  EXPECT_EQ(config->Int("connections"), 8);
  EXPECT_TRUE(config->Bool("require_card"));
  EXPECT_EQ(config->Duration("lease"), absl::Seconds(30));
  EXPECT_EQ(config->Path("certificate"), "");
  EXPECT_TRUE(config->List("peers").empty());
  EXPECT_EQ(config->Secret("database_password"), "");
}

TEST_F(ConfigTest, TheEnvironmentWinsOverTheFileAndTheFileOverDefaults) {
  const std::string file =
      Write("d.conf",
            "# a comment\n\nconnections = 12\nlease=1m30s\npeers = a:1 , b:2\r\n"
            "listen = unix:/tmp/x=y\n");
  const absl::StatusOr<Config> config = Load(
      Everything(), file, {{"YKT_DISPATCH_CONNECTIONS", "20"}, {"YKT_REGISTRY_CONNECTIONS", "x"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->Int("connections"), 20);
  EXPECT_EQ(config->Duration("lease"), absl::Seconds(90));
  EXPECT_THAT(config->List("peers"), ElementsAre("a:1", "b:2"));
  EXPECT_EQ(config->Text("listen"), "unix:/tmp/x=y");
  EXPECT_THAT(config->Effective(), AllOf(HasSubstr("connections = 20  # environment"),
                                         HasSubstr("lease = 1m30s  # file"),
                                         HasSubstr("require_card = true  # default")));
}

TEST_F(ConfigTest, EveryFaultIsReportedAtOnce) {
  Schema schema = Everything();
  schema.Path("ca", kRequired, "PEM file.").Secret("signing_key", "Key.");
  const std::string file =
      Write("d.conf",
            "connections = 0\nconnections = 2\nlease = soon\nrequire_card = yes\n"
            "business_clock = none\npeers = a,,b\nlisten_adress = x\nnonsense\n");
  const absl::StatusOr<Config> config = Load(schema, file, {{"YKT_DISPATCH_FOO", "1"}});
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(status::ReasonOf(config.status()), status::Reason::kConfigInvalid);
  const std::string message = Message(config);
  for (const char* fault :
       {"d.conf:1: connections must be from 1 to 64", "d.conf:2: connections is given twice",
        "d.conf:3: lease must be a duration", "d.conf:4: require_card must be true or false",
        "d.conf:5: business_clock must be one of calendar, adjustable",
        "d.conf:6: peers has an empty part",
        "d.conf:7: unknown key listen_adress (is listen meant?)", "d.conf:8: no `key = value`",
        "YKT_DISPATCH_FOO: no such setting",
        "ca: required; set it in the file or as YKT_DISPATCH_CA",
        "signing_key_file: required; set it in the file or as YKT_DISPATCH_SIGNING_KEY_FILE"}) {
    EXPECT_THAT(message, HasSubstr(fault));
  }
  EXPECT_EQ(status::MetadataOf(config.status()).at("faults"), "11");
}

TEST_F(ConfigTest, NumbersAndDurationsOutOfRangeAreRefused) {
  for (const char* bad : {"", "65", "-1", "8.5", "8 ", "0x8", "99999999999999999999"}) {
    EXPECT_FALSE(Load(Everything(), std::nullopt, {{"YKT_DISPATCH_CONNECTIONS", bad}}).ok()) << bad;
  }
  for (const char* bad : {"", "999ms", "-30s", "11m", "inf", "30", "1d"}) {
    EXPECT_FALSE(Load(Everything(), std::nullopt, {{"YKT_DISPATCH_LEASE", bad}}).ok()) << bad;
  }
}

TEST_F(ConfigTest, TellsReplicasApartByWhatTheyShouldHaveAlikeOnly) {
  Schema schema = Everything();
  schema.Text("own_address", "127.0.0.1:0", "Address of this replica.").EachItsOwn();
  const auto alike = [&](const std::string& file) {
    const absl::StatusOr<Config> config = Load(schema, Write("service.conf", file), {});
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? config->Alike() : "";
  };
  const std::string defaults = alike("");
  EXPECT_EQ(defaults,
            "business_clock = calendar\nconnections = 8\nlease = 30s\nlisten = 127.0.0.1:0\n"
            "peers = \nrequire_card = true\n");
  EXPECT_NE(alike("connections = 9"), defaults);
  EXPECT_NE(alike("require_card = false"), defaults);
  EXPECT_EQ(alike("lease = 0.5m\nconnections = 08\nown_address = 127.0.0.2:9"), defaults);
  EXPECT_EQ(alike("certificate = x.pem\ndatabase_password_file = " + Write("secret", "x")),
            defaults);
  EXPECT_EQ(alike("peers = a,  b"), alike("peers = a,b"));
}

TEST_F(ConfigTest, ASecretComesFromItsFileAndIsShownNowhere) {
  Write("password", "correct horse\n");
  const std::string file = Write("d.conf", "database_password_file = password\n");
  const absl::StatusOr<Config> config = Load(Everything(), file, {});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->Secret("database_password"), "correct horse");
  EXPECT_THAT(config->Effective(), Not(HasSubstr("horse")));
  EXPECT_THAT(config->Effective(),
              HasSubstr("database_password_file = " + folder_ + "/password (content hidden)"));
}

TEST_F(ConfigTest, ASecretThatIsGivenAsAValueIsAnUnknownKeyAndNotRepeated) {
  const std::string file = Write("d.conf", "database_password = horse\n");
  const absl::StatusOr<Config> config = Load(Everything(), file, {});
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(Message(config),
              AllOf(HasSubstr("unknown key database_password"), Not(HasSubstr("horse"))));
}

TEST_F(ConfigTest, ASecretFileThatIsMissingEmptyOrAFolderIsRefused) {
  const std::string empty = Write("empty", "\n");
  for (const std::string& path : {folder_ + "/none", empty, folder_}) {
    EXPECT_FALSE(
        Load(Everything(), std::nullopt, {{"YKT_DISPATCH_DATABASE_PASSWORD_FILE", path}}).ok())
        << path;
  }
}

TEST_F(ConfigTest, ARelativePathInTheFileIsRelativeToTheFile) {
  const std::string file = Write("d.conf", "certificate = tls/../d.pem\n");
  EXPECT_EQ(Load(Everything(), file, {})->Path("certificate"), folder_ + "/d.pem");
  EXPECT_EQ(
      Load(Everything(), file, {{"YKT_DISPATCH_CERTIFICATE", "here.pem"}})->Path("certificate"),
      "here.pem");
}

TEST_F(ConfigTest, ARuleOverSeveralSettingsIsAsked) {
  Schema schema = Everything();
  schema.Rule([](const Config& config) -> std::optional<std::string> {
    if (config.Text("business_clock") == "adjustable" && config.Bool("require_card")) {
      return "an adjustable clock goes only with require_card = false";
    }
    return std::nullopt;
  });
  EXPECT_TRUE(Load(schema, std::nullopt, {}).ok());
  const absl::StatusOr<Config> config =
      Load(schema, std::nullopt, {{"YKT_DISPATCH_BUSINESS_CLOCK", "adjustable"}});
  EXPECT_THAT(Message(config), HasSubstr("an adjustable clock goes only with"));
}

TEST_F(ConfigTest, AMissingFileIsAFault) {
  EXPECT_THAT(Message(Load(Everything(), folder_ + "/none.conf", {})),
              HasSubstr("none.conf: cannot be read"));
}

TEST_F(ConfigTest, AskingForWhatIsNotDeclaredEndsTheProgram) {
  const absl::StatusOr<Config> config = Load(Everything(), std::nullopt, {});
  EXPECT_DEATH(config->Text("no_such"), "no_such: asked for, but not declared");
  EXPECT_DEATH(config->Int("listen"), "listen: asked for with another type");
}

TEST_F(ConfigTest, TheCommandLineShowsHelpAndTheEffectiveSettings) {
  const std::string file = Write("d.conf", "connections = 12\n");
  std::string variable = "YKT_DISPATCH_LEASE=45s";
  char* environment[] = {variable.data(), nullptr};
  const auto run = [&](std::vector<const char*> arguments, std::string& out, std::string& err) {
    std::ostringstream out_stream, err_stream;
    Start start = FromCommandLine(Everything(), static_cast<int>(arguments.size()),
                                  arguments.data(), environment, out_stream, err_stream);
    out = out_stream.str(), err = err_stream.str();
    return start;
  };
  std::string out, err;
  Start start = run({"dispatch", "--config", file.c_str()}, out, err);
  ASSERT_TRUE(start.config.has_value());
  EXPECT_EQ(start.config->Int("connections"), 12);
  EXPECT_EQ(start.config->Duration("lease"), absl::Seconds(45));

  start = run({"dispatch", "--config", file.c_str(), "--print-config"}, out, err);
  EXPECT_FALSE(start.config.has_value());
  EXPECT_EQ(start.exit_code, 0);
  EXPECT_THAT(out, HasSubstr("connections = 12  # file"));

  start = run({"dispatch", "--help"}, out, err);
  EXPECT_EQ(start.exit_code, 0);
  EXPECT_THAT(out, HasSubstr("YKT_DISPATCH_DATABASE_PASSWORD_FILE"));

  start = run({"dispatch", "--verbose"}, out, err);
  EXPECT_EQ(start.exit_code, 2);
  EXPECT_THAT(err, HasSubstr("--verbose"));

  start = run({"dispatch", "--config", "/nowhere"}, out, err);
  EXPECT_EQ(start.exit_code, 2);
  EXPECT_THAT(err, HasSubstr("/nowhere: cannot be read"));
}

}  // namespace
}  // namespace yikatong::config
