// Collection and its races, over a real database.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/testing/rig.h"

namespace yikatong::dispatch {
namespace {

using identity::Role;
using status::Reason;
using testing::CallerOf;
using ::testing::ElementsAre;
using testing::FakePeople;
using ::testing::HasSubstr;
using testing::kBaodi;
using testing::kHebei;
using testing::RowOf;
using testing::RuleOf;
namespace pb = catalogue::v1;

class CollectionTest : public testing::IntakeTest {
 protected:
  std::int64_t Claims() { return std::stoll(Sql("SELECT count(*) FROM claim")); }
};

// --- Opening ---

TEST_F(CollectionTest, ABatchIsPinnedAndItsItemsHaveConsecutiveIds) {
  const auto made = rig_->handlers.CreateBatch(NewBatch(3), operator_);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(DistrictOfBatch(made->batch_id()), kHebei);
  EXPECT_EQ(made->state(), v1::BATCH_STATE_COLLECTING);
  EXPECT_EQ(made->policy_version(), 1);
  EXPECT_EQ(made->created_by(), "operator");
  ASSERT_TRUE(Upload(People(made->batch_id(), 1, 1, 0, 3)).ok());
  const auto items = Items(made->batch_id());
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[2].item_id(), items[0].item_id() + 2);
  EXPECT_EQ(items[2].row(), 3);
  EXPECT_EQ(items[0].state(), "collected");
  const std::int64_t next = Opened(1);
  EXPECT_EQ(next, made->batch_id() + 1);
  ASSERT_TRUE(Upload(People(next, 1, 1, 100, 1)).ok());
  EXPECT_EQ(Items(next)[0].item_id(), items[2].item_id() + 1);
}

TEST_F(CollectionTest, TheSameRequestGetsItsFirstAnswerAndOtherContentIsRefused) {
  v1::CreateBatchRequest request = NewBatch(3);
  const auto first = rig_->handlers.CreateBatch(request, operator_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(rig_->catalogue.department, request.department_id()) << "who pays is asked about too";
  rig_->catalogue.Refuse(status::Refuse(Reason::kPolicyPublicationOverdue));
  const auto again = rig_->handlers.CreateBatch(request, operator_);
  ASSERT_TRUE(again.ok()) << "the first answer stands, whatever the catalogue says now";
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  request.set_declared_count(4);
  EXPECT_EQ(Outcome(rig_->handlers.CreateBatch(request, operator_)), "REQUEST_ID_REUSED");
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "1");
}

TEST_F(CollectionTest, AnEmptyUnknownUnpublishedOrForeignBatchIsRefused) {
  const auto outcome = [&](auto change) {
    v1::CreateBatchRequest request = NewBatch(3);
    change(request);
    return Outcome(rig_->handlers.CreateBatch(request, operator_));
  };
  EXPECT_EQ(outcome([](auto& r) { r.set_declared_count(0); }), "BATCH_EMPTY");
  EXPECT_EQ(outcome([](auto& r) { r.set_declared_count(5'000'001); }), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome([](auto& r) { r.set_declared_fen(10'000'000'000'001); }), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome([](auto& r) { r.set_declared_fen(0); }), "FIELD_INVALID");
  EXPECT_EQ(outcome([](auto& r) { r.set_policy_id("P999"); }), "POLICY_UNKNOWN");
  EXPECT_EQ(outcome([](auto& r) { r.set_period("2026-13"); }), "PERIOD_INVALID");
  EXPECT_EQ(outcome([](auto& r) { r.set_district(kBaodi); }), "DISTRICT_FOREIGN");
  EXPECT_EQ(outcome([](auto& r) { r.set_pay_on("2026-03-01"); }), "PAY_DATE_PAST");
  EXPECT_EQ(outcome([](auto& r) { r.set_pay_on("soon"); }), "FIELD_INVALID");
  EXPECT_EQ(outcome([](auto& r) { r.set_department_id(""); }), "FIELD_INVALID");
  rig_->catalogue.Put(RuleOf("P042", "AGRI"));
  EXPECT_EQ(outcome([](auto& r) { r.set_policy_id("P042"); }), "POLICY_UNKNOWN")
      << "of a field that is not the caller's";
  for (const Reason reason :
       {Reason::kPolicyVersionNotApproved, Reason::kPolicyPublicationOverdue}) {
    rig_->catalogue.Refuse(status::Refuse(reason));
    EXPECT_EQ(outcome([](auto&) {}), status::ReasonName(reason));
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "0");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox"), "0");
}

// --- Rows ---

TEST_F(CollectionTest, BadRowsAreReportedRowByRowAndTheGoodOnesKept) {
  const std::int64_t batch = Opened(5);
  v1::UploadItemsRequest chunk = People(batch, 1, 1, 0, 5);
  chunk.mutable_rows(1)->set_id_no("12");
  chunk.mutable_rows(2)->set_amount_fen(100);
  chunk.mutable_rows(3)->set_name("李四");
  const auto answer = Upload(chunk);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->accepted(), 2);
  EXPECT_EQ(answer->accepted_fen(), 2 * 104'500);
  EXPECT_THAT(
      Reasons(*answer),
      ElementsAre("2:ID_NUMBER_LENGTH_WRONG",
                  "3:AMOUNT_NOT_STANDARD standard_fen=104500;given_fen=100", "4:NAME_MISMATCH"));
  v1::ListRejectionsRequest list;
  list.set_batch_id(batch);
  list.set_page_size(2);
  const auto page = rig_->handlers.ListRejections(list, operator_);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->rejections_size(), 2);
  list.set_page_token(page->next_page_token());
  const auto rest = rig_->handlers.ListRejections(list, operator_);
  ASSERT_EQ(rest->rejections_size(), 1);
  EXPECT_EQ(rest->rejections(0).row(), 4);
  EXPECT_EQ(rest->next_page_token(), "");
  const v1::BatchTotals totals = Get(batch).totals();
  EXPECT_EQ(totals.accepted(), 2);
  EXPECT_EQ(totals.rejected(), 3);
  EXPECT_EQ(totals.waiting(), 2);
  ExpectBalanced(batch);
  EXPECT_EQ(rig_->people.calls, 1) << "one call to the registry for a chunk";
}

