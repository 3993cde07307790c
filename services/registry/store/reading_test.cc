// What is read, sealed and merged over a real PostgreSQL, and what must not stand in its tables.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "common/crypto/sealed_chunk.h"
#include "common/status/status.h"
#include "services/registry/testing/store_test_base.h"

namespace yikatong::registry::testing {
namespace {

using status::Reason;

// The one group of a chunk that takes the accounts of every bank.
SealGroup Everybody(const std::string& chunk_id, bool with_identity = false) {
  return {.chunk_id = chunk_id, .other_banks = true, .with_identity = with_identity};
}

TEST_F(StoreTest, EachAccountGoesIntoTheGroupThatTakesItsBank) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  people[1].card_bank_code = kOtherBank;
  r_->MustLoad(people);
  std::vector<PayeeRef> payees;
  payees.reserve(people.size());
  for (int i = 0; i < 4; ++i)
    payees.push_back(Payee(people[static_cast<std::size_t>(i)], 10 + i, 0));
  r_->MustApply({MakeChange(ChangeKind::kCardLost, people[3], "e1", "2026-10-01", 1)});
  const PayRule rule{.card_required = true,
                     .period_first_day = absl::CivilDay(2026, 11, 1),
                     .death_grace_months = 0};
  const SealGroup own{.chunk_id = "own", .bank_codes = {kBank}, .with_identity = true};
  const SealGroup other{.chunk_id = "other", .bank_codes = {kOtherBank}};
  const auto sealed = r_->registry.SealAccounts(Dispatch(), {other, own}, payees, rule);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->accounts[0].group, 1u);
  EXPECT_EQ(sealed->accounts[0].account_version, 1) << "none was asked for, the present one it is";
  EXPECT_EQ(sealed->accounts[1].group, 0u);
  EXPECT_EQ(sealed->accounts[2].group, 1u);
  EXPECT_EQ(sealed->accounts[3].group, std::nullopt);
  EXPECT_EQ(sealed->accounts[3].reason, Reason::kCardLost);
  const auto open = [&](std::size_t group) {
    const auto chunk = crypto::DecodeSealedChunk(sealed->sealed_chunks[group]);
    EXPECT_EQ(chunk->context, group == 0 ? "other" : "own");
    return *crypto::OpenChunk(*chunk, r_->gateway, {r_->signer.PublicKey()});
  };
  ASSERT_EQ(open(0).size(), 1u);
  EXPECT_EQ(open(0)[0].account_number, people[1].card_account_no);
  EXPECT_EQ(open(0)[0].id_number, "") << "only the group whose agreement needs it gets it";
  ASSERT_EQ(open(1).size(), 2u);
  EXPECT_EQ(open(1)[0].id_number, people[0].id_no);

  const auto uncovered = r_->registry.SealAccounts(Dispatch(), {other}, {payees[0]}, rule);
  ASSERT_TRUE(uncovered.ok()) << uncovered.status();
  EXPECT_EQ(uncovered->accounts[0].reason, Reason::kBankNotCovered);
  EXPECT_EQ(uncovered->sealed_chunks[0], "");
  EXPECT_EQ(r_->registry.SealAccounts(Dispatch(), {other, Everybody("rest")}, {payees[0]}, rule)
                ->accounts[0]
                .group,
            1u);

  for (const auto& wrong :
       std::vector<std::vector<SealGroup>>{{},
                                           {own, {.chunk_id = "own"}},
                                           {own, {.chunk_id = "twice", .bank_codes = {kBank}}},
                                           {Everybody("a"), Everybody("b")},
                                           {{.chunk_id = "not plain\n"}},
                                           std::vector<SealGroup>(kMaxSealGroups + 1)}) {
    EXPECT_EQ(
        status::ReasonOf(r_->registry.SealAccounts(Dispatch(), wrong, {payees[0]}, rule).status()),
        Reason::kFieldInvalid);
  }
}

