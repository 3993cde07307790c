// Banks, agreements and counts over PostgreSQL. See domain/ports.h.
#pragma once

#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

class PgDirectory final : public Directory {
 public:
  explicit PgDirectory(const StoreContext& context) : context_(context) {}

  absl::StatusOr<Bank> CreateBank(const identity::Caller& caller, const std::string& request_id,
                                  const Bank& bank) override;
  absl::StatusOr<Bank> SetBankState(const identity::Caller& caller, const std::string& request_id,
                                    const std::string& bank_code, bool suspended,
                                    const std::string& reason) override;
  absl::StatusOr<Bank> SetBankAddress(const identity::Caller& caller, const std::string& request_id,
                                      const std::string& bank_code, const std::string& address,
                                      const std::string& tls_name,
                                      const std::string& reason) override;
  absl::StatusOr<std::vector<Bank>> ListBanks(const std::string& after, int count) override;
  absl::StatusOr<Agreement> CreateAgreement(const identity::Caller& caller,
                                            const std::string& request_id,
                                            const Agreement& agreement) override;
  absl::StatusOr<Agreement> SetAgreementState(const identity::Caller& caller,
                                              const std::string& request_id,
                                              const std::string& agreement_no, bool suspended,
                                              const std::string& reason) override;
  absl::StatusOr<std::vector<Agreement>> ListAgreements(const identity::Scope& scope,
                                                        std::int32_t district,
                                                        const std::string& after,
                                                        int count) override;
  absl::StatusOr<std::vector<Agreement>> CandidateAgreements(
      std::int32_t district, const std::string& department_id) override;
  absl::StatusOr<Statistics> Count(std::int32_t district) override;
  absl::StatusOr<std::map<std::string, std::int64_t>> AwaitedByBank() override;
  absl::StatusOr<QueueAges> Ages(std::int64_t unknown) override;

 private:
  const StoreContext& context_;
};

// The columns of the agreement queries.
Agreement AgreementOf(const postgres::Row& row);

}  // namespace yikatong::bankgateway
