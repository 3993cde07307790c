// The ports of paying over the stubs of registry, gateway and catalogue. No gRPC in this header.
// Thread safe; a channel must outlive its client.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/rpc/client.h"
#include "services/dispatch/domain/payment_ports.h"

namespace yikatong::dispatch {

class RegistryAccounts final : public AccountPort {
 public:
  explicit RegistryAccounts(const rpc::Channel& channel);
  ~RegistryAccounts() override;
  absl::StatusOr<std::vector<PayeeAccount>> Resolve(const PayeeTerms& terms,
                                                    const std::vector<PayeeQuery>& payees) override;
  absl::StatusOr<SealedChunk> Seal(std::span<const SealGroup> groups,
                                   std::span<const std::string> chunk_ids, const PayeeTerms& terms,
                                   const std::vector<PayeeQuery>& payees) override;

 private:
  struct Stub;
  const rpc::Channel& channel_;
  std::unique_ptr<Stub> stub_;
};

class BankGateway final : public GatewayPort {
 public:
  explicit BankGateway(const rpc::Channel& channel);
  ~BankGateway() override;
  absl::StatusOr<Agreements> ResolveAgreements(std::int32_t district,
                                               std::string_view department_id) override;
  std::string EncodeSubmission(std::string_view request_id, std::int32_t district,
                               std::string_view agreement_no, std::string_view summary,
                               std::string_view envelope,
                               const std::vector<InstructionRow>& rows) const override;
  absl::StatusOr<std::int64_t> Submit(std::string_view submission, absl::Duration timeout) override;
  absl::StatusOr<OutcomePage> ListOutcomes(std::int64_t after, int max_chunks) override;
  absl::StatusOr<bool> StatementReconciled(std::string_view agreement_no,
                                           absl::CivilDay day) override;
  // In trace_client.cc.
  absl::StatusOr<std::vector<SubmissionTrace>> TraceSubmissions(
      std::int32_t district, const std::vector<std::string>& submissions) override;

 private:
  struct Stub;
  const rpc::Channel& channel_;
  std::unique_ptr<Stub> stub_;
};

class CataloguePolicies final : public PolicyPort {
 public:
  explicit CataloguePolicies(const rpc::Channel& channel);
  ~CataloguePolicies() override;
  absl::StatusOr<bool> CardRequired(std::int32_t district, std::string_view policy_id) override;
  absl::StatusOr<bool> TargetApproved(std::string_view policy_id, std::int32_t district,
                                      int year) override;
  absl::Status CheckPolicy(std::string_view policy_id) override;

 private:
  struct Stub;
  const rpc::Channel& channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace yikatong::dispatch
