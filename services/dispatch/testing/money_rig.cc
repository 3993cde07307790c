#include "services/dispatch/testing/money_rig.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "common/policy/amount.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch::testing {
namespace {

std::vector<std::string> Split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

// Every item of funded batches with where it is, told by its own rows and by nothing that the code
// under test adds up: an exception that is open, a repair chunk that waits, its last outcome.
constexpr char kItemStates[] = R"(
  SELECT coalesce(string_agg(batch_id || ' ' || state || ' ' || amount_fen || ' ' || n, ';'), '') FROM (
    SELECT batch_id, state, amount_fen, count(*) AS n FROM (
      SELECT i.batch_id, i.amount_fen,
        CASE WHEN e.bucket = 2 THEN 'held' WHEN e.bucket = 3 THEN 'stopped' WHEN e.bucket = 4 THEN 'unroutable'
             WHEN e.bucket = 11 AND o.state = 4 THEN 'abandoned_returned' WHEN e.bucket = 11 THEN 'abandoned_failed'
             WHEN EXISTS (SELECT FROM chunk c WHERE c.batch_id = i.batch_id AND c.repair AND c.stage IN (1, 2, 9)
                          AND i.item_id = ANY (c.item_ids)) THEN 'waiting'
             WHEN a.reference IS NULL THEN 'waiting'
             WHEN o.state IS NULL THEN 'in_transit' WHEN o.state = 1 THEN 'paid' WHEN o.state = 2 THEN 'failed'
             WHEN o.state = 3 THEN 'unknown' ELSE 'returned' END AS state
      FROM item i JOIN batch b USING (district, batch_id)
      LEFT JOIN LATERAL (SELECT bucket FROM exception x WHERE x.item_id = i.item_id AND NOT x.resolved
                         ORDER BY exception_no DESC LIMIT 1) e ON true
      LEFT JOIN LATERAL (SELECT max(reference) AS reference FROM attempt t WHERE t.reference / 100 = i.item_id) a ON true
      LEFT JOIN LATERAL (SELECT state FROM outcome p WHERE p.reference = a.reference
                         ORDER BY outcome_no DESC LIMIT 1) o ON true
      WHERE b.state BETWEEN 6 AND 9) s
    GROUP BY 1, 2, 3) t)";

}  // namespace

MoneyRig::MoneyRig(postgres::PgFixture& server, int count)
    : pg(server.FreshDatabase()),
      context{pg->database(), clock, business, ids},
      money(context, rules),
      chunks(context, rules),
      outcomes(context, rules),
      proofs(context),
      intake(context, rules, calendar, random, money, {}),
      collection(intake, catalogue, people, rules, business),
      handlers(collection, intake, rules, calendar),
      service(context, rules, money, chunks, proofs, policies, gateway, absl::Hours(24)),
      recoveries(context, rules),
      repair_list(context, calendar),
      top_ups(context, random),
      deaths(context, rules),
      repairs(context, rules, calendar, recoveries, repair_list, top_ups, catalogue),
      pass_downs(context, money),
      orders(context, money),
      budget(context, money, pass_downs, orders, policies),
      archive_seals(context, "gateway"),
      archive_store(context),
      archives(context, archive_store) {
  catalogue.Put(RuleOf("P001"));
  people.Populate(count);
}

Replica::Replica(MoneyRig& rig, const std::string& name, ChunkWorkerOptions options)
    : registry(rig.pg->database(), rig.clock, name),
      worker(rig.chunks, rig.accounts, rig.gateway, rig.policies, registry, rig.clock, options),
      follower(rig.outcomes, rig.chunks, rig.gateway, registry, "gateway",
               FeedGauges::OfOutcomes(rig.clock, metrics)),
      changes(rig.deaths, rig.feed, registry, rig.clock, "registry",
              FeedGauges::OfChanges(rig.clock, metrics)),
      archiver(rig.archive_seals, rig.gateway, registry, rig.clock, nullptr) {
  EXPECT_TRUE(registry.BeatOnce().ok());
}

void MoneyTest::SetUpTestSuite() {
  server_ = postgres::PgFixture::Start({"dispatch", sql::kMigrations});
}

void MoneyTest::Renew(int people) {
  rig_.reset();
  rig_ = std::make_unique<MoneyRig>(*server_, people);
}

