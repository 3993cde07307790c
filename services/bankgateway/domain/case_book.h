// What the use cases of reconciliation as work need from outside: cases with their decisions.
// Every method is one transaction. Implementations are thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/identity/caller.h"
#include "services/bankgateway/domain/cases.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

class CaseBook {
 public:
  virtual ~CaseBook() = default;
  // Behind a case id, in its order. What is of another district does not exist.
  virtual absl::StatusOr<std::vector<Case>> List(const identity::Scope& scope,
                                                 const CaseFilter& filter, std::int64_t after,
                                                 int count) = 0;
  // NOT_FOUND.
  virtual absl::StatusOr<CaseDetails> Get(const identity::Scope& scope, std::int64_t case_id) = 0;

  // Mutations: NOT_FOUND, STATE_CONFLICT, REQUEST_ID_REUSED; each leaves its audit entry.
  virtual absl::StatusOr<Case> Assign(const identity::Caller& caller, const std::string& request_id,
                                      std::int64_t case_id, const std::string& owner) = 0;
  virtual absl::StatusOr<Case> Note(const identity::Caller& caller, const std::string& request_id,
                                    std::int64_t case_id, const std::string& text) = 0;
  // In force at once where no money moves; otherwise it waits for a second person.
  // CASE_DECISION_UNFIT.
  virtual absl::StatusOr<Case> Propose(const identity::Caller& caller,
                                       const std::string& request_id, std::int64_t case_id,
                                       const Proposal& proposal) = 0;
  // Brings the proposed decision into force, or turns it down. SAME_PERSON, CASE_DECISION_UNFIT
  // (also where the facts have changed, or another decision is proposed than was seen).
  virtual absl::StatusOr<Case> Confirm(const identity::Caller& caller,
                                       const std::string& request_id, std::int64_t case_id,
                                       Decision decision, bool approve,
                                       const std::string& reason) = 0;

  // Open cases by kind and age.
  virtual absl::StatusOr<std::vector<CaseCount>> CountOpen() = 0;

  // References of a bank's cases that it is to be asked about and was not asked today; at most
  // 1000.
  virtual absl::StatusOr<std::vector<std::int64_t>> ToAsk(const std::string& bank_code) = 0;
  // What the bank answers about them: where it agrees with our books now the case is settled,
  // where it contradicts them again the case is reopened.
  virtual absl::Status ApplyAnswers(const std::string& bank_code,
                                    const std::vector<BankResult>& answers) = 0;
  // The statement of a day is not closed: a case, once the day is too long ago. True where one
  // stands.
  virtual absl::StatusOr<bool> MissStatement(const std::string& bank_code,
                                             const DueStatement& statement) = 0;
};

}  // namespace yikatong::bankgateway
