// Loads, changes and the feed over a real PostgreSQL: keys, locks, sets, and what stands in the
// tables afterwards.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/status/status.h"
#include "services/registry/testing/store_test_base.h"

namespace yikatong::registry::testing {
namespace {

using status::Reason;

TEST_F(StoreTest, WhoWasLoadedIsResolvedByNumberAndName) {
  const std::vector<PersonInput> people = MakePeople(0, 8);
  r_->MustLoad(people);
  const auto found = r_->registry.ResolvePeople({{.id_no = people[5].id_no, .name = people[5].name},
                                                 {.id_no = IdNumber(999), .name = "测无"},
                                                 {.id_no = people[6].id_no, .name = "别人"},
                                                 {.id_no = "no number", .name = "测"}},
                                                true);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 4u);
  EXPECT_NE((*found)[0].person_id, 0);
  EXPECT_TRUE((*found)[0].name_matches);
  EXPECT_EQ((*found)[0].village_code, kVillage);
  EXPECT_EQ((*found)[0].head_person_id, r_->IdOf(people[4]));
  EXPECT_EQ((*found)[0].household_id, r_->Resolve(people[4]).household_id);
  EXPECT_EQ((*found)[1].person_id, 0);
  EXPECT_NE((*found)[2].person_id, 0);
  EXPECT_FALSE((*found)[2].name_matches);
  EXPECT_EQ((*found)[3].person_id, 0);
  const auto headless = r_->registry.ResolvePeople(
      {{.id_no = people[5].id_no, .name = people[5].name}}, /*with_head=*/false);
  ASSERT_TRUE(headless.ok()) << headless.status();
  EXPECT_EQ((*headless)[0].household_id, (*found)[0].household_id);
  EXPECT_EQ((*headless)[0].head_person_id, 0);
}

TEST_F(StoreTest, AGuardianWhoIsLoadedLaterIsFound) {
  PersonInput child = MakePerson(1, 1);
  child.guardian_id_no = IdNumber(2);
  r_->MustLoad({child}, "first");
  EXPECT_EQ(r_->Resolve(child).guardian_person_id, 0);
  const PersonInput guardian = MakePerson(2, 1);
  r_->MustLoad({guardian}, "second");
  EXPECT_EQ(r_->Resolve(child).guardian_person_id, r_->IdOf(guardian));
}

TEST_F(StoreTest, AChunkThatComesAgainGetsItsFirstAnswerAndAddsNothing) {
  std::vector<PersonInput> people = MakePeople(0, 6);
  people[2].id_no = "120105198506159994";
  people[4].id_no = people[3].id_no;
  const auto first = r_->registry.Load(CardOffice(), "l", 1, people);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->accepted, 4);
  ASSERT_EQ(first->rejections.size(), 2u);
  EXPECT_EQ(first->rejections[0].row, 3);
  EXPECT_EQ(first->rejections[0].reason, Reason::kIdNumberCheckDigitWrong);
  EXPECT_EQ(first->rejections[1].row, 5);
  EXPECT_EQ(first->rejections[1].reason, Reason::kPersonRepeated);
  const std::string before = Sql("SELECT count(*) FROM outbox");
  const auto again = r_->registry.Load(CardOffice(), "l", 1, people);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(Sql("SELECT count(*) FROM person"), "4");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox"), before);
}

TEST_F(StoreTest, AChunkWithOtherContentUnderTheSameNumberIsRefused) {
  r_->MustLoad(MakePeople(0, 4), "l");
  const auto other = r_->registry.Load(CardOffice(), "l", 1, MakePeople(8, 4));
  EXPECT_EQ(status::ReasonOf(other.status()), Reason::kRequestIdReused);
  EXPECT_EQ(Sql("SELECT count(*) FROM person"), "4");
}

TEST_F(StoreTest, APersonWithTheSameContentIsTakenAgainWithOtherContentRefused) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  r_->MustLoad(people, "one");
  people[1].phone = "13800000000";
  people[2].row = 77;
  const auto answer = r_->registry.Load(CardOffice(), "two", 1, people);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->accepted, 3);
  ASSERT_EQ(answer->rejections.size(), 1u);
  EXPECT_EQ(answer->rejections[0].row, 2);
  EXPECT_EQ(answer->rejections[0].reason, Reason::kPersonExists);
  EXPECT_EQ(Sql("SELECT count(*) FROM person"), "4");
}

