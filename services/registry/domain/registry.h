// The registry's use cases: every call of the contract in plain values. Rules are here, in rows.h,
// life_events.h and account_choice.h; keys, locks and sets are in the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/random.h"
#include "common/crypto/x25519.h"
#include "common/identity/caller.h"
#include "services/registry/domain/ports.h"
#include "services/registry/domain/types.h"

namespace yikatong::registry {

// The most that one call may carry.
inline constexpr std::size_t kMaxLoadRows = 2'000;
inline constexpr std::size_t kMaxChangeRows = 2'000;
inline constexpr std::size_t kMaxLookups = 4'000;
inline constexpr std::size_t kMaxPayees = 2'000;
inline constexpr std::size_t kMaxSealGroups = 100;
inline constexpr int kMaxFeedPage = 5'000;
inline constexpr int kDefaultFeedPage = 1'000;
inline constexpr int kMaxHistoryPage = 1'000;
inline constexpr int kDefaultHistoryPage = 100;
inline constexpr int kMaxGraceMonths = 120;

// With what accounts are sealed: signed by us, to be opened by the gateway alone.
struct SealingKeys {
  crypto::Ed25519PrivateKey signer;
  crypto::X25519PublicKey gateway;
};

struct SealedAnswer {
  std::vector<ResolvedAccount> accounts;   // in the order of the payees
  std::vector<std::string> sealed_chunks;  // canonical bytes for each group; empty for an empty one
};

// Thread safe. What it is given must outlive it.
class Registry {
 public:
  Registry(PeopleStore& store, SealingKeys keys, crypto::RandomSource& random,
           const base::BusinessClock& business_clock)
      : store_(store), keys_(std::move(keys)), random_(random), business_clock_(business_clock) {}

  // Errors: FIELD_INVALID, CHUNK_TOO_LARGE, REQUEST_ID_REUSED; a bad row is a rejection, not an
  // error.
  absl::StatusOr<ChunkAnswer> Load(const identity::Caller& caller, std::string_view load_id,
                                   std::int32_t chunk, const std::vector<PersonInput>& rows);
  absl::StatusOr<ChunkAnswer> ApplyChanges(const identity::Caller& caller, std::string_view source,
                                           std::int32_t chunk,
                                           const std::vector<ChangeInput>& rows);
  absl::StatusOr<FeedPage> ListChanges(std::int64_t after, int page_size);

  absl::StatusOr<std::vector<ResolvedPerson>> ResolvePeople(std::vector<PersonLookup> lookups,
                                                            bool with_head);
  absl::StatusOr<std::vector<ResolvedAccount>> ResolveAccounts(const std::vector<PayeeRef>& payees,
                                                               const PayRule& rule);
  // Chooses and seals from one snapshot, so that nothing can change in between.
  absl::StatusOr<SealedAnswer> SealAccounts(const identity::Caller& caller,
                                            const std::vector<SealGroup>& groups,
                                            const std::vector<PayeeRef>& payees,
                                            const PayRule& rule);

  absl::StatusOr<MaskedPerson> FindPerson(const identity::Caller& caller, std::string_view id_no,
                                          std::string_view purpose);
  absl::StatusOr<MaskedPerson> GetPerson(const identity::Caller& caller, std::int64_t person_id,
                                         std::string_view purpose);
  absl::StatusOr<HistoryPage> ListHistory(const identity::Caller& caller, std::int64_t person_id,
                                          std::string_view purpose, int page_size,
                                          std::string_view page_token);
  absl::StatusOr<std::vector<MaskedPerson>> GetHousehold(const identity::Caller& caller,
                                                         std::int64_t household_id,
                                                         std::string_view purpose);
  absl::StatusOr<MaskedPerson> MergePeople(const identity::Caller& caller, const MergeOrder& order);
  absl::StatusOr<Statistics> Count(const identity::Caller& caller, std::int32_t district);

 private:
  PeopleStore& store_;
  const SealingKeys keys_;
  crypto::RandomSource& random_;
  const base::BusinessClock& business_clock_;
};

}  // namespace yikatong::registry
