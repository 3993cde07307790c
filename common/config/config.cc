#include "common/config/config.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace yikatong::config {
namespace {

std::optional<std::string> Fallback(const char* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

[[noreturn]] void ProgramMistake(std::string_view what, std::string_view key) {
  std::fprintf(stderr, "configuration key %.*s: %.*s\n", static_cast<int>(key.size()), key.data(),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace

const Config::Value& Config::At(std::string_view key, Type type) const {
  const auto found = values_.find(key);
  if (found == values_.end()) ProgramMistake("asked for, but not declared", key);
  const bool as_text = type == Type::kText && found->second.type == Type::kChoice;
  if (found->second.type != type && !as_text) ProgramMistake("asked for with another type", key);
  return found->second;
}

const std::string& Config::Text(std::string_view key) const { return At(key, Type::kText).text; }
std::int64_t Config::Int(std::string_view key) const { return At(key, Type::kInt).number; }
bool Config::Bool(std::string_view key) const { return At(key, Type::kBool).number != 0; }
absl::Duration Config::Duration(std::string_view key) const {
  return At(key, Type::kDuration).duration;
}
const std::string& Config::Path(std::string_view key) const { return At(key, Type::kPath).text; }
const std::vector<std::string>& Config::List(std::string_view key) const {
  return At(key, Type::kList).list;
}
const std::string& Config::Secret(std::string_view key) const {
  return At(key, Type::kSecret).text;
}

std::string Config::Effective() const {
  std::string out;
  for (const std::string& key : order_) {
    const Value& value = values_.at(key);
    out += key;
    if (value.type == Type::kSecret) out += "_file";
    out += " = " + value.shown + "  # " + value.source + "\n";
  }
  return out;
}

std::string Config::Alike() const {
  std::string out;
  for (const auto& [key, value] : values_) {
    if (!value.alike) continue;
    std::string same = value.text;
    if (value.type == Type::kInt) same = std::to_string(value.number);
    if (value.type == Type::kDuration) same = absl::FormatDuration(value.duration);
    if (value.type == Type::kList) same = absl::StrJoin(value.list, ",");
    absl::StrAppend(&out, key, " = ", same, "\n");
  }
  return out;
}

Schema& Schema::Add(Setting setting) {
  for (const Setting& other : settings_) {
    if (other.key == setting.key) ProgramMistake("declared twice", setting.key);
  }
  settings_.push_back(std::move(setting));
  return *this;
}

Schema& Schema::Text(std::string_view key, const char* fallback, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kText, setting.help = help;
  setting.fallback = Fallback(fallback);
  return Add(std::move(setting));
}

Schema& Schema::Choice(std::string_view key, const char* fallback, std::vector<std::string> choices,
                       std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kChoice, setting.help = help;
  setting.fallback = Fallback(fallback);
  setting.choices = std::move(choices);
  return Add(std::move(setting));
}

Schema& Schema::Int(std::string_view key, std::int64_t fallback, std::int64_t least,
                    std::int64_t most, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kInt, setting.help = help;
  setting.fallback = std::to_string(fallback);
  setting.least = least, setting.most = most;
  return Add(std::move(setting));
}

Schema& Schema::Bool(std::string_view key, bool fallback, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kBool, setting.help = help;
  setting.fallback = fallback ? "true" : "false";
  return Add(std::move(setting));
}

Schema& Schema::Duration(std::string_view key, const char* fallback, absl::Duration shortest,
                         absl::Duration longest, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kDuration, setting.help = help;
  setting.fallback = Fallback(fallback);
  setting.shortest = shortest, setting.longest = longest;
  return Add(std::move(setting));
}

Schema& Schema::Path(std::string_view key, const char* fallback, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kPath, setting.help = help;
  setting.fallback = Fallback(fallback);
  return Add(std::move(setting));
}

Schema& Schema::List(std::string_view key, const char* fallback, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kList, setting.help = help;
  setting.fallback = Fallback(fallback);
  return Add(std::move(setting));
}

Schema& Schema::Secret(std::string_view key, std::string_view help) {
  Setting setting;
  setting.key = key, setting.type = Type::kSecret, setting.help = help;
  return Add(std::move(setting));
}

Schema& Schema::OptionalSecret(std::string_view key, std::string_view help) {
  Secret(key, help);
  settings_.back().fallback = "";
  return *this;
}

Schema& Schema::EachItsOwn() {
  settings_.back().each_its_own = true;
  return *this;
}

Schema& Schema::Rule(std::function<std::optional<std::string>(const Config&)> rule) {
  rules_.push_back(std::move(rule));
  return *this;
}

}  // namespace yikatong::config
