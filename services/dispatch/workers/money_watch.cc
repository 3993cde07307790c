#include "services/dispatch/workers/money_watch.h"

#include <algorithm>
#include <array>
#include <string_view>
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

constexpr char kOtherPolicies[] = "other";

void AddTo(Balances& sum, const Balances& line) {
  sum.available_fen += line.available_fen;
  sum.reserved_fen += line.reserved_fen;
  sum.in_transit_fen += line.in_transit_fen;
  sum.paid_fen += line.paid_fen;
  sum.owed_to_treasury_fen += line.owed_to_treasury_fen;
}

std::int64_t AllOf(const Balances& line) {
  return line.available_fen + line.reserved_fen + line.in_transit_fen + line.paid_fen +
         line.owed_to_treasury_fen;
}

std::array<std::pair<Account, std::int64_t>, 5> AccountsOf(const Balances& sum) {
  return {{{Account::kAvailable, sum.available_fen},
           {Account::kReserved, sum.reserved_fen},
           {Account::kInTransit, sum.in_transit_fen},
           {Account::kPaid, sum.paid_fen},
           {Account::kOwedToTreasury, sum.owed_to_treasury_fen}}};
}

}  // namespace

std::map<std::string, Balances> NameTheLargest(const std::map<std::string, Balances>& of_policy,
                                               std::size_t most) {
  std::vector<std::pair<std::int64_t, std::string_view>> by_size;
  by_size.reserve(of_policy.size());
  for (const auto& [policy, sum] : of_policy) by_size.emplace_back(-AllOf(sum), policy);
  std::sort(by_size.begin(), by_size.end());
  std::map<std::string, Balances> named;
  for (std::size_t i = 0; i < by_size.size(); ++i) {
    const std::string policy(by_size[i].second);
    AddTo(named[i < most ? policy : kOtherPolicies], of_policy.at(policy));
  }
  return named;
}

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
                             "Money of all budget lines of a policy, by account of the ledger; of "
                             "the smaller policies together.",
                             {"policy", "account"})),
      of_source_(metrics.Gauges("yikatong_budget_source_fen",
                                "Money of all budget lines of a source, by account of the ledger.",
                                {"source", "account"})),
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
      AddTo(figures.of_source[line.source], line.balances);
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
  TellBudget(*figures);
  differing_.Set(static_cast<double>(figures->differing_lines));
  oldest_.Set(static_cast<double>(figures->oldest_unpaid_days) * kSecondsADay);
  looked_at_.Set(static_cast<double>(absl::ToUnixSeconds(context_.clock.Now())));
}

void MoneyWatch::TellBudget(const MoneyFigures& figures) {
  const std::map<std::string, Balances> told = NameTheLargest(figures.of_policy, kNamedPolicies);
  // First, so that their places are free: what is among the others now must not be told twice.
  for (const std::string& policy : named_) {
    if (told.contains(policy)) continue;
    for (const auto& [account, fen] : AccountsOf({}))
      budget_.Remove({policy, AccountName(account)});
  }
  named_.clear();
  for (const auto& [policy, sum] : told) {
    named_.insert(policy);
    for (const auto& [account, fen] : AccountsOf(sum))
      budget_.With({policy, AccountName(account)}).Set(static_cast<double>(fen));
  }
  for (const auto& [source, sum] : figures.of_source) {
    for (const auto& [account, fen] : AccountsOf(sum))
      of_source_.With({source, AccountName(account)}).Set(static_cast<double>(fen));
  }
}

}  // namespace yikatong::dispatch
