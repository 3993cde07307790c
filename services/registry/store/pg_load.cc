// Loading people: a chunk is one transaction of about a dozen statements, whatever its rows.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

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

// One chunk of a load. The hashes are made once; everything else is made anew in each run of the
// transaction.
class PgPeopleStore::Loading {
 public:
  Loading(PgPeopleStore& store, const identity::Caller& caller, const LoadChunk& chunk)
      : store_(store),
        caller_(caller),
        chunk_(chunk),
        content_mac_(store.vault_.Hash("load_chunk", chunk.content)) {
    rows_.reserve(chunk.people.size());
    std::string content;
    for (const NewPerson& person : chunk.people) {
      content.clear();
      AppendCanonical(person, content);
      Prepared row;
      row.person = &person;
      row.id_no_index = Hash("id_no", person.id_no);
      row.mac = Hash("person", content);
      if (!person.household_no.empty())
        row.household_index = Hash("household_no", person.household_no);
      if (!person.guardian_id_no.empty()) row.guardian_index = Hash("id_no", person.guardian_id_no);
      rows_.push_back(std::move(row));
    }
  }

  absl::Status Run(Transaction& tx) {
    answer_ = {.accepted = 0, .rejections = chunk_.rejections};
    fresh_.clear();
    YKT_ASSIGN_OR_RETURN(const bool answered, ReadFirstAnswer(tx));
    if (answered) return absl::OkStatus();
    YKT_RETURN_IF_ERROR(SetRegisteredApart(tx));
    if (!fresh_.empty()) {
      YKT_ASSIGN_OR_RETURN(const IdBlock ids, store_.TakeIds(tx));
      account_version_ = ids.least_account_version;
      for (std::size_t i = 0; i < fresh_.size(); ++i) {
        fresh_[i]->person_id = ids.first + static_cast<std::int64_t>(i);
      }
      YKT_RETURN_IF_ERROR(PlaceInHouseholds(tx, ids.first));
    }
    if (!fresh_.empty()) YKT_RETURN_IF_ERROR(Store(tx));
    answer_.accepted += static_cast<std::int32_t>(fresh_.size());
    std::sort(answer_.rejections.begin(), answer_.rejections.end(),
              [](const Rejection& a, const Rejection& b) { return a.row < b.row; });
    return Finish(tx);
  }

  ChunkAnswer answer() && { return std::move(answer_); }

 private:
  struct Prepared {
    const NewPerson* person = nullptr;
    std::string id_no_index;
    std::string mac;
    std::string household_index;  // empty: none
    std::string guardian_index;   // empty: none
    std::int64_t person_id = 0;
    std::int64_t household_id = 0;
  };

  std::string Hash(std::string_view purpose, std::string_view value) const {
    return store_.vault_.Hash(purpose, value);
  }

  void Reject(const Prepared& row, Reason reason) {
    answer_.rejections.push_back({.row = row.person->row, .reason = reason, .detail = {}});
  }

