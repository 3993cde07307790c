#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <list>
#include <map>

#include "common/base/hex.h"
#include "common/crypto/hmac.h"
#include "common/status/status.h"
#include "services/dispatch/clients/testing/fakes.h"
#include "services/dispatch/domain/batch.h"
#include "services/dispatch/domain/claims.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/domain/notice.h"
#include "services/dispatch/domain/review.h"
#include "services/dispatch/domain/roster.h"

namespace yikatong::dispatch {
namespace {

using identity::Role;
using status::Reason;
using status::ReasonOf;
using testing::CallerOf;
using testing::Decoded;
using ::testing::ElementsAre;
using testing::FakePeople;
using testing::IdOf;
using testing::RuleOf;
namespace pb = catalogue::v1;

constexpr absl::CivilDay kToday(2026, 3, 2);

// --- Ids ---

TEST(Ids, CarryTheirDistrictThroughBatchItemAndReference) {
  const std::int64_t batch = MakeBatchId(120'105, 0, 7);
  const std::int64_t item = MakeItemId(120'105, 2, 41);
  const std::int64_t reference = MakeReference(item, 3);
  EXPECT_EQ(batch, 10'500'000'007);
  EXPECT_EQ(item, 1'052'000'000'041);
  EXPECT_EQ(DistrictOfBatch(batch), 120'105);
  EXPECT_EQ(DistrictOfItem(item), 120'105);
  EXPECT_EQ(DistrictOfReference(reference), 120'105);
  EXPECT_EQ(ItemOfReference(reference), item);
  EXPECT_EQ(AttemptOfReference(reference), 3);
}

TEST(Ids, OfTheCityAndOfNoDistrictAreTold) {
  EXPECT_EQ(DistrictOfBatch(MakeBatchId(120'000, 3, 1)), 120'000);
  EXPECT_EQ(DistrictOfBatch(-1), 0);
  EXPECT_EQ(DistrictOfBatch(std::int64_t{10'000} * kBatchesPerDistrict), 0);
}

// --- States ---

TEST(BatchStates, TheWayFromCollectingToClosedIsOne) {
  BatchState state = BatchState::kCollecting;
  for (const BatchEvent event :
       {BatchEvent::kSeal, BatchEvent::kPublishNotice, BatchEvent::kCloseNotice,
        BatchEvent::kFinishReview, BatchEvent::kFund, BatchEvent::kRelease, BatchEvent::kSettle,
        BatchEvent::kReissue, BatchEvent::kSettle, BatchEvent::kClose}) {
    const auto next = Next(state, event);
    ASSERT_TRUE(next.ok()) << BatchStateName(state) << " " << BatchEventName(event);
    state = *next;
  }
  EXPECT_EQ(state, BatchState::kClosed);
}

TEST(BatchStates, OnlyMoneyThatCameBackLeavesClosedAndNothingReleasedIsCancelled) {
  for (int e = 0; e <= static_cast<int>(BatchEvent::kTopUp); ++e) {
    const auto event = static_cast<BatchEvent>(e);
    if (event == BatchEvent::kReopen) continue;
    EXPECT_EQ(ReasonOf(Next(BatchState::kClosed, event).status()), Reason::kBatchState);
  }
  EXPECT_EQ(*Next(BatchState::kClosed, BatchEvent::kReopen), BatchState::kSettled);
  for (const BatchState state : {BatchState::kPaying, BatchState::kSettled, BatchState::kClosed}) {
    EXPECT_EQ(ReasonOf(Next(state, BatchEvent::kCancel).status()), Reason::kBatchState);
  }
}

TEST(BatchStates, AReturnedBatchIsCancelledOrCorrectedAndNoOtherIsCorrected) {
  for (int e = 0; e <= static_cast<int>(BatchEvent::kTopUp); ++e) {
    const auto event = static_cast<BatchEvent>(e);
    const bool ends = event == BatchEvent::kCancel || event == BatchEvent::kCorrect;
    EXPECT_EQ(Next(BatchState::kReturned, event).ok(), ends) << BatchEventName(event);
  }
  for (int s = 1; s <= static_cast<int>(BatchState::kCancelled); ++s) {
    const auto state = static_cast<BatchState>(s);
    EXPECT_EQ(Next(state, BatchEvent::kCorrect).ok(), state == BatchState::kReturned);
    EXPECT_EQ(Next(state, BatchEvent::kTopUp).ok(), state == BatchState::kCollecting);
  }
}

TEST(BatchStates, ARefusalNamesStateAndStep) {
  const absl::Status refused = Next(BatchState::kSealed, BatchEvent::kFund).status();
  EXPECT_EQ(status::MetadataOf(refused).at("state"), "SEALED");
  EXPECT_EQ(status::MetadataOf(refused).at("step"), "fund");
}

TEST(Attachments, MustBeDescribedWhole) {
  const Attachment good = {"notice_photo", std::string(32, 'x'), 10, "s3://photos/1", "image/jpeg"};
  EXPECT_TRUE(CheckAttachment(good).ok());
  const auto field = [&](auto change) {
    Attachment bad = good;
    change(bad);
    return status::MetadataOf(CheckAttachment(bad))["field"];
  };
  EXPECT_EQ(field([](Attachment& a) { a.kind = "selfie"; }), "kind");
  EXPECT_EQ(field([](Attachment& a) { a.sha256.pop_back(); }), "sha256");
  EXPECT_EQ(field([](Attachment& a) { a.byte_size = 0; }), "byte_size");
  EXPECT_EQ(field([](Attachment& a) { a.byte_size = (1LL << 30) + 1; }), "byte_size");
  EXPECT_EQ(field([](Attachment& a) { a.uri = std::string(513, 'u'); }), "uri");
  EXPECT_EQ(field([](Attachment& a) { a.media_type = "jpeg"; }), "media_type");
}

// --- Leaves ---

TEST(ItemLeaves, HaveOneCanonicalForm) {
  const std::string key(32, 'k');
  const std::string salt = base::ToHex(crypto::StringOf(crypto::HmacSha256(key, "1050000000001")));
  EXPECT_EQ(
      ItemLeafBytes({"collect", 1'050'000'000'001, 10'500'000'007, 4'711, 120'105'001'001, "P001",
                     "2026-03", 104'500, "accepted", "测*"},
                    key),
      "yikatong-item/v1\nstep: collect\nitem: 1050000000001\nbatch: 10500000007\nperson: 4711\n"
      "village: 120105001001\npolicy: P001\nperiod: 2026-03\namount_fen: 104500\nstate: "
      "accepted\nname: 测*\n"
      "salt: " +
          salt + "\n");
}

TEST(NoticeLines, BelowFiveShowNeitherCountNorSum) {
  const NoticeLine four = WithoutSmallCells({1, "", 120'105'001'001, 400, 4, 0});
  EXPECT_EQ(four.people, 0);
  EXPECT_EQ(four.amount_fen, 0);
  const NoticeLine five = WithoutSmallCells({1, "", 120'105'001'001, 500, 5, 0});
  EXPECT_EQ(five.people, 5);
  EXPECT_EQ(five.amount_fen, 500);
}

// --- Claims ---

ClaimKey KeyOf(std::string_view name) {
  return MakeClaimKey("policy:T", "2026-03", "PERSON", name);
}

class FakeClaimTable final : public ClaimTable {
 public:
  absl::StatusOr<std::vector<LostClaim>> Take(std::span<const Claim> claims) override {
    ++takes;
    std::vector<LostClaim> lost;
    ClaimKey before{};
    for (const Claim& claim : claims) {
      EXPECT_LT(before, claim.key) << "claims are taken in the order of the key, each once";
      before = claim.key;
      const auto [at, fresh] = own.emplace(claim.key, claim.owner);
      if (!fresh) lost.push_back({claim.key, at->second});
    }
    return lost;
  }
  absl::Status Release(std::span<const Claim> claims) override {
    for (const Claim& claim : claims) {
      EXPECT_EQ(own[claim.key], claim.owner);
      own.erase(claim.key);
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<ClaimKey>> TakeEdges(std::int64_t owner,
                                                  std::span<const EdgeClaim> claims) override {
    std::vector<ClaimKey> lost;
    for (const EdgeClaim& claim : claims) {
      auto& [holder, count] = edges[claim.key];
      if (count > 0 && holder != owner) {
        lost.push_back(claim.key);
        continue;
      }
      holder = owner;
      count += claim.holders;
    }
    return lost;
  }
  absl::Status ReleaseEdges(std::int64_t, std::span<const EdgeClaim> claims) override {
    for (const EdgeClaim& claim : claims) edges[claim.key].second -= claim.holders;
    return absl::OkStatus();
  }

  std::map<ClaimKey, std::int64_t> own;
  std::map<ClaimKey, std::pair<std::int64_t, int>> edges;
  int takes = 0;
};

Claimant Wants(std::int64_t item, const std::vector<std::string>& own,
               const std::vector<std::string>& edges = {}) {
  Claimant claimant;
  claimant.item_id = item;
  for (const std::string& name : own) claimant.own.push_back(KeyOf(name));
  for (const std::string& name : edges) claimant.edges.push_back(KeyOf("edge " + name));
  claimant.edge_no.resize(claimant.edges.size(), 0);
  return claimant;
}

std::vector<std::string> Verdicts(const ClaimsTaken& taken) {
  std::vector<std::string> names;
  for (const ClaimVerdict& verdict : taken.verdicts) {
    names.emplace_back(verdict.refused ? status::ReasonName(*verdict.refused) : "taken");
  }
  return names;
}

TEST(Claims, OfTwoRowsThatWantTheSameTheFirstGetsIt) {
  FakeClaimTable table;
  const auto taken = SettleClaims(
      table, std::vector{Wants(11, {"a"}), Wants(12, {"b"}), Wants(13, {"a"})}, -5, 11, 13);
  ASSERT_TRUE(taken.ok());
  EXPECT_THAT(Verdicts(*taken), ElementsAre("taken", "taken", "DUPLICATE_IN_BATCH"));
  EXPECT_EQ(taken->verdicts[2].holder, 11);
  EXPECT_EQ(table.own.size(), 2u);
  EXPECT_EQ(table.takes, 1);
}

TEST(Claims, WhoIsRefusedGivesBackAllThatItTook) {
  FakeClaimTable table;
  table.own[KeyOf("b")] = 99;
  const auto taken = SettleClaims(table, std::vector{Wants(11, {"a", "b", "c"})}, -5, 11, 13);
  EXPECT_THAT(Verdicts(*taken), ElementsAre("ALREADY_CLAIMED"));
  EXPECT_EQ(taken->verdicts[0].holder, 99);
  EXPECT_EQ(table.own.size(), 1u);
  EXPECT_TRUE(taken->own.empty());
}

TEST(Claims, WhoStandsBehindARefusedRowGetsItsTurn) {
  FakeClaimTable table;
  table.own[KeyOf("b")] = 99;
  // The first row is merged with somebody who is claimed elsewhere; the second wants only what the
  // first gave back.
  const auto taken = SettleClaims(
      table, std::vector{Wants(11, {"a", "b"}), Wants(12, {"a"}), Wants(13, {"a"})}, -5, 11, 13);
  EXPECT_THAT(Verdicts(*taken), ElementsAre("ALREADY_CLAIMED", "taken", "DUPLICATE_IN_BATCH"));
  EXPECT_EQ(table.own[KeyOf("a")], 12);
}

TEST(Claims, AThousandRowsForOneKeyThatIsGoneCostOneStatement) {
  FakeClaimTable table;
  table.own[KeyOf("a")] = 99;
  std::vector<Claimant> claimants;
  claimants.reserve(1'000);
  for (int i = 0; i < 1'000; ++i) claimants.push_back(Wants(i + 1, {"a"}));
  const auto taken = SettleClaims(table, claimants, -5, 1, 50);
  EXPECT_THAT(Verdicts(*taken), ::testing::Each("ALREADY_CLAIMED"));
  EXPECT_EQ(table.takes, 1);
}

TEST(Claims, AClaimOfAnotherChunkOfTheSameBatchIsADuplicateInTheBatch) {
  FakeClaimTable table;
  table.own[KeyOf("a")] = 12;
  const auto taken = SettleClaims(table, std::vector{Wants(15, {"a"})}, -5, 11, 20);
  EXPECT_THAT(Verdicts(*taken), ElementsAre("DUPLICATE_IN_BATCH"));
}

TEST(Claims, AnEdgeIsHeldByOnePolicyAndCountsItsItems) {
  FakeClaimTable table;
  ASSERT_TRUE(
      SettleClaims(table, std::vector{Wants(11, {"a"}, {"h"}), Wants(12, {"b"}, {"h"})}, -5, 11, 20)
          .ok());
  EXPECT_EQ(table.edges[KeyOf("edge h")], std::make_pair(std::int64_t{-5}, 2));
  const auto other = SettleClaims(table, std::vector{Wants(31, {"x"}, {"h", "free"})}, -6, 31, 40);
  EXPECT_THAT(Verdicts(*other), ElementsAre("EXCLUDED_BY_POLICY"));
  EXPECT_FALSE(table.own.contains(KeyOf("x"))) << "its own claim is given back";
  EXPECT_EQ(table.edges[KeyOf("edge free")].second, 0) << "and so is the other edge";
}

TEST(Claims, KeysDifferByEachOfTheirParts) {
  const ClaimKey key = MakeClaimKey("policy:P001", "2026-03", "PERSON", "7");
  EXPECT_NE(key, MakeClaimKey("policy:P002", "2026-03", "PERSON", "7"));
  EXPECT_NE(key, MakeClaimKey("policy:P001", "2026-04", "PERSON", "7"));
  EXPECT_NE(key, MakeClaimKey("policy:P001", "2026-03", "HOUSEHOLD", "7"));
  EXPECT_NE(key, MakeClaimKey("policy:P001", "2026-03", "PERSON", "8"));
  EXPECT_LT(EdgeOwner("P001"), 0);
  EXPECT_NE(EdgeOwner("P001"), EdgeOwner("P002"));
}

// --- Rows ---

class RosterTest : public ::testing::Test {
 protected:
  RosterTest() : rule(RuleOf("P001")) { people.Populate(30); }

  // One row about person `n`, with the amount that the standard rule gives.
  RosterRow Row(std::int64_t row, int n) {
    texts_.push_back(IdOf(n));
    const std::string& id = texts_.back();
    texts_.push_back(FakePeople::NameOf(n));
    RosterRow made;
    made.row = row;
    made.id_no = id;
    made.name = texts_.back();
    made.amount_fen = 104'500;
    return made;
  }

  Roster MakeRoster() {
    BatchRow batch;
    batch.district = testing::kHebei;
    batch.batch_id = MakeBatchId(batch.district, 0, 1);
    batch.policy_id = rule.policy().policy_id();
    batch.period = period;
    batch.declared_count = 100;
    batch.first_item = MakeItemId(batch.district, 0, 1);
    return *Roster::Of(batch, Decoded(rule), kToday);
  }

  ChunkDraft Judged(const std::vector<RosterRow>& rows) {
    const Roster roster = MakeRoster();
    auto draft = ReadRows(roster, 1, std::string(32, 'h'), rows);
    EXPECT_TRUE(draft.ok()) << draft.status();
    const auto resolved = people.Resolve(draft->lookups, roster.PaysHeads());
    EXPECT_TRUE(JudgeRows(roster, rows, *resolved, *draft).ok());
    return *std::move(draft);
  }

  // "" where the row passes, else "REASON detail".
  std::string Fate(const RosterRow& row) {
    const ChunkDraft draft = Judged({row});
    EXPECT_EQ(draft.candidates.size() + draft.rejections.size(), 1u);
    if (draft.rejections.empty()) return "";
    const Rejection& rejection = draft.rejections[0];
    return rejection.detail.empty() ? rejection.reason : rejection.reason + " " + rejection.detail;
  }

  pb::GetPayableVersionResponse rule;
  std::string period = "2026-03";
  FakePeople people;

 private:
  std::list<std::string> texts_;
};

TEST_F(RosterTest, AGoodRowBecomesACandidateWithItsClaims) {
  const ChunkDraft draft = Judged({Row(5, 0)});
  ASSERT_EQ(draft.candidates.size(), 1u);
  EXPECT_EQ(draft.candidates[0].item_id, MakeItemId(testing::kHebei, 0, 5));
  EXPECT_EQ(draft.candidates[0].person_id, FakePeople::PersonId(0));
  EXPECT_EQ(draft.candidates[0].payee_id, FakePeople::PersonId(0));
  EXPECT_EQ(draft.candidates[0].masked_name, "张**");
  EXPECT_THAT(draft.claimants[0].own,
              ElementsAre(MakeClaimKey("policy:P001", "2026-03", "PERSON", "1000")));
}

TEST_F(RosterTest, AChunkThatIsNoneIsRefusedWhole) {
  const Roster roster = MakeRoster();
  const auto reason = [&](std::int32_t chunk, const std::vector<RosterRow>& rows) {
    return ReasonOf(ReadRows(roster, chunk, std::string(32, 'h'), rows).status());
  };
  EXPECT_EQ(reason(0, {Row(1, 0)}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, {}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, {Row(0, 0)}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, {Row(1, 0), Row(3, 1)}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, {Row(2, 0), Row(1, 1)}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, {Row(1, 0), Row(1, 1)}), Reason::kChunkInvalid);
  EXPECT_EQ(reason(1, std::vector<RosterRow>(2'001, Row(1, 0))), Reason::kChunkInvalid);
}

TEST_F(RosterTest, WhatStandsInTheRowIsReadFirst) {
  RosterRow row = Row(101, 0);
  EXPECT_EQ(Fate(row), "ROW_NUMBER_BEYOND_DECLARED declared=100");
  row = Row(1, 0);
  row.amount_fen = 0;
  EXPECT_EQ(Fate(row), "AMOUNT_INVALID amount_fen=0");
  row.amount_fen = -500;
  EXPECT_EQ(Fate(row), "AMOUNT_INVALID amount_fen=-500");
  row.amount_fen = 1'000'000'001;
  EXPECT_EQ(Fate(row), "AMOUNT_TOO_LARGE amount_fen=1000000001");
  row = Row(1, 0);
  row.id_no = "120105198506159994";
  EXPECT_EQ(Fate(row), "ID_NUMBER_CHECK_DIGIT_WRONG");
  row.id_no = "1201051985061599";
  EXPECT_EQ(Fate(row), "ID_NUMBER_LENGTH_WRONG");
  row = Row(1, 0);
  row.payee_id_no = "12";
  EXPECT_EQ(Fate(row), "ID_NUMBER_LENGTH_WRONG of=payee");
}

TEST_F(RosterTest, TheSumOfAChunkIsThatOfAllItsRowsAndNeverOverflows) {
  std::vector<RosterRow> rows = {Row(1, 0), Row(2, 1), Row(3, 2)};
  rows[1].amount_fen = -500;
  EXPECT_EQ(Judged(rows).rows_fen, 104'500 * 2 - 500);
  rows[0].amount_fen = rows[1].amount_fen = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(Judged(rows).rows_fen, std::numeric_limits<std::int64_t>::max());
}

TEST_F(RosterTest, WhoItIsAboutMustBeKnownNamedAliveOldEnoughAndAtHome) {
  people.Forget(1);
  EXPECT_EQ(Fate(Row(1, 1)), "PERSON_UNKNOWN");
  RosterRow row = Row(1, 2);
  row.name = "李四";
  EXPECT_EQ(Fate(row), "NAME_MISMATCH");
  people.At(3).died_on = absl::CivilDay(2026, 1, 31);
  EXPECT_TRUE(Fate(Row(1, 3)).starts_with("PERSON_DECEASED"));
  rule.mutable_version()->mutable_eligibility()->set_death_grace_months(2);
  EXPECT_EQ(Fate(Row(1, 3)), "");
  rule.mutable_version()->mutable_eligibility()->set_min_age(60);
  EXPECT_TRUE(Fate(Row(1, 4)).starts_with("AGE_OUT_OF_RANGE age=45")) << Fate(Row(1, 4));
  rule.mutable_version()->mutable_eligibility()->clear_min_age();
  rule.mutable_version()->mutable_eligibility()->set_residence(pb::RESIDENCE_RULE_DISTRICT);
  people.At(5).village = 120'115'001'001;
  EXPECT_TRUE(Fate(Row(1, 5)).starts_with("RESIDENCE_OUTSIDE"));
  rule.mutable_version()->mutable_eligibility()->set_residence(pb::RESIDENCE_RULE_CITY);
  EXPECT_EQ(Fate(Row(1, 5)), "");
  people.At(5).village = 130'115'001'001;
  EXPECT_TRUE(Fate(Row(1, 5)).starts_with("RESIDENCE_OUTSIDE"));
}

TEST_F(RosterTest, AnAmountOffTheStandardIsReportedWithBoth) {
  RosterRow row = Row(1, 0);
  row.amount_fen = 104'600;
  EXPECT_EQ(Fate(row), "AMOUNT_NOT_STANDARD standard_fen=104500;given_fen=104600");
  period = "2026-Q1";
  row.amount_fen = 313'500;
  EXPECT_EQ(Fate(row), "") << "a quarter of a monthly policy is three months";
}

TEST_F(RosterTest, ARowWithoutTheFiguresOfItsCalculationSaysWhich) {
  rule.mutable_version()->mutable_calculation()->set_type(pb::CALCULATION_TYPE_PER_AREA);
  RosterRow row = Row(1, 0);
  row.quantity = -1;
  EXPECT_TRUE(Fate(row).starts_with("CALCULATION_INPUT field=quantity")) << Fate(row);
}

TEST_F(RosterTest, ACaseThatTheStandardDoesNotKnowIsNoMissingFigure) {
  auto& calculation = *rule.mutable_version()->mutable_calculation();
  calculation.set_type(pb::CALCULATION_TYPE_TIERED);
  auto& heavy = *calculation.add_tiers();
  heavy.set_tier("heavy");
  heavy.set_rate_fen(60'000);
  RosterRow row = Row(1, 0);
  row.amount_fen = 60'000;
  row.tier = "severe";
  EXPECT_EQ(Fate(row), "STANDARD_MISSING field=tier");
  row.tier = "heavy";
  EXPECT_EQ(Fate(row), "");
}

TEST_F(RosterTest, AQuarterClaimsItsThreeMonthsAndSoMeetsEachOfThem) {
  const auto month = Judged({Row(1, 0)}).claimants[0].own;
  period = "2026-Q1";
  RosterRow row = Row(1, 0);
  row.amount_fen *= 3;
  const auto quarter = Judged({row}).claimants[0].own;
  EXPECT_EQ(quarter.size(), 3u);
  EXPECT_THAT(quarter, ::testing::Contains(month[0]));
}

TEST_F(RosterTest, AMergedPersonClaimsUnderEveryAlias) {
  people.At(0).aliases = {77, 78};
  const auto claims = Judged({Row(1, 0)}).claimants[0].own;
  EXPECT_THAT(claims, ElementsAre(MakeClaimKey("policy:P001", "2026-03", "PERSON", "1000"),
                                  MakeClaimKey("policy:P001", "2026-03", "PERSON", "77"),
                                  MakeClaimKey("policy:P001", "2026-03", "PERSON", "78")));
}

TEST_F(RosterTest, HouseholdsPlotsAndMachinesAreKeysOfTheirOwn) {
  rule.mutable_policy()->set_key_kind(pb::KEY_KIND_HOUSEHOLD);
  people.At(1).household_id = people.At(0).household_id;
  EXPECT_EQ(Judged({Row(1, 0)}).claimants[0].own, Judged({Row(2, 1)}).claimants[0].own)
      << "two members of one household";
  people.At(2).household_id = 0;
  EXPECT_EQ(Fate(Row(1, 2)), "HOUSEHOLD_MISSING");

  rule.mutable_policy()->set_key_kind(pb::KEY_KIND_PLOT);
  EXPECT_EQ(Fate(Row(1, 3)), "OBJECT_MISSING");
  RosterRow row = Row(1, 3);
  row.object_id = "tj 0105-7";
  RosterRow same = Row(2, 4);
  same.object_id = "TJ0105-7";
  EXPECT_EQ(Judged({row}).claimants[0].own, Judged({same}).claimants[0].own)
      << "two tenants of one plot";
  row.object_id = "plot; DROP TABLE";
  EXPECT_EQ(Fate(row), "OBJECT_MISSING");
}

TEST_F(RosterTest, AnEdgeIsClaimedInItsOwnSlotAndKind) {
  pb::GetPayableVersionResponse other = RuleOf("P003");
  testing::Exclude(rule, other, pb::SLOT_UNIT_YEAR, pb::KEY_KIND_HOUSEHOLD);
  const auto edges = Judged({Row(1, 0)}).claimants[0].edges;
  EXPECT_THAT(edges, ElementsAre(MakeClaimKey("edge:P001~P003", "2026", "HOUSEHOLD", "500000")));
}

TEST_F(RosterTest, WhoReceivesTheMoneyFollowsThePayeeRule) {
  RosterRow other_payee = Row(1, 0);
  const std::string payee_id = IdOf(1);
  const std::string payee_name = FakePeople::NameOf(1);
  other_payee.payee_id_no = payee_id;
  other_payee.payee_name = payee_name;
  EXPECT_EQ(Fate(other_payee), "PAYEE_RELATION_MISSING");
  people.Forget(1);
  EXPECT_EQ(Fate(other_payee), "PAYEE_UNKNOWN");
  people.At(1);

  rule.mutable_version()->set_payee_rule(pb::PAYEE_RULE_HEAD_OF_HOUSEHOLD);
  people.At(0).head_person_id = FakePeople::PersonId(1);
  EXPECT_EQ(Judged({Row(1, 0)}).candidates[0].payee_id, FakePeople::PersonId(1));
  EXPECT_EQ(Fate(other_payee), "");
  people.At(0).household_id = 0;
  EXPECT_EQ(Fate(Row(1, 0)), "HOUSEHOLD_MISSING");

  rule.mutable_version()->set_payee_rule(pb::PAYEE_RULE_GUARDIAN);
  EXPECT_EQ(Fate(other_payee), "PAYEE_RELATION_MISSING");
  people.At(0).guardian_person_id = FakePeople::PersonId(1);
  EXPECT_EQ(Judged({other_payee}).candidates[0].payee_id, FakePeople::PersonId(1));
}

TEST_F(RosterTest, AChildUnderFourteenIsNeverNamed) {
  EXPECT_EQ(PublicName("张小明", "张大明", 13), "监护人张**之子女");
  EXPECT_EQ(PublicName("张小明", "", 3), "未成年人");
  EXPECT_EQ(PublicName("张小明", "张大明", 14), "张**");
  EXPECT_EQ(PublicName("买买提•艾力", "", 30), "买买提·**");
}

// --- Review ---

class ReviewTest : public ::testing::Test {
 protected:
  ReviewTest() : rule(Decoded(RuleOf("P001"))) {
    batch.state = BatchState::kInReview;
    batch.created_by = "operator";
    batch.state_since_on = absl::CivilDay(2026, 3, 2);
  }
  std::optional<Reason> Check(const identity::Caller& caller, std::string_view step,
                              bool approve = true, std::string_view comment = "") {
    return ReasonOf(CheckReview(rule, batch, caller, step, approve, comment));
  }
  policy::PolicyRule rule;
  Batch batch;
};

TEST_F(ReviewTest, StepsComeInOrderAndEachHasItsRole) {
  EXPECT_EQ(Check(CallerOf("t", {Role::kTownReviewer}), "town_review"), std::nullopt);
  EXPECT_EQ(Check(CallerOf("d", {Role::kDepartmentReviewer}), "department_review"),
            Reason::kStepOrder);
  EXPECT_EQ(Check(CallerOf("d", {Role::kDepartmentReviewer}), "town_review"),
            Reason::kPermissionDenied);
  batch.reviews.push_back({"town_review", "t", {}, {}, true, "", false});
  EXPECT_EQ(Check(CallerOf("d", {Role::kDepartmentReviewer}), "department_review"), std::nullopt);
}

TEST_F(ReviewTest, NobodyActsTwiceAndWhoEnteredNeverReviews) {
  EXPECT_EQ(Check(CallerOf("operator", {Role::kTownReviewer}), "town_review"), Reason::kSamePerson);
  batch.reviews.push_back({"town_review", "t", {}, {}, true, "", false});
  EXPECT_EQ(Check(CallerOf("t", {Role::kDepartmentReviewer}, {testing::kHebei}, {"CIVIL"},
                           "finance.120105"),
                  "department_review"),
            Reason::kSamePerson)
      << "by person, across organisations";
}

TEST_F(ReviewTest, AReturnNeedsAReasonAndCanComeBeforeAndAfterTheReview) {
  const identity::Caller town = CallerOf("t", {Role::kTownReviewer});
  EXPECT_EQ(Check(town, "town_review", false), Reason::kReasonMissing);
  EXPECT_EQ(Check(town, "town_review", false, "the roster is wrong"), std::nullopt);
  batch.state = BatchState::kSealed;
  EXPECT_EQ(Check(town, "town_review", false, "the roster is wrong"), std::nullopt);
  EXPECT_EQ(Check(town, "town_review", true), Reason::kBatchState);
  batch.state = BatchState::kApproved;
  batch.reviews = {{"town_review", "a", {}, {}, true, "", false},
                   {"department_review", "b", {}, {}, true, "", false}};
  EXPECT_EQ(Check(town, "department_review", false, "too late"), Reason::kStepOrder);
  EXPECT_EQ(Check(town, "", false, "found wrong before funding"), std::nullopt);
  batch.state = BatchState::kFunded;
  EXPECT_EQ(Check(town, "town_review", false, "too late"), Reason::kBatchState);
}

TEST_F(ReviewTest, TheDueDayCountsWorkingDays) {
  const calendar::Calendar calendar = calendar::Calendar::BuiltIn();
  EXPECT_EQ(ReviewDueOn(rule, batch, calendar), absl::CivilDay(2026, 3, 5));
  batch.reviews.push_back({"town_review", "t", {}, absl::CivilDay(2026, 3, 6), true, "", false});
  EXPECT_EQ(ReviewDueOn(rule, batch, calendar), absl::CivilDay(2026, 3, 11))
      << "Friday and three working days";
}

TEST(Reasons, AreCountedByCharacters) {
  EXPECT_EQ(ReasonOf(CheckReason("")), Reason::kReasonMissing);
  std::string text;
  for (int i = 0; i < 500; ++i) text += "字";
  EXPECT_TRUE(CheckReason(text).ok());
  EXPECT_EQ(ReasonOf(CheckReason(text + "字")), Reason::kFieldInvalid);
  EXPECT_EQ(ReasonOf(CheckReason("\xff")), Reason::kFieldInvalid);
  // An entry of the audit log has lines: what breaks one must be told before it gets there.
  EXPECT_EQ(ReasonOf(CheckReason("two\nlines")), Reason::kFieldInvalid);
}

}  // namespace
}  // namespace yikatong::dispatch
