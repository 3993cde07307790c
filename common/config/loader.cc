#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/config/config.h"
#include "common/status/status.h"

namespace yikatong::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxSecretBytes = 64 << 10;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string Prefix(const Schema& schema) { return "YKT_" + Upper(schema.service()) + "_"; }

// The name under which a setting stands in file and environment.
std::string WrittenKey(const Setting& setting) {
  return setting.type == Type::kSecret ? setting.key + "_file" : setting.key;
}

std::optional<std::string> ReadFile(const std::string& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(limit + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  // A folder opens, but cannot be read.
  if (in.bad() || (in.fail() && !in.eof())) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > limit) return std::nullopt;
  return text;
}

struct Given {
  std::string text;
  const char* source;
  std::string where;  // for messages: line of the file, or the variable
};

}  // namespace

// Gathers what is given, then turns every setting into a value, noting every fault on the way.
class Loader {
 public:
  explicit Loader(const Schema& schema) : schema_(schema) {}

  absl::StatusOr<Config> Run(const std::optional<std::string>& file,
                             const Environment& environment) {
    if (file) TakeFile(*file);
    TakeEnvironment(environment);
    for (const Setting& setting : schema_.settings_) Resolve(setting);
    if (faults_.empty()) {
      for (const auto& rule : schema_.rules_) {
        if (const std::optional<std::string> fault = rule(config_)) faults_.push_back(*fault);
      }
    }
    if (faults_.empty()) return std::move(config_);
    std::string all;
    for (const std::string& fault : faults_) all += "\n  " + fault;
    return status::Refuse(status::Reason::kConfigInvalid, all,
                          {{"faults", std::to_string(faults_.size())}});
  }

 private:
  void Fault(std::string text) { faults_.push_back(std::move(text)); }

  const Setting* FindWritten(std::string_view key) const {
    for (const Setting& setting : schema_.settings_) {
      if (WrittenKey(setting) == key) return &setting;
    }
    return nullptr;
  }

  void TakeFile(const std::string& path) {
    const std::optional<std::string> text = ReadFile(path, kMaxFileBytes);
    if (!text) return Fault(path + ": cannot be read");
    folder_ = std::filesystem::path(path).parent_path().string();
    std::istringstream lines(*text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const std::string where = path + ":" + std::to_string(number);
      const std::string_view trimmed = Trim(line);
      if (trimmed.empty() || trimmed.front() == '#') continue;
      const std::size_t equals = trimmed.find('=');
      if (equals == std::string_view::npos) {
        Fault(where + ": no `key = value`");
        continue;
      }
      const std::string key(Trim(trimmed.substr(0, equals)));
      if (FindWritten(key) == nullptr) {
        Fault(absl::StrCat(where, ": unknown key ", key, Nearest(key)));
      } else if (!given_
                      .emplace(key,
                               Given{std::string(Trim(trimmed.substr(equals + 1))), "file", where})
                      .second) {
        Fault(absl::StrCat(where, ": ", key, " is given twice"));
      }
    }
  }

  void TakeEnvironment(const Environment& environment) {
    const std::string prefix = Prefix(schema_);
    for (const auto& [name, value] : environment) {
      if (!name.starts_with(prefix)) continue;
      const Setting* found = nullptr;
      for (const Setting& setting : schema_.settings_) {
        if (prefix + Upper(WrittenKey(setting)) == name) found = &setting;
      }
      if (found == nullptr) {
        Fault(name + ": no such setting");
        continue;
      }
      given_.insert_or_assign(WrittenKey(*found), Given{value, "environment", name});
    }
  }

  // A hint for a key that is written wrongly: a declared one that shares its beginning.
  std::string Nearest(std::string_view key) const {
    std::string best;
    std::size_t most = 3;
    for (const Setting& setting : schema_.settings_) {
      const std::string written = WrittenKey(setting);
      const auto [end, unused] =
          std::mismatch(written.begin(), written.end(), key.begin(), key.end());
      const auto common = static_cast<std::size_t>(end - written.begin());
      if (common > most) most = common, best = written;
    }
    return best.empty() ? "" : " (is " + best + " meant?)";
  }

  void Resolve(const Setting& setting) {
    const auto found = given_.find(WrittenKey(setting));
    Given given{"", "default", "default of " + setting.key};
    if (found != given_.end()) {
      given = found->second;
    } else if (setting.fallback) {
      given.text = *setting.fallback;
    } else {
      return Fault(WrittenKey(setting) + ": required; set it in the file or as " + Prefix(schema_) +
                   Upper(WrittenKey(setting)));
    }
    Config::Value value;
    value.type = setting.type;
    value.text = given.text;
    value.shown = given.text;
    value.source = given.source;
    value.alike =
        !setting.each_its_own && setting.type != Type::kPath && setting.type != Type::kSecret;
    if (const std::optional<std::string> fault = Convert(setting, given, value)) {
      return Fault(given.where + ": " + setting.key + " " + *fault);
    }
    config_.order_.push_back(setting.key);
    config_.values_.emplace(setting.key, std::move(value));
  }

