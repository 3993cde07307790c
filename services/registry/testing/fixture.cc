#include "services/registry/testing/fixture.h"

#include <gtest/gtest.h>

#include <utility>

#include "common/crypto/keys.h"

namespace yikatong::registry::testing {
namespace {

Vault MakeVault(crypto::RandomSource& random) {
  crypto::KeyRing ring;
  ring.keys.emplace(1, crypto::Secret(random.Bytes(32)));
  auto cipher = crypto::ColumnCipher::Make(ring, random);
  EXPECT_TRUE(cipher.ok()) << cipher.status();
  return Vault(*std::move(cipher), crypto::BlindIndex(crypto::Secret(random.Bytes(32))));
}

std::unique_ptr<postgres::Database> Open(const postgres::TestDatabase& pg) {
  postgres::DatabaseOptions options;
  options.settings = SessionSettings();
  return pg.Open(options);
}

}  // namespace

identity::Caller CardOffice() {
  identity::Caller caller;
  caller.organisation = "card.120000";
  caller.person = "p-card";
  caller.roles = {identity::Role::kCardOffice};
  caller.fields = {"*"};
  caller.districts = {identity::kWholeCity};
  return caller;
}

identity::Caller Dispatch() {
  identity::Caller caller;
  caller.service = "dispatch";
  return caller;
}

identity::Caller Officer(std::int32_t district) {
  identity::Caller caller = CardOffice();
  caller.organisation = "civil.120115";
  caller.person = "p-officer";
  caller.roles = {identity::Role::kDepartmentOperator};
  caller.districts = {district};
  return caller;
}

TestRegistry::TestRegistry(postgres::PgFixture& server)
    : vault(MakeVault(random)),
      pg(server.FreshDatabase()),
      database(Open(*pg)),
      store(*database, vault, clock, business_clock, ids),
      registry(store, {.signer = signer, .gateway = gateway.PublicKey()}, random, business_clock) {}

void TestRegistry::MustLoad(const std::vector<PersonInput>& people, const std::string& load_id) {
  const auto answer = registry.Load(CardOffice(), load_id, 1, people);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->accepted, static_cast<std::int32_t>(people.size()));
}

ResolvedPerson TestRegistry::Resolve(const PersonInput& person) {
  const auto people = registry.ResolvePeople({{.id_no = person.id_no, .name = person.name}}, true);
  EXPECT_TRUE(people.ok()) << people.status();
  return people.ok() ? people->front() : ResolvedPerson{};
}

ChunkAnswer TestRegistry::MustApply(const std::vector<ChangeInput>& changes) {
  const auto answer = registry.ApplyChanges(CardOffice(), "card_office", 1, changes);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() ? *answer : ChunkAnswer{};
}

ChangeInput MakeChange(ChangeKind kind, const PersonInput& person, const std::string& event_id,
                       const std::string& happened_on, std::int64_t row) {
  ChangeInput change;
  change.row = row;
  change.event_id = event_id;
  change.kind = static_cast<int>(kind);
  change.id_no = person.id_no;
  change.happened_on = happened_on;
  return change;
}

ChangeInput MakeReplacement(const PersonInput& person, std::int64_t n, const std::string& event_id,
                            const std::string& happened_on, std::int64_t row) {
  ChangeInput change = MakeChange(ChangeKind::kCardReplaced, person, event_id, happened_on, row);
  change.card_no = SocialCard(n);
  change.bank_code = kOtherBank;
  change.account_no = BankCard(n);
  return change;
}

}  // namespace yikatong::registry::testing
