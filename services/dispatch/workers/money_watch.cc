#include "services/dispatch/workers/money_watch.h"

#include <utility>

#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

constexpr int kLinesAPage = 200;
constexpr char kEveryDistrict[] = "*";
constexpr double kSecondsADay = 86'400;

void AddTo(Balances& sum, const Balances& line) {
  sum.available_fen += line.available_fen;
  sum.reserved_fen += line.reserved_fen;
  sum.in_transit_fen += line.in_transit_fen;
  sum.paid_fen += line.paid_fen;
  sum.owed_to_treasury_fen += line.owed_to_treasury_fen;
}

}  // namespace

bool AgreesWithLedger(const BudgetLine& line) {
  const Balances& own = line.balances;
  return line.available_fen == own.available_fen && own.available_fen >= 0 &&
         own.reserved_fen >= 0 && own.in_transit_fen >= 0 && own.paid_fen >= 0 &&
         own.owed_to_treasury_fen >= 0;
}

MoneyWatch::MoneyWatch(const StoreContext& context, MoneyStore& money, telemetry::Metrics& metrics)
    : context_(context),
      money_(money),
      budget_(metrics.Gauges("yikatong_budget_fen",
                             "Money of all budget lines of a policy, by account of the ledger.",
                             {"policy", "account"})),
      differing_(metrics
                     .Gauges("yikatong_ledger_differing_lines",
                             "Budget lines that are not what their ledger says.")
                     .With()),
      looked_at_(metrics
                     .Gauges("yikatong_ledger_checked_timestamp_seconds",
                             "When the lines were last compared with their ledger.")
                     .With()),
      oldest_(metrics
                  .Gauges("yikatong_payments_oldest_unpaid_seconds",
                          "Time since the day on which money was released for the batch that has "
                          "been paying longest.")
                  .With()) {}

absl::StatusOr<MoneyFigures> MoneyWatch::Read() {
  MoneyFigures figures;
  std::int32_t district = 0;
  std::int64_t line_id = 0;
  while (true) {
    std::vector<BudgetLine> lines;
    YKT_RETURN_IF_ERROR(
        context_.database.Read("money_figures", [&](postgres::Transaction& tx) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              lines, money_.ListLines(tx, kEveryDistrict, "", district, line_id, kLinesAPage));
          return absl::OkStatus();
        }));
    for (const BudgetLine& line : lines) {
      AddTo(figures.of_policy[line.policy_id], line.balances);
      if (AgreesWithLedger(line)) continue;
      ++figures.differing_lines;
      telemetry::Log::Error("ledger_differs",
                            {{"district", std::to_string(line.district)},
                             {"line", std::to_string(line.line_id)},
                             {"available_fen", std::to_string(line.available_fen)},
                             {"in_ledger_fen", std::to_string(line.balances.available_fen)}});
    }
    if (lines.size() < kLinesAPage) break;
    district = lines.back().district;
    line_id = lines.back().line_id;
  }
  YKT_RETURN_IF_ERROR(
      context_.database.Read("oldest_unpaid", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kOldestUnpaid, context_.business.Today()));
        figures.oldest_unpaid_days = rows[0].Int64(0);
        return absl::OkStatus();
      }));
  return figures;
}

void MoneyWatch::LookOnce() {
  const rpc::CallScope scope(rpc::Trace::New());
  const absl::StatusOr<MoneyFigures> figures = Read();
  if (!figures.ok()) {
    telemetry::Log::Warning("ledger_not_checked",
                            {{"status", status::ReasonNameOf(figures.status())}});
    return;
  }
  for (const auto& [policy, sum] : figures->of_policy) {
    const std::pair<Account, std::int64_t> accounts[] = {
        {Account::kAvailable, sum.available_fen},
        {Account::kReserved, sum.reserved_fen},
        {Account::kInTransit, sum.in_transit_fen},
        {Account::kPaid, sum.paid_fen},
        {Account::kOwedToTreasury, sum.owed_to_treasury_fen}};
    for (const auto& [account, fen] : accounts)
      budget_.With({policy, AccountName(account)}).Set(static_cast<double>(fen));
  }
  differing_.Set(static_cast<double>(figures->differing_lines));
  oldest_.Set(static_cast<double>(figures->oldest_unpaid_days) * kSecondsADay);
  looked_at_.Set(static_cast<double>(absl::ToUnixSeconds(context_.clock.Now())));
}

}  // namespace yikatong::dispatch
