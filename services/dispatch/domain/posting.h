// What a step does to the ledger and to the counts of a batch, added up over a chunk: one row for
// each line, step and reason, never one for each item. Pure; not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/policy/rule.h"

namespace yikatong::dispatch {

// The accounts of a budget line. A row moves its amount from the credited to the debited one. For
// each line, at every moment and at the end of every day:
//   appropriated + transfers in − transfers out + carried in − carried out
//     = available + reserved + in transit + paid + owed to the treasury + settled + lapsed
enum class Account : std::int16_t {
  kAppropriation = 1,      // where a line's money comes from
  kAvailable = 2,          // can be reserved
  kReserved = 3,           // for a batch; also what failed, until it is reissued or released
  kInTransit = 4,          // on its way through a bank, unknown outcomes included
  kPaid = 5,               // less what came back
  kOwedToTreasury = 6,     // came back after the line's year, or after its closing
  kTransfer = 7,           // between lines of one year
  kCarryOver = 8,          // into the line of the next year
  kLapsed = 9,             // not spent, and the treasury's at the year's end
  kSettledToTreasury = 10  // was owed, and handed over
};

const char* AccountName(Account account);

// One row of the ledger to be written.
struct LedgerRow {
  std::int64_t line_id = 0;
  std::int64_t batch_id = 0;
  std::int32_t chunk = 0;
  std::string step;
  std::string reason;
  Account debit = Account::kAvailable;
  Account credit = Account::kAppropriation;
  std::int64_t amount_fen = 0;
};

// Where a batch's money comes from: the version's shares and, in their order, the lines.
struct BatchFunding {
  std::vector<policy::FundingShare> shares;
  std::vector<std::int64_t> line_ids;
  int year = 0;              // budget year of the lines
  std::vector<bool> closed;  // in the order of the lines: its year was closed

  // Whether money can still be taken from all of the lines: their year runs, none is closed.
  bool OpenOn(absl::CivilDay today) const;
};

// Where money goes that comes back to a line: it can be spent again while the line's year runs and
// is not closed; afterwards it is the treasury's.
Account AccountForReturn(int line_year, bool closed, absl::CivilDay today);

// Adds up what one step moves.
class Posting {
 public:
  // Moves one item's amount on every line of its batch, split by the shares, remainder to the first
  // source. FUNDING_SHARES where the lines do not match the shares.
  absl::Status Move(const BatchFunding& funding, std::int64_t batch_id, std::int32_t chunk,
                    std::string_view step, std::string_view reason, Account debit, Account credit,
                    std::int64_t amount_fen);

  // Moves one item's amount that came back after it was paid, split as above: on each line to where
  // AccountForReturn says. Steps: "returned" by a bank, "recovered" from a person. A line that is
  // closed between `funding` was read and the commit refuses the step by its CHECK; read anew, it
  // goes the other way.
  absl::Status MoveBack(const BatchFunding& funding, std::int64_t batch_id, std::int32_t chunk,
                        std::string_view step, std::string_view reason, absl::CivilDay today,
                        std::int64_t amount_fen);

  // Moves an amount on one line, for no batch. `reason` names what moved it.
  void MoveOnLine(std::int64_t line_id, std::string_view step, std::string_view reason,
                  Account debit, Account credit, std::int64_t amount_fen);

  // The rows by line, then step and reason; none with the amount 0.
  std::vector<LedgerRow> Rows() const;
  // What each line's available money changes by (only reserving, releasing, returns and what a
  // person does with the line itself do that).
  std::map<std::int64_t, std::int64_t> AvailableChanges() const;

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, std::int32_t, std::string, std::string,
                         Account, Account>;
  // The parts of an amount, in the order of the lines.
  static absl::StatusOr<std::vector<std::int64_t>> Split(const BatchFunding& funding,
                                                         std::int64_t amount_fen);
  void Add(std::int64_t line_id, std::int64_t batch_id, std::int32_t chunk, std::string_view step,
           std::string_view reason, Account debit, Account credit, std::int64_t fen);

  std::map<Key, std::int64_t> sums_;
};

}  // namespace yikatong::dispatch
