// The registry over a real PostgreSQL, with keys and clocks of its own, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/random.h"
#include "common/crypto/x25519.h"
#include "common/identity/caller.h"
#include "common/postgres/testing/pg_fixture.h"
#include "services/registry/domain/registry.h"
#include "services/registry/store/pg_people_store.h"
#include "services/registry/testing/people.h"

namespace yikatong::registry::testing {

// Callers that tests speak as.
identity::Caller CardOffice();
identity::Caller Dispatch();
identity::Caller Officer(std::int32_t district);  // 120000: of the whole city

// One empty registry.
struct TestRegistry {
  explicit TestRegistry(postgres::PgFixture& server);

  // Loads and expects no rejection.
  void MustLoad(const std::vector<PersonInput>& people, const std::string& load_id = "load-1");
  // Resolves one ID number under the right name.
  ResolvedPerson Resolve(const PersonInput& person);
  std::int64_t IdOf(const PersonInput& person) { return Resolve(person).person_id; }
  // Applies changes of `card_office`.
  ChunkAnswer MustApply(const std::vector<ChangeInput>& changes);

  base::ManualClock clock{absl::FromUnixSeconds(1'795'000'000)};
  base::ManualBusinessClock business_clock{absl::CivilDay(2026, 11, 23)};
  base::SequentialIdSource ids{7};
  crypto::SystemRandom random;
  crypto::Ed25519PrivateKey signer = crypto::Ed25519PrivateKey::Generate(random);
  crypto::X25519PrivateKey gateway = crypto::X25519PrivateKey::Generate(random);
  Vault vault;
  std::unique_ptr<postgres::TestDatabase> pg;
  std::unique_ptr<postgres::Database> database;
  PgPeopleStore store;
  Registry registry;
};

// A change of that kind for a person.
ChangeInput MakeChange(ChangeKind kind, const PersonInput& person, const std::string& event_id,
                       const std::string& happened_on, std::int64_t row = 1);
// The n-th card takes the place of the present one.
ChangeInput MakeReplacement(const PersonInput& person, std::int64_t n, const std::string& event_id,
                            const std::string& happened_on, std::int64_t row = 1);

}  // namespace yikatong::registry::testing