TEST_F(StoreTest, AHouseholdHasOneHeadWhoeverComesLater) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  people[2].household_role = static_cast<int>(HouseholdRole::kHead);
  const auto answer = r_->registry.Load(CardOffice(), "one", 1, people);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->rejections.size(), 1u);
  EXPECT_EQ(answer->rejections[0].row, 3);
  EXPECT_EQ(answer->rejections[0].reason, Reason::kHouseholdHeadExists);
  PersonInput late = MakePerson(50, 1);
  late.household_no = people[0].household_no;
  late.household_role = static_cast<int>(HouseholdRole::kHead);
  const auto second = r_->registry.Load(CardOffice(), "two", 1, {late});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->rejections.at(0).reason, Reason::kHouseholdHeadExists);
  EXPECT_EQ(r_->IdOf(late), 0);
}

TEST_F(StoreTest, AHeadWhoIsLoadedAfterTheMembersIsTheirs) {
  std::vector<PersonInput> people = MakePeople(0, 4);
  const PersonInput head = people[0];
  people.erase(people.begin());
  r_->MustLoad(people, "members");
  EXPECT_EQ(r_->Resolve(people[0]).head_person_id, 0);
  r_->MustLoad({head}, "head");
  EXPECT_EQ(r_->Resolve(people[0]).head_person_id, r_->IdOf(head));
}

TEST_F(StoreTest, TwoLoadsOfTheSamePeopleAtOnceRegisterEachOnce) {
  const std::vector<PersonInput> people = MakePeople(0, 400);
  std::vector<std::thread> loaders;
  std::vector<ChunkAnswer> answers(4);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    loaders.emplace_back([&, i] {
      const auto answer = r_->registry.Load(CardOffice(), "load-" + std::to_string(i), 1, people);
      EXPECT_TRUE(answer.ok()) << answer.status();
      if (answer.ok()) answers[i] = *answer;
    });
  }
  for (std::thread& loader : loaders) loader.join();
  for (const ChunkAnswer& answer : answers) EXPECT_EQ(answer.accepted, 400);
  EXPECT_EQ(Sql("SELECT count(*) FROM person"), "400");
  EXPECT_EQ(Sql("SELECT sum(people) FROM count_delta"), "400");
}

TEST_F(StoreTest, AReplacedCardIsANewVersionAndTheOldOneIsKept) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  EXPECT_EQ(ResolveAccount(person).account_version, 1);
  EXPECT_EQ(r_->MustApply({MakeReplacement(person, 100, "e1", "2026-10-01")}).accepted, 1);
  const ResolvedAccount account = ResolveAccount(person);
  EXPECT_EQ(account.account_version, 2);
  EXPECT_EQ(account.bank_code, kOtherBank);
  EXPECT_EQ(account.kind, AccountKind::kSocialCard);
  EXPECT_EQ(Sql("SELECT count(*) FROM account"), "2");
  const auto history = r_->registry.ListHistory(CardOffice(), r_->IdOf(person), "test", 0, "");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->entries.size(), 2u);
  EXPECT_EQ(history->entries[0].kind, "registered");
  EXPECT_EQ(history->entries[1].kind, "card_replaced");
}

TEST_F(StoreTest, AnEventIsAppliedOnceAndItsIdMeansOneContent) {
  const std::vector<PersonInput> people = MakePeople(0, 4);
  r_->MustLoad(people);
  const ChangeInput lost = MakeChange(ChangeKind::kCardLost, people[0], "e1", "2026-10-01");
  EXPECT_EQ(r_->MustApply({lost}).accepted, 1);
  EXPECT_EQ(r_->MustApply({lost}).accepted, 1);
  ChangeInput other = lost;
  other.happened_on = "2026-10-02";
  const ChunkAnswer refused = r_->MustApply({other});
  ASSERT_EQ(refused.rejections.size(), 1u);
  EXPECT_EQ(refused.rejections[0].reason, Reason::kChangeIdReused);
  const auto feed = r_->registry.ListChanges(0, 0);
  ASSERT_TRUE(feed.ok());
  EXPECT_EQ(feed->entries.size(), 1u);
  EXPECT_EQ(feed->head, 1);
}