  absl::StatusOr<bool> ReadFirstAnswer(Transaction& tx) {
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kFindLoadChunk, chunk_.load_id, chunk_.chunk));
    if (rows.empty()) return false;
    if (rows[0].Bytes(0) != content_mac_) return status::Refuse(Reason::kRequestIdReused);
    answer_.accepted = rows[0].Int(1);
    YKT_ASSIGN_OR_RETURN(answer_.rejections, DecodeRejections(rows[0].Text(2)));
    return true;
  }

  // Leaves in fresh_ who is not registered yet.
  absl::Status SetRegisteredApart(Transaction& tx) {
    if (rows_.empty()) return absl::OkStatus();
    std::vector<std::string_view> indexes;
    indexes.reserve(rows_.size());
    for (const Prepared& row : rows_) indexes.push_back(row.id_no_index);
    Columns columns;
    columns.ByteStrings(indexes);
    YKT_ASSIGN_OR_RETURN(const Rows found, tx.RunColumns(sql::kFindRegistered, columns));
    std::vector<bool> registered(rows_.size(), false);
    for (const Row row : found) {
      const auto i = static_cast<std::size_t>(row.Int64(0) - 1);
      registered[i] = true;
      if (row.Bytes(2) == rows_[i].mac) {
        ++answer_.accepted;
      } else {
        Reject(rows_[i], Reason::kPersonExists);
      }
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!registered[i]) fresh_.push_back(&rows_[i]);
    }
    return absl::OkStatus();
  }

  // Makes households, and sets apart who would be a second head.
  absl::Status PlaceInHouseholds(Transaction& tx, std::int64_t first_id) {
    std::map<std::string_view, std::int64_t> heads;  // by index, 0: nobody in this chunk
    std::vector<Prepared*> kept;
    kept.reserve(fresh_.size());
    for (Prepared* row : fresh_) {
      if (!row->household_index.empty()) {
        std::int64_t& head = heads[row->household_index];
        if (row->person->household_role == HouseholdRole::kHead) {
          if (head != 0) {
            Reject(*row, Reason::kHouseholdHeadExists);
            continue;
          }
          head = row->person_id;
        }
      }
      kept.push_back(row);
    }
    fresh_ = std::move(kept);
    if (heads.empty()) return absl::OkStatus();

    std::vector<std::string_view> indexes;
    std::vector<std::int64_t> ids;
    std::vector<std::optional<std::int64_t>> head_ids;
    for (const auto& [index, head] : heads) {
      indexes.push_back(index);
      ids.push_back(first_id + static_cast<std::int64_t>(ids.size()));
      head_ids.push_back(head == 0 ? std::nullopt : std::optional(head));
    }
    Columns upsert;
    upsert.ByteStrings(indexes).Int64s(ids).Int64s(head_ids);
    YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kUpsertHouseholds, upsert).status());
    Columns find;
    find.ByteStrings(indexes);
    YKT_ASSIGN_OR_RETURN(const Rows found, tx.RunColumns(sql::kFindHouseholds, find));
    YKT_INVARIANT(found.size() == static_cast<std::int64_t>(indexes.size()),
                  "a household vanished");
    std::unordered_map<std::string_view, std::pair<std::int64_t, std::int64_t>> households;
    for (const Row row : found) {
      households[indexes[static_cast<std::size_t>(row.Int64(0) - 1)]] = {
          row.Int64(1), row.MaybeInt64(2).value_or(0)};
    }
    std::erase_if(fresh_, [&](Prepared* row) {
      if (row->household_index.empty()) return false;
      const auto& [household_id, head] = households.at(row->household_index);
      row->household_id = household_id;
      if (row->person->household_role != HouseholdRole::kHead || head == row->person_id)
        return false;
      Reject(*row, Reason::kHouseholdHeadExists);
      return true;
    });
    return absl::OkStatus();
  }

  absl::Status Store(Transaction& tx) {
    std::vector<std::string_view> indexes;
    std::vector<std::int64_t> ids;
    indexes.reserve(fresh_.size());
    ids.reserve(fresh_.size());
    for (const Prepared* row : fresh_) {
      indexes.push_back(row->id_no_index);
      ids.push_back(row->person_id);
    }
    Columns keys;
    keys.ByteStrings(indexes).Int64s(ids);
    YKT_ASSIGN_OR_RETURN(const Rows inserted, tx.RunColumns(sql::kInsertPersonKeys, keys));
    if (inserted.affected() != static_cast<std::int64_t>(fresh_.size())) {
      return status::Refuse(Reason::kConcurrentChange, "another load registers the same people");
    }
    now_ = store_.clock_.Now();
    YKT_RETURN_IF_ERROR(CopyPeople(tx));
    YKT_RETURN_IF_ERROR(CopyAccounts(tx));
    YKT_RETURN_IF_ERROR(CopyEvents(tx));
    CountDeltas counts;
    for (const Prepared* row : fresh_) {
      const NewPerson& person = *row->person;
      AddTo(counts, DistrictOf(person.village_code),
            CountOf(!person.died_on.has_value(), person.account.card_state,
                    person.account.legacy_kind),
            1);
    }
    return store_.AppendCounts(tx, counts);
  }

  static void Optional(BinaryCopy& copy, const std::string& text) {
    text.empty() ? copy.Null() : copy.Text(text);
  }

  void Sealed(BinaryCopy& copy, const SealedColumn& column, std::int64_t person_id,
              std::int64_t second_key, const std::string& value) const {
    value.empty() ? copy.Null()
                  : copy.Bytes(store_.vault_.Seal(column, person_id, second_key, value));
  }

  absl::Status CopyPeople(Transaction& tx) {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, sql::kCopyPerson, 19));
    for (const Prepared* row : fresh_) {
      const NewPerson& person = *row->person;
      const std::int64_t id = row->person_id;
      copy.Int64(id);
      copy.Date(person.born_on);
      person.died_on.has_value() ? copy.Date(*person.died_on) : copy.Null();
      copy.Int64(person.village_code);
      row->household_id != 0 ? copy.Int64(row->household_id) : copy.Null();
      copy.Int64(account_version_);
      copy.Time(now_);
      copy.Int32(DistrictOf(person.village_code));
      copy.Int16(static_cast<std::int16_t>(person.sex));
      copy.Int16(static_cast<std::int16_t>(person.household_role));
      copy.Int16(static_cast<std::int16_t>(person.account.card_state));
      copy.Int16(static_cast<std::int16_t>(person.account.legacy_kind));
      Optional(copy, person.account.card_bank_code);
      Optional(copy, person.account.legacy_bank_code);
      Sealed(copy, kPersonIdNo, id, 0, person.id_no);
      Sealed(copy, kPersonName, id, 0, person.name);
      Sealed(copy, kPersonPhone, id, 0, person.phone);
      row->guardian_index.empty() ? copy.Null() : copy.Bytes(row->guardian_index);
      copy.Bytes(row->mac);
      YKT_RETURN_IF_ERROR(copy.EndRow());
    }
    return Done(copy);
  }

  absl::Status CopyAccounts(Transaction& tx) {
    std::vector<NewVersion> versions;
    versions.reserve(fresh_.size());
    for (const Prepared* row : fresh_) {
      versions.push_back({.person_id = row->person_id,
                          .account_version = account_version_,
                          .account = row->person->account});
    }
    return store_.WriteVersions(tx, versions, now_);
  }

  absl::Status CopyEvents(Transaction& tx) {
    const std::string source = "load:" + chunk_.load_id;
    const absl::CivilDay today = store_.business_clock_.Today();
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, sql::kCopyPersonEvent, 11));
    for (const Prepared* row : fresh_) {
      copy.Int64(row->person_id);
      copy.Int64(row->person_id);  // unique beside every later event, and lower
      copy.Time(now_);
      copy.Date(today);
      copy.Int16(0);
      copy.Bool(true);
      copy.Int64(account_version_);
      copy.Int64(row->person->village_code);
      copy.Int64(0);
      copy.Text(source);
      copy.Null();
      YKT_RETURN_IF_ERROR(copy.EndRow());
    }
    return Done(copy);
  }

  absl::Status Done(BinaryCopy& copy) const {
    YKT_ASSIGN_OR_RETURN(const std::int64_t rows, copy.Finish());
    YKT_INVARIANT(rows == static_cast<std::int64_t>(fresh_.size()),
                  "a copy stored another number of rows");
    return absl::OkStatus();
  }

  absl::Status Finish(Transaction& tx) {
    YKT_RETURN_IF_ERROR(tx.Run(sql::kInsertLoadChunk, chunk_.load_id, chunk_.chunk,
                               postgres::Bytes{content_mac_}, store_.clock_.Now(), answer_.accepted,
                               EncodeRejections(answer_.rejections))
                            .status());
    crypto::MerkleAccumulator leaves;
    for (const Prepared* row : fresh_) {
      leaves.Add(crypto::LeafHash(std::to_string(row->person_id) + "|" + row->mac));
    }
    return store_.Audit(
        tx, caller_,
        {.kind = "people.loaded",
         .subject = "loads/" + chunk_.load_id + "/" + std::to_string(chunk_.chunk),
         .request_id = chunk_.load_id,
         .root = leaves.size() == 0 ? std::string() : crypto::StringOf(leaves.Root()),
         .leaves = static_cast<std::int64_t>(leaves.size()),
         .details = {{"accepted", std::to_string(answer_.accepted)},
                     {"registered", std::to_string(fresh_.size())},
                     {"rejected", std::to_string(answer_.rejections.size())}}});
  }

  PgPeopleStore& store_;
  const identity::Caller& caller_;
  const LoadChunk& chunk_;
  const std::string content_mac_;
  std::vector<Prepared> rows_;
  std::vector<Prepared*> fresh_;  // those to be registered by this run
  std::int64_t account_version_ = 1;
  absl::Time now_;
  ChunkAnswer answer_;
};

absl::StatusOr<ChunkAnswer> PgPeopleStore::Load(const identity::Caller& caller,
                                                const LoadChunk& chunk) {
  Loading loading(*this, caller, chunk);
  absl::Status status;
  for (int run = 0; run < kMaxRuns; ++run) {
    status = database_.Transact("load_people", [&](Transaction& tx) { return loading.Run(tx); });
    if (status.ok()) return std::move(loading).answer();
    if (!MayRunAgain(status)) break;
  }
  return status;
}

}  // namespace yikatong::registry
