// Cases and their decisions over PostgreSQL. See domain/case_book.h. Thread safe.
#pragma once

#include "services/bankgateway/domain/case_book.h"
#include "services/bankgateway/store/context.h"
#include "services/bankgateway/store/outcome_writer.h"

namespace yikatong::bankgateway {

// A case out of the columns of case_list, case_get and trace_cases.
Case CaseOf(const postgres::Row& row, absl::CivilDay today, const CaseTerms& terms);

class PgCaseBook final : public CaseBook {
 public:
  explicit PgCaseBook(const StoreContext& context) : context_(context) {}

  absl::StatusOr<std::vector<Case>> List(const identity::Scope& scope, const CaseFilter& filter,
                                         std::int64_t after, int count) override;
  absl::StatusOr<CaseDetails> Get(const identity::Scope& scope, std::int64_t case_id) override;
  absl::StatusOr<Case> Assign(const identity::Caller& caller, const std::string& request_id,
                              std::int64_t case_id, const std::string& owner) override;
  absl::StatusOr<Case> Note(const identity::Caller& caller, const std::string& request_id,
                            std::int64_t case_id, const std::string& text) override;
  absl::StatusOr<Case> Propose(const identity::Caller& caller, const std::string& request_id,
                               std::int64_t case_id, const Proposal& proposal) override;
  absl::StatusOr<Case> Confirm(const identity::Caller& caller, const std::string& request_id,
                               std::int64_t case_id, Decision decision, bool approve,
                               const std::string& reason) override;
  absl::StatusOr<std::vector<CaseCount>> CountOpen() override;
  absl::StatusOr<std::vector<std::int64_t>> ToAsk(const std::string& bank_code) override;
  absl::Status ApplyAnswers(const std::string& bank_code,
                            const std::vector<BankResult>& answers) override;
  absl::StatusOr<bool> MissStatement(const std::string& bank_code,
                                     const DueStatement& statement) override;

 private:
  // A case as it is being changed, in its transaction.
  struct Held {
    Case one;
    int events = 0;
  };
  // What a mutation does: changes the case and says what its history and the audit log get.
  struct Change {
    std::string what;  // of the history
    std::string kind;  // of the audit entry
    Decision decision = Decision::kNone;
    std::int64_t amount_fen = 0;
    std::string note;
  };
  using Act = std::function<absl::StatusOr<Change>(postgres::Transaction& tx, OutcomeWriter& writer,
                                                   Case& one)>;
  // One mutation: once for its request id, with the bank's row and the case held.
  absl::StatusOr<Case> Mutate(std::string_view name, const identity::Caller& caller,
                              const std::string& request_id, std::int64_t case_id,
                              std::initializer_list<std::string_view> content, const Act& act);

  absl::StatusOr<Held> Read(postgres::Transaction& tx, const identity::Scope& scope,
                            std::int64_t case_id);
  absl::StatusOr<CaseFacts> FactsOf(postgres::Transaction& tx, const Case& one,
                                    const std::optional<Case>& other);
  absl::StatusOr<std::optional<Case>> OtherOf(postgres::Transaction& tx,
                                              const identity::Caller& caller, const Case& one,
                                              std::int64_t other_case);
  // Does what a decision says to outcomes and to the suspense ledger.
  absl::Status Carry(postgres::Transaction& tx, OutcomeWriter& writer, Case& one,
                     const std::optional<Case>& other);
  absl::Status ConfirmPaid(OutcomeWriter& writer, Case& one);
  absl::Status ConfirmNotPaid(OutcomeWriter& writer, Case& one);
  absl::Status ConfirmReturned(OutcomeWriter& writer, Case& one);
  absl::Status FailFile(postgres::Transaction& tx, OutcomeWriter& writer, const Case& one);
  absl::Status Match(OutcomeWriter& writer, Case& one, const Case& other);

  const StoreContext& context_;
};

}  // namespace yikatong::bankgateway