TEST_F(StoreTest, SealedAccountsOpenWithTheGatewaysKeyAndOnlyThoseThatAreSure) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  people[0].card_account_name = "CE YI YI";
  people[3].card_no = people[3].card_bank_code = people[3].card_account_no = "";
  people[3].card_state = 0;
  people[3].legacy_bank_code = kOtherBank;
  people[3].legacy_account_no = "1234567890123";
  people[3].legacy_kind = static_cast<int>(AccountKind::kPassbook);
  r_->MustLoad(people);
  std::vector<PayeeRef> payees;
  payees.reserve(people.size());
  for (int i = 0; i < 4; ++i)
    payees.push_back(Payee(people[static_cast<std::size_t>(i)], 10 + i, 1));
  r_->MustApply({MakeReplacement(people[1], 100, "e1", "2026-10-01", 1),
                 MakeChange(ChangeKind::kCardCancelled, people[2], "e2", "2026-10-01", 2)});
  const PayRule rule{.card_required = false,
                     .period_first_day = absl::CivilDay(2026, 11, 1),
                     .death_grace_months = 0};
  const auto sealed =
      r_->registry.SealAccounts(Dispatch(), {Everybody("chunk-1", true)}, payees, rule);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  ASSERT_EQ(sealed->accounts.size(), 4u);
  EXPECT_EQ(sealed->accounts[0].reason, std::nullopt);
  EXPECT_EQ(sealed->accounts[1].reason, Reason::kAccountChanged);
  EXPECT_EQ(sealed->accounts[1].bank_code, kOtherBank);
  EXPECT_EQ(sealed->accounts[1].account_version, 2);
  EXPECT_EQ(sealed->accounts[2].reason, Reason::kCardCancelled);
  EXPECT_EQ(sealed->accounts[3].reason, std::nullopt);
  EXPECT_EQ(sealed->accounts[3].kind, AccountKind::kPassbook);

  const auto chunk = crypto::DecodeSealedChunk(sealed->sealed_chunks[0]);
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->context, "chunk-1");
  ASSERT_EQ(chunk->rows.size(), 2u);
  EXPECT_EQ(chunk->rows[0].clear.item_id, 10);
  EXPECT_EQ(chunk->rows[0].clear.person_id, std::to_string(payees[0].payee_person_id));
  const auto opened = crypto::OpenChunk(*chunk, r_->gateway, {r_->signer.PublicKey()});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)[0].account_number, people[0].card_account_no);
  EXPECT_EQ((*opened)[0].account_name, "CE YI YI");
  EXPECT_EQ((*opened)[0].last_four, people[0].card_account_no.substr(15));
  EXPECT_EQ((*opened)[0].id_number, people[0].id_no);
  EXPECT_EQ((*opened)[0].phone, people[0].phone);
  EXPECT_EQ((*opened)[1].account_number, "1234567890123");
  EXPECT_EQ((*opened)[1].account_name, people[3].name);
  EXPECT_FALSE(crypto::OpenChunk(*chunk, crypto::X25519PrivateKey::Generate(r_->random),
                                 {r_->signer.PublicKey()})
                   .ok());

  const auto without =
      r_->registry.SealAccounts(Dispatch(), {Everybody("chunk-1")}, {payees[0]}, rule);
  ASSERT_TRUE(without.ok());
  const auto plain = crypto::OpenChunk(*crypto::DecodeSealedChunk(without->sealed_chunks[0]),
                                       r_->gateway, {r_->signer.PublicKey()});
  EXPECT_EQ((*plain)[0].id_number, "");
  EXPECT_EQ((*plain)[0].phone, "");
}

TEST_F(StoreTest, ALostCardIsNotSilentlyReplacedByAnOlderAccount) {
  PersonInput person = MakePerson(1, 1);
  person.legacy_bank_code = kOtherBank;
  person.legacy_account_no = BankCard(500);
  person.legacy_kind = static_cast<int>(AccountKind::kLegacyCard);
  r_->MustLoad({person});
  const PayeeRef payee = Payee(person, 1, ResolveAccount(person).account_version);
  r_->MustApply({MakeChange(ChangeKind::kCardLost, person, "e1", "2026-10-01")});
  const auto sealed = r_->registry.SealAccounts(Dispatch(), {Everybody("c")}, {payee},
                                                {.card_required = false,
                                                 .period_first_day = absl::CivilDay(2026, 11, 1),
                                                 .death_grace_months = 0});
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->accounts[0].reason, Reason::kAccountChanged);
  EXPECT_EQ(sealed->accounts[0].bank_code, kOtherBank);
}

