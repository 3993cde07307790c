#include "common/status/status.h"

#include <gtest/gtest.h>

namespace yikatong::status {
namespace {

TEST(StatusTest, ARefusalCarriesItsReasonCodeTextAndMetadata) {
  const absl::Status status =
      Refuse(Reason::kFundsInsufficient, "line 7", {{"available_fen", "12"}, {"needed_fen", "13"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), Reason::kFundsInsufficient);
  EXPECT_EQ(ReasonNameOf(status), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(std::string(status.message()), "The budget line does not suffice: line 7");
  EXPECT_EQ(MetadataOf(status), (Metadata{{"available_fen", "12"}, {"needed_fen", "13"}}));
}

TEST(StatusTest, AnyByteInMetadataSurvives) {
  const Metadata odd = {{"k", std::string("a:b\n\0c=1", 8)}, {"", "3:abc"}, {"空", ""}};
  EXPECT_EQ(MetadataOf(Refuse(Reason::kFieldInvalid, "", odd)), odd);
}

TEST(StatusTest, AStatusWithoutAReasonHasNone) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ReasonOf(absl::NotFoundError("x")), std::nullopt);
  EXPECT_EQ(ReasonNameOf(absl::NotFoundError("x")), "");
  EXPECT_TRUE(MetadataOf(absl::NotFoundError("x")).empty());
}

TEST(StatusTest, ADamagedPayloadIsNoReason) {
  for (const char* payload :
       {"", "9:NOT_FOUND1", "x", "999:NOT_FOUND", "9:NOT_FOUND3:key", "-1:a"}) {
    absl::Status status = absl::NotFoundError("x");
    status.SetPayload("type.yikatong/reason.v1", absl::Cord(payload));
    EXPECT_EQ(ReasonOf(status), std::nullopt) << payload;
  }
}

TEST(StatusTest, ABrokenInvariantIsInternal) {
  const absl::Status status = Invariant("ledger row without a line");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), Reason::kInvariantBroken);
}

TEST(StatusTest, SensitiveValuesNeverStandInARefusal) {
  const absl::Status status = Refuse(
      Reason::kPersonUnknown, "row 3, 120105198506159993",
      {{"phone", "13800000001"}, {"card", "6200000000000013"}, {"reference", "0105000000000101"}});
  EXPECT_EQ(std::string(status.message()).find("1201"), std::string::npos);
  EXPECT_EQ(MetadataOf(status), (Metadata{{"phone", "[redacted]"},
                                          {"card", "[redacted]"},
                                          {"reference", "0105000000000101"}}));
}

TEST(StatusTest, AnAmountInFenIsNotTakenForAPhoneNumber) {
  const Metadata sums = {{"needed_fen", "15000000000"}};
  EXPECT_EQ(MetadataOf(Refuse(Reason::kFundsInsufficient, "", sums)), sums);
}

TEST(StatusTest, MetadataCanBeAddedButNotChanged) {
  const absl::Status status = Refuse(Reason::kBatchState, "x", {{"state", "SEALED"}});
  const absl::Status more = WithMetadata(status, {{"state", "PAID"}, {"batch", "b1"}});
  EXPECT_EQ(MetadataOf(more), (Metadata{{"state", "SEALED"}, {"batch", "b1"}}));
  EXPECT_EQ(more.message(), status.message());
  EXPECT_EQ(WithMetadata(absl::NotFoundError("y"), {{"a", "b"}}), absl::NotFoundError("y"));
}

TEST(StatusTest, AReasonOfANewerPeerIsKeptByName) {
  const absl::Status status =
      Rebuild(absl::StatusCode::kAborted, "new trouble", "REASON_OF_TOMORROW", {{"k", "v"}});
  EXPECT_EQ(ReasonOf(status), std::nullopt);
  EXPECT_EQ(ReasonNameOf(status), "REASON_OF_TOMORROW");
  EXPECT_EQ(MetadataOf(status), (Metadata{{"k", "v"}}));
  EXPECT_EQ(Describe(status, Lang::kChinese), "new trouble");
}

TEST(StatusTest, ADescriptionSaysWhatHappenedAndWhatToDoInBothLanguages) {
  const absl::Status status = Refuse(Reason::kNoticeRunning, "until 2026-03-08");
  EXPECT_EQ(Describe(status, Lang::kEnglish),
            "The notice period is not over: until 2026-03-08. Wait until its last day has passed.");
  EXPECT_EQ(Describe(status, Lang::kChinese),
            "公示期尚未结束: until 2026-03-08。请在公示期满后办理。");
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return Refuse(Reason::kFieldInvalid, "odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  YKT_ASSIGN_OR_RETURN(const int half, Half(value));
  YKT_ASSIGN_OR_RETURN(const int quarter, Half(half));
  YKT_INVARIANT(quarter * 4 == value, "halving twice gives a quarter");
  return quarter;
}

absl::Status Nested(int value) {
  YKT_RETURN_IF_ERROR([&]() -> absl::Status {
    YKT_RETURN_IF_ERROR(Half(value).status());
    return absl::OkStatus();
  }());
  return absl::OkStatus();
}

absl::Status BreaksAnInvariant() {
  YKT_INVARIANT(1 + 1 == 3, "arithmetic");
  return absl::OkStatus();
}

TEST(StatusTest, TheMacrosPassAFailureOnAndAValueThrough) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(ReasonOf(Quarter(6).status()), Reason::kFieldInvalid);
  EXPECT_TRUE(Nested(2).ok());
  EXPECT_EQ(ReasonOf(Nested(3)), Reason::kFieldInvalid);
  EXPECT_EQ(ReasonOf(BreaksAnInvariant()), Reason::kInvariantBroken);
}

}  // namespace
}  // namespace yikatong::status
