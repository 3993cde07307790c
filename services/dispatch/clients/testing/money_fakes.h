// Stand-ins for the services that paying asks. Thread safe where the ports are; a hook runs outside
// of every lock.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/dispatch/domain/change_feed.h"
#include "services/dispatch/domain/payment_ports.h"

namespace yikatong::dispatch::testing {

inline constexpr char kBankA[] = "102100000001";
inline constexpr char kBankB[] = "103100000002";

// Everybody has an active card of bank A, version 1, unless a test says otherwise.
class FakeAccounts final : public AccountPort {
 public:
  struct Account {
    std::string bank_code = kBankA;
    std::int64_t version = 1;
    bool social_card = true;
    std::string reason;
  };
  // By payee.
  Account& At(std::int64_t payee_id) { return accounts_[payee_id]; }

  absl::StatusOr<std::vector<PayeeAccount>> Resolve(const PayeeTerms& terms,
                                                    const std::vector<PayeeQuery>& payees) override;
  absl::StatusOr<SealedChunk> Seal(std::span<const SealGroup> groups,
                                   std::span<const std::string> chunk_ids, const PayeeTerms& terms,
                                   const std::vector<PayeeQuery>& payees) override;

  std::function<void()> before_seal;
  absl::Status failure;       // of both calls, while it is not OK
  std::int64_t poisoned = 0;  // item whose chunk the registry cannot answer for: INTERNAL
  std::vector<std::string> seals;
  PayeeTerms last_terms;

 private:
  std::vector<PayeeAccount> Answer(const std::vector<PayeeQuery>& payees) const;

  mutable std::mutex mutex_;
  std::map<std::int64_t, Account> accounts_;
};

// Keeps what it acknowledged, as the gateway does: the same id once, each reference once.
class FakeGateway final : public GatewayPort {
 public:
  struct Submission {
    std::string request_id;
    std::string agreement_no;
    std::vector<InstructionRow> rows;
    std::string bytes;
  };

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
  // Of what was taken: all of it in one file, on the statement of `booked_on`, which is complete as
  // StatementReconciled says.
  absl::StatusOr<std::vector<SubmissionTrace>> TraceSubmissions(
      std::int32_t district, const std::vector<std::string>& submissions) override;

  // What the next calls of Submit do, in order; then they succeed.
  enum class Mode { kTake, kTakeAndLoseAnswer, kAway, kLeaseLost, kRefuse };
  std::deque<Mode> modes;
  absl::Status refusal;  // for kRefuse
  Agreements agreements{{{"A1", kBankA, false, false}}, ""};
  bool reconciled = true;
  absl::CivilDay booked_on = absl::CivilDay(2026, 3, 10);
  absl::Status trace_fails;  // what TraceSubmissions answers, unless it is OK
  std::function<void()> before_trace;
  int traced = 0;  // calls of TraceSubmissions
  std::set<std::pair<std::string, absl::CivilDay>> unreconciled;
  std::function<void()> before_submit;

  // Adds one chunk of outcomes.
  void Report(std::int32_t district, std::vector<ReportedOutcome> outcomes);

  std::vector<Submission> taken;      // in the order of their taking
  std::vector<std::string> received;  // the bytes of every call
  std::vector<absl::Duration> timeouts;

 private:
  static Submission Parse(std::string_view bytes);

  std::mutex mutex_;
  std::vector<OutcomeChunk> outcomes_;
  std::set<std::int64_t> references_;
};

// The registry's feed, told by a test.
class FakeFeed final : public ChangeFeed {
 public:
  absl::StatusOr<ChangePage> ListChanges(std::int64_t after, int max_changes) override;
  void Died(std::int64_t person_id, absl::CivilDay day, absl::Time recorded_at);
  void Merged(std::int64_t kept, std::int64_t merged, absl::Time recorded_at);

 private:
  std::mutex mutex_;
  std::vector<PersonChange> changes_;
};

class FakePolicies final : public PolicyPort {
 public:
  absl::StatusOr<bool> CardRequired(std::int32_t, std::string_view) override {
    return card_required;
  }
  absl::StatusOr<bool> TargetApproved(std::string_view, std::int32_t, int) override {
    return target_approved;
  }
  absl::Status CheckPolicy(std::string_view) override { return policy; }

  bool card_required = true;
  bool target_approved = true;
  absl::Status policy;
};

}  // namespace yikatong::dispatch::testing