TEST_F(CollectionTest, AMalformedChunkIsRefusedWholeAndWhatWasAcknowledgedStays) {
  const std::int64_t batch = Opened(10);
  ASSERT_TRUE(Upload(People(batch, 1, 1, 0, 3)).ok());
  EXPECT_EQ(Outcome(Upload(Chunk(batch, 2, {RowOf(4, 4), RowOf(6, 6)}))), "CHUNK_INVALID");
  EXPECT_EQ(Outcome(Upload(Chunk(batch, 2, {}))), "CHUNK_INVALID");
  EXPECT_EQ(Get(batch).totals().accepted(), 3);
  EXPECT_EQ(Claims(), 3);
}

TEST_F(CollectionTest, AChunkThatWasTakenGetsItsFirstAnswerAgain) {
  const std::int64_t batch = Opened(4);
  v1::UploadItemsRequest chunk = People(batch, 1, 1, 0, 4);
  chunk.mutable_rows(2)->set_amount_fen(-1);
  const auto first = Upload(chunk);
  ASSERT_TRUE(first.ok());
  rig_->people.FailWith(absl::UnavailableError("away"));
  const auto again = Upload(chunk);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  chunk.mutable_rows(2)->set_amount_fen(-2);
  EXPECT_EQ(Outcome(Upload(chunk)), "REQUEST_ID_REUSED");
  EXPECT_EQ(Sql("SELECT count(*) FROM upload_chunk"), "1");
  EXPECT_EQ(
      Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%items.collected%'"),
      "1");
}

TEST_F(CollectionTest, ARowNumberThatAnotherChunkBroughtIsRefused) {
  const std::int64_t batch = Opened(10);
  ASSERT_TRUE(Upload(People(batch, 1, 3, 0, 3)).ok());     // rows 3 to 5
  const auto answer = Upload(People(batch, 2, 1, 10, 7));  // rows 1 to 7
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(Reasons(*answer), ElementsAre("3:ROW_NUMBER_REPEATED", "4:ROW_NUMBER_REPEATED",
                                            "5:ROW_NUMBER_REPEATED"));
  EXPECT_EQ(answer->accepted(), 4);
  EXPECT_EQ(Get(batch).totals().accepted(), 7);
}

