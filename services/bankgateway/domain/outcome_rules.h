// What may follow what: the one table of the states of an instruction's outcome, and of what a
// statement's line means.
//
//   | last outcome \ the bank says | PAID       | FAILED     | FAILED 3051       | RETURNED |
//   |------------------------------|------------|------------|-------------------|------------------|
//   | none                         | PAID       | FAILED     | UNKNOWN, we ask   | PAID, RETURNED |
//   | UNKNOWN                      | PAID       | FAILED     | nothing           | PAID, RETURNED |
//   | PAID                         | nothing    | difference | difference        | RETURNED | |
//   FAILED                       | difference | nothing    | difference        | difference       |
//   | RETURNED                     | nothing    | difference | difference        | nothing |
//
// "Duplicate" (3051) says that the bank has had the reference: it never makes a payment failed. An
// amount that is not ours is a difference and nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "services/bankgateway/domain/types.h"

namespace yikatong::bankgateway {

enum class BankSays { kPaid, kFailed, kDuplicate, kReturned };

enum class Verdict {
  kNothing,
  kPaid,
  kFailed,
  kUnknown,
  kReturned,
  kPaidAndReturned,
  kDifference,
};

Verdict Next(OutcomeState last, BankSays said);

// What the books know of the reference that a statement's line names.
struct LineContext {
  bool known = false;  // an instruction under this very agreement
  bool amount_fits = false;
  bool debited_before = false;   // by an earlier line, of this or another statement
  bool reversed_before = false;  // the same for money that came back
  OutcomeState last = OutcomeState::kNone;
  // Lines under the reference debited it more often than they gave back: what comes back now may be
  // the debit that was too much, and says nothing of the payment.
  bool debited_twice = false;
};

struct LineVerdict {
  bool agreed = false;
  const char* difference = nullptr;  // a kind, or none
  Verdict outcome = Verdict::kNothing;
};

// `debit` is a debit of the city's account (a credit to a person), else money that came back.
LineVerdict JudgeLine(bool debit, const LineContext& context);

}  // namespace yikatong::bankgateway
