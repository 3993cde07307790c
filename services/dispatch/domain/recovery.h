// Wrong payments that are taken back: the states of a recovery, until when each must go on, and
// what money that came back does to the ledger. Pure; thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/dispatch/domain/posting.h"

namespace yikatong::dispatch {

// Numbered as yikatong.dispatch.v1.RecoveryState.
enum class RecoveryState : std::int16_t {
  kProposed = 1,
  kOrdered = 2,
  kNotified = 3,
  kWriteOffAsked = 4,
  kRecovered = 5,
  kWrittenOff = 6,
  kCancelled = 7
};

// Numbered as yikatong.dispatch.v1.RecoveryCause.
enum class RecoveryCause : std::int16_t {
  kDeceased = 1,
  kPaidTwice = 2,
  kWrongAmount = 3,
  kNotEntitled = 4,
  kGivenBack = 5,
  kPaidBesides = 6
};

enum class RecoveryEvent {
  kApprove,         // another person orders it
  kNotify,          // the person was told
  kReceivePart,     // money came back, and some is still due
  kReceiveRest,     // all that was due has come back
  kAskWriteOff,     // somebody asks to give the rest up
  kGrantWriteOff,   // another person grants it
  kRefuseWriteOff,  // or does not
  kCancel           // it was not right
};

const char* RecoveryStateName(RecoveryState state);  // PROPOSED, ORDERED …
const char* RecoveryCauseName(RecoveryCause cause);  // DECEASED, PAID_TWICE …
const char* RecoveryEventName(RecoveryEvent event);  // approve, notify …

// The state after `event`. RECOVERY_STATE, with `state` and `step` in the metadata, for what the
// table does not have.
//
//   from \ event     approve  notify    part            rest       ask       grant    refuse cancel
//   PROPOSED         ORDERED  -         -               -          -         -        - CANCELLED
//   ORDERED          -        NOTIFIED  ORDERED         RECOVERED  -         -        - CANCELLED
//   NOTIFIED         -        -         NOTIFIED        RECOVERED  WRITE_O…  -        - CANCELLED
//   WRITE_OFF_ASKED  -        -         WRITE_OFF_ASKED RECOVERED  -         WRITTEN… NOTIFIED  -
//   RECOVERED, WRITTEN_OFF, CANCELLED: nothing
absl::StatusOr<RecoveryState> Next(RecoveryState from, RecoveryEvent event);

// Whether something is still to be done.
bool IsOpen(RecoveryState state);

// One wrong payment that is taken back.
struct Recovery {
  std::int64_t recovery_id = 0;
  std::int64_t case_id = 0;
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int64_t item_id = 0;
  // The attempt that a bank paid besides, which is not the item's payment; 0 where it is that.
  std::int64_t reference = 0;
  RecoveryCause cause = RecoveryCause::kNotEntitled;
  RecoveryState state = RecoveryState::kProposed;
  std::int64_t due_fen = 0;
  std::int64_t received_fen = 0;
  std::string reason;
  std::string opened_by;  // empty: this service, by the registry's feed
  absl::CivilDay opened_on;
  std::string approved_by;
  std::string notice;
  std::optional<absl::CivilDay> due_on;
  std::string document;
  std::string write_off_by;
  std::string decision;
};

// Numbered as yikatong.dispatch.v1.ArrivalState.
enum class ArrivalState : std::int16_t { kOpen = 1, kConfirmed = 2, kRefused = 3 };

// Money that a person gave back of their own accord.
struct Arrival {
  std::int64_t arrival_id = 0;
  std::int32_t district = 0;
  std::string receipt;
  std::int64_t amount_fen = 0;
  absl::CivilDay arrived_on;
  std::string note;
  ArrivalState state = ArrivalState::kOpen;
  std::string recorded_by;
  std::int64_t recovery_id = 0;
  std::string decision;
};

// Days that a person has to give back what was overpaid (domain: within three months).
inline constexpr int kRecoveryDays = 90;

// One line's part of money that came back; negative where rounding gives a fen to another source.
struct LinePart {
  std::int64_t line_id = 0;
  std::int64_t amount_fen = 0;
  bool closed = false;  // the line's year was closed
};

// What each line of the batch gets of `amount_fen` when `before_fen` came back already: the
// difference of the two sums' splits, so that the parts of a whole payment together are split as
// the payment was, to the fen. FUNDING_SHARES where lines and shares do not match.
absl::StatusOr<std::vector<LinePart>> SplitMoneyBack(const BatchFunding& funding,
                                                     std::int64_t before_fen,
                                                     std::int64_t amount_fen);

// Adds the rows of that to `posting`, under the step `recovered`: to where AccountForReturn says.
absl::Status PostMoneyBack(Posting& posting, const BatchFunding& funding, std::int64_t batch_id,
                           RecoveryCause cause, std::int64_t before_fen, std::int64_t amount_fen,
                           absl::CivilDay today);

// Adds what an attempt that was paid besides costs the lines of its batch, split as its payment,
// under the step `paid_besides`: out of what each has available, or where its year was closed out
// of what lapsed to the treasury, whose money went out. FUNDING_SHARES as above.
absl::Status PostPaidBesides(Posting& posting, const BatchFunding& funding, std::int64_t batch_id,
                             std::int64_t amount_fen);

// DOCUMENT_MISSING for an empty text, FIELD_INVALID as status::CheckFreeText of 200 characters.
absl::Status CheckEvidence(std::string_view document, std::string_view field);

// FIELD_INVALID unless it is 1 to 64 printable ASCII characters.
absl::Status CheckReceipt(std::string_view receipt);

}  // namespace yikatong::dispatch
