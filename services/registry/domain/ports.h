// What the registry's rules ask of its storage. The one implementation is store/pg_people_store.h;
// tests of the rules over it run on a real PostgreSQL.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"
#include "common/identity/caller.h"
#include "services/registry/domain/types.h"

namespace yikatong::registry {

// A chunk of a load, checked row by row. `content` are the canonical bytes of all rows as they
// came.
struct LoadChunk {
  std::string load_id;
  std::int32_t chunk = 0;
  std::string content;
  std::vector<NewPerson> people;
  std::vector<Rejection> rejections;
};

struct ChangeChunk {
  std::string source;
  std::int32_t chunk = 0;
  std::vector<Change> changes;
  std::vector<Rejection> rejections;
};

struct MergeOrder {
  std::string request_id;
  std::int64_t kept_person_id = 0;
  std::int64_t merged_person_id = 0;
  std::string reason;
};

// How much ReadPayees reads of each payee.
enum class PayeeDetail { kChoice, kAccount, kAccountAndIdentity };

// Each method is one transaction, done or not done, and writes the audit entry of what it did in
// the same one. All are thread safe. Errors are those of common/postgres besides the ones named.
class PeopleStore {
 public:
  virtual ~PeopleStore() = default;

  // Stores the people of a chunk; adds PERSON_EXISTS and HOUSEHOLD_HEAD_EXISTS to its rejections. A
  // chunk that was loaded before with the same content gets its first answer, with other content
  // REQUEST_ID_REUSED.
  virtual absl::StatusOr<ChunkAnswer> Load(const identity::Caller& caller,
                                           const LoadChunk& chunk) = 0;

  // Applies changes, each event once; adds PERSON_UNKNOWN, CARD_UNKNOWN, CHANGE_INVALID,
  // CHANGE_ID_REUSED.
  virtual absl::StatusOr<ChunkAnswer> ApplyChanges(const identity::Caller& caller,
                                                   const ChangeChunk& chunk) = 0;

  virtual absl::StatusOr<FeedPage> ListChanges(std::int64_t after, int limit) = 0;

  // One answer for each look-up. `id_no` empty: unknown. Names must be normalised.
  virtual absl::StatusOr<std::vector<ResolvedPerson>> ResolvePeople(
      std::span<const PersonLookup> lookups, bool with_head) = 0;

  // One record for each payee.
  virtual absl::StatusOr<std::vector<PayeeRecord>> ReadPayees(std::span<const PayeeRef> payees,
                                                              PayeeDetail detail) = 0;

  // Records what was sealed, an entry for each of `sealings`, and how many of the chunk's accounts
  // were not.
  virtual absl::Status RecordSealing(const identity::Caller& caller,
                                     std::span<const Sealing> sealings, std::int64_t refused) = 0;

  // PERSON_UNKNOWN for who does not exist or lives outside the caller's districts. The purpose is
  // recorded.
  virtual absl::StatusOr<MaskedPerson> FindPerson(const identity::Caller& caller,
                                                  std::string_view id_no,
                                                  std::string_view purpose) = 0;
  virtual absl::StatusOr<MaskedPerson> GetPerson(const identity::Caller& caller,
                                                 std::int64_t person_id,
                                                 std::string_view purpose) = 0;
  // The newest first. FIELD_INVALID for a token that no page gave.
  virtual absl::StatusOr<HistoryPage> ListHistory(const identity::Caller& caller,
                                                  std::int64_t person_id, std::string_view purpose,
                                                  int page_size, std::string_view page_token) = 0;
  // Members that live in the caller's districts, the head first. NOT_FOUND where there is none.
  virtual absl::StatusOr<std::vector<MaskedPerson>> GetHousehold(const identity::Caller& caller,
                                                                 std::int64_t household_id,
                                                                 std::string_view purpose) = 0;

  // PERSON_UNKNOWN, MERGE_INVALID, REQUEST_ID_REUSED. The same request again gets the person as
  // they are now.
  virtual absl::StatusOr<MaskedPerson> Merge(const identity::Caller& caller,
                                             const MergeOrder& order) = 0;

  // Counts within the caller's districts; 0: all of these.
  virtual absl::StatusOr<Statistics> Count(const identity::Caller& caller,
                                           std::int32_t district) = 0;

  // An entry for a refusal of a known caller.
  virtual absl::Status RecordRefusal(const identity::Caller& caller, std::string_view method,
                                     std::string_view reason) = 0;
};

}  // namespace yikatong::registry