TEST_F(StoreTest, NothingInTheDatabaseShowsANumberAPhoneOrAName) {
  std::vector<PersonInput> people = MakePeople(0, 40);
  people[0].legacy_bank_code = kOtherBank;
  people[0].legacy_account_no = BankCard(500);
  people[0].legacy_kind = static_cast<int>(AccountKind::kLegacyCard);
  people[1].guardian_id_no = people[0].id_no;
  r_->MustLoad(people);
  r_->MustApply({MakeReplacement(people[2], 100, "event of " + people[2].id_no, "2026-10-05", 1),
                 MakeReplacement(people[2], 101, "e2", "2026-09-05", 2)});
  ASSERT_TRUE(
      r_->registry.FindPerson(CardOffice(), people[3].id_no, "asked for " + people[3].id_no).ok());
  std::string dump;
  for (const char* table :
       {"numbering", "person_key", "household", "person", "account", "person_event", "load_chunk",
        "applied_event", "change", "merge_request", "count_delta", "outbox"}) {
    // Every row as text, and its bytes read as text, so that a bytea hides nothing.
    const std::string rows =
        Sql(std::string("SELECT string_agg(t::text, ' ') FROM ") + table + " t");
    EXPECT_TRUE(!rows.empty() || std::string(table) == "merge_request") << table;
    dump += rows;
  }
  const auto shows = [&](const std::string& secret) {
    std::string hex;
    for (const unsigned char c : secret) {
      constexpr char kDigits[] = "0123456789abcdef";
      hex += {kDigits[c >> 4], kDigits[c & 15]};
    }
    return dump.find(secret) != std::string::npos || dump.find(hex) != std::string::npos;
  };
  EXPECT_TRUE(shows("people.loaded")) << "the audit entries must be part of what is searched";
  for (const PersonInput& person : people) {
    EXPECT_FALSE(shows(person.id_no));
    EXPECT_FALSE(shows(person.id_no.substr(6, 8) + person.id_no.substr(14, 3)));
    EXPECT_FALSE(shows(person.name));
    EXPECT_FALSE(shows(person.phone));
    EXPECT_FALSE(shows(person.card_no));
    EXPECT_FALSE(shows(person.card_account_no));
    EXPECT_FALSE(shows(person.household_no));
  }
  for (const std::int64_t n : {100, 101, 500}) {
    EXPECT_FALSE(shows(BankCard(n)));
    EXPECT_FALSE(shows(SocialCard(n)));
  }
}

TEST_F(StoreTest, AValueThatWasMovedToAnotherRowStopsTheRequest) {
  const std::vector<PersonInput> people = MakePeople(0, 4);
  r_->MustLoad(people);
  std::vector<PayeeRef> payees{Payee(people[0], 1, 1), Payee(people[1], 2, 1)};
  Sql("UPDATE account SET card_account_cipher = (SELECT card_account_cipher FROM account WHERE "
      "person_id = " +
      std::to_string(payees[1].payee_person_id) +
      ") WHERE person_id = " + std::to_string(payees[0].payee_person_id));
  const auto sealed = r_->registry.SealAccounts(Dispatch(), {Everybody("c")}, payees,
                                                {.card_required = false,
                                                 .period_first_day = absl::CivilDay(2026, 11, 1),
                                                 .death_grace_months = 0});
  EXPECT_EQ(status::ReasonOf(sealed.status()), Reason::kInvariantBroken);
}

TEST_F(StoreTest, WhoLivesInAnotherDistrictDoesNotExist) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  const std::int64_t id = r_->IdOf(person);
  const auto found = r_->registry.FindPerson(Officer(120115), person.id_no, "case 7");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->person_id, id);
  EXPECT_EQ(found->masked_id_no, "1201**********" + person.id_no.substr(14));
  EXPECT_EQ(found->masked_name, "测**");
  EXPECT_EQ(found->account_last4, person.card_account_no.substr(15));
  for (const absl::Status& status :
       {r_->registry.FindPerson(Officer(120105), person.id_no, "case 7").status(),
        r_->registry.GetPerson(Officer(120105), id, "case 7").status(),
        r_->registry.ListHistory(Officer(120105), id, "case 7", 0, "").status()}) {
    EXPECT_EQ(status::ReasonOf(status), Reason::kPersonUnknown);
  }
  ChangeInput move = MakeChange(ChangeKind::kMove, person, "m", "2026-10-01");
  move.village_code = kOtherVillage;
  r_->MustApply({move});
  EXPECT_TRUE(r_->registry.GetPerson(Officer(120105), id, "case 7").ok());
  EXPECT_FALSE(r_->registry.GetPerson(Officer(120115), id, "case 7").ok());
}

