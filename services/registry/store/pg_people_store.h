// The registry's storage over PostgreSQL. One statement for a chunk and step; sensitive values go
// in and out through the vault. Thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/outbox/entry.h"
#include "common/postgres/database.h"
#include "services/registry/domain/life_events.h"
#include "services/registry/domain/ports.h"
#include "services/registry/store/vault.h"

namespace yikatong::registry {

// Session settings that every connection of this store must have. All statements go by keys, so the
// planner is told to: a plan made while a table was small or never analysed would otherwise scan it
// for each chunk.
std::map<std::string, std::string> SessionSettings();

// How the counts of one district move.
struct CountDelta {
  std::int64_t people = 0;
  std::int64_t living = 0;
  std::int64_t active_cards = 0;
  std::int64_t legacy_only = 0;
};
using CountDeltas = std::map<std::int32_t, CountDelta>;

class PgPeopleStore final : public PeopleStore {
 public:
  // All of them must outlive the store. `database` was opened with SessionSettings().
  PgPeopleStore(postgres::Database& database, const Vault& vault, const base::Clock& clock,
                const base::BusinessClock& business_clock, base::IdSource& ids)
      : database_(database),
        vault_(vault),
        clock_(clock),
        business_clock_(business_clock),
        ids_(ids) {}

  absl::StatusOr<ChunkAnswer> Load(const identity::Caller& caller, const LoadChunk& chunk) override;
  absl::StatusOr<ChunkAnswer> ApplyChanges(const identity::Caller& caller,
                                           const ChangeChunk& chunk) override;
  absl::StatusOr<FeedPage> ListChanges(std::int64_t after, int limit) override;
  absl::StatusOr<std::vector<ResolvedPerson>> ResolvePeople(std::span<const PersonLookup> lookups,
                                                            bool with_head) override;
  absl::StatusOr<std::vector<PayeeRecord>> ReadPayees(std::span<const PayeeRef> payees,
                                                      PayeeDetail detail) override;
  absl::Status RecordSealing(const identity::Caller& caller, std::span<const Sealing> sealings,
                             std::int64_t refused) override;
  absl::StatusOr<MaskedPerson> FindPerson(const identity::Caller& caller, std::string_view id_no,
                                          std::string_view purpose) override;
  absl::StatusOr<MaskedPerson> GetPerson(const identity::Caller& caller, std::int64_t person_id,
                                         std::string_view purpose) override;
  absl::StatusOr<HistoryPage> ListHistory(const identity::Caller& caller, std::int64_t person_id,
                                          std::string_view purpose, int page_size,
                                          std::string_view page_token) override;
  absl::StatusOr<std::vector<MaskedPerson>> GetHousehold(const identity::Caller& caller,
                                                         std::int64_t household_id,
                                                         std::string_view purpose) override;
  absl::StatusOr<MaskedPerson> Merge(const identity::Caller& caller,
                                     const MergeOrder& order) override;
  absl::StatusOr<Statistics> Count(const identity::Caller& caller, std::int32_t district) override;
  absl::Status RecordRefusal(const identity::Caller& caller, std::string_view method,
                             std::string_view reason) override;

 private:
  class Loading;   // pg_load.cc: one chunk of a load
  class Changing;  // pg_changes.cc: one chunk of changes

  // What an audit entry is about; who, when and where from are filled in.
  struct Deed {
    std::string kind;
    std::string subject;
    std::int32_t district = identity::kWholeCity;
    std::string request_id;
    std::string root;
    std::int64_t leaves = 0;
    std::map<std::string, std::string> details;
  };
  absl::Status Audit(postgres::Transaction& tx, const identity::Caller& caller, Deed deed);

  // Ids for one chunk: block + 0 … block + 4095.
  struct IdBlock {
    std::int64_t first = 0;
    std::int64_t least_account_version = 1;  // after a restore: above all that were given before
  };
  absl::StatusOr<IdBlock> TakeIds(postgres::Transaction& tx);

  absl::Status AppendCounts(postgres::Transaction& tx, const CountDeltas& deltas);
  // The states of people whose rows are locked, by person id.
  absl::StatusOr<std::map<std::int64_t, PersonState>> ReadStates(
      postgres::Transaction& tx, const std::vector<std::int64_t>& person_ids,
      std::map<std::int64_t, std::int64_t>& versions);
  struct NewVersion {
    std::int64_t person_id = 0;
    std::int64_t account_version = 0;
    AccountSnapshot account;
  };
  absl::Status WriteVersions(postgres::Transaction& tx, const std::vector<NewVersion>& versions,
                             absl::Time at);
  absl::Status UpdatePeople(postgres::Transaction& tx,
                            const std::map<std::int64_t, PersonState>& states,
                            const std::map<std::int64_t, std::int64_t>& versions);
  // Numbers the entries, last thing before the commit.
  absl::Status AppendChanges(postgres::Transaction& tx, std::vector<FeedEntry>& entries,
                             absl::Time at);

  absl::StatusOr<MaskedPerson> ReadMasked(const postgres::Row& row,
                                          std::vector<std::int64_t>& with_alias);
  absl::StatusOr<MaskedPerson> ReadOne(postgres::Transaction& tx, const identity::Caller& caller,
                                       std::int64_t person_id);
  absl::StatusOr<std::multimap<std::int64_t, std::int64_t>> ReadAliases(
      postgres::Transaction& tx, const std::vector<std::int64_t>& person_ids);
  absl::Status MergeOnce(postgres::Transaction& tx, const identity::Caller& caller,
                         const MergeOrder& order);

  postgres::Database& database_;
  const Vault& vault_;
  const base::Clock& clock_;
  const base::BusinessClock& business_clock_;
  base::IdSource& ids_;
};

// The contribution of one person to the counts.
CountDelta CountOf(bool living, CardState card_state, AccountKind legacy_kind);
void AddTo(CountDeltas& deltas, std::int32_t district, const CountDelta& delta, int sign);

// Whether a failed transaction may be run again from its start: its work is keyed, so it then finds
// what happened.
bool MayRunAgain(const absl::Status& status);
inline constexpr int kMaxRuns = 5;

// Answers as they are kept.
std::string EncodeRejections(const std::vector<Rejection>& rejections);
absl::StatusOr<std::vector<Rejection>> DecodeRejections(std::string_view text);

}  // namespace yikatong::registry
