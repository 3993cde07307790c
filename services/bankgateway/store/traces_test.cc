// What became of submissions: file, statements and cases, as they are told to whoever seals a
// batch.
#include <gtest/gtest.h>

#include "services/bankgateway/store/pg_traces.h"
#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

using status::Reason;

class Traces : public GatewayTest {
 protected:
  SubmissionTrace TraceOf(const std::string& submission) {
    PgTraceBook book(gateway_->context);
    const absl::StatusOr<SubmissionTrace> trace = book.Trace(kDistrict, submission);
    EXPECT_TRUE(trace.ok()) << trace.status();
    return trace.value_or(SubmissionTrace());
  }
  void Pay(int serial, absl::CivilDay day) {
    fake().Say(Reference(serial), RowState::kPaid, Amount(serial), "", day);
    fake().Line("AG-1", day, Reference(serial), true, Amount(serial));
  }
};

TEST_F(Traces, ASubmissionThatIsInNoFileHasNeitherFileNorStatement) {
  ASSERT_TRUE(Submit(MakeChunk("chunk-1", 1, 2)).ok());
  const SubmissionTrace trace = TraceOf("chunk-1");
  EXPECT_EQ(trace.agreement_no, "AG-1");
  EXPECT_EQ(trace.file_id, "");
  EXPECT_TRUE(trace.statements.empty());
}

TEST_F(Traces, EachSubmissionIsToldItsOwnShareOfAStatementBesideTheWholeOfIt) {
  ASSERT_TRUE(Submit(MakeChunk("chunk-1", 1, 2)).ok());
  ASSERT_TRUE(Submit(MakeChunk("chunk-3", 3, 1)).ok());
  PackAll();
  ASSERT_EQ(SendOne(), SendStep::kSent);
  for (int serial = 1; serial <= 3; ++serial) Pay(serial, kMonday);
  TakeResults();
  // Booked, and no statement yet: the day is there and is not complete.
  SubmissionTrace trace = TraceOf("chunk-1");
  ASSERT_EQ(trace.statements.size(), 1u);
  EXPECT_FALSE(trace.statements[0].statement.complete);
  EXPECT_EQ(trace.statements[0].own_lines, 0);

  NextDay();
  ASSERT_EQ(Reconcile(), 1);
  trace = TraceOf("chunk-1");
  EXPECT_EQ(trace.file_sha256.size(), 32u);
  EXPECT_EQ(trace.file_date, kMonday);
  EXPECT_EQ(trace.file_offset, 0);
  EXPECT_EQ(TraceOf("chunk-3").file_offset, 2);
  EXPECT_EQ(TraceOf("chunk-3").file_id, trace.file_id);
  ASSERT_EQ(trace.statements.size(), 1u);
  const StatementShare& share = trace.statements[0];
  EXPECT_EQ(share.statement.day, kMonday);
  EXPECT_TRUE(share.statement.complete);
  EXPECT_EQ(share.statement.lines, 3);
  EXPECT_EQ(share.statement.agreed, 3);
  EXPECT_EQ(share.statement.debit_fen, Amount(1) + Amount(2) + Amount(3));
  EXPECT_EQ(share.own_lines, 2);
  EXPECT_EQ(share.own_debit_fen, Amount(1) + Amount(2));
  EXPECT_EQ(share.own_credit_fen, 0);
  EXPECT_TRUE(trace.cases.empty());
}

TEST_F(Traces, ADayWhoseStatementLacksTheLineIsToldWithItsCase) {
  SubmitAndSend(1, 2);
  Pay(1, kMonday);
  fake().Say(Reference(2), RowState::kPaid, Amount(2), "", kMonday);  // and no line
  TakeResults();
  NextDay();
  ASSERT_EQ(Reconcile(), 1);
  const SubmissionTrace trace = TraceOf("chunk-1");
  ASSERT_EQ(trace.statements.size(), 1u);
  EXPECT_EQ(trace.statements[0].own_lines, 1);
  EXPECT_EQ(trace.statements[0].own_debit_fen, Amount(1));
  ASSERT_EQ(trace.cases.size(), 1u);
  EXPECT_EQ(trace.cases[0].kind, difference::kLineMissing);
  EXPECT_EQ(trace.cases[0].reference, Reference(2));
}

TEST_F(Traces, WhatIsOfAnotherDistrictOrUnknownDoesNotExist) {
  ASSERT_TRUE(Submit(MakeChunk("chunk-1", 1, 1)).ok());
  PgTraceBook book(gateway_->context);
  EXPECT_TRUE(book.CheckKnown(kDistrict, {"chunk-1"}).ok());
  EXPECT_EQ(status::ReasonOf(book.CheckKnown(kDistrict, {"chunk-1", "other"})), Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(book.CheckKnown(120106, {"chunk-1"})), Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(book.Trace(120106, "chunk-1").status()), Reason::kNotFound);
}

}  // namespace
}  // namespace yikatong::bankgateway::testing
