// Tells how much money is in which state, whether the ledger agrees with its lines, and how long
// released money has waited to be paid: gauges, made anew from the ledger now and again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/domain/budget.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/money_store.h"

namespace yikatong::dispatch {

// Sums over all lines of all districts, by policy and by source.
struct MoneyFigures {
  std::map<std::string, Balances> of_policy;
  std::map<std::string, Balances> of_source;
  // Lines whose available money is not what their ledger says, or of which an account is below 0.
  std::int64_t differing_lines = 0;
  // Days since money was released for the batch that has been PAYING longest; 0 for none.
  std::int64_t oldest_unpaid_days = 0;
};

// Whether a line agrees with its ledger: what is available is the same in both, and nothing is
// below zero. (That the accounts add up to what the line was given is so by construction: a row has
// a debit, a credit and one amount.) Pure.
bool AgreesWithLedger(const BudgetLine& line);

// The policies that are told by name: the `most` with the most money in their lines, and of equal
// ones the first by id, so that all replicas name the same. All others are one sum, under "other".
// A province has thousands of policies, and a metric has not. Pure.
std::map<std::string, Balances> NameTheLargest(const std::map<std::string, Balances>& of_policy,
                                               std::size_t most);

class MoneyWatch {
 public:
  static constexpr std::size_t kNamedPolicies = 50;

  // Everything outlives the watch.
  MoneyWatch(const StoreContext& context, MoneyStore& money, telemetry::Metrics& metrics);

  // Reads all lines, page by page, each page at one moment. Thread safe.
  absl::StatusOr<MoneyFigures> Read();

  // Reads and tells, and logs each line that differs as an error; what cannot be read is logged,
  // and the gauges stay as they are, with the time of the last look. For one thread at a time.
  void LookOnce();

 private:
  const StoreContext context_;
  MoneyStore& money_;
  void TellBudget(const MoneyFigures& figures);

  const telemetry::GaugeFamily budget_, of_source_;
  std::set<std::string> named_;  // policies that are on the page
  telemetry::Gauge differing_, looked_at_, oldest_;
};

}  // namespace yikatong::dispatch