  // Fills `value`; says what is wrong with the text, or nothing.
  std::optional<std::string> Convert(const Setting& setting, const Given& given,
                                     Config::Value& value) {
    switch (setting.type) {
      case Type::kText:
        return std::nullopt;
      case Type::kInt:
        return ConvertInt(setting, given.text, value);
      case Type::kBool:
        if (given.text != "true" && given.text != "false") return "must be true or false";
        value.number = given.text == "true" ? 1 : 0;
        return std::nullopt;
      case Type::kDuration:
        return ConvertDuration(setting, given.text, value);
      case Type::kPath:
        value.text = value.shown = Located(given);
        if (setting.fallback == std::nullopt && value.text.empty()) return "must not be empty";
        return std::nullopt;
      case Type::kList:
        return ConvertList(given.text, value);
      case Type::kChoice:
        if (std::find(setting.choices.begin(), setting.choices.end(), given.text) ==
            setting.choices.end()) {
          std::string all;
          for (const std::string& choice : setting.choices)
            all += (all.empty() ? "" : ", ") + choice;
          return "must be one of " + all;
        }
        return std::nullopt;
      case Type::kSecret:
        return ConvertSecret(given, value);
    }
    return "has an unknown type";
  }

  static std::optional<std::string> ConvertInt(const Setting& setting, const std::string& text,
                                               Config::Value& value) {
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value.number);
    if (error != std::errc() || stopped != end) return "must be a whole number";
    if (value.number < setting.least || value.number > setting.most) {
      return "must be from " + std::to_string(setting.least) + " to " +
             std::to_string(setting.most);
    }
    return std::nullopt;
  }

  static std::optional<std::string> ConvertDuration(const Setting& setting, const std::string& text,
                                                    Config::Value& value) {
    if (!absl::ParseDuration(absl::string_view(text), &value.duration)) {
      return "must be a duration such as 250ms, 30s or 5m";
    }
    if (value.duration < setting.shortest || value.duration > setting.longest) {
      return "must be from " + absl::FormatDuration(setting.shortest) + " to " +
             absl::FormatDuration(setting.longest);
    }
    return std::nullopt;
  }

  static std::optional<std::string> ConvertList(const std::string& text, Config::Value& value) {
    std::string_view rest = Trim(text);
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view part = Trim(rest.substr(0, comma));
      if (part.empty()) return "has an empty part";
      value.list.emplace_back(part);
      if (comma == std::string_view::npos) break;
      rest = rest.substr(comma + 1);
      if (Trim(rest).empty()) return "has an empty part";
    }
    return std::nullopt;
  }

  std::optional<std::string> ConvertSecret(const Given& given, Config::Value& value) const {
    value.shown = value.text = Located(given);
    if (value.text.empty()) return std::nullopt;  // optional, and left out
    std::optional<std::string> secret = ReadFile(value.text, kMaxSecretBytes);
    if (!secret) return "names " + value.shown + ", which cannot be read or is too large";
    while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) {
      secret->pop_back();
    }
    if (secret->empty()) return "names " + value.shown + ", which is empty";
    value.text = std::move(*secret);
    value.shown += " (content hidden)";
    return std::nullopt;
  }

  std::string Located(const Given& given) const {
    if (given.text.empty() || given.source != std::string_view("file")) return given.text;
    const std::filesystem::path path(given.text);
    if (path.is_absolute() || folder_.empty()) return given.text;
    return (std::filesystem::path(folder_) / path).lexically_normal().string();
  }

  const Schema& schema_;
  std::string folder_;
  std::map<std::string, Given> given_;
  std::vector<std::string> faults_;
  Config config_;
};

std::string Schema::Help() const {
  std::string out;
  for (const Setting& setting : settings_) {
    const std::string key = WrittenKey(setting);
    out += key + "  (" + Prefix(*this) + Upper(key) + ", ";
    out += setting.fallback ? "default \"" + *setting.fallback + "\"" : "required";
    out += ")\n    " + setting.help + "\n";
  }
  return out;
}

Environment FromEnviron(char** environment) {
  Environment result;
  for (char** at = environment; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::size_t equals = entry.find('=');
    if (!entry.starts_with("YKT_") || equals == std::string_view::npos) continue;
    result.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

absl::StatusOr<Config> Load(const Schema& schema, const std::optional<std::string>& file,
                            const Environment& environment) {
  return Loader(schema).Run(file, environment);
}

Start FromCommandLine(const Schema& schema, int argc, const char* const* argv, char** environment,
                      std::ostream& out, std::ostream& err) {
  std::optional<std::string> file;
  bool print = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument == "--help") {
      out << "usage: " << schema.service() << " [--config FILE] [--print-config]\n\nSettings:\n"
          << schema.Help();
      return {std::nullopt, 0};
    }
    if (argument == "--print-config") {
      print = true;
    } else if (argument == "--config" && i + 1 < argc) {
      file = argv[++i];
    } else {
      err << schema.service() << ": unknown or incomplete argument " << argument
          << "; --help lists them\n";
      return {std::nullopt, 2};
    }
  }
  absl::StatusOr<Config> config = Load(schema, file, FromEnviron(environment));
  if (!config.ok()) {
    err << schema.service() << ": " << status::Describe(config.status(), status::Lang::kEnglish)
        << "\n";
    return {std::nullopt, 2};
  }
  if (print) {
    out << config->Effective();
    return {std::nullopt, 0};
  }
  return {std::move(*config), 0};
}

}  // namespace yikatong::config
