// What one step finds and settles in cases, within a transaction of its caller: differences become
// cases, lines that cases wait for settle them, and all money that no payment explains is posted to
// the suspense ledger. Whoever uses it holds the bank's cursor row.
//
//   CaseWriter cases(context, tx, bank_code);
//   YKT_RETURN_IF_ERROR(cases.Load(references));
//   OpenCase& found = cases.Add(difference);
//   cases.Post(day, {Suspense::kClaimOnBank, &found}, {Suspense::kBankAccount}, fen, "line");
//   return cases.Finish();
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/postgres/database.h"
#include "services/bankgateway/domain/cases.h"
#include "services/bankgateway/domain/types.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

// An open case as this step sees it.
struct OpenCase {
  std::int64_t case_id = 0;  // 0 until a case of this step is written
  std::string agreement_no;
  std::string kind;
  std::string subject;
  std::int32_t district = 0;
  std::int64_t reference = 0;
  absl::CivilDay day;
  CaseState state = CaseState::kOpen;
  std::int64_t open_fen = 0;
  std::int64_t book_fen = 0;
  int found = 0;  // differences of this step
  std::int64_t found_fen = 0;
  std::int64_t delta_fen = 0;  // of open_fen, by this step
  bool settled = false;
  bool counted = false;  // its money or state changes by this step
};

// The columns of the statements that read open cases.
OpenCase OpenCaseOf(const postgres::Row& row);

// One side of a posting; a claim or debt names its case.
struct Leg {
  Suspense account = Suspense::kBankAccount;
  OpenCase* of = nullptr;
};

// One entry of a case's history, under the number that the case's row has counted for it.
struct CaseNote {
  std::int64_t case_id = 0;
  int number = 0;
  std::string what;
  int from = 0;  // a CaseState; 0: there was no case
  int to = 0;
  Decision decision = Decision::kNone;
  std::int64_t amount_fen = 0;
  std::string text = {};
};
// In the name of `caller`; of nullptr: of this service by itself.
absl::Status AppendCaseNotes(const StoreContext& context, postgres::Transaction& tx,
                             const identity::Caller* caller, const std::vector<CaseNote>& notes);

// Not thread safe; lives no longer than the transaction. Everything that it returns lives as long
// as it does.
class CaseWriter {
 public:
  CaseWriter(const StoreContext& context, postgres::Transaction& tx, std::string bank_code)
      : context_(context), tx_(tx), bank_code_(std::move(bank_code)) {}

  // Reads the open cases of these references.
  absl::Status Load(const std::vector<std::int64_t>& references);

  // A difference: opens its case, or adds to the one that is open.
  OpenCase& Add(Difference difference);
  // The same for a case that is no difference of a payment, under a subject of its own.
  OpenCase& Open(const Difference& what, std::string subject);

  // The open case of a kind, or null.
  OpenCase* Find(const std::string& agreement_no, std::string_view kind, std::int64_t reference);
  // A case whose claim a credit of this amount can pay, or null; below 0 for a debt and a debit.
  OpenCase* FindPayable(const std::string& agreement_no, std::int64_t reference,
                        std::int64_t amount_fen);
  // The case with this id, which the caller has read and locked.
  OpenCase& Take(OpenCase one);

  void Post(const std::string& agreement_no, std::int32_t district, absl::CivilDay day, Leg debit,
            Leg credit, std::int64_t amount_fen, std::string_view step);
  // Closes a case by what the bank did, once this step is written.
  void Settle(OpenCase& one);
  // The same for the case of a file or a day, if there is one.
  absl::Status SettleSubject(const std::string& agreement_no, std::string_view kind,
                             const std::string& subject);

  // Writes everything. Differences first, since they make cases.
  absl::Status Finish();
  std::int64_t differences() const { return static_cast<std::int64_t>(differences_.size()); }

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // agreement, kind, subject
  struct Entry {
    std::string agreement_no;
    std::int32_t district = 0;
    absl::CivilDay day;
    Leg debit;
    Leg credit;
    std::int64_t amount_fen = 0;
    std::string step;
  };
  OpenCase& Of(const Difference& what, std::string subject);
  absl::Status WriteCases();
  absl::Status WriteDifferences();
  absl::Status WriteEntries();
  absl::Status WriteSettled();

  const StoreContext& context_;
  postgres::Transaction& tx_;
  const std::string bank_code_;
  std::map<Key, OpenCase> cases_;
  std::vector<std::pair<Difference, OpenCase*>> differences_;
  std::vector<Entry> entries_;
  std::vector<CaseNote> notes_;
};

}  // namespace yikatong::bankgateway
