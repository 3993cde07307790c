// Changes: people are locked in the order of their ids, events are folded in memory by the rules of
// life_events.h, and what comes out is written by one statement for each table.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/registry/domain/rows.h"
#include "services/registry/sql/queries.h"
#include "services/registry/store/pg_people_store.h"

namespace yikatong::registry {

using postgres::BinaryCopy;
using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

// One chunk of changes.
class PgPeopleStore::Changing {
 public:
  Changing(PgPeopleStore& store, const identity::Caller& caller, const ChangeChunk& chunk)
      : store_(store), caller_(caller), chunk_(chunk) {
    std::string content;
    for (const Change& change : chunk.changes) {
      content.clear();
      AppendCanonical(change, content);
      prepared_.push_back(
          {.change = &change,
           .id_no_index = store.vault_.Hash("id_no", change.id_no),
           .event_index = store.vault_.Hash("event", chunk.source + "\n" + change.event_id),
           .mac = store.vault_.Hash("change", content)});
    }
  }

  absl::Status Run(Transaction& tx) {
    answer_ = {.accepted = 0, .rejections = chunk_.rejections};
    to_apply_.clear();
    events_.clear();
    versions_written_.clear();
    feed_.clear();
    now_ = store_.clock_.Now();
    YKT_RETURN_IF_ERROR(FindPeople(tx));
    YKT_RETURN_IF_ERROR(SetTakenApart(tx));
    if (to_apply_.empty()) {
      SortRejections();
      return absl::OkStatus();
    }
    YKT_RETURN_IF_ERROR(ApplyAll(tx));
    answer_.accepted += static_cast<std::int32_t>(events_.size());
    SortRejections();
    return events_.empty() ? absl::OkStatus() : Write(tx);
  }

  ChunkAnswer answer() && { return std::move(answer_); }

 private:
  struct Prepared {
    const Change* change = nullptr;
    std::string id_no_index;
    std::string event_index;
    std::string mac;
    std::int64_t person_id = 0;
  };

  struct Taken {
    const Prepared* row = nullptr;
    Effect effect;
    std::int64_t account_version = 0;  // made by it
  };

  void Reject(const Prepared& row, Reason reason) {
    answer_.rejections.push_back({.row = row.change->row, .reason = reason, .detail = {}});
  }

  void SortRejections() {
    std::sort(answer_.rejections.begin(), answer_.rejections.end(),
              [](const Rejection& a, const Rejection& b) { return a.row < b.row; });
  }

