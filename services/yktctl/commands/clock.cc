#include "services/yktctl/commands/call.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::yktctl {

void AddClockCommands(CLI::App& app, Session& session, int& code) {
  using Clock = catalogue::v1::ClockService;
  CLI::App* clock = app.add_subcommand("clock", "The business date")->require_subcommand(1);
  AddCall<Clock>(*clock, session, code, "show", "Today's business date", "catalogue",
                 &Clock::Stub::GetBusinessDate, {});
  AddCall<Clock>(
      *clock, session, code, "advance",
      "Move the business date forward (demonstrations only; production refuses)", "catalogue",
      &Clock::Stub::AdvanceBusinessDate,
      {{"days", "Days to move"}, {"to_date", "Day to move to, YYYY-MM-DD", false, "to"}});
}

}  // namespace yikatong::yktctl