TEST_F(StoreTest, GoodChangesAreTakenBesideBadOnes) {
  const std::vector<PersonInput> people = MakePeople(0, 4);
  PersonInput without_card = MakePerson(9, 1);
  without_card.card_no = without_card.card_bank_code = without_card.card_account_no = "";
  without_card.card_state = 0;
  r_->MustLoad(people);
  r_->MustLoad({without_card}, "second");
  const ChangeInput again = MakeChange(ChangeKind::kDeath, people[1], "e4", "2026-10-01", 6);
  const ChunkAnswer answer =
      r_->MustApply({MakeChange(ChangeKind::kCardLost, people[0], "e1", "2026-10-01", 1),
                     MakeChange(ChangeKind::kDeath, MakePerson(77, 1), "e2", "2026-10-01", 2),
                     MakeChange(ChangeKind::kCardLost, without_card, "e3", "2026-10-01", 3),
                     MakeChange(ChangeKind::kDeath, people[1], "e4", "2026-10-01", 4),
                     MakeChange(ChangeKind::kDeath, people[2], "e4", "2026-10-01", 5), again,
                     MakeChange(ChangeKind::kDeath, people[2], "e5", "2027-01-01", 7)});
  EXPECT_EQ(answer.accepted, 3) << "the loss, the death, and the same death once more";
  ASSERT_EQ(answer.rejections.size(), 4u);
  EXPECT_EQ(answer.rejections[0].reason, Reason::kPersonUnknown);
  EXPECT_EQ(answer.rejections[1].reason, Reason::kCardUnknown);
  EXPECT_EQ(answer.rejections[2].reason, Reason::kChangeIdReused);
  EXPECT_EQ(answer.rejections[3].reason, Reason::kChangeInvalid);
  EXPECT_EQ(ResolveAccount(people[0], true).reason, Reason::kCardLost);
  EXPECT_EQ(ResolveAccount(people[1]).reason, Reason::kBeneficiaryDeceased);
}

TEST_F(StoreTest, EventsOfOnePersonInOneChunkGoByTheirDays) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  r_->MustApply({MakeReplacement(person, 100, "e1", "2026-10-05", 1),
                 MakeChange(ChangeKind::kCardLost, person, "e2", "2026-10-01", 2)});
  const ResolvedAccount account = ResolveAccount(person, true);
  EXPECT_EQ(account.reason, std::nullopt);
  EXPECT_EQ(account.account_version, 3) << "lost, then replaced";
  EXPECT_EQ(account.bank_code, kOtherBank);
}

TEST_F(StoreTest, ALateEventIsKeptInTheHistoryWithoutAFeedEntry) {
  const PersonInput person = MakePerson(1, 1);
  r_->MustLoad({person});
  r_->MustApply({MakeReplacement(person, 100, "e1", "2026-10-05")});
  EXPECT_EQ(r_->MustApply({MakeReplacement(person, 101, "e2", "2026-09-05")}).accepted, 1);
  EXPECT_EQ(ResolveAccount(person).account_version, 2);
  EXPECT_EQ(r_->registry.ListChanges(0, 0)->head, 1);
  EXPECT_EQ(
      Sql("SELECT count(*) FROM person_event WHERE NOT effective AND content_cipher IS NOT NULL"),
      "1");
}

TEST_F(StoreTest, TheFeedIsDenseAndInOrderUnderConcurrentWriters) {
  constexpr int kWriters = 4;
  constexpr int kChunks = 10;
  const std::vector<PersonInput> people = MakePeople(0, kWriters * kChunks * 5);
  r_->MustLoad(people);
  std::atomic<bool> done{false};
  std::vector<std::int64_t> seen;
  // A reader that follows the feed while it is written must see every number, each once.
  std::thread reader([&] {
    bool last = false;
    while (true) {
      const auto page = r_->registry.ListChanges(seen.empty() ? 0 : seen.back(), 7);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const FeedEntry& entry : page->entries) seen.push_back(entry.number);
      if (page->entries.empty() && last) break;
      last = done;
    }
  });
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int c = 0; c < kChunks; ++c) {
        std::vector<ChangeInput> changes;
        for (int i = 0; i < 5; ++i) {
          const int n = (w * kChunks + c) * 5 + i;
          changes.push_back(MakeChange(ChangeKind::kDeath, people[static_cast<std::size_t>(n)],
                                       "d" + std::to_string(n), "2026-10-01", i + 1));
        }
        EXPECT_EQ(r_->MustApply(changes).accepted, 5);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  reader.join();
  ASSERT_EQ(seen.size(), people.size());
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_EQ(seen[i], static_cast<std::int64_t>(i) + 1);
}

TEST_F(StoreTest, ConcurrentChangesOfTheSamePeopleAllCount) {
  const std::vector<PersonInput> people = MakePeople(0, 20);
  r_->MustLoad(people);
  std::vector<std::thread> writers;
  writers.reserve(4);
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      std::vector<ChangeInput> changes;
      for (int i = 0; i < 20; ++i) {
        const int at = w % 2 == 0 ? i : 19 - i;
        changes.push_back(MakeReplacement(people[static_cast<std::size_t>(at)], 1000 + w * 100 + at,
                                          "r" + std::to_string(w * 100 + at), "2026-10-01", i + 1));
      }
      EXPECT_EQ(r_->MustApply(changes).accepted, 20);
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Sql("SELECT min(account_version) || '-' || max(account_version) FROM person"), "5-5");
  EXPECT_EQ(Sql("SELECT count(*) FROM account"), "100");
}

}  // namespace
}  // namespace yikatong::registry::testing
