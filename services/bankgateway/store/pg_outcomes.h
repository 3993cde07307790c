// Outcomes, statements and differences over PostgreSQL. See domain/ports.h.
#pragma once

#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

class PgOutcomeBook final : public OutcomeBook {
 public:
  explicit PgOutcomeBook(const StoreContext& context) : context_(context) {}

  absl::StatusOr<std::int64_t> Cursor(const std::string& bank_code) override;
  absl::Status ApplyPage(const std::string& bank_code, std::int64_t after,
                         const std::vector<BankResult>& results) override;
  absl::StatusOr<std::int64_t> NumberChunks() override;
  absl::StatusOr<std::vector<OutcomeChunk>> ListChunks(std::int64_t after, int count,
                                                       std::int64_t& head) override;
  absl::StatusOr<std::vector<LateFile>> LateFiles(const std::string& bank_code,
                                                  absl::CivilDay sent_by) override;
  absl::StatusOr<std::vector<std::int64_t>> OpenReferences(const std::string& file_id,
                                                           std::int64_t after, int count) override;
  absl::Status ApplyAnswers(const std::string& bank_code, const std::vector<BankResult>& answers,
                            bool not_found_is_final) override;
  absl::Status MarkAsked(const std::string& file_id) override;
  absl::StatusOr<std::vector<DueStatement>> DueStatements(const std::string& bank_code) override;
  absl::Status CompareLines(const std::string& bank_code, const DueStatement& statement,
                            const std::vector<StatementLine>& lines) override;
  absl::Status CompleteStatement(const std::string& bank_code, const DueStatement& statement,
                                 const StatementHead& head) override;
  absl::StatusOr<std::vector<Reconciliation>> ListReconciliations(
      const identity::Scope& scope, const std::string& agreement_no, absl::CivilDay before_day,
      const std::string& before_agreement, int count) override;
  absl::StatusOr<std::vector<Difference>> ListDifferences(const identity::Scope& scope,
                                                          const std::string& agreement_no,
                                                          std::int64_t after, int count) override;

 private:
  const StoreContext& context_;
};

}  // namespace yikatong::bankgateway
