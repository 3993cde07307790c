// Reconciliation as work: what a case can become, which decision fits its kind and the facts, how
// urgent it is, and the accounts that its money stands on. Pure; thread safe.
//
//   | from \ event | assign   | propose  | reject   | decide | await   | settle | repeat   |
//   |--------------|----------|----------|----------|--------|---------|--------|----------|
//   | OPEN         | ASSIGNED | PROPOSED | -        | CLOSED | WAITING | CLOSED | OPEN     |
//   | ASSIGNED     | ASSIGNED | PROPOSED | -        | CLOSED | WAITING | CLOSED | ASSIGNED |
//   | PROPOSED     | PROPOSED | -        | ASSIGNED | CLOSED | WAITING | CLOSED | REOPENED |
//   | WAITING      | WAITING  | PROPOSED | -        | CLOSED | WAITING | CLOSED | REOPENED |
//   | REOPENED     | ASSIGNED | PROPOSED | -        | CLOSED | WAITING | CLOSED | REOPENED |
//   | CLOSED       | -        | -        | -        | -      | -       | -      | -        |
//
// Settle is the bank's own doing: the line that was missing, the money that comes back. A repeated
// difference makes a proposal void, since it was about another sum.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/bankgateway/domain/types.h"

namespace yikatong::bankgateway {

// Numbered as in the database and in the contract.
enum class CaseState : std::int16_t {
  kOpen = 1,
  kAssigned = 2,
  kProposed = 3,
  kWaitingForBank = 4,
  kClosed = 5,
  kReopened = 6
};
inline constexpr int kCaseStates = 6;

enum class CaseEvent { kAssign, kPropose, kReject, kDecide, kAwait, kSettle, kRepeat };

// STATE_CONFLICT, with the state in the metadata, for what the table does not have.
absl::StatusOr<CaseState> Next(CaseState from, CaseEvent event);
const char* CaseStateName(CaseState state);  // OPEN, ASSIGNED …
const char* CaseEventName(CaseEvent event);  // assign, propose …

// Numbered as in the database and in the contract.
enum class Decision : std::int16_t {
  kNone = 0,
  kConfirmPaid = 1,      // the person was paid: an outcome, and the line's money is a payment
  kConfirmNotPaid = 2,   // nobody was paid: an outcome, and the payment is taken back
  kConfirmReturned = 3,  // the money that came back is the payment's
  kClaimOnBank = 4,      // the bank took what is not ours to pay; it gives it back
  kOwedToBank = 5,       // the bank gave what is not ours; it takes it back
  kBankCorrects = 6,     // the bank owes a line, a statement, a look at a file
  kAskBank = 7,          // the bank is asked about the reference until it agrees
  kKeepBooks = 8,        // the closed statement is as our books; nothing to do
  kMatchCase = 9         // this money and that of another case cancel each other
};
inline constexpr int kDecisions = 9;

const char* DecisionName(Decision decision);
// Whether a second person has to confirm it.
bool MovesMoney(Decision decision);

// What is known of a case when somebody decides.
struct CaseFacts {
  std::string_view kind;
  std::int64_t open_fen = 0;  // claimed from the bank; below 0 owed to it
  std::int64_t book_fen = 0;
  bool known = false;  // the reference is an instruction of ours under the case's agreement
  OutcomeState last = OutcomeState::kNone;
  bool line_missing = false;    // another open case misses the payment's own line
  bool day_closed = false;      // the statement of the case's day was compared whole
  bool later_closed = false;    // and a later one
  bool behind_horizon = false;  // the bank's "not found" counts by now
  bool later_attempt = false;   // the item was sent again under a later reference
  bool nothing_booked = false;  // of a file: no row of it has a payment or a line
  // Of the case that it is to be matched with, under the same agreement.
  std::optional<std::int64_t> other_open_fen;
  std::string_view other_kind;
  bool same_reference = false;
};

// The decisions that fit, in the order of their numbers; kMatchCase only where the other is known.
std::vector<Decision> Fitting(const CaseFacts& facts);
// CASE_DECISION_UNFIT, with those that fit in the metadata.
absl::Status CheckDecision(const CaseFacts& facts, Decision decision);

enum class Priority : std::int16_t { kHigh = 1, kNormal = 2, kLow = 3 };
Priority PriorityOf(std::int64_t amount_fen);
// Working days until a case is due; none is above the five of money that came back.
int DueWorkingDays(Priority priority);

// The accounts of an agreement's suspense ledger. A row moves its amount from the credited to the
// debited one. What a statement agrees with is no row: it is our account and payments.
//   statement's debits - credits = payments - returns + claim - owed + between days
// for each agreement and day, where a payment is an outcome PAID less one that a decision took
// back.
enum class Suspense : std::int16_t {
  kBankAccount = 1,
  kPayments = 2,
  kClaimOnBank = 3,
  kOwedToBank = 4,
  kBetweenDays = 5
};

// Who may still be waiting for what, after how long. Days of the business clock.
struct CaseTerms {
  int horizon_days = 3;            // the bank's, after which "not found" counts
  int statement_working_days = 2;  // after a day, until its missing statement is a case
  int unknown_due_days = 14;       // until a case without a due day counts as overdue
};

struct Case {
  std::int64_t case_id = 0;
  std::string agreement_no;
  std::string bank_code;
  std::int32_t district = 0;
  std::string kind;
  std::string subject;
  std::int64_t reference = 0;
  absl::CivilDay day;
  CaseState state = CaseState::kOpen;
  Priority priority = Priority::kLow;
  std::string owner;
  absl::CivilDay opened_on;
  std::optional<absl::CivilDay> due_on;
  std::optional<absl::CivilDay> closed_on;
  int age_days = 0;
  bool overdue = false;
  int occurrences = 0;
  std::int64_t statement_fen = 0;
  std::int64_t book_fen = 0;
  std::int64_t open_fen = 0;
  Decision decision = Decision::kNone;
  std::string reason;
  std::string evidence;  // 32 bytes, or empty
  std::int64_t matched_case = 0;
  std::string proposed_by;
  std::string decided_by;
};

struct CaseEventRow {
  int event_no = 0;
  absl::Time at;
  absl::CivilDay on_day;
  std::string what;
  int from_state = 0;
  int to_state = 0;
  std::string actor;
  Decision decision = Decision::kNone;
  std::int64_t amount_fen = 0;
  std::string note;
};

struct CaseDetails {
  Case one;
  std::vector<CaseEventRow> history;  // the newest last, at most 1000
  std::vector<Decision> fitting;      // none while a proposal waits, or once closed
};

struct CaseFilter {
  std::int32_t district = 0;  // 0: all
  std::string agreement_no;   // empty: all
  int state = 0;              // 0: all that are not closed
  std::string kind;           // empty: all
  bool overdue = false;
};

struct Proposal {
  Decision decision = Decision::kNone;
  std::string reason;
  std::string evidence;  // 32 bytes, or empty
  std::int64_t other_case = 0;
};

// FIELD_INVALID for no decision, words, evidence that is no SHA-256, and a missing or needless
// other case.
absl::Status CheckProposal(const Proposal& proposal);

// Days as metrics have them, few as their labels must be.
inline constexpr std::array<const char*, 4> kAgeBuckets = {"0-1", "2-5", "6-10", "11-"};
const char* AgeBucket(int days);

// How many cases of a kind and age are open; for metrics.
struct CaseCount {
  std::string kind;
  std::string age;  // one of kAgeBuckets
  std::int64_t open = 0;
  std::int64_t overdue = 0;
  std::int64_t claim_fen = 0;
  std::int64_t owed_fen = 0;
};

// 16 digits, as a bank writes it.
std::string ReferenceText(std::int64_t reference);

}  // namespace yikatong::bankgateway