  // Locks everybody whom the chunk is about.
  absl::Status FindPeople(Transaction& tx) {
    for (Prepared& row : prepared_) row.person_id = 0;
    if (prepared_.empty()) return absl::OkStatus();
    std::vector<std::string_view> indexes;
    for (const Prepared& row : prepared_) indexes.push_back(row.id_no_index);
    Columns columns;
    columns.ByteStrings(indexes);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kLockPeople, columns));
    for (const Row row : rows)
      prepared_[static_cast<std::size_t>(row.Int64(0) - 1)].person_id = row.Int64(1);
    return absl::OkStatus();
  }

  // Leaves in to_apply_ what is new: each event once, by whatever chunk it comes.
  absl::Status SetTakenApart(Transaction& tx) {
    if (prepared_.empty()) return absl::OkStatus();
    std::vector<std::string_view> indexes;
    for (const Prepared& row : prepared_) indexes.push_back(row.event_index);
    Columns columns;
    columns.ByteStrings(indexes);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kFindAppliedEvents, columns));
    std::unordered_map<std::string, std::string> taken;  // event to content
    for (const Row row : rows) {
      taken.emplace(prepared_[static_cast<std::size_t>(row.Int64(0) - 1)].event_index,
                    row.Bytes(1));
    }
    std::unordered_map<std::string, std::string> in_chunk;
    for (Prepared& row : prepared_) {
      const auto before = taken.find(row.event_index);
      if (before != taken.end()) {
        before->second == row.mac ? static_cast<void>(++answer_.accepted)
                                  : Reject(row, Reason::kChangeIdReused);
        continue;
      }
      if (row.person_id == 0) {
        Reject(row, Reason::kPersonUnknown);
        continue;
      }
      const auto [same, first] = in_chunk.emplace(row.event_index, row.mac);
      if (first) {
        to_apply_.push_back(&row);
      } else if (same->second == row.mac) {
        repeats_of_[row.event_index].push_back(&row);
      } else {
        Reject(row, Reason::kChangeIdReused);
      }
    }
    return absl::OkStatus();
  }

  // Person by person, each one's events by their day; those of one day in the order of the chunk.
  absl::Status ApplyAll(Transaction& tx) {
    std::map<std::int64_t, std::vector<const Prepared*>> by_person;
    for (const Prepared* row : to_apply_) by_person[row->person_id].push_back(row);
    std::vector<std::int64_t> ids;
    ids.reserve(by_person.size());
    for (const auto& [id, rows] : by_person) ids.push_back(id);
    versions_.clear();
    counts_.clear();
    changed_.clear();
    YKT_ASSIGN_OR_RETURN(states_, store_.ReadStates(tx, ids, versions_));
    YKT_ASSIGN_OR_RETURN(ids_, store_.TakeIds(tx));
    for (auto& [person_id, rows] : by_person) {
      std::stable_sort(rows.begin(), rows.end(), [](const Prepared* a, const Prepared* b) {
        return a->change->happened_on < b->change->happened_on;
      });
      const auto found = states_.find(person_id);
      YKT_INVARIANT(found != states_.end(), "a locked person has no account version");
      PersonState& state = found->second;
      AddCount(state, -1);
      const std::size_t before = events_.size();
      for (const Prepared* row : rows) ApplyOne(*row, state);
      AddCount(state, 1);
      if (events_.size() > before) changed_.emplace(person_id, state);
    }
    return absl::OkStatus();
  }

  void ApplyOne(const Prepared& row, PersonState& state) {
    Taken taken{.row = &row, .effect = Apply(*row.change, state), .account_version = 0};
    const auto repeats = repeats_of_.find(row.event_index);
    if (taken.effect.refused.has_value()) {
      Reject(row, *taken.effect.refused);
      if (repeats == repeats_of_.end()) return;
      for (const Prepared* repeat : repeats->second) Reject(*repeat, *taken.effect.refused);
      return;
    }
    if (repeats != repeats_of_.end())
      answer_.accepted += static_cast<std::int32_t>(repeats->second.size());
    if (taken.effect.account_changed) {
      std::int64_t& version = versions_[state.person_id];
      version = std::max(version + 1, ids_.least_account_version);
      taken.account_version = version;
      versions_written_.push_back(
          {.person_id = state.person_id, .account_version = version, .account = state.account});
    }
    if (taken.effect.changed) {
      feed_.push_back({.number = 0,
                       .kind = row.change->kind,
                       .person_id = state.person_id,
                       .happened_on = row.change->happened_on,
                       .account_version = taken.account_version,
                       .other_person_id = 0,
                       .recorded_at = now_});
    }
    events_.push_back(taken);
  }

  void AddCount(const PersonState& state, int sign) {
    AddTo(counts_, DistrictOf(state.village_code),
          CountOf(!state.died_on.has_value(), state.account.card_state, state.account.legacy_kind),
          sign);
  }

  absl::Status Write(Transaction& tx) {
    YKT_RETURN_IF_ERROR(store_.UpdatePeople(tx, changed_, versions_));
    YKT_RETURN_IF_ERROR(store_.WriteVersions(tx, versions_written_, now_));
    YKT_RETURN_IF_ERROR(WriteEvents(tx));
    YKT_RETURN_IF_ERROR(WriteApplied(tx));
    YKT_RETURN_IF_ERROR(store_.AppendCounts(tx, counts_));
    crypto::MerkleAccumulator leaves;
    for (const Taken& taken : events_) {
      leaves.Add(crypto::LeafHash(std::to_string(taken.row->person_id) + "|" + taken.row->mac));
    }
    YKT_RETURN_IF_ERROR(
        store_.Audit(tx, caller_,
                     {.kind = "people.changed",
                      .subject = "changes/" + chunk_.source + "/" + std::to_string(chunk_.chunk),
                      .request_id = {},
                      .root = crypto::StringOf(leaves.Root()),
                      .leaves = static_cast<std::int64_t>(leaves.size()),
                      .details = {{"accepted", std::to_string(answer_.accepted)},
                                  {"applied", std::to_string(feed_.size())},
                                  {"rejected", std::to_string(answer_.rejections.size())}}}));
    return store_.AppendChanges(tx, feed_, now_);
  }

  absl::Status WriteEvents(Transaction& tx) {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, sql::kCopyPersonEvent, 11));
    std::int64_t event_no = ids_.first;
    std::string content;
    for (const Taken& taken : events_) {
      const Change& change = *taken.row->change;
      copy.Int64(taken.row->person_id);
      copy.Int64(event_no);
      copy.Time(now_);
      copy.Date(change.happened_on);
      copy.Int16(static_cast<std::int16_t>(change.kind));
      copy.Bool(taken.effect.changed);
      copy.Int64(taken.account_version);
      copy.Int64(change.kind == ChangeKind::kMove ? change.village_code : 0);
      copy.Int64(0);
      copy.Text(chunk_.source);
      if (taken.effect.changed) {
        copy.Null();
      } else {
        content.clear();
        AppendCanonical(change, content);
        copy.Bytes(store_.vault_.Seal(kEventContent, taken.row->person_id, event_no, content));
      }
      YKT_RETURN_IF_ERROR(copy.EndRow());
      ++event_no;
    }
    return copy.Finish().status();
  }

  absl::Status WriteApplied(Transaction& tx) {
    std::vector<std::string_view> indexes;
    std::vector<std::string_view> macs;
    std::vector<std::int64_t> people;
    for (const Taken& taken : events_) {
      indexes.push_back(taken.row->event_index);
      macs.push_back(taken.row->mac);
      people.push_back(taken.row->person_id);
    }
    Columns columns;
    columns.ByteStrings(indexes).ByteStrings(macs).Int64s(people);
    return tx.RunColumns(sql::kInsertAppliedEvents, columns).status();
  }

  PgPeopleStore& store_;
  const identity::Caller& caller_;
  const ChangeChunk& chunk_;
  std::vector<Prepared> prepared_;

  // Of one run of the transaction.
  std::vector<const Prepared*> to_apply_;
  std::unordered_map<std::string, std::vector<const Prepared*>> repeats_of_;
  std::map<std::int64_t, PersonState> states_;
  std::map<std::int64_t, PersonState> changed_;
  std::map<std::int64_t, std::int64_t> versions_;
  std::vector<Taken> events_;
  std::vector<NewVersion> versions_written_;
  std::vector<FeedEntry> feed_;
  CountDeltas counts_;
  IdBlock ids_;
  absl::Time now_;
  ChunkAnswer answer_;
};

