// Tells how much money is in which state, whether the ledger agrees with its lines, and how long
// released money has waited to be paid: gauges, made anew from the ledger now and again.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
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

// Sums over all lines of all districts, by policy.
struct MoneyFigures {
  std::map<std::string, Balances> of_policy;
  // Lines whose available money is not what their ledger says, or of which an account is below 0.
  std::int64_t differing_lines = 0;
  // Days since money was released for the batch that has been PAYING longest; 0 for none.
  std::int64_t oldest_unpaid_days = 0;
};

// Whether a line agrees with its ledger: what is available is the same in both, and nothing is
// below zero. (That the accounts add up to what the line was given is so by construction: a row has
// a debit, a credit and one amount.) Pure.
bool AgreesWithLedger(const BudgetLine& line);

class MoneyWatch {
 public:
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
  const telemetry::GaugeFamily budget_;
  telemetry::Gauge differing_, looked_at_, oldest_;
};

}  // namespace yikatong::dispatch
