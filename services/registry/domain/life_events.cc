#include "services/registry/domain/life_events.h"

namespace yikatong::registry {
namespace {

using status::Reason;

// Whether something on `known` has overtaken what happened on `day`.
bool Overtaken(const std::optional<absl::CivilDay>& known, absl::CivilDay day) {
  return known.has_value() && day < *known;
}

Effect Refused(Reason reason) { return {.refused = reason}; }
Effect HistoryOnly() { return {}; }
Effect AccountChanged() { return {.refused = {}, .changed = true, .account_changed = true}; }

Effect ApplyReplacement(const Change& change, PersonState& state) {
  if (Overtaken(state.card_issued_on, change.happened_on)) return HistoryOnly();
  AccountSnapshot next = state.account;
  next.card_no = change.card_no;
  next.card_state = CardState::kActive;
  next.card_bank_code = change.bank_code;
  next.card_account_no = change.account_no;
  next.card_account_name = change.account_name;
  state.card_issued_on = change.happened_on;
  state.card_state_on = change.happened_on;
  state.card_name_on = change.happened_on;
  if (next == state.account) return HistoryOnly();
  state.account = std::move(next);
  return AccountChanged();
}

Effect ApplyCardState(const Change& change, PersonState& state) {
  if (state.account.card_no.empty()) return Refused(Reason::kCardUnknown);
  if (Overtaken(state.card_issued_on, change.happened_on)) return HistoryOnly();
  if (!change.card_no.empty() && change.card_no != state.account.card_no) return HistoryOnly();
  if (change.kind == ChangeKind::kCardActivated && state.account.card_account_no.empty()) {
    return Refused(Reason::kCardUnknown);
  }
  const bool final = change.kind == ChangeKind::kCardCancelled;
  if (!final && Overtaken(state.card_state_on, change.happened_on)) return HistoryOnly();
  const std::optional<CardState> next = NextCardState(state.account.card_state, change.kind);
  if (!next.has_value()) return Refused(Reason::kChangeInvalid);
  if (!Overtaken(state.card_state_on, change.happened_on)) state.card_state_on = change.happened_on;
  if (*next == state.account.card_state) return HistoryOnly();
  state.account.card_state = *next;
  return AccountChanged();
}

Effect ApplyAccountName(const Change& change, PersonState& state) {
  if (state.account.card_account_no.empty()) return Refused(Reason::kCardUnknown);
  if (Overtaken(state.card_issued_on, change.happened_on) ||
      Overtaken(state.card_name_on, change.happened_on)) {
    return HistoryOnly();
  }
  state.card_name_on = change.happened_on;
  if (state.account.card_account_name == change.account_name) return HistoryOnly();
  state.account.card_account_name = change.account_name;
  return AccountChanged();
}

Effect ApplyDeath(const Change& change, PersonState& state) {
  if (state.died_on.has_value() && *state.died_on <= change.happened_on) return HistoryOnly();
  state.died_on = change.happened_on;
  return {.refused = {}, .changed = true, .account_changed = false};
}

Effect ApplyMove(const Change& change, PersonState& state) {
  if (Overtaken(state.residence_since, change.happened_on)) return HistoryOnly();
  state.residence_since = change.happened_on;
  if (state.village_code == change.village_code) return HistoryOnly();
  state.village_code = change.village_code;
  return {.refused = {}, .changed = true, .account_changed = false};
}

}  // namespace

std::optional<CardState> NextCardState(CardState now, ChangeKind event) {
  if (now == CardState::kNone) return std::nullopt;
  switch (event) {
    case ChangeKind::kCardCancelled:
      return CardState::kCancelled;
    case ChangeKind::kCardLost:
      if (now == CardState::kCancelled) return std::nullopt;
      return CardState::kLost;
    case ChangeKind::kCardActivated:
      if (now == CardState::kCancelled) return std::nullopt;
      return CardState::kActive;
    default:
      return std::nullopt;
  }
}

Effect Apply(const Change& change, PersonState& state) {
  if (change.happened_on < state.born_on) return Refused(Reason::kChangeInvalid);
  switch (change.kind) {
    case ChangeKind::kCardReplaced:
      return ApplyReplacement(change, state);
    case ChangeKind::kCardLost:
    case ChangeKind::kCardCancelled:
    case ChangeKind::kCardActivated:
      return ApplyCardState(change, state);
    case ChangeKind::kAccountName:
      return ApplyAccountName(change, state);
    case ChangeKind::kDeath:
      return ApplyDeath(change, state);
    case ChangeKind::kMove:
      return ApplyMove(change, state);
    case ChangeKind::kMerged:
    case ChangeKind::kNone:
      break;
  }
  return Refused(Reason::kChangeInvalid);
}

}  // namespace yikatong::registry
