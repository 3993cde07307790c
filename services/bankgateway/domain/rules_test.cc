// The pure rules: outcomes, statement lines, return codes, chunks, files.
#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/bank_file.h"
#include "services/bankgateway/domain/chunk.h"
#include "services/bankgateway/domain/outcome_rules.h"
#include "services/bankgateway/domain/return_codes.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

Chunk TwoRows() {
  Chunk chunk;
  chunk.request_id = "chunk-1";
  chunk.district = 120105;
  chunk.agreement_no = "AG-1";
  chunk.summary = "耕地补贴";
  chunk.rows = {{1051000000001'01, 1051000000001, 500, 7, 1, "102100099996"},
                {1051000000002'01, 1051000000002, 700, 8, 1, "102100099996"}};
  chunk.accounts = {{"6200000000000013", "测一", "", ""}, {"620000000000000005", "测二", "", ""}};
  return chunk;
}

TEST(OutcomeRules, APaidRowChangesOnlyByAReturn) {
  EXPECT_EQ(Next(OutcomeState::kPaid, BankSays::kPaid), Verdict::kNothing);
  EXPECT_EQ(Next(OutcomeState::kPaid, BankSays::kFailed), Verdict::kDifference);
  EXPECT_EQ(Next(OutcomeState::kPaid, BankSays::kDuplicate), Verdict::kDifference);
  EXPECT_EQ(Next(OutcomeState::kPaid, BankSays::kReturned), Verdict::kReturned);
}

TEST(OutcomeRules, AFailedRowThatIsSaidToBePaidIsACaseAndNoPayment) {
  EXPECT_EQ(Next(OutcomeState::kFailed, BankSays::kPaid), Verdict::kDifference);
  EXPECT_EQ(Next(OutcomeState::kFailed, BankSays::kFailed), Verdict::kNothing);
}

TEST(OutcomeRules, DuplicateNeverMakesARowFailed) {
  for (const OutcomeState last : {OutcomeState::kNone, OutcomeState::kPaid, OutcomeState::kFailed,
                                  OutcomeState::kUnknown, OutcomeState::kReturned}) {
    EXPECT_NE(Next(last, BankSays::kDuplicate), Verdict::kFailed);
  }
}

TEST(OutcomeRules, AReturnThatComesBeforeItsPaymentIsBoth) {
  EXPECT_EQ(Next(OutcomeState::kNone, BankSays::kReturned), Verdict::kPaidAndReturned);
  EXPECT_EQ(Next(OutcomeState::kUnknown, BankSays::kReturned), Verdict::kPaidAndReturned);
}

TEST(StatementLines, ADebitOfAnUnknownRowMakesItPaid) {
  LineContext context{true, true, false, false, OutcomeState::kUnknown};
  EXPECT_EQ(JudgeLine(true, context).outcome, Verdict::kPaid);
  EXPECT_TRUE(JudgeLine(true, context).agreed);
  context.last = OutcomeState::kNone;
  EXPECT_EQ(JudgeLine(true, context).outcome, Verdict::kPaid);
}

TEST(StatementLines, WhatDoesNotFitIsADifferenceOfItsKind) {
  EXPECT_STREQ(JudgeLine(true, {}).difference, difference::kUnknownReference);
  EXPECT_STREQ(JudgeLine(false, {}).difference, difference::kReversalWithoutPayment);
  EXPECT_STREQ(JudgeLine(true, {true, true, true, false, OutcomeState::kPaid}).difference,
               difference::kSecondDebit);
  EXPECT_STREQ(JudgeLine(true, {true, false, false, false, OutcomeState::kPaid}).difference,
               difference::kAmountDiffers);
  EXPECT_STREQ(JudgeLine(true, {true, true, false, false, OutcomeState::kFailed}).difference,
               difference::kNotReportedPaid);
  EXPECT_STREQ(JudgeLine(false, {true, true, false, false, OutcomeState::kFailed}).difference,
               difference::kReversalWithoutPayment);
  EXPECT_STREQ(JudgeLine(false, {true, true, true, true, OutcomeState::kReturned}).difference,
               difference::kReversalWithoutPayment);
}

TEST(StatementLines, MoneyThatComesBackAfterTwoDebitsIsNoReturnOfThePayment) {
  LineContext context{true, true, true, false, OutcomeState::kPaid};
  EXPECT_EQ(JudgeLine(false, context).outcome, Verdict::kReturned);
  context.debited_twice = true;
  EXPECT_EQ(JudgeLine(false, context).outcome, Verdict::kNothing);
  EXPECT_STREQ(JudgeLine(false, context).difference, difference::kReversalWithoutPayment);
  // Known from a result, it is the return's line.
  context.last = OutcomeState::kReturned;
  EXPECT_TRUE(JudgeLine(false, context).agreed);
}

TEST(ReturnCodes, EveryCodeOfTheTableHasAReasonAndOthersAreOther) {
  EXPECT_EQ(ReasonOfReturnCode("3031"), Reason::kBankNameMismatch);
  EXPECT_EQ(ReasonOfReturnCode("3069"), Reason::kBankDormant);
  EXPECT_EQ(ReasonOfReturnCode("3056"), Reason::kBankReturned);
  EXPECT_EQ(ReasonOfReturnCode("9999"), Reason::kBankOther);
  EXPECT_EQ(ReasonOfRefusal("FUNDS"), Reason::kBankFunds);
  EXPECT_EQ(ReasonOfRefusal("?"), Reason::kBankFileRefused);
}

TEST(Chunks, AReferenceMustFitItsItemAndDistrict) {
  EXPECT_TRUE(CheckRows(TwoRows()).ok());
  Chunk chunk = TwoRows();
  chunk.rows[1].reference += 100;
  EXPECT_EQ(status::ReasonOf(CheckRows(chunk)), Reason::kReferenceInvalid);
  chunk = TwoRows();
  chunk.district = 120115;
  EXPECT_EQ(status::ReasonOf(CheckRows(chunk)), Reason::kReferenceInvalid);
  chunk = TwoRows();
  chunk.rows[0].reference -= 1;  // attempt 00
  EXPECT_EQ(status::ReasonOf(CheckRows(chunk)), Reason::kReferenceInvalid);
  chunk = TwoRows();
  chunk.rows[1] = chunk.rows[0];
  EXPECT_EQ(status::ReasonOf(CheckRows(chunk)), Reason::kReferenceInvalid);
}

TEST(Chunks, AmountsOutsideOfARowsBoundsAreRefused) {
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, kMaxRowFen + 1}) {
    Chunk chunk = TwoRows();
    chunk.rows[0].amount_fen = amount;
    EXPECT_EQ(status::ReasonOf(CheckRows(chunk)), Reason::kAmountInvalid);
  }
}

TEST(Chunks, AReferenceOfTheWholeCityHasZerosInFront) {
  Chunk chunk = TwoRows();
  chunk.district = 120000;
  chunk.rows = {{1000000001'01, 1000000001, 500, 7, 1, "102100099996"}};
  chunk.accounts.resize(1);
  EXPECT_TRUE(CheckRows(chunk).ok());
}

TEST(Chunks, TheContentIsWhatWasSubmittedInClear) {
  const Chunk chunk = TwoRows();
  Chunk other = chunk;
  other.accounts[0].number = "6200000000000000000";
  EXPECT_EQ(ContentHash(chunk), ContentHash(other));
  other.rows[0].amount_fen += 1;
  EXPECT_NE(ContentHash(chunk), ContentHash(other));
  other = chunk;
  other.rows[1].account_version = 2;
  EXPECT_NE(ContentHash(chunk), ContentHash(other));
}

class Seals : public testing::Test {
 protected:
  std::string Seal(const std::vector<crypto::RowToSeal>& rows,
                   std::string_view context = "chunk-1") {
    return crypto::EncodeSealedChunk(
        *crypto::SealChunk(context, rows, signer_, recipient_.PublicKey(), random_));
  }
  static std::vector<crypto::RowToSeal> Rows() {
    std::vector<crypto::RowToSeal> rows(2);
    rows[0] = {{1051000000001, "7", "102100099996", 1},
               {"6200000000000013", "测一", "0013", "", ""}};
    rows[1] = {{1051000000002, "8", "102100099996", 1},
               {"620000000000000005", "测二", "0005", "", ""}};
    return rows;
  }
  crypto::SeededRandom random_{1};
  crypto::Ed25519PrivateKey signer_ = crypto::Ed25519PrivateKey::Generate(random_);
  crypto::X25519PrivateKey recipient_ = crypto::X25519PrivateKey::Generate(random_);
};

TEST_F(Seals, AnHonestSealGivesEveryRowItsAccount) {
  Chunk chunk = TwoRows();
  chunk.accounts.clear();
  ASSERT_TRUE(OpenSeal(Seal(Rows()), recipient_, {signer_.PublicKey()}, chunk).ok());
  EXPECT_EQ(chunk.accounts[1].number, "620000000000000005");
  EXPECT_EQ(chunk.rows[0].person_id, 7);
}

TEST_F(Seals, SwappedRowsAreRefused) {
  std::vector<crypto::RowToSeal> rows = Rows();
  std::swap(rows[0], rows[1]);
  Chunk chunk = TwoRows();
  EXPECT_EQ(status::ReasonOf(OpenSeal(Seal(rows), recipient_, {signer_.PublicKey()}, chunk)),
            Reason::kSealInvalid);
  // Swapped behind the signer's back: the signature does not fit any more.
  crypto::SealedChunk sealed = *crypto::DecodeSealedChunk(Seal(Rows()));
  std::swap(sealed.rows[0].ciphertext, sealed.rows[1].ciphertext);
  EXPECT_EQ(status::ReasonOf(OpenSeal(crypto::EncodeSealedChunk(sealed), recipient_,
                                      {signer_.PublicKey()}, chunk)),
            Reason::kSealInvalid);
}

TEST_F(Seals, ASealForAnotherChunkSignerOrRowsIsRefused) {
  Chunk chunk = TwoRows();
  EXPECT_EQ(
      status::ReasonOf(OpenSeal(Seal(Rows(), "chunk-2"), recipient_, {signer_.PublicKey()}, chunk)),
      Reason::kSealInvalid);
  const crypto::Ed25519PrivateKey stranger = crypto::Ed25519PrivateKey::Generate(random_);
  EXPECT_EQ(status::ReasonOf(OpenSeal(Seal(Rows()), recipient_, {stranger.PublicKey()}, chunk)),
            Reason::kSealInvalid);
  std::vector<crypto::RowToSeal> rows = Rows();
  rows.pop_back();
  EXPECT_EQ(status::ReasonOf(OpenSeal(Seal(rows), recipient_, {signer_.PublicKey()}, chunk)),
            Reason::kSealInvalid);
  EXPECT_EQ(status::ReasonOf(OpenSeal("no seal", recipient_, {signer_.PublicKey()}, chunk)),
            Reason::kSealInvalid);
}

TEST(Payments, WhatIsStoredIsWhatIsReadAgain) {
  const Chunk chunk = TwoRows();
  std::vector<Payment> payments;
  ASSERT_TRUE(DecodePayments(EncodePayments(chunk), [&](const Payment& payment) {
                payments.push_back(payment);
                return absl::OkStatus();
              }).ok());
  ASSERT_EQ(payments.size(), 2u);
  EXPECT_EQ(payments[1].reference, chunk.rows[1].reference);
  EXPECT_EQ(payments[1].account.name, "测二");
  EXPECT_FALSE(DecodePayments("short", [](const Payment&) { return absl::OkStatus(); }).ok());
}

TEST(BankFiles, HaveTheFormOfTheContractInPartsOfAtMostAMebibyte) {
  const FileHeader header{MakeFileId(120105, absl::CivilDay(2026, 3, 2), 1, 7), "AG-1",
                          absl::CivilDay(2026, 3, 2), 10'000, 5'000'000};
  EXPECT_EQ(header.file_id, "120105-20260302-1-0000007");
  std::string all;
  std::int32_t parts = 0;
  BankFileWriter writer(header, [&](std::int32_t part, std::string_view bytes) {
    EXPECT_EQ(part, parts++);
    EXPECT_LE(bytes.size(), static_cast<std::size_t>(kMaxPartBytes));
    all += bytes;
    return absl::OkStatus();
  });
  for (int i = 0; i < 10'000; ++i) {
    Payment payment{105'1'000'000'001'01 + i * 100LL,
                    500,
                    "102100099996",
                    {i % 2 == 0 ? "6200000000000013" : "12345678", "测一", "", ""}};
    ASSERT_TRUE(writer.Add(payment, "耕地补贴").ok());
  }
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(writer.byte_size(), static_cast<std::int64_t>(all.size()));
  EXPECT_EQ(writer.parts(), parts);
  EXPECT_EQ(writer.sha256(), crypto::Sha256(all));
  EXPECT_TRUE(
      all.starts_with("H|YKT1|120105-20260302-1-0000007|AG-1|2026-03-02|10000|5000000|SUBSIDY\n"));
  EXPECT_NE(
      all.find("\nD|1|0105100000000101|102100099996|CARD|6200000000000013|测一|500|耕地补贴\n"),
      all.npos);
  EXPECT_NE(all.find("|PASSBOOK|12345678|"), all.npos);
  EXPECT_TRUE(all.ends_with("\nT|10000|5000000\n"));
}

TEST(BankFiles, RowsThatAreNotThoseOfTheHeaderStopTheFile) {
  BankFileWriter writer({"F", "AG-1", absl::CivilDay(2026, 3, 2), 2, 1000},
                        [](std::int32_t, std::string_view) { return absl::OkStatus(); });
  ASSERT_TRUE(writer.Add({1, 500, "102100099996", {"12345678", "测", "", ""}}, "x").ok());
  EXPECT_EQ(status::ReasonOf(writer.Finish()), Reason::kInvariantBroken);
}

}  // namespace
}  // namespace yikatong::bankgateway
