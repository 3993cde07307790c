// What must hold of the ledger whatever happens: many random operations of every kind on lines with
// one and two sources; many threads on one line; chunk steps while somebody holds the line.
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "common/policy/amount.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

// Each attempt with its amount, and state and number of its last outcome; zeros where it has none.
constexpr char kLastOutcomes[] =
    "SELECT a.reference, a.amount_fen, coalesce(o.state, 0), coalesce(o.outcome_no, 0) FROM "
    "attempt a "
    "LEFT JOIN LATERAL (SELECT state, outcome_no FROM outcome p WHERE p.reference = a.reference "
    "ORDER BY outcome_no DESC LIMIT 1) o ON true";

// Items whose last attempt failed or came back, with their batch.
constexpr char kUnrepaired[] =
    "SELECT a.reference / 100, a.batch_id FROM attempt a WHERE a.reference = (SELECT "
    "max(reference) "
    "FROM attempt b WHERE b.reference / 100 = a.reference / 100) AND (SELECT state FROM outcome o "
    "WHERE o.reference = a.reference ORDER BY outcome_no DESC LIMIT 1) IN (2, 4)";

class LedgerProperty : public MoneyTest {
 protected:
  std::int64_t Pick(std::int64_t most) { return static_cast<std::int64_t>(random_() % most); }
  template <typename T>
  const T& One(const std::vector<T>& of) {
    return of[static_cast<std::size_t>(Pick(static_cast<std::int64_t>(of.size())))];
  }
  // What happened to a call counts below, so that a test can tell that it tried everything.
  bool Count(const std::string& what, const std::string& outcome) {
    ++seen_[what + (outcome == "OK" ? "" : " " + outcome)];
    return outcome == "OK";
  }
  // The rows of a statement whose columns are all numbers.
  std::vector<std::vector<std::int64_t>> Table(const std::string& statement, int columns) {
    std::string names, text;
    for (int i = 0; i < columns; ++i) {
      names += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
      text += fmt::format("{}c{}", i == 0 ? "" : " || ' ' || ", i);
    }
    std::istringstream in(
        Sql(fmt::format("SELECT coalesce(string_agg({}, ' ' ORDER BY c0), '') FROM ({}) t ({})",
                        columns == 1 ? "c0::text" : text, statement, names)));
    std::vector<std::vector<std::int64_t>> rows;
    std::vector<std::int64_t> row;
    for (std::int64_t value = 0; in >> value;) {
      row.push_back(value);
      if (static_cast<int>(row.size()) < columns) continue;
      rows.push_back(std::move(row));
      row.clear();
    }
    return rows;
  }
  std::vector<std::int64_t> Numbers(const std::string& statement) {
    std::vector<std::int64_t> numbers;
    for (const auto& row : Table(statement, 1)) numbers.push_back(row[0]);
    return numbers;
  }
  // Of each line, as the service shows it: the contract's equation, the row's own figure, and what
  // the test itself gave and took.
  void ExpectLines() {
    v1::ListBudgetLinesRequest request;
    const auto listed = rig_->service.ListBudgetLines(request, finance_);
    ASSERT_EQ(Outcome(listed), "OK");
    std::int64_t in = 0, out = 0, carried_in = 0, carried_out = 0;
    for (const v1::BudgetLine& line : listed->lines()) {
      SCOPED_TRACE(line.line_id());
      EXPECT_GE(line.available_fen(), 0);
      EXPECT_GE(line.reserved_fen(), 0);
      EXPECT_GE(line.in_transit_fen(), 0);
      EXPECT_GE(line.paid_fen(), 0);
      EXPECT_GE(line.owed_to_treasury_fen(), 0);
      EXPECT_EQ(line.appropriated_fen(), given_[line.line_id()]);
      EXPECT_EQ(line.settled_to_treasury_fen(), settled_[line.line_id()]);
      EXPECT_EQ(line.appropriated_fen() + line.transfers_in_fen() - line.transfers_out_fen() +
                    line.carried_in_fen() - line.carried_out_fen(),
                line.available_fen() + line.reserved_fen() + line.in_transit_fen() +
                    line.paid_fen() + line.owed_to_treasury_fen() + line.settled_to_treasury_fen() +
                    line.lapsed_fen());
      in += line.transfers_in_fen();
      out += line.transfers_out_fen();
      carried_in += line.carried_in_fen();
      carried_out += line.carried_out_fen();
      v1::GetBudgetStatementRequest day;
      day.set_district(kHebei);
      day.set_line_id(line.line_id());
      const auto statement = rig_->budget.GetBudgetStatement(day, finance_);
      ASSERT_EQ(Outcome(statement), "OK");
      EXPECT_EQ(statement->closing().available_fen(), line.available_fen());
      EXPECT_EQ(statement->closing().reserved_fen(), line.reserved_fen());
      EXPECT_EQ(statement->closing().in_transit_fen(), line.in_transit_fen());
      EXPECT_EQ(statement->closing().paid_fen(), line.paid_fen());
      EXPECT_EQ(statement->closing().owed_to_treasury_fen(), line.owed_to_treasury_fen());
    }
    EXPECT_EQ(in, out);
    EXPECT_EQ(carried_in, carried_out);
  }
  // And what is behind each figure, item by item.
  void ExpectItems() {
    ExpectBooks(Number(
        "SELECT coalesce(sum(CASE WHEN debit = 6 THEN amount_fen WHEN credit = 6 THEN -amount_fen "
        "END), 0) FROM ledger WHERE line_id IN (SELECT line_id FROM reservation)"));
  }

