#include "services/yktctl/commands/upload.h"

#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>

#include "common/status/status.h"

namespace yikatong::yktctl {

int PrintUploaded(Session& session, const Uploaded& uploaded, std::size_t most_shown) {
  if (session.options().json) {
    nlohmann::json out = {{"chunks", uploaded.chunks},
                          {"accepted", uploaded.accepted},
                          {"rejected", uploaded.refused.size()},
                          {"rejections", nlohmann::json::array()}};
    for (const Refused& one : uploaded.refused) {
      out["rejections"].push_back(
          {{"row", one.row}, {"reason", one.reason}, {"detail", one.detail}});
    }
    std::cout << out.dump() << '\n';
    return uploaded.refused.empty() ? kDone : kRowsRefused;
  }
  std::cout << fmt::format("{} rows taken, {} refused, in {} chunks\n", uploaded.accepted,
                           uploaded.refused.size(), uploaded.chunks);
  std::map<std::string, std::int64_t> counts;
  std::vector<std::vector<std::string>> rows;
  for (const Refused& one : uploaded.refused) {
    ++counts[one.reason];
    if (rows.size() < most_shown) rows.push_back({std::to_string(one.row), one.reason, one.detail});
  }
  if (!rows.empty()) PrintTable({"row", "reason", "detail"}, rows);
  if (uploaded.refused.size() > rows.size()) {
    std::cout << fmt::format("… and {} more\n", uploaded.refused.size() - rows.size());
  }
  const status::Lang lang = session.options().lang;
  for (const auto& [name, count] : counts) {
    const auto reason = status::FindReason(name);
    if (!reason.has_value()) continue;
    std::cout << fmt::format("{} × {}: {}. {}\n", count, name, status::ReasonText(*reason, lang),
                             status::ReasonAction(*reason, lang));
  }
  return uploaded.refused.empty() ? kDone : kRowsRefused;
}

}  // namespace yikatong::yktctl
