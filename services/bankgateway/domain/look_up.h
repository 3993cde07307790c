// After the database was put back from a backup: banks may have payments that our books do not know
// to be sent. Before a waiting chunk is packed, every bank is asked whether it has its references;
// what a bank has is never sent again.
//
// The order is what makes it safe. Sends of the undone time have ended before we start (their
// deadline was shorter than a lease), so that whatever they brought a bank is answered for by it;
// and its results up to where they stood when we started are read before the first question, so
// that a payment and its return are known with their own days.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

inline constexpr int kMaxAskedReferences = 1'000;  // of the banks' contract

// One thread turns RunOnce. Everything that it is given must outlive it.
class LookUp {
 public:
  LookUp(RestoreBook& restores, OutcomeBook& outcomes, Directory& directory, AgentBanks& banks,
         const base::BusinessClock& today)
      : restores_(restores),
        outcomes_(outcomes),
        directory_(directory),
        banks_(banks),
        today_(today) {}

  // Looks up one chunk; how many. 0: no restore is open, banks' news is still being read, or no
  // chunk waits. A bank that cannot be asked is its error, and nothing is packed meanwhile.
  absl::StatusOr<int> RunOnce();

  // Asks once a day about withheld rows that nothing final is known of `after_days` days after they
  // were found, of one chunk of the bank; what is still open is told as UNKNOWN. How many chunks.
  absl::StatusOr<int> AskAboutLate(const Bank& bank, int after_days);

 private:
  // False while there is news from before the start that is not read yet.
  absl::StatusOr<bool> NewsIsRead(const OpenRestore& restore, const std::vector<Bank>& banks);
  absl::StatusOr<std::vector<BankResult>> Ask(const Bank& bank,
                                              const std::vector<std::int64_t>& references);

  RestoreBook& restores_;
  OutcomeBook& outcomes_;
  Directory& directory_;
  AgentBanks& banks_;
  const base::BusinessClock& today_;
  std::map<std::string, std::int64_t> heads_;  // of the banks' results, as this process found them
};

}  // namespace yikatong::bankgateway