TEST_F(StoreTest, ALookUpNeedsAPurposeAndIsRecordedWithoutNumbers) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  EXPECT_EQ(status::ReasonOf(r_->registry.FindPerson(CardOffice(), person.id_no, "").status()),
            Reason::kPurposeMissing);
  ASSERT_TRUE(
      r_->registry.FindPerson(CardOffice(), person.id_no, "complaint of " + person.id_no).ok());
  const std::string entry =
      Sql("SELECT convert_from(body, 'UTF8') FROM outbox WHERE body::text LIKE '%' || "
          "substr(encode('person.found', 'hex'), 1) || '%'");
  EXPECT_NE(entry.find("detail.purpose: complaint of [redacted]"), std::string::npos) << entry;
  EXPECT_NE(entry.find("actor_person: p-card"), std::string::npos);
}

TEST_F(StoreTest, HistoryIsPagedWithoutGapOrRepetition) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  for (int i = 1; i <= 5; ++i) {
    r_->MustApply({MakeReplacement(person, 100 + i, "e" + std::to_string(i),
                                   "2026-10-0" + std::to_string(1 + i / 2))});
  }
  std::set<std::int64_t> events;
  std::string token;
  int pages = 0;
  do {
    const auto page = r_->registry.ListHistory(CardOffice(), r_->IdOf(person), "test", 2, token);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const HistoryEntry& entry : page->entries)
      EXPECT_TRUE(events.insert(entry.event_no).second);
    token = page->next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(events.size(), 6u);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(status::ReasonOf(
                r_->registry.ListHistory(CardOffice(), r_->IdOf(person), "t", 2, "x").status()),
            Reason::kPageTokenInvalid);
}

TEST_F(StoreTest, AMergedRecordIsAnAliasEverywhere) {
  const std::vector<PersonInput> people = MakePeople(0, 8);
  r_->MustLoad(people);
  const std::int64_t kept = r_->IdOf(people[4]);
  const std::int64_t merged = r_->IdOf(people[0]);
  const MergeOrder order{.request_id = "m1",
                         .kept_person_id = kept,
                         .merged_person_id = merged,
                         .reason = "one person"};
  const auto person = r_->registry.MergePeople(CardOffice(), order);
  ASSERT_TRUE(person.ok()) << person.status();
  EXPECT_EQ(person->aliases, std::vector<std::int64_t>{merged});
  EXPECT_TRUE(r_->registry.MergePeople(CardOffice(), order).ok()) << "the same request again";
  MergeOrder other = order;
  other.reason = "another reason";
  EXPECT_EQ(status::ReasonOf(r_->registry.MergePeople(CardOffice(), other).status()),
            Reason::kRequestIdReused);
  other.request_id = "m2";
  EXPECT_EQ(status::ReasonOf(r_->registry.MergePeople(CardOffice(), other).status()),
            Reason::kMergeInvalid);
  other.merged_person_id = kept;
  EXPECT_EQ(status::ReasonOf(r_->registry.MergePeople(CardOffice(), other).status()),
            Reason::kMergeInvalid);

  const ResolvedPerson by_old_number = r_->Resolve(people[0]);
  EXPECT_EQ(by_old_number.person_id, kept);
  EXPECT_EQ(by_old_number.aliases, std::vector<std::int64_t>{merged});
  EXPECT_EQ(r_->Resolve(people[1]).head_person_id, kept)
      << "the head of the other household is the kept record now";

  // Whoever was routed by either record is routed anew.
  const PayRule rule{.card_required = false,
                     .period_first_day = absl::CivilDay(2026, 11, 1),
                     .death_grace_months = 0};
  const auto sealed = r_->registry.SealAccounts(
      Dispatch(), {Everybody("c")},
      {{.item_id = 1,
        .payee_person_id = merged,
        .account_version = 1,
        .beneficiary_person_id = merged},
       {.item_id = 2, .payee_person_id = kept, .account_version = 1, .beneficiary_person_id = kept},
       {.item_id = 3,
        .payee_person_id = merged,
        .account_version = 2,
        .beneficiary_person_id = merged}},
      rule);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->accounts[0].reason, Reason::kAccountChanged);
  EXPECT_EQ(sealed->accounts[1].reason, Reason::kAccountChanged);
  EXPECT_EQ(sealed->accounts[2].reason, std::nullopt);
  const auto opened = crypto::OpenChunk(*crypto::DecodeSealedChunk(sealed->sealed_chunks[0]),
                                        r_->gateway, {r_->signer.PublicKey()});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)[0].account_number, people[4].card_account_no);

  const auto feed = r_->registry.ListChanges(0, 0);
  ASSERT_EQ(feed->entries.size(), 1u);
  EXPECT_EQ(feed->entries[0].kind, ChangeKind::kMerged);
  EXPECT_EQ(feed->entries[0].other_person_id, merged);
  EXPECT_EQ(r_->registry.Count(CardOffice(), 0)->people, 7);
}

