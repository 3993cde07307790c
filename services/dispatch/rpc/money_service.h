// The money half's adapter: wire to domain and back. Scope and rules are those of the stores.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/request.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/rpc/money_handlers.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/money_store.h"
#include "services/dispatch/store/proof_store.h"

namespace yikatong::dispatch {

class MoneyService final : public MoneyHandlers {
 public:
  // Everything outlives the service.
  MoneyService(const StoreContext& context, const RuleCodec& codec, MoneyStore& money,
               ChunkStore& chunks, ProofStore& proofs, PolicyPort& policies, GatewayPort& gateway,
               absl::Duration audit_backlog_limit)
      : context_(context),
        codec_(codec),
        money_(money),
        chunks_(chunks),
        proofs_(proofs),
        policies_(policies),
        gateway_(gateway),
        audit_backlog_limit_(audit_backlog_limit) {}

  absl::StatusOr<v1::BudgetLine> CreateBudgetLine(const v1::CreateBudgetLineRequest& request,
                                                  const identity::Caller& caller) override;
  absl::StatusOr<v1::BudgetLine> AppropriateBudget(const v1::AppropriateBudgetRequest& request,
                                                   const identity::Caller& caller) override;
  absl::StatusOr<v1::ListBudgetLinesResponse> ListBudgetLines(
      const v1::ListBudgetLinesRequest& request, const identity::Caller& caller) override;
  absl::StatusOr<v1::ListLedgerEntriesResponse> ListLedgerEntries(
      const v1::ListLedgerEntriesRequest& request, const identity::Caller& caller) override;
  absl::StatusOr<v1::Batch> FundBatch(const v1::FundBatchRequest& request,
                                      const identity::Caller& caller) override;
  absl::StatusOr<v1::Batch> ReleaseBatch(const v1::ReleaseBatchRequest& request,
                                         const identity::Caller& caller) override;
  absl::StatusOr<v1::ReissueItemsResponse> ReissueItems(const v1::ReissueItemsRequest& request,
                                                        const identity::Caller& caller) override;
  absl::StatusOr<v1::AbandonItemsResponse> AbandonItems(const v1::AbandonItemsRequest& request,
                                                        const identity::Caller& caller) override;
  absl::StatusOr<v1::Batch> CloseBatch(const v1::CloseBatchRequest& request,
                                       const identity::Caller& caller) override;
  absl::StatusOr<v1::GetItemProofResponse> GetItemProof(const v1::GetItemProofRequest& request,
                                                        const identity::Caller& caller) override;

 private:
  // What this very request was answered before, so that its repetition does not ask peers who may
  // say something else by now. Nothing for a new one, or for an id that was used otherwise.
  absl::StatusOr<std::optional<std::string>> Answered(const identity::Caller& caller,
                                                      const Request& request);
  // The batch as its resource shows it, for the first answer of a mutation.
  absl::StatusOr<std::string> Answer(postgres::Transaction& tx, const BatchRow& row);

  // Agreements and days of sending whose statements a repair has to wait for.
  using SendingDays = std::set<std::pair<std::string, absl::CivilDay>>;
  static SendingDays DaysThatMatter(const std::vector<RepairCandidate>& items);
  // Those of the candidates' days whose statement was compared whole, as the gateway says.
  absl::StatusOr<SendingDays> ReconciledDays(const identity::Caller& caller, std::int64_t batch_id,
                                             const std::vector<std::int64_t>& item_ids);
  // STATEMENT_OUTSTANDING for the first day that is not among them.
  static absl::Status CheckStatements(const std::vector<RepairCandidate>& items,
                                      const SendingDays& reconciled);
  // The candidates that need not wait; STATEMENT_OUTSTANDING where all of them do.
  static absl::StatusOr<std::vector<RepairCandidate>> WithoutWaiting(
      std::vector<RepairCandidate> items, const SendingDays& reconciled);

  const StoreContext context_;
  const RuleCodec& codec_;
  MoneyStore& money_;
  ChunkStore& chunks_;
  ProofStore& proofs_;
  PolicyPort& policies_;
  GatewayPort& gateway_;
  const absl::Duration audit_backlog_limit_;
};

}  // namespace yikatong::dispatch
