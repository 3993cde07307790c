// What the suite must survive, at the surface that its callers see: one test for each scenario of
// the list of scenarios that is about batches, items, reviews and identity. Where a scenario has
// more to it than one service shows, the table of tests/README.md names the other tests.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "absl/time/clock.h"
#include "common/status/status.h"
#include "services/dispatch/testing/scenario_rig.h"

namespace yikatong::dispatch::testing {
namespace {

namespace pb = catalogue::v1;
using identity::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// --- Batches and items --------------------------------------------------------------------------

TEST_F(ScenarioTest, S01TheSameBatchAgainGetsTheFirstAnswerAndOtherContentIsRefused) {
  v1::CreateBatchRequest request = NewBatch(3);
  v1::Batch first, again;
  ASSERT_EQ(Outcome(Call(&Stub::CreateBatch, request, &first, entering_)), "OK");
  ASSERT_EQ(Outcome(Call(&Stub::CreateBatch, request, &again, entering_)), "OK");
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  request.set_declared_count(4);
  EXPECT_EQ(Create(request), "REQUEST_ID_REUSED");
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "1");

  const v1::UploadItemsRequest chunk = People(first.batch_id(), 1, 1, 0, 3);
  const Streamed taken = Upload({chunk}), repeated = Upload({chunk});
  ASSERT_EQ(taken.answers.size(), 1u);
  ASSERT_EQ(repeated.answers.size(), 1u);
  EXPECT_EQ(taken.answers[0].SerializeAsString(), repeated.answers[0].SerializeAsString());
  EXPECT_EQ(Upload({People(first.batch_id(), 1, 1, 10, 3)}).outcome, "REQUEST_ID_REUSED");
  EXPECT_EQ(Show(first.batch_id()).totals().accepted(), 3);
}

TEST_F(ScenarioTest, S02ABatchThatCannotBeIsRefusedWithItsReason) {
  const auto outcome = [&](auto change) {
    v1::CreateBatchRequest request = NewBatch(3);
    change(request);
    return Create(request);
  };
  EXPECT_EQ(outcome([](auto& r) { r.set_declared_count(0); }), "BATCH_EMPTY");
  EXPECT_EQ(outcome([](auto& r) { r.set_policy_id("P999"); }), "POLICY_UNKNOWN");
  EXPECT_EQ(outcome([](auto& r) { r.set_district(kBaodi); }), "DISTRICT_FOREIGN");
  for (const status::Reason reason :
       {status::Reason::kPolicyVersionNotApproved, status::Reason::kPolicyPublicationOverdue}) {
    rig_->catalogue.Refuse(status::Refuse(reason));
    EXPECT_EQ(outcome([](auto&) {}), status::ReasonName(reason));
  }
  rig_->catalogue.Refuse(absl::OkStatus());
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "0");
  const std::int64_t empty = Open(3);
  EXPECT_EQ(Seal(empty), "BATCH_EMPTY") << "declared, and nothing came";
}