absl::StatusOr<ChunkAnswer> PgPeopleStore::ApplyChanges(const identity::Caller& caller,
                                                        const ChangeChunk& chunk) {
  absl::Status status;
  for (int run = 0; run < kMaxRuns; ++run) {
    std::optional<Changing> changing;
    status = database_.Transact("apply_changes", [&](Transaction& tx) {
      changing.emplace(*this, caller, chunk);
      return changing->Run(tx);
    });
    if (status.ok()) return std::move(*changing).answer();
    if (!MayRunAgain(status)) break;
  }
  return status;
}

absl::StatusOr<FeedPage> PgPeopleStore::ListChanges(std::int64_t after, int limit) {
  FeedPage page;
  absl::Status status = database_.Read("list_changes", [&](Transaction& tx) -> absl::Status {
    page = {};
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kListChanges, after, limit));
    for (const Row row : rows) {
      page.entries.push_back({.number = row.Int64(0),
                              .kind = static_cast<ChangeKind>(row.Int(1)),
                              .person_id = row.Int64(2),
                              .happened_on = row.Date(3),
                              .account_version = row.Int64(4),
                              .other_person_id = row.Int64(5),
                              .recorded_at = row.Time(6)});
    }
    YKT_ASSIGN_OR_RETURN(const Rows head, tx.Run(sql::kReadHead));
    page.head = head[0].Int64(0);
    return absl::OkStatus();
  });
  YKT_RETURN_IF_ERROR(status);
  return page;
}

absl::StatusOr<std::map<std::int64_t, PersonState>> PgPeopleStore::ReadStates(
    Transaction& tx, const std::vector<std::int64_t>& person_ids,
    std::map<std::int64_t, std::int64_t>& versions) {
  Columns columns;
  columns.Int64s(person_ids);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kReadPeopleStates, columns));
  std::map<std::int64_t, PersonState> states;
  for (const Row row : rows) {
    PersonState state;
    const std::int64_t id = row.Int64(0);
    const std::int64_t version = row.Int64(8);
    state.person_id = id;
    state.born_on = row.Date(1);
    state.died_on = row.MaybeDate(2);
    state.residence_since = row.MaybeDate(3);
    state.card_issued_on = row.MaybeDate(4);
    state.card_state_on = row.MaybeDate(5);
    state.card_name_on = row.MaybeDate(6);
    state.village_code = row.Int64(7);
    AccountSnapshot& account = state.account;
    account.card_state = static_cast<CardState>(row.Int(9));
    account.legacy_kind = static_cast<AccountKind>(row.Int(10));
    account.card_bank_code = row.MaybeText(11).value_or("");
    account.legacy_bank_code = row.MaybeText(12).value_or("");
    YKT_ASSIGN_OR_RETURN(account.card_no, vault_.Open(kCardNo, id, version, row.MaybeBytes(13)));
    YKT_ASSIGN_OR_RETURN(account.card_account_no,
                         vault_.Open(kCardAccount, id, version, row.MaybeBytes(14)));
    YKT_ASSIGN_OR_RETURN(account.card_account_name,
                         vault_.Open(kCardAccountName, id, version, row.MaybeBytes(15)));
    YKT_ASSIGN_OR_RETURN(account.legacy_account_no,
                         vault_.Open(kLegacyAccount, id, version, row.MaybeBytes(16)));
    versions[id] = version;
    states.emplace(id, std::move(state));
  }
  return states;
}