TEST_F(StoreTest, TheCountsAreThoseOfTheTable) {
  std::vector<PersonInput> people = MakePeople(0, 12);
  people[5].village_code = kOtherVillage;
  people[6].died_on = "2026-01-01";
  people[7].card_no = people[7].card_bank_code = people[7].card_account_no = "";
  people[7].card_state = 0;
  people[7].legacy_bank_code = kBank;
  people[7].legacy_account_no = "1234567890123";
  people[7].legacy_kind = static_cast<int>(AccountKind::kPassbook);
  r_->MustLoad(people);
  ChangeInput move = MakeChange(ChangeKind::kMove, people[1], "m", "2026-10-01", 1);
  move.village_code = kOtherVillage;
  r_->MustApply({move, MakeChange(ChangeKind::kDeath, people[1], "d", "2026-10-02", 2),
                 MakeChange(ChangeKind::kCardLost, people[2], "l", "2026-10-02", 3),
                 MakeReplacement(people[7], 100, "r", "2026-10-02", 4)});
  for (const std::int32_t district : {120115, 120105}) {
    const auto counts = r_->registry.Count(CardOffice(), district);
    ASSERT_TRUE(counts.ok()) << counts.status();
    const std::string where = " FROM person WHERE district = " + std::to_string(district);
    EXPECT_EQ(std::to_string(counts->people), Sql("SELECT count(*)" + where));
    EXPECT_EQ(std::to_string(counts->living),
              Sql("SELECT count(*)" + where + " AND died_on IS NULL"));
    EXPECT_EQ(std::to_string(counts->active_cards),
              Sql("SELECT count(*)" + where + " AND card_state = 2"));
    EXPECT_EQ(counts->legacy_only, 0);
  }
  EXPECT_EQ(r_->registry.Count(Officer(120105), 0)->people, 2) << "only the caller's districts";
  EXPECT_EQ(r_->registry.Count(Officer(120105), 120115)->people, 0);
}

TEST_F(StoreTest, AHouseholdShowsItsMembersHeadFirst) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  std::swap(people[0].household_role, people[3].household_role);
  r_->MustLoad(people);
  const auto members =
      r_->registry.GetHousehold(CardOffice(), r_->Resolve(people[0]).household_id, "test");
  ASSERT_TRUE(members.ok()) << members.status();
  ASSERT_EQ(members->size(), 4u);
  EXPECT_EQ(members->front().person_id, r_->IdOf(people[3]));
  EXPECT_EQ(status::ReasonOf(r_->registry.GetHousehold(CardOffice(), 12345, "test").status()),
            Reason::kNotFound);
}

TEST_F(StoreTest, AfterARestoreNoNumberIsUsedAgain) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  r_->MustApply({MakeChange(ChangeKind::kCardLost, person, "e1", "2026-10-01")});
  Sql("UPDATE numbering SET restore_epoch = 1");
  r_->MustApply({MakeChange(ChangeKind::kCardActivated, person, "e2", "2026-10-02")});
  EXPECT_EQ(r_->registry.ListChanges(0, 0)->head, 1'000'000'000'001);
  EXPECT_EQ(ResolveAccount(person).account_version, 1'000'000'001);
  const PersonInput later = MakePerson(2, 1);
  r_->MustLoad({later}, "later");
  EXPECT_GT(r_->IdOf(later), 10'000'000'000'000);
}

TEST_F(StoreTest, AChunkCostsStatementsAndNotRows) {
  const auto before = r_->database->Counters().statements;
  r_->MustLoad(MakePeople(0, 2000));
  EXPECT_LE(r_->database->Counters().statements - before, 16);
}

TEST_F(StoreTest, TheRuntimeRoleCannotChangeHistory) {
  r_->MustLoad(MakePeople(0, 4));
  for (const char* table :
       {"account", "person_event", "change", "load_chunk", "applied_event", "person_key"}) {
    EXPECT_EQ(Sql(std::string("SELECT has_table_privilege('registry_app', '") + table +
                  "', 'UPDATE, DELETE, TRUNCATE')"),
              "f")
        << table;
  }
}

}  // namespace
}  // namespace yikatong::registry::testing