  void Appropriate(std::int64_t line, std::int64_t fen) {
    v1::AppropriateBudgetRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_line_id(line);
    request.set_amount_fen(fen);
    request.set_basis("more");
    if (Count("appropriate", Outcome(rig_->service.AppropriateBudget(request, finance_))))
      given_[line] += fen;
  }
  void PassDown(std::int64_t line, std::int64_t fen) {
    v1::RecordFundReceiptRequest record;
    record.set_request_id(NewRequest());
    record.set_district(kHebei);
    record.set_from_level("city");
    record.set_document(record.request_id());
    record.set_policy_id(
        Sql(fmt::format("SELECT policy_id FROM budget_line WHERE line_id = {}", line)));
    record.set_year(static_cast<int>(
        Number(fmt::format("SELECT year FROM budget_line WHERE line_id = {}", line))));
    record.set_source(Sql(fmt::format("SELECT source FROM budget_line WHERE line_id = {}", line)));
    record.set_amount_fen(fen);
    record.set_received_on("2026-03-01");
    const auto receipt = rig_->budget.RecordFundReceipt(record, finance_);
    ASSERT_EQ(Outcome(receipt), "OK");
    v1::PassDownFundsRequest pass;
    pass.set_request_id(NewRequest());
    pass.set_district(kHebei);
    pass.set_receipt_id(receipt->receipt_id());
    pass.set_to_district(kHebei);
    pass.set_line_id(line);
    pass.set_amount_fen(1 + Pick(fen + fen / 4));
    pass.set_document("down");
    if (Count("pass_down", Outcome(rig_->budget.PassDownFunds(pass, finance_))))
      given_[line] += pass.amount_fen();
  }
  void Order(v1::BudgetOrderKind kind, std::int64_t line, std::int64_t to, std::int64_t fen) {
    v1::RequestBudgetOrderRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_kind(kind);
    request.set_line_id(line);
    request.set_to_line_id(to);
    request.set_amount_fen(fen);
    request.set_document("order");
    request.set_reason("because");
    const std::string name = OrderKindName(static_cast<OrderKind>(kind));
    const auto order = rig_->budget.RequestBudgetOrder(request, finance_);
    if (!Count("request " + name, Outcome(order))) return;
    v1::DecideBudgetOrderRequest decide;
    decide.set_request_id(NewRequest());
    decide.set_district(kHebei);
    decide.set_order_id(order->order_id());
    decide.set_approve(Pick(5) > 0);
    decide.set_reason("so");
    const auto decided = rig_->budget.DecideBudgetOrder(decide, releaser_);
    const bool done = Count((decide.approve() ? "approve " : "refuse ") + name, Outcome(decided));
    if (done && decide.approve() && kind == v1::BUDGET_ORDER_KIND_SETTLE) settled_[line] += fen;
    if (!done) {  // so that another can be requested
      v1::WithdrawBudgetOrderRequest withdraw;
      withdraw.set_request_id(NewRequest());
      withdraw.set_district(kHebei);
      withdraw.set_order_id(order->order_id());
      withdraw.set_reason("not possible");
      Count("withdraw", Outcome(rig_->budget.WithdrawBudgetOrder(withdraw, finance_)));
    }
  }
  // One random outcome for some of the attempts that can have another one.
  void Outcomes(Replica& replica) {
    std::vector<ReportedOutcome> reported;
    for (const auto& row : Table(kLastOutcomes, 4)) {
      if (Pick(3) == 0) continue;
      const std::int64_t reference = row[0], fen = row[1];
      const std::int64_t state = row[2];
      const int no = static_cast<int>(row[3]) + 1;
      if (state == 0 || state == 3) {
        const std::int64_t how = Pick(state == 0 ? 5 : 4);
        reported.push_back(how < 3    ? Paid(reference, no, fen)
                           : how == 3 ? Failed(reference, no, fen)
                                      : Unknown(reference, no, fen));
      } else if (state == 1 && Pick(4) == 0) {
        reported.push_back(Returned(reference, no, fen));
      }
    }
    if (reported.empty()) return;
    Count("outcomes", "OK");
    Report(std::move(reported));
    Follow(replica);
  }
  // One of them that is in this state, or any where none is.
  std::int64_t InState(const std::vector<std::int64_t>& batches, v1::BatchState state) {
    std::vector<std::int64_t> found;
    for (const std::int64_t batch : batches) {
      if (Get(batch).state() == state) found.push_back(batch);
    }
    return One(found.empty() ? batches : found);
  }
  void Cancel(std::int64_t batch) {
    v1::CancelBatchRequest request;
    request.set_request_id(NewRequest());
    request.set_batch_id(batch);
    request.set_reason("not needed");
    Count("cancel", Outcome(rig_->handlers.CancelBatch(request, operator_)));
  }

