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
#include "common/policy/rule.h"

namespace yikatong::dispatch {

// The accounts of a budget line. A row moves its amount from the credited to the debited one. For
// each line: appropriated = available + reserved + in transit + paid.
enum class Account : std::int16_t {
  kAppropriation = 1,  // where a line's money comes from
  kAvailable = 2,      // can be reserved
  kReserved = 3,       // for a batch; also what failed, until it is reissued or released
  kInTransit = 4,      // on its way through a bank, unknown outcomes included
  kPaid = 5,           // less what came back in the same year
  kOwedToTreasury = 6  // came back in a later year
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
  int year = 0;  // budget year of the lines
};

// Adds up what one step moves.
class Posting {
 public:
  // Moves one item's amount on every line of its batch, split by the shares, remainder to the first
  // source. FUNDING_SHARES where the lines do not match the shares.
  absl::Status Move(const BatchFunding& funding, std::int64_t batch_id, std::int32_t chunk,
                    std::string_view step, std::string_view reason, Account debit, Account credit,
                    std::int64_t amount_fen);

  // The rows by line, then step and reason; none with the amount 0.
  std::vector<LedgerRow> Rows() const;
  // What each line's available money changes by (only reserving, releasing and returns do that).
  std::map<std::int64_t, std::int64_t> AvailableChanges() const;

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, std::int32_t, std::string, std::string,
                         Account, Account>;
  std::map<Key, std::int64_t> sums_;
};

}  // namespace yikatong::dispatch
