#include "services/bankgateway/domain/outcome_rules.h"

namespace yikatong::bankgateway {

Verdict Next(OutcomeState last, BankSays said) {
  constexpr Verdict kTable[5][4] = {
      // PAID, FAILED, duplicate, RETURNED
      {Verdict::kPaid, Verdict::kFailed, Verdict::kUnknown, Verdict::kPaidAndReturned},
      {Verdict::kNothing, Verdict::kDifference, Verdict::kDifference, Verdict::kReturned},
      {Verdict::kDifference, Verdict::kNothing, Verdict::kDifference, Verdict::kDifference},
      {Verdict::kPaid, Verdict::kFailed, Verdict::kNothing, Verdict::kPaidAndReturned},
      {Verdict::kNothing, Verdict::kDifference, Verdict::kDifference, Verdict::kNothing},
  };
  return kTable[static_cast<int>(last)][static_cast<int>(said)];
}

LineVerdict JudgeLine(bool debit, const LineContext& context) {
  const auto differs = [](const char* kind) { return LineVerdict{false, kind, Verdict::kNothing}; };
  if (!context.known) {
    return differs(debit ? difference::kUnknownReference : difference::kReversalWithoutPayment);
  }
  if (debit) {
    if (context.debited_before) return differs(difference::kSecondDebit);
    if (!context.amount_fits) return differs(difference::kAmountDiffers);
    switch (context.last) {
      case OutcomeState::kNone:
      case OutcomeState::kUnknown:
        return {true, nullptr, Verdict::kPaid};
      case OutcomeState::kPaid:
      case OutcomeState::kReturned:
        return {true, nullptr, Verdict::kNothing};
      case OutcomeState::kFailed:
        return differs(difference::kNotReportedPaid);
    }
  }
  if (context.reversed_before) return differs(difference::kReversalWithoutPayment);
  switch (context.last) {
    case OutcomeState::kPaid:
      if (!context.amount_fits) return differs(difference::kAmountDiffers);
      // A return that was none would be paid again; a true one is told by a result besides.
      if (context.debited_twice) return differs(difference::kReversalWithoutPayment);
      return {true, nullptr, Verdict::kReturned};
    case OutcomeState::kReturned:
      if (!context.amount_fits) return differs(difference::kAmountDiffers);
      return {true, nullptr, Verdict::kNothing};
    default:
      return differs(difference::kReversalWithoutPayment);
  }
}

}  // namespace yikatong::bankgateway