TEST_F(CollectionTest, ARowBeyondTheDeclaredCountIsRefusedAndCounted) {
  const std::int64_t batch = Opened(3);
  const auto answer = Upload(People(batch, 1, 2, 0, 3));
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(Reasons(*answer), ElementsAre("4:ROW_NUMBER_BEYOND_DECLARED declared=3"));
  EXPECT_EQ(Outcome(Seal(batch)), "OK") << "three rows came, as declared";
}

TEST_F(CollectionTest, ManyChunksOfOneRosterAreTheSameAsOne) {
  for (const int size : {1, 7, 50, 60}) {
    Renew({});
    const std::int64_t batch = Opened(60);
    int chunk = 0;
    for (int first = 0; first < 60; first += size) {
      const int count = std::min(size, 60 - first);
      ASSERT_TRUE(Upload(People(batch, ++chunk, first + 1, first, count)).ok());
    }
    EXPECT_EQ(Outcome(Seal(batch)), "OK");
    EXPECT_EQ(Get(batch).totals().accepted(), 60);
    EXPECT_EQ(Get(batch).totals().accepted_fen(), 60 * 104'500);
    EXPECT_EQ(Sql("SELECT count(*) FROM chunk WHERE stage = 0"), std::to_string(chunk));
    ExpectBalanced(batch);
  }
}

TEST_F(CollectionTest, NothingOfAPersonStandsInTheDatabaseButIdsAndTheMask) {
  const std::int64_t batch = Opened(1);
  v1::UploadItemsRequest chunk = People(batch, 1, 1, 0, 1);
  ASSERT_TRUE(Upload(chunk).ok());
  const std::string dump =
      Sql("SELECT string_agg(t::text, ' ') FROM (SELECT item::text AS t FROM item UNION ALL SELECT "
          "upload_chunk::text FROM upload_chunk "
          "UNION ALL SELECT convert_from(body, 'UTF8') FROM outbox) s");
  EXPECT_THAT(dump, ::testing::Not(HasSubstr(chunk.rows(0).id_no())));
  EXPECT_THAT(dump, ::testing::Not(HasSubstr(chunk.rows(0).name())));
  EXPECT_THAT(dump, HasSubstr("张**"));
}

// --- Claims ---

TEST_F(CollectionTest, ThePersonTwiceInABatchIsReportedAndTheFirstStays) {
  const std::int64_t batch = Opened(4);
  const auto first = Upload(Chunk(batch, 1, {RowOf(1, 0), RowOf(2, 1), RowOf(3, 0)}));
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(Reasons(*first), ElementsAre("3:DUPLICATE_IN_BATCH row=1"));
  const auto second = Upload(Chunk(batch, 2, {RowOf(4, 1)}));
  EXPECT_THAT(Reasons(*second), ElementsAre("4:DUPLICATE_IN_BATCH row=2"));
  EXPECT_EQ(Claims(), 2);
}

TEST_F(CollectionTest, ThePersonInTwoBatchesOfOnePolicyAndPeriodIsRefusedAndTheOtherBatchNamed) {
  rig_->catalogue.Put(RuleOf("P008"));
  const std::int64_t first = Opened(1);
  ASSERT_TRUE(Upload(People(first, 1, 1, 0, 1)).ok());
  const std::int64_t second = Opened(2);
  EXPECT_THAT(Reasons(*Upload(People(second, 1, 1, 0, 2))),
              ElementsAre(fmt::format("1:ALREADY_CLAIMED batch={}", first)));
  EXPECT_EQ(Upload(People(Opened(1, "P008"), 1, 1, 0, 1))->accepted(), 1) << "another policy";
  EXPECT_EQ(Upload(People(Opened(1, "P001", "2026-04"), 1, 1, 0, 1))->accepted(), 1)
      << "another month";
}

TEST_F(CollectionTest, AQuarterAndOneOfItsMonthsExcludeEachOther) {
  const std::int64_t month = Opened(1, "P001", "2026-02");
  ASSERT_EQ(Upload(People(month, 1, 1, 0, 1))->accepted(), 1);
  const std::int64_t quarter = Opened(2, "P001", "2026-Q1");
  EXPECT_THAT(Reasons(*Upload(People(quarter, 1, 1, 0, 2, 3 * 104'500L))),
              ElementsAre(fmt::format("1:ALREADY_CLAIMED batch={}", month)));
  EXPECT_EQ(Claims(), 1 + 3) << "the refused row gave back the two months that it had taken";
  EXPECT_THAT(Reasons(*Upload(People(Opened(1, "P001", "2026-01"), 1, 1, 1, 1))),
              ElementsAre(HasSubstr("ALREADY_CLAIMED")));
}

TEST_F(CollectionTest, AnExcludingPolicyIsRefusedUntilTheLastItemOfTheOtherIsGone) {
  pb::GetPayableVersionResponse dibao = RuleOf("P001"), destitute = RuleOf("P003");
  testing::Exclude(dibao, destitute, pb::SLOT_UNIT_YEAR);
  rig_->catalogue.Put(dibao);
  rig_->catalogue.Put(destitute);
  const std::int64_t march = Opened(1), april = Opened(1, "P001", "2026-04");
  ASSERT_EQ(Upload(People(march, 1, 1, 0, 1))->accepted(), 1);
  ASSERT_EQ(Upload(People(april, 1, 1, 0, 1))->accepted(), 1);
  EXPECT_EQ(Sql("SELECT holders FROM claim WHERE owner < 0"), "2")
      << "two months of one year hold one edge";
  EXPECT_THAT(Reasons(*Upload(People(Opened(1, "P003"), 1, 1, 0, 1))),
              ElementsAre("1:EXCLUDED_BY_POLICY policy=P001"));
  ASSERT_TRUE(Cancel(march).ok());
  EXPECT_THAT(Reasons(*Upload(People(Opened(1, "P003"), 1, 1, 0, 1))),
              ElementsAre("1:EXCLUDED_BY_POLICY policy=P001"));
  ASSERT_TRUE(Cancel(april).ok());
  EXPECT_EQ(Claims(), 0);
  EXPECT_EQ(Upload(People(Opened(1, "P003"), 1, 1, 0, 1))->accepted(), 1);
}

TEST_F(CollectionTest, HouseholdsPlotsMachinesAndChildrenAreClaimedOnce) {
  pb::GetPayableVersionResponse household = RuleOf("P002"), plot = RuleOf("P042"),
                                child = RuleOf("P053");
  household.mutable_policy()->set_key_kind(pb::KEY_KIND_HOUSEHOLD);
  plot.mutable_policy()->set_key_kind(pb::KEY_KIND_PLOT);
  plot.mutable_policy()->set_slot_unit(pb::SLOT_UNIT_YEAR);
  child.mutable_policy()->set_key_kind(pb::KEY_KIND_CHILD);
  child.mutable_version()->set_payee_rule(pb::PAYEE_RULE_GUARDIAN);
  for (const auto& rule : {household, plot, child}) rig_->catalogue.Put(rule);

  rig_->people.At(1).household_id = FakePeople::Household(0);
  const std::int64_t homes = Opened(2, "P002");
  EXPECT_THAT(Reasons(*Upload(People(homes, 1, 1, 0, 2))),
              ElementsAre("2:DUPLICATE_IN_BATCH row=1"));

  const std::int64_t land = Opened(3, "P042");
  v1::UploadItemsRequest rows = People(land, 1, 1, 10, 3);
  rows.mutable_rows(0)->set_object_id("TJ-77");
  rows.mutable_rows(1)->set_object_id("tj-77");
  rows.mutable_rows(2)->set_object_id("TJ-78");
  EXPECT_THAT(Reasons(*Upload(rows)), ElementsAre("2:DUPLICATE_IN_BATCH row=1"));

  for (const int n : {20, 21}) rig_->people.At(n).guardian_person_id = FakePeople::PersonId(30);
  const std::int64_t children = Opened(3, "P053");
  EXPECT_THAT(Reasons(*Upload(Chunk(children, 1, {RowOf(1, 20), RowOf(2, 20), RowOf(3, 21)}))),
              ElementsAre("2:DUPLICATE_IN_BATCH row=1"))
      << "two children of one guardian are two";
}

TEST_F(CollectionTest, PeopleWithEqualNamesAndAmountsAreNotDuplicates) {
  // FakePeople repeats names every hundred people.
  EXPECT_EQ(FakePeople::NameOf(3), FakePeople::NameOf(103));
  EXPECT_EQ(Upload(Chunk(Opened(2), 1, {RowOf(1, 3), RowOf(2, 103)}))->accepted(), 2);
}

TEST_F(CollectionTest, AMergedPersonIsFoundUnderEitherNumber) {
  rig_->people.At(1).aliases = {FakePeople::PersonId(0)};
  ASSERT_EQ(Upload(People(Opened(1), 1, 1, 0, 1))->accepted(), 1);
  EXPECT_THAT(Reasons(*Upload(People(Opened(1), 1, 1, 1, 1))),
              ElementsAre(HasSubstr("ALREADY_CLAIMED")));
}

TEST_F(CollectionTest, OfTwoBatchesThatRaceForTheSamePeopleOneWinsEach) {
  constexpr int kPeople = 150, kRounds = 4;
  pb::GetPayableVersionResponse dibao = RuleOf("P001"), destitute = RuleOf("P003");
  testing::Exclude(dibao, destitute);
  rig_->catalogue.Put(dibao);
  rig_->catalogue.Put(destitute);
  for (int round = 0; round < kRounds; ++round) {
    // Even rounds: one policy, two batches. Odd rounds: two policies that exclude each other.
    const std::string period = fmt::format("2026-{:02}", round + 1);
    const std::int64_t batches[] = {Opened(kPeople, "P001", period),
                                    Opened(kPeople, round % 2 == 0 ? "P001" : "P003", period)};
    std::array<int, 2> accepted{};
    std::array<int, 2> refused{};
    std::vector<std::thread> threads;
    threads.reserve(2);
    for (int side = 0; side < 2; ++side) {
      threads.emplace_back([&, side] {
        // The two come from both ends, in chunks of ten.
        for (int i = 0; i < kPeople / 10; ++i) {
          const int first = side == 0 ? 10 * i : kPeople - 10 * (i + 1);
          const auto answer = Upload(People(batches[side], i + 1, first + 1, first, 10));
          ASSERT_TRUE(answer.ok()) << answer.status();
          accepted[static_cast<std::size_t>(side)] += answer->accepted();
          refused[static_cast<std::size_t>(side)] += answer->rejections_size();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(accepted[0] + accepted[1], kPeople) << "each person once";
    EXPECT_EQ(refused[0] + refused[1], kPeople);
    EXPECT_EQ(Sql(fmt::format("SELECT count(*) FROM claim WHERE owner > 0")),
              Sql("SELECT count(*) FROM item"))
        << "one claim for each item, and none without";
  }
  EXPECT_EQ(rig_->pg->database().Counters().retries, 0)
      << "the order of the keys leaves no deadlock";
}

TEST_F(CollectionTest, TheSameChunkOnTwoStreamsIsTakenOnce) {
  const std::int64_t batch = Opened(100);
  const v1::UploadItemsRequest chunk = People(batch, 1, 1, 0, 100);
  std::array<std::string, 4> answers;
  std::vector<std::thread> threads;
  threads.reserve(answers.size());
  for (std::string& answer : answers) {
    threads.emplace_back([&] {
      const auto taken = Upload(chunk);
      answer = taken.ok() ? taken->SerializeAsString() : taken.status().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(answers, ::testing::Each(answers[0]));
  EXPECT_EQ(Sql("SELECT count(*) FROM item"), "100");
  EXPECT_EQ(Sql("SELECT count(*) FROM movement"), "1");
}

TEST_F(CollectionTest, ChunksThatShareRowsNeverBothGetThem) {
  const std::int64_t batch = Opened(100);
  std::array<int, 2> accepted{};
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int side = 0; side < 2; ++side) {
    threads.emplace_back([&, side] {
      const auto answer =
          Upload(People(batch, side + 1, 1, 100 * side, 100));  // other people, the same rows
      ASSERT_TRUE(answer.ok()) << answer.status();
      accepted[static_cast<std::size_t>(side)] = answer->accepted();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::max(accepted[0], accepted[1]), 100);
  EXPECT_EQ(std::min(accepted[0], accepted[1]), 0);
}

// --- Who may see what ---

TEST_F(CollectionTest, AForeignFieldOrDistrictDoesNotExist) {
  const std::int64_t batch = Sealed(1);
  for (const identity::Caller& stranger :
       {CallerOf("s", {Role::kDepartmentOperator}, {kBaodi}),
        CallerOf("s", {Role::kDepartmentOperator}, {kHebei}, {"AGRI"})}) {
    v1::GetBatchRequest get;
    get.set_batch_id(batch);
    EXPECT_EQ(Outcome(rig_->handlers.GetBatch(get, stranger)), "BATCH_UNKNOWN");
    EXPECT_EQ(Outcome(Upload(People(batch, 2, 2, 2, 1), stranger)), "BATCH_UNKNOWN");
    v1::CancelBatchRequest cancel;
    cancel.set_request_id(NewRequest());
    cancel.set_batch_id(batch);
    cancel.set_reason("not mine");
    EXPECT_EQ(Outcome(rig_->handlers.CancelBatch(cancel, stranger)), "BATCH_UNKNOWN");
    EXPECT_EQ(rig_->handlers.ListBatches({}, stranger)->batches_size(), 0);
    EXPECT_EQ(Outcome(rig_->handlers.MaySee(batch, stranger)), "BATCH_UNKNOWN");
  }
  v1::GetBatchRequest nothing;
  nothing.set_batch_id(batch + 1);
  EXPECT_EQ(Outcome(rig_->handlers.GetBatch(nothing, operator_)), "BATCH_UNKNOWN");
  EXPECT_EQ(
      rig_->handlers.ListBatches({}, CallerOf("city", {Role::kCityFinance}, {120'000}, {"*"}))
          ->batches_size(),
      1);
}

TEST_F(CollectionTest, BatchesAreListedTheNewestFirstByPage) {
  std::vector<std::int64_t> made;
  made.reserve(5);
  for (int i = 0; i < 5; ++i) made.push_back(Opened(1));
  v1::ListBatchesRequest request;
  request.set_page_size(2);
  std::vector<std::int64_t> seen;
  do {
    const auto page = rig_->handlers.ListBatches(request, operator_);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Batch& batch : page->batches()) seen.push_back(batch.batch_id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  std::reverse(made.begin(), made.end());
  EXPECT_EQ(seen, made);
  request.set_page_token("x");
  EXPECT_EQ(Outcome(rig_->handlers.ListBatches(request, operator_)), "PAGE_TOKEN_INVALID");
  request.clear_page_token();
  request.set_page_size(1'001);
  EXPECT_EQ(Outcome(rig_->handlers.ListBatches(request, operator_)), "FIELD_INVALID");
}

TEST_F(CollectionTest, ARareStateIsFoundThroughManyStretches) {
  Renew({.list_window = 10, .list_windows = 2});
  const std::int64_t batch = Noticed(95);
  const auto all = Items(batch);
  ASSERT_EQ(all.size(), 95u);
  ASSERT_TRUE(Raise(batch, all[93].item_id(), hearer_).ok());
  const auto held = Items(batch, "held");
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].item_id(), all[93].item_id());
  EXPECT_EQ(Items(batch, "waiting").size(), 94u);
  v1::ListItemsRequest request;
  request.set_batch_id(batch);
  request.set_state("lost");
  EXPECT_EQ(Outcome(rig_->handlers.ListItems(request, operator_)), "FIELD_INVALID");
}

TEST_F(CollectionTest, EveryStepIsInTheAuditLogWithItsActor) {
  Sealed(2);
  EXPECT_EQ(Sql("SELECT string_agg(substring(convert_from(body, 'UTF8') FROM 'kind: ([a-z.]+)'), ' "
                "' ORDER BY created_at) FROM outbox"),
            "batch.created items.collected batch.sealed");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                "E'%actor_person: operator\\n%'"),
            "3");
}

TEST_F(CollectionTest, NumbersAreNeverUsedAgainAfterTheEpochWasRaised) {
  const std::int64_t before = Opened(1);
  ASSERT_TRUE(Upload(People(before, 1, 1, 0, 1)).ok());
  const std::int64_t item = Items(before)[0].item_id();
  Sql("UPDATE restore_epoch SET epoch = epoch + 1");
  Sql("UPDATE district_counter SET next_batch = 1, next_serial = 1");
  const std::int64_t after = Opened(1);
  ASSERT_TRUE(Upload(People(after, 1, 1, 1, 1)).ok());
  EXPECT_EQ(after, before + kBatchesPerEpoch);
  EXPECT_EQ(Items(after)[0].item_id(), item + kSerialsPerEpoch);
}

}  // namespace
}  // namespace yikatong::dispatch
