// Learns what became of payments: results by the bank's cursor, statements of closed days,
// questions about what is still open.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "services/bankgateway/domain/case_book.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

struct CollectorOptions {
  int page_rows = 2'000;
  // Days of the business clock after the day of sending, after which a row without a final outcome
  // is told as UNKNOWN and asked about by name.
  int unknown_after_days = 2;
  int ask_rows = 1'000;
};

// Thread safe. Everything that it is given must outlive it.
class Collector {
 public:
  Collector(OutcomeBook& outcomes, CaseBook& cases, AgentBanks& banks,
            const base::BusinessClock& today, CollectorOptions options = {})
      : outcomes_(outcomes), cases_(cases), banks_(banks), today_(today), options_(options) {}

  // Takes one page of results; how many were in it. 0: there are no more for now.
  absl::StatusOr<int> TakeResults(const Bank& bank);

  // Reconciles days that are closed; how many it completed. A day that the bank has not closed is
  // left for later, and is a case once it should long have been.
  absl::StatusOr<int> Reconcile(const Bank& bank);

  // Asks about rows that are late; how many files. Where the bank does not answer they are told as
  // UNKNOWN all the same.
  absl::StatusOr<int> AskAboutLate(const Bank& bank);

  // Asks about the references of cases that wait for the bank's answer, once a day; how many.
  absl::StatusOr<int> AskAboutCases(const Bank& bank);

 private:
  absl::Status AskAboutFile(const Bank& bank, AgentBank& agent, const LateFile& file);

  OutcomeBook& outcomes_;
  CaseBook& cases_;
  AgentBanks& banks_;
  const base::BusinessClock& today_;
  const CollectorOptions options_;
};

}  // namespace yikatong::bankgateway
