// Wire form of what BudgetService shows. Nothing is decided here.
#pragma once

#include "absl/time/civil_time.h"
#include "services/dispatch/domain/budget.h"
#include "yikatong/dispatch/v1/budget.pb.h"

namespace yikatong::dispatch {

v1::FundReceipt ToWire(const FundReceipt& receipt, absl::CivilDay today);
v1::PassDown ToWire(const PassDown& down);
v1::BudgetOrder ToWire(const BudgetOrder& order);
v1::BudgetBalances ToWire(const Balances& balances);

}  // namespace yikatong::dispatch