std::string MoneyTest::Outcome(const absl::Status& status) {
  if (status.ok()) return "OK";
  const std::string reason = status::ReasonNameOf(status);
  return reason.empty() ? status.ToString() : reason;
}

void MoneyTest::PutPolicy(const std::string& policy, bool two_sources) {
  auto rule = RuleOf(policy);
  if (two_sources) {
    rule.mutable_version()->mutable_calculation()->set_rate_fen(104'501);
    rule.mutable_version()->mutable_funding(0)->set_share_bp(6'000);
    auto* second = rule.mutable_version()->add_funding();
    second->set_source("district");
    second->set_share_bp(4'000);
  }
  rig_->catalogue.Put(rule);
}

std::int64_t MoneyTest::Approved(int rows, const std::string& policy, int first, int chunk_rows,
                                 const std::vector<int>& objected) {
  const auto pinned = rig_->catalogue.PayableVersion(policy, period_, kHebei, "civil.120105");
  const std::int64_t fen = pinned->rule.calculation.rate_fen;
  v1::CreateBatchRequest create;
  create.set_request_id(NewRequest());
  create.set_district(kHebei);
  create.set_department_id("civil.120105");
  create.set_policy_id(policy);
  create.set_period(period_);
  create.set_declared_count(rows);
  create.set_declared_fen(rows * fen + static_cast<std::int64_t>(bad_rows_.size()));
  const auto batch = rig_->handlers.CreateBatch(create, operator_);
  EXPECT_EQ(Outcome(batch), "OK");
  if (!batch.ok()) return 0;
  const std::int64_t id = batch->batch_id();
  UploadStream stream;
  for (int from = 0, number = 1; from < rows; from += chunk_rows, ++number) {
    v1::UploadItemsRequest chunk;
    chunk.set_batch_id(id);
    chunk.set_chunk(number);
    int refused = 0;
    for (int row = from; row < std::min(rows, from + chunk_rows); ++row) {
      const bool bad = bad_rows_.contains(row + 1);
      *chunk.add_rows() = RowOf(row + 1, first + row, bad ? fen + 1 : fen);
      if (bad) ++refused;
    }
    const auto answer = rig_->handlers.UploadChunk(chunk, operator_, stream);
    EXPECT_EQ(Outcome(answer), "OK");
    EXPECT_EQ(answer->accepted(), chunk.rows_size() - refused);
  }
  const auto step = [&](auto request, auto call) {
    request.set_request_id(NewRequest());
    request.set_batch_id(id);
    EXPECT_EQ(Outcome(call(request)), "OK");
  };
  step(v1::SealBatchRequest(),
       [&](const auto& request) { return rig_->handlers.SealBatch(request, operator_); });
  step(v1::PublishNoticeRequest(),
       [&](const auto& request) { return rig_->handlers.PublishNotice(request, operator_); });
  for (const int row : objected) {
    v1::RaiseObjectionRequest objection;
    objection.set_item_id(Item(id, row));
    objection.set_text("owns a car");
    step(objection,
         [&](const auto& request) { return rig_->handlers.RaiseObjection(request, town_); });
  }
  v1::AddAttachmentRequest photo;
  photo.mutable_attachment()->set_kind("notice_photo");
  photo.mutable_attachment()->set_sha256(std::string(32, 'p'));
  photo.mutable_attachment()->set_byte_size(1'000);
  photo.mutable_attachment()->set_uri("photos/1");
  photo.mutable_attachment()->set_media_type("image/jpeg");
  step(photo,
       [&](const auto& request) { return rig_->handlers.AddAttachment(request, operator_); });
  rig_->business.AdvanceDays(7);
  step(v1::CloseNoticeRequest(),
       [&](const auto& request) { return rig_->handlers.CloseNotice(request, operator_); });
  for (const auto& [name, caller] :
       {std::pair{"town_review", town_}, std::pair{"department_review", department_}}) {
    v1::ReviewBatchRequest review;
    review.set_step(name);
    review.set_approve(true);
    step(review, [&, who = caller](const auto& request) {
      return rig_->handlers.ReviewBatch(request, who);
    });
  }
  return id;
}

std::int64_t MoneyTest::Line(const std::string& policy, const std::string& source,
                             std::int64_t fen) {
  v1::CreateBudgetLineRequest create;
  create.set_request_id(NewRequest());
  create.set_district(kHebei);
  create.set_policy_id(policy);
  create.set_year(static_cast<int>(rig_->business.Today().year()));
  create.set_source(source);
  const auto line = rig_->service.CreateBudgetLine(create, finance_);
  EXPECT_EQ(Outcome(line), "OK");
  if (fen == 0) return line->line_id();
  v1::AppropriateBudgetRequest money;
  money.set_request_id(NewRequest());
  money.set_district(kHebei);
  money.set_line_id(line->line_id());
  money.set_amount_fen(fen);
  money.set_basis("2026-17");
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(money, finance_)), "OK");
  return line->line_id();
}

absl::StatusOr<v1::Batch> MoneyTest::Fund(std::int64_t batch, const std::string& request_id) {
  v1::FundBatchRequest request;
  request.set_request_id(request_id.empty() ? NewRequest() : request_id);
  request.set_batch_id(batch);
  return rig_->service.FundBatch(request, finance_);
}

absl::StatusOr<v1::Batch> MoneyTest::Release(std::int64_t batch) {
  v1::ReleaseBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  return rig_->service.ReleaseBatch(request, releaser_);
}

std::int64_t MoneyTest::Paying(int rows, const std::string& policy, int first, int chunk_rows,
                               const std::vector<int>& objected) {
  const std::int64_t batch = Approved(rows, policy, first, chunk_rows, objected);
  Line(policy, "city", 10'000'000'000);
  EXPECT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_EQ(Outcome(Release(batch)), "OK");
  return batch;
}

absl::StatusOr<v1::ReissueItemsResponse> MoneyTest::Reissue(
    std::int64_t batch, const std::vector<std::int64_t>& items) {
  v1::ReissueItemsRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  for (const std::int64_t item : items) request.add_item_ids(item);
  request.set_reason("corrected");
  return rig_->service.ReissueItems(request, operator_);
}

absl::StatusOr<v1::AbandonItemsResponse> MoneyTest::Abandon(
    std::int64_t batch, const std::vector<std::int64_t>& items) {
  v1::AbandonItemsRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  for (const std::int64_t item : items) request.add_item_ids(item);
  request.set_reason("moved abroad");
  return rig_->service.AbandonItems(request, operator_);
}

absl::StatusOr<v1::Batch> MoneyTest::Close(std::int64_t batch) {
  v1::CloseBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  return rig_->service.CloseBatch(request, operator_);
}

absl::StatusOr<v1::Objection> MoneyTest::Decide(std::int64_t batch, std::int64_t objection,
                                                bool upheld) {
  v1::DecideObjectionRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_objection_id(objection);
  request.set_decision(upheld ? v1::OBJECTION_STATE_UPHELD : v1::OBJECTION_STATE_REJECTED);
  request.set_reason("looked into");
  return rig_->handlers.DecideObjection(request, hearer_);
}

v1::Batch MoneyTest::Get(std::int64_t batch) {
  v1::GetBatchRequest request;
  request.set_batch_id(batch);
  const auto found = rig_->handlers.GetBatch(request, operator_);
  EXPECT_EQ(Outcome(found), "OK");
  return found.ok() ? *found : v1::Batch();
}

int MoneyTest::Work(Replica& replica, int most) {
  for (int steps = 0; steps < most; ++steps) {
    const absl::StatusOr<bool> worked = replica.worker.WorkOnce();
    EXPECT_TRUE(worked.ok()) << worked.status();
    if (!worked.ok() || !*worked) return steps;
  }
  return most;
}

void MoneyTest::Bury(Replica& living) {
  EXPECT_TRUE(living.registry.BeatOnce().ok());
  rig_->clock.Advance(absl::Seconds(16));
  EXPECT_TRUE(living.registry.BeatOnce().ok());
}

ReportedOutcome MoneyTest::Paid(std::int64_t reference, int no, std::int64_t fen) {
  return {reference, no, AttemptState::kPaid, "", absl::CivilDay(2026, 3, 10), fen};
}
ReportedOutcome MoneyTest::Failed(std::int64_t reference, int no, std::int64_t fen) {
  return {reference, no, AttemptState::kFailed, "BANK_ACCOUNT_CLOSED", std::nullopt, fen};
}
ReportedOutcome MoneyTest::Unknown(std::int64_t reference, int no, std::int64_t fen) {
  return {reference, no, AttemptState::kUnknown, "BANK_UNKNOWN", std::nullopt, fen};
}
ReportedOutcome MoneyTest::Returned(std::int64_t reference, int no, std::int64_t fen) {
  return {reference, no, AttemptState::kReturned, "BANK_RETURNED", absl::CivilDay(2026, 3, 12),
          fen};
}

void MoneyTest::Follow(Replica& replica) {
  while (true) {
    const absl::StatusOr<int> followed = replica.follower.FollowOnce();
    EXPECT_TRUE(followed.ok()) << followed.status();
    if (!followed.ok() || *followed == 0) return;
  }
}

void MoneyTest::PayAll(Replica& replica) {
  std::vector<ReportedOutcome> paid;
  for (const std::string& row :
       Split(Sql("SELECT coalesce(string_agg(reference || ' ' || amount_fen, ';'), '') FROM "
                 "attempt a "
                 "WHERE NOT EXISTS (SELECT FROM outcome o WHERE o.reference = a.reference)"),
             ';')) {
    const auto parts = Split(row, ' ');
    paid.push_back(Paid(std::stoll(parts[0]), 1, std::stoll(parts[1])));
  }
  Report(std::move(paid));
  Follow(replica);
}

std::string MoneyTest::Books(std::int64_t line) {
  const auto sum = [&](int account) {
    return fmt::format(
        "(SELECT coalesce(sum(CASE WHEN debit = {0} THEN amount_fen WHEN credit = {0} THEN "
        "-amount_fen "
        "END), 0) FROM ledger WHERE line_id = {1})",
        account, line);
  };
  return Sql(fmt::format("SELECT {} || '/' || {} || '/' || {} || '/' || {} || '/' || {}", sum(2),
                         sum(3), sum(4), sum(5), sum(6)));
}

std::vector<std::pair<std::string, std::int64_t>> MoneyTest::LineParts(std::int64_t batch,
                                                                       std::int64_t fen) {
  const auto own = Split(Sql(fmt::format("SELECT string_agg(line_id::text, ' ' ORDER BY source_no) "
                                         "FROM reservation WHERE batch_id = {}",
                                         batch)),
                         ' ');
  std::vector<policy::FundingShare> shares = {{"city", 10'000}};
  if (own.size() == 2) shares = {{"city", 6'000}, {"district", 4'000}};
  const auto split = policy::SplitSources(fen, shares);
  EXPECT_TRUE(split.ok());
  std::vector<std::pair<std::string, std::int64_t>> parts;
  for (std::size_t i = 0; i < own.size(); ++i) parts.emplace_back(own[i], (*split)[i].amount_fen);
  return parts;
}

void MoneyTest::ExpectBooks(std::int64_t owed_fen) {
  struct Expected {
    std::int64_t reserved = 0, in_transit = 0, paid = 0;
  };
  std::map<std::string, Expected> lines;  // by line id
  std::map<std::pair<std::int64_t, int>, CountAndFen> buckets;
  static const std::map<std::string, int> kBuckets = {{"waiting", 1},
                                                      {"held", 2},
                                                      {"stopped", 3},
                                                      {"unroutable", 4},
                                                      {"in_transit", 5},
                                                      {"paid", 6},
                                                      {"failed", 7},
                                                      {"unknown", 8},
                                                      {"returned", 9},
                                                      {"abandoned_failed", 7},
                                                      {"abandoned_returned", 9}};
  for (const std::string& row : Split(Sql(kItemStates), ';')) {
    const auto part = Split(row, ' ');
    const std::int64_t batch = std::stoll(part[0]);
    const std::string& state = part[1];
    const std::int64_t fen = std::stoll(part[2]);
    const std::int64_t items = std::stoll(part[3]);
    CountAndFen& bucket = buckets[{batch, kBuckets.at(state)}];
    bucket.items += items;
    bucket.fen += items * fen;
    for (const auto& [line_id, fen_of_one] : LineParts(batch, fen)) {
      const std::int64_t part_fen = items * fen_of_one;
      Expected& line = lines[line_id];
      if (state == "in_transit" || state == "unknown") {
        line.in_transit += part_fen;
      } else if (state == "paid") {
        line.paid += part_fen;
      } else if (state == "waiting" || state == "held" || state == "unroutable" ||
                 state == "failed") {
        line.reserved += part_fen;
      }
    }
  }
  // What was paid wrongly and came back by recoveries, item by item.
  for (const std::string& row :
       Split(Sql("SELECT coalesce(string_agg(t.batch_id || ' ' || fen, ';'), '') FROM (SELECT "
                 "r.batch_id, r.item_id, r.reference, sum(c.amount_fen) AS fen "
                 "FROM recovery_receipt c JOIN recovery r USING (district, recovery_id) "
                 "GROUP BY 1, 2, 3) t"),
             ';')) {
    const auto part = Split(row, ' ');
    for (const auto& [line_id, fen] : LineParts(std::stoll(part[0]), std::stoll(part[1])))
      lines[line_id].paid -= fen;
  }
  // What banks paid besides, once somebody has decided what becomes of it.
  for (const std::string& row :
       Split(Sql("SELECT coalesce(string_agg(batch_id || ' ' || due_fen, ';'), '') FROM recovery "
                 "WHERE reference <> 0 AND state <> 1"),
             ';')) {
    const auto part = Split(row, ' ');
    for (const auto& [line_id, fen] : LineParts(std::stoll(part[0]), std::stoll(part[1])))
      lines[line_id].paid += fen;
  }
  std::int64_t owed = 0;
  for (const auto& [line, expected] : lines) {
    const auto books = Split(Books(std::stoll(line)), '/');
    EXPECT_EQ(std::stoll(books[1]), expected.reserved) << "reserved of line " << line;
    EXPECT_EQ(std::stoll(books[2]), expected.in_transit) << "in transit of line " << line;
    EXPECT_EQ(std::stoll(books[3]), expected.paid) << "paid of line " << line;
    EXPECT_EQ(Sql("SELECT available_fen FROM budget_line WHERE line_id = " + line), books[0]);
    // What came in from outside of the line and from other lines, less what left it.
    const std::int64_t given = Number(
        "SELECT coalesce(sum(CASE WHEN credit IN (1, 7, 8) THEN amount_fen "
        "WHEN debit IN (7, 8, 9, 10) THEN -amount_fen END), 0) FROM ledger WHERE line_id = " +
        line);
    EXPECT_EQ(std::stoll(books[0]) + expected.reserved + expected.in_transit + expected.paid +
                  std::stoll(books[4]),
              given)
        << "line " << line;
    owed += std::stoll(books[4]);
  }
  EXPECT_EQ(owed, owed_fen);
  std::map<std::pair<std::int64_t, int>, CountAndFen> moved;
  for (const std::string& row :
       Split(Sql("SELECT coalesce(string_agg(batch_id || ' ' || bucket || ' ' || n || ' ' || fen, "
                 "';'), '') FROM ("
                 "SELECT batch_id, bucket, sum(n) AS n, sum(fen) AS fen FROM ("
                 "SELECT batch_id, to_bucket AS bucket, items AS n, amount_fen AS fen FROM "
                 "movement UNION ALL "
                 "SELECT batch_id, from_bucket, -items, -amount_fen FROM movement) m "
                 "JOIN batch b USING (batch_id) WHERE b.state BETWEEN 6 AND 9 AND bucket BETWEEN 1 "
                 "AND 9 "
                 "GROUP BY 1, 2 HAVING sum(n) <> 0 OR sum(fen) <> 0) t"),
             ';')) {
    const auto part = Split(row, ' ');
    moved[{std::stoll(part[0]), std::stoi(part[1])}] = {std::stoll(part[2]), std::stoll(part[3])};
  }
  for (const auto& [key, sum] : buckets) {
    EXPECT_EQ(moved[key].items, sum.items) << "batch " << key.first << " bucket " << key.second;
    EXPECT_EQ(moved[key].fen, sum.fen) << "batch " << key.first << " bucket " << key.second;
  }
  for (const auto& [key, sum] : moved) {
    EXPECT_EQ(buckets[key].items, sum.items) << "batch " << key.first << " bucket " << key.second;
  }
}

}  // namespace yikatong::dispatch::testing
