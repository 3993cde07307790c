// Settings of a service: declared in one place, read from a file and the environment, checked all
// at once.
//
//   config::Schema schema("dispatch");
//   schema.Text("listen", "127.0.0.1:0", "Address of the gRPC listener.")
//       .Int("database_connections", 8, 1, 64, "Connections of the pool.")
//       .Duration("lease", "30s", absl::Seconds(1), absl::Minutes(10), "How long a worker holds a
//       chunk.") .Path("tls_certificate", config::kRequired, "PEM file with the service's
//       certificate.") .Secret("database_password", "Password of the runtime role.");
//   const config::Start start = config::FromCommandLine(schema, argc, argv, environ, std::cout,
//   std::cerr); if (!start.config) return start.exit_code;
//
// The file has lines `key = value`; `#` begins a comment line. A setting `lease` of service
// `dispatch` is also the environment variable YKT_DISPATCH_LEASE, which wins over the file. A key
// that is not declared is an error in both. A secret is never a value: `database_password_file`
// (YKT_DISPATCH_DATABASE_PASSWORD_FILE) names the file that holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yikatong::config {

// The default of a setting that has none: leaving it out is an error.
inline constexpr const char* kRequired = nullptr;

enum class Type { kText, kInt, kBool, kDuration, kPath, kList, kChoice, kSecret };

// One declared setting. Made by Schema.
struct Setting {
  std::string key;
  Type type = Type::kText;
  std::optional<std::string> fallback;  // as text; none: required
  std::string help;
  std::int64_t least = 0;  // of an integer
  std::int64_t most = 0;
  absl::Duration shortest;  // of a duration
  absl::Duration longest;
  std::vector<std::string> choices;
  bool each_its_own = false;  // replicas may differ in it
};

// The values that a service runs with. Immutable, cheap to move.
//
// Asking for a key that the schema does not declare with that type is a mistake of the program and
// ends it.
class Config {
 public:
  const std::string& Text(std::string_view key) const;  // also of a choice
  std::int64_t Int(std::string_view key) const;
  bool Bool(std::string_view key) const;
  absl::Duration Duration(std::string_view key) const;
  // Absolute, or relative to the working folder. A relative path in the file is relative to the
  // file's folder. Empty where an optional path is not set.
  const std::string& Path(std::string_view key) const;
  const std::vector<std::string>& List(std::string_view key) const;
  // The content of the secret's file without the line end at its end.
  const std::string& Secret(std::string_view key) const;

  // Every setting with its value and where it came from, one a line in the order of the schema;
  // secrets hidden.
  std::string Effective() const;
  // What all replicas of a service should have alike, one `key = value` a line, sorted: all but
  // secrets, paths, and what is declared EachItsOwn. Written so that equal values are equal text.
  std::string Alike() const;

 private:
  friend class Loader;

  struct Value {
    Type type = Type::kText;
    std::string text;
    std::int64_t number = 0;
    absl::Duration duration;
    std::vector<std::string> list;
    std::string shown;  // as Effective prints it
    const char* source = "default";
    bool alike = true;  // Alike has it
  };
  const Value& At(std::string_view key, Type type) const;

  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> order_;
};

// What a service may be told. Build it once, before loading.
class Schema {
 public:
  // `service` is lower case, as in YKT_<SERVICE>_….
  explicit Schema(std::string_view service) : service_(service) {}

  // `fallback` may be kRequired. Keys are lower_snake_case.
  Schema& Text(std::string_view key, const char* fallback, std::string_view help);
  Schema& Choice(std::string_view key, const char* fallback, std::vector<std::string> choices,
                 std::string_view help);
  Schema& Int(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most,
              std::string_view help);
  Schema& Bool(std::string_view key, bool fallback, std::string_view help);
  // Written like 250ms, 30s, 5m, 1h30m.
  Schema& Duration(std::string_view key, const char* fallback, absl::Duration shortest,
                   absl::Duration longest, std::string_view help);
  Schema& Path(std::string_view key, const char* fallback, std::string_view help);
  // Parted by commas; blanks around a part do not count, empty parts are errors, an empty value is
  // an empty list.
  Schema& List(std::string_view key, const char* fallback, std::string_view help);
  Schema& Secret(std::string_view key, std::string_view help);
  // A secret that may be left out; it is then empty.
  Schema& OptionalSecret(std::string_view key, std::string_view help);

  // Of the setting that was declared last: each replica may have a value of its own.
  Schema& EachItsOwn();

  // A rule over several settings, asked once all of them are good by themselves: what is wrong, or
  // nothing.
  Schema& Rule(std::function<std::optional<std::string>(const Config&)> rule);

  const std::string& service() const { return service_; }
  const std::vector<Setting>& settings() const { return settings_; }

  // One line for each setting: key, environment variable, default and help.
  std::string Help() const;

 private:
  friend class Loader;
  Schema& Add(Setting setting);

  std::string service_;
  std::vector<Setting> settings_;
  std::vector<std::function<std::optional<std::string>(const Config&)>> rules_;
};

using Environment = std::map<std::string, std::string>;

// The variables of `environ` that begin with YKT_.
Environment FromEnviron(char** environment);

// Reads `file` (none: only environment and defaults). On failure the status is CONFIG_INVALID and
// its message holds every fault, one a line; no value of a secret is in it.
absl::StatusOr<Config> Load(const Schema& schema, const std::optional<std::string>& file,
                            const Environment& environment);

struct Start {
  std::optional<Config> config;  // set: go on
  int exit_code = 0;             // else: end with this
};

// The start of every service: `--config FILE`, `--print-config` (shows the effective settings and
// ends), `--help`. Faults go to `err`, exit code 2.
Start FromCommandLine(const Schema& schema, int argc, const char* const* argv, char** environment,
                      std::ostream& out, std::ostream& err);

}  // namespace yikatong::config