TEST_F(ScenarioTest, S03AMalformedChunkIsRefusedWholeAndBadRowsAmongGoodOnesRowByRow) {
  const std::int64_t batch = Open(10);
  v1::UploadItemsRequest gap = People(batch, 2, 6, 5, 3);
  gap.mutable_rows(2)->set_row(9);
  const Streamed broken = Upload({People(batch, 1, 1, 0, 5), gap});
  EXPECT_EQ(broken.answers.size(), 1u);
  EXPECT_EQ(broken.outcome, "CHUNK_INVALID");
  EXPECT_EQ(Show(batch).totals().accepted(), 5) << "what was acknowledged stays";

  v1::UploadItemsRequest mixed = People(batch, 2, 6, 5, 5);
  mixed.mutable_rows(0)->set_id_no("12");
  mixed.mutable_rows(2)->set_name("李四");
  mixed.mutable_rows(4)->set_id_no(IdOf(99'999));
  const Streamed streamed = Upload({mixed});
  EXPECT_EQ(streamed.accepted, 2);
  EXPECT_THAT(streamed.refused,
              ElementsAre("6:ID_NUMBER_LENGTH_WRONG", "8:NAME_MISMATCH", "10:PERSON_UNKNOWN"));
  EXPECT_EQ(Seal(batch), "OK") << "bad rows do not stop the good ones";
  EXPECT_EQ(Show(batch).totals().rejected(), 3);
}

TEST_F(ScenarioTest, S04TheSumsOverThePartsOfASplitBatchAreTheBatchForEverySplit) {
  constexpr int kRows = 24;
  for (const int part : {1, 5, 8, 23, 24}) {
    const std::int64_t batch = Open(kRows, "P001", fmt::format("2026-{:02}", part % 12 + 1));
    std::vector<v1::UploadItemsRequest> chunks;
    for (int from = 0, chunk = 1; from < kRows; from += part, ++chunk) {
      chunks.push_back(People(batch, chunk, from + 1, from, std::min(part, kRows - from)));
    }
    const Streamed streamed = Upload(chunks);
    EXPECT_EQ(streamed.answers.size(), chunks.size());
    EXPECT_EQ(streamed.accepted, kRows) << part;
    EXPECT_EQ(streamed.accepted_fen, kRows * kStandard) << part;
    EXPECT_EQ(Seal(batch), "OK") << part;
    const v1::BatchTotals totals = Show(batch).totals();
    EXPECT_EQ(totals.accepted(), kRows) << part;
    EXPECT_EQ(totals.accepted_fen(), kRows * kStandard) << part;
  }
}

TEST_F(ScenarioTest, S05TheSamePersonTwiceIsRefusedUnlessThePolicyIsAnotherAndExcludesNothing) {
  pb::GetPayableVersionResponse one = RuleOf("P001"), excluding = RuleOf("P003");
  Exclude(one, excluding);
  for (const auto& rule : {one, excluding, RuleOf("P008")}) rig_->catalogue.Put(rule);
  const std::int64_t batch = Open(3);
  EXPECT_THAT(Upload({Chunk(batch, 1, {RowOf(1, 0), RowOf(2, 1), RowOf(3, 0)})}).refused,
              ElementsAre("3:DUPLICATE_IN_BATCH row=1"));
  EXPECT_THAT(Upload({People(Open(1), 1, 1, 0, 1)}).refused,
              ElementsAre(fmt::format("1:ALREADY_CLAIMED batch={}", batch)));
  EXPECT_THAT(Upload({People(Open(1, "P003"), 1, 1, 0, 1)}).refused,
              ElementsAre("1:EXCLUDED_BY_POLICY policy=P001"));
  EXPECT_EQ(Upload({People(Open(1, "P008"), 1, 1, 0, 1)}).accepted, 1);
  EXPECT_EQ(Upload({People(Open(1, "P001", "2026-04"), 1, 1, 0, 1)}).accepted, 1);
}

TEST_F(ScenarioTest, S06OfTwoMembersOfOneHouseholdOneWinsAlsoWhenBothArriveAtOnce) {
  pb::GetPayableVersionResponse rule = RuleOf("P002");
  rule.mutable_policy()->set_key_kind(pb::KEY_KIND_HOUSEHOLD);
  rig_->catalogue.Put(rule);
  constexpr int kHomes = 40;
  // Persons n and n + kHomes live together.
  for (int n = 0; n < kHomes; ++n) {
    rig_->people.At(n + kHomes).household_id = FakePeople::Household(n);
  }
  const std::int64_t batches[] = {Open(kHomes, "P002"), Open(kHomes, "P002")};
  const auto accepted = Race({People(batches[0], 1, 1, 0, 20), People(batches[0], 2, 21, 20, 20)},
                             {People(batches[1], 1, 1, 60, 20), People(batches[1], 2, 21, 40, 20)});
  EXPECT_EQ(accepted[0] + accepted[1], kHomes);
  EXPECT_EQ(Sql("SELECT count(*) FROM claim"), std::to_string(kHomes));
}

TEST_F(ScenarioTest, S06OfTwoTenantsOfOnePlotAndTwoOwnersOfOneMachineOneWins) {
  for (const auto& [policy, kind] :
       {std::pair{"P042", pb::KEY_KIND_PLOT}, std::pair{"P045", pb::KEY_KIND_MACHINE}}) {
    pb::GetPayableVersionResponse rule = RuleOf(policy);
    rule.mutable_policy()->set_key_kind(kind);
    rule.mutable_policy()->set_slot_unit(kind == pb::KEY_KIND_PLOT ? pb::SLOT_UNIT_YEAR
                                                                   : pb::SLOT_UNIT_LIFE);
    rig_->catalogue.Put(rule);
    constexpr int kObjects = 40;
    const std::int64_t batches[] = {Open(kObjects, policy), Open(kObjects, policy)};
    std::array<v1::UploadItemsRequest, 2> chunks;
    for (int side = 0; side < 2; ++side) {
      auto& chunk = chunks[static_cast<std::size_t>(side)];
      chunk = People(batches[side], 1, 1, side * kObjects, kObjects);
      // The same objects from the other end, written in another way.
      for (int i = 0; i < kObjects; ++i) {
        chunk.mutable_rows(i)->set_object_id(side == 0 ? fmt::format("TJ-{:04}", i)
                                                       : fmt::format("tj-{:04}", kObjects - 1 - i));
      }
    }
    const auto accepted = Race({chunks[0]}, {chunks[1]});
    EXPECT_EQ(accepted[0] + accepted[1], kObjects) << policy;
    // Sold on: the machine cannot come again in a later year, the plot can.
    const std::int64_t later = Open(1, policy, "2027-01");
    v1::UploadItemsRequest sold = People(later, 1, 1, 90, 1);
    sold.mutable_rows(0)->set_object_id("TJ-0007");
    EXPECT_EQ(Upload({sold}).accepted, kind == pb::KEY_KIND_PLOT ? 1 : 0) << policy;
  }
}

TEST_F(ScenarioTest, S06OfTwoParentsOneDrawsForTheChild) {
  pb::GetPayableVersionResponse rule = RuleOf("P053");
  rule.mutable_policy()->set_key_kind(pb::KEY_KIND_CHILD);
  rule.mutable_version()->set_payee_rule(pb::PAYEE_RULE_GUARDIAN);
  rig_->catalogue.Put(rule);
  constexpr int kChildren = 30;
  for (int n = 0; n < kChildren; ++n) {
    rig_->people.At(n).guardian_person_id = FakePeople::PersonId(n + kChildren);
  }
  const std::int64_t batches[] = {Open(kChildren, "P053"), Open(kChildren, "P053")};
  std::array<v1::UploadItemsRequest, 2> chunks;
  for (int side = 0; side < 2; ++side) {
    auto& chunk = chunks[static_cast<std::size_t>(side)];
    chunk = People(batches[side], 1, 1, 0, kChildren);
    for (int n = 0; side == 1 && n < kChildren; ++n) {
      // The one parent is named in this list, and left to the registry in the other.
      chunk.mutable_rows(n)->set_payee_id_no(IdOf(n + kChildren));
      chunk.mutable_rows(n)->set_payee_name(FakePeople::NameOf(n + kChildren));
    }
  }
  const auto accepted = Race({chunks[0]}, {chunks[1]});
  EXPECT_EQ(accepted[0] + accepted[1], kChildren);
  // The other parent is none whom the registry knows to draw for this child.
  const std::int64_t third = Open(1, "P053", "2026-04");
  v1::UploadItemsRequest other = People(third, 1, 1, 0, 1);
  other.mutable_rows(0)->set_payee_id_no(IdOf(80));
  other.mutable_rows(0)->set_payee_name(FakePeople::NameOf(80));
  EXPECT_THAT(Upload({other}).refused, ElementsAre("1:PAYEE_RELATION_MISSING"));
}

TEST_F(ScenarioTest, S06AQuarterAndOneOfItsMonthsAreRefusedAndNamesakesAreNot) {
  const std::int64_t month = Open(1, "P001", "2026-02");
  EXPECT_EQ(Upload({People(month, 1, 1, 0, 1)}).accepted, 1);
  EXPECT_THAT(Upload({People(Open(1, "P001", "2026-Q1"), 1, 1, 0, 1, 3 * kStandard)}).refused,
              ElementsAre(fmt::format("1:ALREADY_CLAIMED batch={}", month)));
  EXPECT_EQ(Upload({People(Open(1, "P001", "2026-Q2"), 1, 1, 0, 1, 3 * kStandard)}).accepted, 1);
  EXPECT_THAT(Upload({People(Open(1, "P001", "2026-05"), 1, 1, 0, 1)}).refused,
              ElementsAre(HasSubstr("1:ALREADY_CLAIMED")));

  // At the same moment too: everybody is in a quarter and in its month, and drawn for in one.
  constexpr int kPeople = 40;
  const std::int64_t quarter = Open(kPeople, "P001", "2026-Q3"),
                     within = Open(kPeople, "P001", "2026-08");
  const auto accepted = Race({People(quarter, 1, 1, 10, kPeople, 3 * kStandard)},
                             {People(within, 1, 1, 10, kPeople)});
  EXPECT_EQ(accepted[0] + accepted[1], kPeople);

  rig_->people.At(103);
  ASSERT_EQ(FakePeople::NameOf(3), FakePeople::NameOf(103));
  EXPECT_EQ(Upload({Chunk(Open(2), 1, {RowOf(1, 3), RowOf(2, 103)})}).accepted, 2);
}

TEST_F(ScenarioTest, S07MoreThanWasDeclaredIsRefusedAtSealing) {
  const std::int64_t many = Open(2);
  EXPECT_THAT(Upload({People(many, 1, 1, 0, 3)}).refused,
              ElementsAre("3:ROW_NUMBER_BEYOND_DECLARED declared=2"));
  EXPECT_EQ(Seal(many), "COUNT_DIFFERS");
  EXPECT_EQ(Show(many).state(), v1::BATCH_STATE_COLLECTING);

  v1::CreateBatchRequest modest = NewBatch(2);
  modest.set_declared_fen(2 * kStandard - 1);
  v1::Batch batch;
  ASSERT_EQ(Outcome(Call(&Stub::CreateBatch, modest, &batch, entering_)), "OK");
  EXPECT_EQ(Upload({People(batch.batch_id(), 1, 1, 10, 2)}).accepted, 2);
  EXPECT_EQ(Seal(batch.batch_id()), "TOTAL_DIFFERS");
}

TEST_F(ScenarioTest, S07AmountsThatNobodyCanBePaidAreRefused) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  const std::int64_t batch = Open(6);
  const Streamed streamed =
      Upload({Chunk(batch, 1,
                    {RowOf(1, 0, 0), RowOf(2, 1, -1), RowOf(3, 2, kLeast),
                     RowOf(4, 3, 1'000'000'001), RowOf(5, 4, kMost), RowOf(6, 5, kMost)})});
  EXPECT_EQ(streamed.accepted, 0);
  EXPECT_THAT(streamed.refused,
              ElementsAre("1:AMOUNT_INVALID amount_fen=0", "2:AMOUNT_INVALID amount_fen=-1",
                          "3:AMOUNT_INVALID amount_fen=-9223372036854775808",
                          "4:AMOUNT_TOO_LARGE amount_fen=1000000001",
                          "5:AMOUNT_TOO_LARGE amount_fen=9223372036854775807",
                          "6:AMOUNT_TOO_LARGE amount_fen=9223372036854775807"));
  EXPECT_EQ(Seal(batch), "BATCH_EMPTY") << "sums that overflow end no process";
  v1::CreateBatchRequest huge = NewBatch(1);
  huge.set_declared_fen(kMost);
  EXPECT_EQ(Create(huge), "BATCH_TOO_LARGE");
}

TEST_F(ScenarioTest, S08ARowAfterSealingASecondCancellationAndADayInThePastAreClearErrors) {
  const std::int64_t batch = Open(2);
  ASSERT_EQ(Upload({People(batch, 1, 1, 0, 2)}).accepted, 2);
  ASSERT_EQ(Seal(batch), "OK");
  EXPECT_EQ(Upload({People(batch, 2, 3, 2, 1)}).outcome, "BATCH_STATE");
  EXPECT_EQ(Show(batch).totals().accepted(), 2);

  EXPECT_EQ(Cancel(batch, entering_), "OK");
  EXPECT_EQ(Cancel(batch, entering_), "OK") << "it is cancelled, as was asked";
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                "'%kind: batch.cancelled%'"),
            "1")
      << "and nothing happened a second time";
  EXPECT_EQ(Sql("SELECT count(*) FROM claim"), "0");

  v1::CreateBatchRequest late = NewBatch(1);
  late.set_pay_on("2026-03-01");
  EXPECT_EQ(Create(late), "PAY_DATE_PAST");
}

TEST_F(ScenarioTest, S09AnAmountOffTheStandardIsReportedWithBoth) {
  const std::int64_t batch = Open(2);
  EXPECT_THAT(Upload({Chunk(batch, 1, {RowOf(1, 0), RowOf(2, 1, 104'600)})}).refused,
              ElementsAre("2:AMOUNT_NOT_STANDARD standard_fen=104500;given_fen=104600"));
}

// --- Reviews and identity -----------------------------------------------------------------------

TEST_F(ScenarioTest, S12NobodyApprovesTwiceOrWhatTheyEnteredAndTheAttemptIsInTheLog) {
  const std::int64_t batch = InReview(2);
  const Officer self = OfficerOf("operator", {Role::kTownReviewer});
  EXPECT_EQ(Review(batch, "town_review", self), "SAME_PERSON") << "who entered it";
  ASSERT_EQ(Review(batch, "town_review", town_officer_), "OK");
  const Officer twice = OfficerOf("town", {Role::kDepartmentReviewer});
  EXPECT_EQ(Review(batch, "department_review", twice), "SAME_PERSON") << "who took a step before";
  EXPECT_EQ(RefusalsInTheLog("SAME_PERSON"), 2);
  EXPECT_EQ(Show(batch).state(), v1::BATCH_STATE_IN_REVIEW);
  EXPECT_EQ(Review(batch, "department_review", department_officer_), "OK");
  EXPECT_EQ(Show(batch).state(), v1::BATCH_STATE_APPROVED);
}

TEST_F(ScenarioTest, S13AnotherDomainOrDistrictIsRefusedBeforeAnythingIsRevealed) {
  const std::int64_t batch = InReview(2);
  const identity::RoleSet roles = {Role::kDepartmentOperator, Role::kDepartmentReviewer,
                                   Role::kTownReviewer};
  const Officer strangers[] = {OfficerOf("s", roles, {kBaodi}, {"CIVIL"}, kCivilOfBaodi),
                               OfficerOf("s", roles, {kHebei}, {"AGRI"})};
  for (const Officer& stranger : strangers) {
    // A batch of another and a batch that is none are told in the same words.
    for (const std::int64_t id : {batch, batch + 1}) {
      v1::GetBatchRequest get;
      get.set_batch_id(id);
      v1::Batch shown;
      const absl::Status refusal = Call(&Stub::GetBatch, get, &shown, stranger);
      EXPECT_EQ(Outcome(refusal), "BATCH_UNKNOWN");
      EXPECT_THAT(status::MetadataOf(refusal), IsEmpty());
      EXPECT_EQ(Review(id, "town_review", stranger), "BATCH_UNKNOWN");
      EXPECT_EQ(Cancel(id, stranger), "BATCH_UNKNOWN");
      EXPECT_EQ(Step(&Stub::SealBatch, id, stranger), "BATCH_UNKNOWN");
      EXPECT_EQ(Upload({People(id, 1, 1, 0, 1)}, stranger).outcome, "BATCH_UNKNOWN");
      EXPECT_EQ(Step(&Stub::CloseNotice, id, stranger), "BATCH_UNKNOWN");
    }
    v1::ListBatchesResponse listed;
    EXPECT_EQ(Outcome(Call(&Stub::ListBatches, v1::ListBatchesRequest(), &listed, stranger)), "OK");
    EXPECT_EQ(listed.batches_size(), 0);
  }
  EXPECT_EQ(Show(batch).state(), v1::BATCH_STATE_IN_REVIEW);
  EXPECT_EQ(Sql("SELECT count(*) FROM review"), "0");
}

TEST_F(ScenarioTest, S14AForgedExpiredReplayedOrWronglyScopedTokenIsRefused) {
  rpc::Channel& civil = served_->As(kCivil);
  const std::string good = served_->Token(entering_.claims);
  const auto outcome = [&](const std::string& token, rpc::Channel& channel) {
    v1::Batch batch;
    return Outcome(served_->Call(&Stub::CreateBatch, NewBatch(1), &batch, token, channel));
  };
  const auto minted = [&](const std::string& installation, absl::Time when) {
    const base::ManualClock clock(when);
    const auto signer = identity::TokenSigner::Load(installation + "/keys/token-issuer.key", clock);
    identity::TokenClaims claims = entering_.claims;
    return *(*signer)->Mint(claims, absl::Minutes(10));
  };
  std::string forged = good;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(outcome("", civil), "UNAUTHENTICATED");
  EXPECT_EQ(outcome(forged, civil), "TOKEN_INVALID");
  EXPECT_EQ(outcome(minted(ForeignInstallation(), absl::Now()), civil), "TOKEN_INVALID")
      << "of an issuer that nobody trusts";
  EXPECT_EQ(outcome(minted(Installation(), absl::Now() - absl::Hours(1)), civil), "TOKEN_EXPIRED");
  EXPECT_EQ(outcome(good, served_->As(kCivilOfBaodi)), "TOKEN_ORGANISATION")
      << "replayed by another organisation, with a certificate of its own";
  EXPECT_EQ(outcome(served_->Token(OfficerOf("a", {Role::kAuditor}).claims), civil),
            "PERMISSION_DENIED");
  EXPECT_EQ(
      outcome(served_->Token(OfficerOf("o", {Role::kDepartmentOperator}, {kBaodi}).claims), civil),
      "DISTRICT_FOREIGN");
  EXPECT_EQ(outcome(served_->Token(
                        OfficerOf("o", {Role::kDepartmentOperator}, {kHebei}, {"AGRI"}).claims),
                    civil),
            "POLICY_UNKNOWN");
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "0");
  EXPECT_EQ(RefusalsInTheLog("TOKEN_ORGANISATION"), 1);
  EXPECT_EQ(outcome(good, civil), "OK");
}

TEST_F(ScenarioTest, S14WithoutACertificateOrWithOneOfAnotherAuthorityNothingIsReached) {
  const auto reads = [](const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const std::string token = served_->Token(entering_.claims);
  rpc::TlsFiles foreign = TlsOf("organisations", kCivil, ForeignInstallation());
  foreign.ca = TlsOf("organisations", kCivil).ca;
  const auto channel = served_->Open(foreign);
  v1::Batch batch;
  EXPECT_EQ(served_->Call(&Stub::CreateBatch, NewBatch(1), &batch, token, *channel).code(),
            absl::StatusCode::kUnavailable);

  grpc::SslCredentialsOptions only_server;
  only_server.pem_root_certs = reads(foreign.ca);
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("dispatch");
  const auto stub = v1::DispatchService::NewStub(
      grpc::CreateCustomChannel(served_->address(), grpc::SslCredentials(only_server), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  context.AddMetadata("authorization", "Bearer " + token);
  EXPECT_EQ(stub->CreateBatch(&context, NewBatch(1), &batch).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "0");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox"), "0") << "nobody was known, so nobody is named";
}

TEST_F(ScenarioTest, S15OfAnApprovalAndAReturnAtOneMomentExactlyOneWins) {
  for (int round = 0; round < 6; ++round) {
    served_.reset();
    Renew(10);
    Serve();
    const std::int64_t batch = InReview(3);
    ASSERT_EQ(Review(batch, "town_review", town_officer_), "OK");
    served_->As(kCivil);
    std::array<std::string, 2> outcomes;
    std::thread approves(
        [&] { outcomes[0] = Review(batch, "department_review", department_officer_); });
    std::thread returns([&] {
      outcomes[1] = Review(batch, "department_review",
                           OfficerOf("second", {Role::kDepartmentReviewer}), false);
    });
    approves.join();
    returns.join();
    ASSERT_EQ((outcomes[0] == "OK") + (outcomes[1] == "OK"), 1)
        << outcomes[0] << " " << outcomes[1];
    const bool won = outcomes[0] == "OK";
    EXPECT_THAT(outcomes[won ? 1 : 0], ::testing::AnyOf("BATCH_STATE", "STEP_ORDER"));
    EXPECT_EQ(Show(batch).state(), won ? v1::BATCH_STATE_APPROVED : v1::BATCH_STATE_RETURNED);
    EXPECT_EQ(Sql("SELECT count(*) FROM review"), "2") << "the town's, and one of the two";
  }
}

}  // namespace
}  // namespace yikatong::dispatch::testing