  std::mt19937_64 random_;
  std::map<std::int64_t, std::int64_t> given_, settled_;
  std::map<std::string, int> seen_;
};

TEST_F(LedgerProperty, HoldsThroughManyRandomOperationsAndOverTheYearsEnd) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Renew(100);
    random_.seed(seed);
    given_.clear();
    settled_.clear();
    PutPolicy("P002", true);
    std::vector<std::int64_t> batches, objected;
    for (int i = 0; i < 8; ++i) {
      batches.push_back(Approved(3 + static_cast<int>(Pick(4)), i % 2 == 0 ? "P001" : "P002", 8 * i,
                                 2, i % 3 == 0 ? std::vector<int>{1} : std::vector<int>{}));
    }
    for (std::size_t i = 0; i < batches.size(); i += 3) objected.push_back(batches[i]);
    const std::vector<std::int64_t> lines = {Line("P001", "city", 500'000),
                                             Line("P002", "city", 300'000),
                                             Line("P002", "district", 200'000)};
    given_ = {{lines[0], 500'000}, {lines[1], 300'000}, {lines[2], 200'000}};
    Replica replica(*rig_, "a");
    const auto next_year = [&](std::int64_t line) {
      return Number(
          fmt::format("SELECT coalesce((SELECT n.line_id FROM budget_line b JOIN budget_line n "
                      "USING (district, "
                      "policy_id, source) WHERE b.line_id = {} AND n.year = b.year + 1), 0)",
                      line));
    };
    for (int step = 0; step < 120; ++step) {
      SCOPED_TRACE(step);
      if (step == 90) {  // the last weeks of the year, and the next one
        rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
        for (const auto& [policy, source] :
             {std::pair{"P001", "city"}, std::pair{"P002", "city"}}) {
          v1::CreateBudgetLineRequest create;
          create.set_request_id(NewRequest());
          create.set_district(kHebei);
          create.set_policy_id(policy);
          create.set_year(2027);
          create.set_source(source);
          ASSERT_EQ(Outcome(rig_->service.CreateBudgetLine(create, finance_)), "OK");
        }
      }
      if (step == 105) rig_->business.MoveTo(absl::CivilDay(2027, 1, 20));
      const std::int64_t line = One(lines);
      const std::int64_t batch = One(batches);
      switch (Pick(step < 90 ? 12 : 16)) {
        case 0:
          Appropriate(line, 1 + Pick(400'000));
          break;
        case 1:
          PassDown(line, 1 + Pick(400'000));
          break;
        case 2:
          Order(v1::BUDGET_ORDER_KIND_TRANSFER, line, One(lines), 1 + Pick(200'000));
          break;
        case 3:
          Count("fund", Outcome(Fund(InState(batches, v1::BATCH_STATE_APPROVED))));
          break;
        case 4:
          Count("release", Outcome(Release(InState(batches, v1::BATCH_STATE_FUNDED))));
          break;
        case 5:
        case 6:
          if (Work(replica, 1 + static_cast<int>(Pick(6))) > 0) Count("work", "OK");
          break;
        case 7:
        case 8:
          Outcomes(replica);
          break;
        case 9:
          Count("reissue", Outcome(Reissue(batch, {})));
          break;
        case 10: {
          const auto open = Table(kUnrepaired, 2);
          if (open.empty()) break;
          const auto& row = One(open);
          Count("abandon", Outcome(Abandon(row[1], {row[0]})));
          break;
        }
        case 11:
          if (Pick(4) == 0) Cancel(batch);
          if (Pick(2) == 0) Count("decide", Outcome(Decide(One(objected), 1, Pick(2) == 0)));
          break;
        case 12:
          Order(v1::BUDGET_ORDER_KIND_LAPSE, line, 0, 0);
          break;
        case 13:
          Order(v1::BUDGET_ORDER_KIND_CARRY_OVER, line, next_year(line), 0);
          break;
        default:
          Order(v1::BUDGET_ORDER_KIND_SETTLE, line, 0, 1 + Pick(60'000));
      }
      if (step % 4 == 0) ExpectLines();
      if (step % 12 == 0) ExpectItems();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    // Everything ends: what is on its way is paid, what failed is abandoned, and each year can be
    // closed.
    for (const std::int64_t batch : batches) {
      if (Get(batch).state() == v1::BATCH_STATE_FUNDED) Cancel(batch);
      if (Get(batch).state() == v1::BATCH_STATE_PAYING ||
          Get(batch).state() == v1::BATCH_STATE_SETTLED)
        (void)Decide(batch, 1, true);
    }
    rig_->business.MoveTo(absl::CivilDay(2027, 1, 20));
    Work(replica);
    std::vector<ReportedOutcome> last;
    for (const auto& row : Table(kLastOutcomes, 4)) {
      if (row[2] == 0 || row[2] == 3)
        last.push_back(Paid(row[0], static_cast<int>(row[3]) + 1, row[1]));
    }
    Report(std::move(last));
    Follow(replica);
    std::vector<ReportedOutcome> late;  // money back across the year's end
    for (const auto& row : Table(kLastOutcomes, 4)) {
      if (row[2] == 1 && Pick(3) == 0)
        late.push_back(Returned(row[0], static_cast<int>(row[3]) + 1, row[1]));
    }
    Report(std::move(late));
    Follow(replica);
    for (const auto& row : Table(kUnrepaired, 2)) (void)Abandon(row[1], {row[0]});
    ExpectLines();
    ExpectItems();
    for (const std::int64_t line : lines) {
      for (int tries = 0; tries < 20 && Sql(fmt::format("SELECT closed_on FROM budget_line WHERE "
                                                        "line_id = {}",
                                                        line))
                                            .empty();
           ++tries) {
        Order(v1::BUDGET_ORDER_KIND_LAPSE, line, 0, 0);
      }
      EXPECT_NE(Sql(fmt::format("SELECT closed_on FROM budget_line WHERE line_id = {}", line)), "");
      const std::int64_t owed = Number(fmt::format(
          "SELECT coalesce(sum(CASE WHEN debit = 6 THEN amount_fen WHEN credit = 6 THEN "
          "-amount_fen END), 0) FROM ledger WHERE line_id = {}",
          line));
      for (int tries = 0; owed > 0 && tries < 20; ++tries) {
        const std::int64_t before = settled_[line];
        Order(v1::BUDGET_ORDER_KIND_SETTLE, line, 0, owed);
        if (settled_[line] != before) break;
      }
      EXPECT_EQ(Books(line).substr(0, 6), "0/0/0/") << Books(line);
    }
    ExpectLines();
    ExpectItems();
  }
  for (const char* what :
       {"appropriate", "pass_down", "pass_down FUND_RECEIPT_EXHAUSTED", "approve transfer",
        "approve transfer FUNDS_INSUFFICIENT", "refuse transfer", "withdraw", "fund",
        "fund FUNDS_INSUFFICIENT", "release", "work", "outcomes", "reissue", "abandon", "cancel",
        "decide", "approve lapse", "approve lapse YEAR_END_BLOCKED", "approve settle"}) {
    EXPECT_GT(seen_[what], 0) << what;
  }
}

TEST_F(LedgerProperty, EveryStepSplitsEachRowAlikeForAnyAmountsAndShares) {
  for (const std::uint64_t seed : {11U, 12U}) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Renew(100);
    random_.seed(seed);
    auto rule = RuleOf("P003");
    const int second = 1 + static_cast<int>(Pick(5'000)), third = 1 + static_cast<int>(Pick(4'998));
    rule.mutable_version()->mutable_funding(0)->set_share_bp(10'000 - second - third);
    for (const auto& [source, share] : {std::pair{"district", second}, std::pair{"fund", third}}) {
      auto* funding = rule.mutable_version()->add_funding();
      funding->set_source(source);
      funding->set_share_bp(share);
    }
    rig_->catalogue.Put(rule);
    const std::int64_t batch = Approved(60, "P003", 0, 20, {1, 2, 3});
    // Any amounts, as policies with other rules would give them.
    Sql(fmt::format("UPDATE item SET amount_fen = 1 + abs(hashtext(item_id || '/{}')) % 300000",
                    seed));
    const std::vector<std::int64_t> lines = {Line("P003", "city", 100'000'000),
                                             Line("P003", "district", 100'000'000),
                                             Line("P003", "fund", 100'000'000)};
    const std::vector<policy::FundingShare> shares = {
        {"city", 10'000 - second - third}, {"district", second}, {"fund", third}};
    // Each line's part of the items that a condition names, split one by one.
    const auto parts = [&](const std::string& condition) {
      std::vector<std::int64_t> sums(3, 0);
      for (const std::int64_t fen : Numbers("SELECT amount_fen FROM item i WHERE " + condition)) {
        const auto split = policy::SplitSources(fen, shares);
        EXPECT_TRUE(split.ok());
        for (std::size_t i = 0; i < 3; ++i) sums[i] += (*split)[i].amount_fen;
      }
      return sums;
    };
    const std::string last =
        "(SELECT state FROM outcome o WHERE o.reference = (SELECT max(reference) FROM attempt a "
        "WHERE a.reference / 100 = i.item_id) ORDER BY outcome_no DESC LIMIT 1)";
    const auto expect = [&](const std::string& reserved, const std::string& transit,
                            const std::string& paid) {
      const auto r = parts(reserved), t = parts(transit), p = parts(paid);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(Books(lines[i]),
                  fmt::format("{}/{}/{}/{}/0", 100'000'000 - r[i] - t[i] - p[i], r[i], t[i], p[i]));
      }
    };
    const std::string stopped =
        "EXISTS (SELECT FROM exception e WHERE e.item_id = i.item_id AND e.bucket IN (3, 11) AND "
        "NOT e.resolved)";
    ASSERT_EQ(Outcome(Decide(batch, 1, true)), "OK");  // before the money: never asked for
    ASSERT_EQ(Outcome(Fund(batch)), "OK");
    expect("NOT " + stopped, "false", "false");
    ASSERT_EQ(Outcome(Decide(batch, 2, true)), "OK");  // after it: given back
    expect("NOT " + stopped, "false", "false");
    ASSERT_EQ(Outcome(Release(batch)), "OK");
    // Some have no way; one has died, which stops it.
    rig_->accounts.At(FakePeople::PersonId(10)).reason = "NO_ACCOUNT";
    rig_->accounts.At(FakePeople::PersonId(11)).reason = "BENEFICIARY_DECEASED";
    Replica replica(*rig_, "a");
    Work(replica);
    const std::string sent = "EXISTS (SELECT FROM attempt a WHERE a.reference / 100 = i.item_id)";
    expect(fmt::format("NOT {} AND NOT {}", stopped, sent), sent, "false");
    std::vector<ReportedOutcome> reported;
    int turn = 0;
    for (const auto& row : Table(kLastOutcomes, 4)) {
      const std::int64_t reference = row[0], fen = row[1];
      if (++turn % 4 == 0) reported.push_back(Failed(reference, 1, fen));
      if (turn % 4 == 1 || turn % 4 == 2) reported.push_back(Paid(reference, 1, fen));
      if (turn % 4 == 2) reported.push_back(Returned(reference, 2, fen));
    }
    Report(std::move(reported));
    Follow(replica);
    const auto expect_now = [&] {
      expect(fmt::format("NOT {} AND (NOT {} OR {} = 2 OR ({} = 4 AND EXISTS (SELECT FROM chunk c "
                         "WHERE c.repair AND c.stage < 3 AND i.item_id = ANY (c.item_ids))))",
                         stopped, sent, last, last),
             fmt::format("{} AND {} IS NULL", sent, last), fmt::format("{} = 1", last));
    };
    expect_now();
    const auto failed = Numbers(fmt::format("SELECT item_id FROM item i WHERE {} = 2", last));
    ASSERT_EQ(Outcome(Abandon(batch, {failed.front()})), "OK");
    expect_now();
    ASSERT_EQ(Outcome(Reissue(batch, {})), "OK");
    expect_now();
    Work(replica);
    expect(fmt::format("NOT {} AND NOT {}", stopped, sent),
           fmt::format("NOT {} AND {} AND {} IS NULL", stopped, sent, last),
           fmt::format("{} = 1", last));
    PayAll(replica);
    expect(fmt::format("NOT {} AND NOT {}", stopped, sent), "false", fmt::format("{} = 1", last));
  }
}

TEST_F(LedgerProperty, AReserveNeverFailsWhileTheLineSufficesHoweverManyTakeAtOnce) {
  const std::int64_t line = Line("P001", "city", 200);
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int worker = 0; worker < 8; ++worker) {
    // Each has at most 25 of the 200 at any moment: together never more than there is.
    threads.emplace_back([&, worker] {
      std::mt19937 random(static_cast<unsigned>(worker));
      for (int round = 0; round < 25; ++round) {
        const std::int64_t fen = 1 + random() % 25;
        const absl::Status took =
            rig_->pg->database().Transact("take", [&](postgres::Transaction& tx) -> absl::Status {
              YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                                   tx.Run(sql::kBudgetLineTake, kHebei, line, fen));
              return rows.empty() ? status::Refuse(status::Reason::kFundsInsufficient)
                                  : absl::OkStatus();
            });
        if (!took.ok()) ++failed;
        Posting back;
        back.MoveOnLine(line, "release", "", Account::kAvailable, Account::kReserved, fen);
        if (!rig_->pg->database()
                 .Transact("give_back",
                           [&](postgres::Transaction& tx) {
                             return WritePosting(tx, rig_->context, kHebei, back);
                           })
                 .ok())
          ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Number("SELECT available_fen FROM budget_line"), 200);
}

TEST_F(LedgerProperty, ChunkStepsOfManyBatchesSpendWhileSomebodyHoldsTheirLine) {
  std::vector<std::int64_t> batches;
  batches.reserve(4);
  for (int i = 0; i < 4; ++i) batches.push_back(Approved(6, "P001", 6 * i, 2));
  const std::int64_t line = Line("P001", "city", 10'000'000);
  for (const std::int64_t batch : batches) {
    ASSERT_EQ(Outcome(Fund(batch)), "OK");
    ASSERT_EQ(Outcome(Release(batch)), "OK");
  }
  Replica a(*rig_, "a"), b(*rig_, "b");
  postgres::DatabaseOptions options;
  options.idle_in_transaction_timeout_ms = 60'000;
  const auto holder = rig_->pg->Open(options);
  EXPECT_TRUE(holder
                  ->Transact("hold_line",
                             [&](postgres::Transaction& tx) -> absl::Status {
                               EXPECT_TRUE(rig_->money.LockLine(tx, kHebei, line).ok());
                               std::thread other([&] { Work(b); });
                               Work(a);
                               other.join();
                               // Paid and failed do not touch the line either.
                               std::vector<ReportedOutcome> outcomes;
                               for (const std::int64_t batch : batches) {
                                 outcomes.push_back(Failed(Item(batch, 1) * 100 + 1));
                                 outcomes.push_back(Paid(Item(batch, 2) * 100 + 1));
                               }
                               Report(std::move(outcomes));
                               Follow(a);
                               return absl::OkStatus();
                             })
                  .ok());
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 24);
  EXPECT_EQ(Number("SELECT count(*) FROM outcome"), 8);
  EXPECT_EQ(Number("SELECT count(*) FROM chunk WHERE taken > 1"), 0);
  ExpectBooks();
}

}  // namespace
}  // namespace yikatong::dispatch::testing
