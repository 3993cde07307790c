// The intake half over a real database, with stand-ins for its peers and clocks that a test moves.
//
//   class X : public testing::IntakeTest {};
//   TEST_F(X, …) { const std::int64_t batch = Sealed(10); … }
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/calendar/calendar.h"
#include "common/crypto/random.h"
#include "common/postgres/testing/pg_fixture.h"
#include "services/dispatch/clients/rule_codec.h"
#include "services/dispatch/clients/testing/fakes.h"
#include "services/dispatch/domain/intake.h"
#include "services/dispatch/rpc/intake_handlers.h"
#include "services/dispatch/store/intake_store.h"

namespace yikatong::dispatch::testing {

// The parts, over one fresh database.
struct IntakeRig {
  explicit IntakeRig(postgres::PgFixture& server, IntakeOptions options = {});

  base::ManualClock clock{absl::FromUnixSeconds(1'772'409'600)};  // 2026-03-02 08:00 in Beijing
  base::ManualBusinessClock business{absl::CivilDay(2026, 3, 2)};
  base::RandomIdSource ids;
  crypto::SystemRandom random;
  calendar::Calendar calendar = calendar::Calendar::BuiltIn();
  CatalogueRuleCodec rules;
  FakeCatalogue catalogue;
  FakePeople people;
  FakeMoney money;
  std::unique_ptr<postgres::TestDatabase> pg;
  PgIntakeStore store;
  Collection collection;
  IntakeHandlers handlers;
};

// One row that is about person `n`.
v1::ItemRow RowOf(std::int64_t row, int n, std::int64_t amount_fen = 104'500);

class IntakeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override { Renew({}); }
  // A fresh database and everything over it.
  void Renew(IntakeOptions options);

  // "OK", or the name of the reason.
  static std::string Outcome(const absl::Status& status);
  template <typename T>
  static std::string Outcome(const absl::StatusOr<T>& result) {
    return Outcome(result.status());
  }
  std::string NewRequest() { return rig_->ids.NewId(); }

  v1::CreateBatchRequest NewBatch(std::int64_t rows, const std::string& policy = "P001",
                                  const std::string& period = "2026-03",
                                  std::int32_t district = kHebei);
  // An open batch.
  std::int64_t Opened(std::int64_t rows, const std::string& policy = "P001",
                      const std::string& period = "2026-03", std::int32_t district = kHebei);
  static v1::UploadItemsRequest Chunk(std::int64_t batch, std::int32_t chunk,
                                      std::vector<v1::ItemRow> rows);
  // A chunk of rows about the people `first` … `first + count − 1`, from row `row`.
  static v1::UploadItemsRequest People(std::int64_t batch, std::int32_t chunk, std::int64_t row,
                                       int first, int count, std::int64_t amount_fen = 104'500);
  absl::StatusOr<v1::UploadItemsResponse> Upload(const v1::UploadItemsRequest& chunk,
                                                 const identity::Caller& caller);
  absl::StatusOr<v1::UploadItemsResponse> Upload(const v1::UploadItemsRequest& chunk) {
    return Upload(chunk, operator_);
  }
  absl::StatusOr<v1::Batch> Seal(std::int64_t batch);
  // A sealed batch of the people 0 … rows − 1.
  std::int64_t Sealed(int rows, const std::string& policy = "P001",
                      const std::string& period = "2026-03");
  std::int64_t Noticed(int rows, const std::string& policy = "P001");
  std::int64_t InReview(int rows, const std::string& policy = "P001");
  absl::StatusOr<v1::Batch> Review(std::int64_t batch, const std::string& step,
                                   const identity::Caller& caller, bool approve = true,
                                   const std::string& comment = "");
  absl::StatusOr<v1::Batch> Cancel(std::int64_t batch);
  absl::StatusOr<v1::Objection> Raise(std::int64_t batch, std::int64_t item,
                                      const identity::Caller& caller);
  absl::StatusOr<v1::Objection> Decide(std::int64_t batch, std::int64_t objection,
                                       v1::ObjectionState decision, const identity::Caller& caller);
  absl::StatusOr<v1::Batch> AddPhoto(std::int64_t batch);
  v1::Batch Get(std::int64_t batch);
  std::vector<v1::Item> Items(std::int64_t batch, const std::string& state = "");
  // "row:REASON detail" of each refused row.
  static std::vector<std::string> Reasons(const v1::UploadItemsResponse& answer);
  std::string Sql(const std::string& statement) { return rig_->pg->Sql(statement); }
  // accepted = the sum of all buckets, in rows and fen, and of the item rows themselves.
  void ExpectBalanced(std::int64_t batch);

  static inline std::unique_ptr<postgres::PgFixture> server_;
  std::unique_ptr<IntakeRig> rig_;
  identity::Caller operator_ = CallerOf("operator", {identity::Role::kDepartmentOperator});
  identity::Caller hearer_ = CallerOf("hearer", {identity::Role::kDepartmentReviewer});
  identity::Caller town_ = CallerOf("town", {identity::Role::kTownReviewer});
  identity::Caller department_ = CallerOf("department", {identity::Role::kDepartmentReviewer});
};

}  // namespace yikatong::dispatch::testing