absl::Status PgPeopleStore::WriteVersions(Transaction& tx, const std::vector<NewVersion>& versions,
                                          absl::Time at) {
  if (versions.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, sql::kCopyAccount, 13));
  const auto text = [&](const std::string& value) {
    value.empty() ? copy.Null() : copy.Text(value);
  };
  for (const NewVersion& version : versions) {
    const AccountSnapshot& account = version.account;
    const auto sealed = [&](const SealedColumn& column, const std::string& value) {
      value.empty()
          ? copy.Null()
          : copy.Bytes(vault_.Seal(column, version.person_id, version.account_version, value));
    };
    copy.Int64(version.person_id);
    copy.Int64(version.account_version);
    copy.Time(at);
    copy.Int16(static_cast<std::int16_t>(account.card_state));
    copy.Int16(static_cast<std::int16_t>(account.legacy_kind));
    text(account.card_bank_code);
    text(LastFour(account.card_account_no));
    text(account.legacy_bank_code);
    text(LastFour(account.legacy_account_no));
    sealed(kCardNo, account.card_no);
    sealed(kCardAccount, account.card_account_no);
    sealed(kCardAccountName, account.card_account_name);
    sealed(kLegacyAccount, account.legacy_account_no);
    YKT_RETURN_IF_ERROR(copy.EndRow());
  }
  YKT_ASSIGN_OR_RETURN(const std::int64_t rows, copy.Finish());
  YKT_INVARIANT(rows == static_cast<std::int64_t>(versions.size()),
                "a copy stored another number of rows");
  return absl::OkStatus();
}

absl::Status PgPeopleStore::UpdatePeople(Transaction& tx,
                                         const std::map<std::int64_t, PersonState>& states,
                                         const std::map<std::int64_t, std::int64_t>& versions) {
  using MaybeDay = std::optional<absl::CivilDay>;
  std::vector<std::int64_t> ids, villages, account_versions;
  std::vector<MaybeDay> died, residence, issued, state_on, name_on;
  std::vector<std::int16_t> card_states;
  std::vector<std::optional<std::string>> banks;
  for (const auto& [id, state] : states) {
    ids.push_back(id);
    died.push_back(state.died_on);
    residence.push_back(state.residence_since);
    issued.push_back(state.card_issued_on);
    state_on.push_back(state.card_state_on);
    name_on.push_back(state.card_name_on);
    villages.push_back(state.village_code);
    account_versions.push_back(versions.at(id));
    card_states.push_back(static_cast<std::int16_t>(state.account.card_state));
    banks.push_back(state.account.card_bank_code.empty()
                        ? std::nullopt
                        : std::optional(state.account.card_bank_code));
  }
  Columns columns;
  columns.Int64s(ids).Dates(died).Dates(residence).Dates(issued).Dates(state_on).Dates(name_on);
  columns.Int64s(villages).Int64s(account_versions).Int16s(card_states).Texts(banks);
  YKT_ASSIGN_OR_RETURN(const Rows updated, tx.RunColumns(sql::kUpdatePeople, columns));
  YKT_INVARIANT(updated.affected() == static_cast<std::int64_t>(ids.size()),
                "a locked person vanished");
  return absl::OkStatus();
}

absl::Status PgPeopleStore::AppendChanges(Transaction& tx, std::vector<FeedEntry>& entries,
                                          absl::Time at) {
  if (entries.empty()) return absl::OkStatus();
  const auto count = static_cast<std::int64_t>(entries.size());
  YKT_ASSIGN_OR_RETURN(const Rows taken, tx.Run(sql::kTakeChangeNumbers, count));
  std::int64_t number = taken[0].Int64(0) - count;
  std::vector<std::int64_t> numbers, people, versions, others;
  std::vector<std::int16_t> kinds;
  std::vector<absl::CivilDay> days;
  for (FeedEntry& entry : entries) {
    entry.number = ++number;
    numbers.push_back(entry.number);
    kinds.push_back(static_cast<std::int16_t>(entry.kind));
    people.push_back(entry.person_id);
    days.push_back(entry.happened_on);
    versions.push_back(entry.account_version);
    others.push_back(entry.other_person_id);
  }
  Columns columns;
  columns.Int64s(numbers)
      .Int16s(kinds)
      .Int64s(people)
      .Dates(days)
      .Int64s(versions)
      .Int64s(others)
      .Scalar(at);
  return tx.RunColumns(sql::kInsertChanges, columns).status();
}

}  // namespace yikatong::registry
