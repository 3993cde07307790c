// Packages on their way to be sealed: waits, crashes between any two files, workers that wake late,
// and whatever happens to a batch meanwhile or afterwards.
#include "services/dispatch/workers/archive_worker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/base/testing/failpoint_folder.h"
#include "services/dispatch/testing/archive_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class Sealing : public ArchiveTest {
 protected:
  std::optional<TakenArchive> Take(Replica& replica, int slot) {
    const auto taken =
        rig_->archive_seals.Take(replica.registry.worker(), slot, replica.registry.DeadWorkers());
    EXPECT_TRUE(taken.ok()) << taken.status();
    return taken.ok() ? *taken : std::nullopt;
  }
  // The next file, or the next step, and no more.
  absl::Status OneStep(TakenArchive& taken) {
    ArchiveSealStore& store = rig_->archive_seals;
    switch (taken.step) {
      case SealStep::kBegin:
        return store.Begin(taken);
      case SealStep::kUploads:
        return store.SealUpload(taken);
      case SealStep::kChunks: {
        const auto chunk = store.NextChunk(taken);
        if (!chunk.ok()) return chunk.status();
        if (!chunk->has_value()) return store.EndChunks(taken);
        const auto traces = rig_->gateway.TraceSubmissions(kHebei, (*chunk)->submissions);
        return store.SealChunk(taken, **chunk, *traces);
      }
      case SealStep::kFinish:
        return store.Finish(taken).status();
      default:
        return store.SealPage(taken);
    }
  }
  std::string WorkRow() {
    return Sql(
        "SELECT coalesce(string_agg(concat_ws(' ', run, step, after_id, page, taken, why), ';'), "
        "'') "
        "FROM archive_work");
  }
  std::int64_t Sealed() { return Number("SELECT count(*) FROM archive"); }
};

TEST_F(Sealing, AnotherWorkerGoesOnBehindTheLastFileWhereverOneDies) {
  bad_rows_ = {2};
  const std::int64_t batch = Closed(7, 1);
  // One worker makes it in one go, as a measure.
  const std::int64_t files_in_one_go = [&] {
    SealAll();
    return GetArchive(batch)->files();
  }();
  const Exported whole = Export(batch);
  ASSERT_EQ(whole.outcome, "OK");
  // The same batch anew, and a worker dies after each step.
  Sql("DELETE FROM archive_file");
  Sql("DELETE FROM archive");
  Sql("INSERT INTO archive_work (district, batch_id) SELECT district, batch_id FROM batch");
  auto worker = std::make_unique<Replica>(*rig_, "worker-0");
  std::optional<TakenArchive> taken = Take(*worker, 9);
  int steps = 0;
  while (true) {
    ASSERT_TRUE(taken.has_value()) << steps;
    ASSERT_LT(steps, 100);
    ASSERT_EQ(Outcome(OneStep(*taken)), "OK") << steps;
    ++steps;
    if (Sealed() > 0) break;
    auto next = std::make_unique<Replica>(*rig_, fmt::format("worker-{}", steps));
    Bury(*next);
    taken = Take(*next, 9);
    worker = std::move(next);
  }
  EXPECT_GT(steps, 15);
  EXPECT_EQ(Sealed(), 1);
  const Exported again = Export(batch);
  ASSERT_EQ(again.outcome, "OK");
  EXPECT_EQ(again.files, whole.files);
  EXPECT_EQ(again.manifest.files, files_in_one_go);
  EXPECT_EQ(again.manifest.files_sha256, whole.manifest.files_sha256);
}

TEST_F(Sealing, AWorkerThatWakesLateWritesNothing) {
  const std::int64_t batch = Closed(5);
  Replica slow(*rig_, "slow");
  for (const char* step : {"begin_archive", "seal_records", "finish_archive"}) {
    Sql("DELETE FROM archive_file");
    Sql("DELETE FROM archive");
    Sql("DELETE FROM archive_work");
    Sql("INSERT INTO archive_work (district, batch_id) SELECT district, batch_id FROM batch");
    EXPECT_TRUE(slow.registry.BeatOnce().ok());
    const base::testing::FailpointFolder points;
    const std::string point = std::string(step) + ".before_begin";
    points.Put(point, "wait");
    std::thread stopped([&] { EXPECT_TRUE(slow.archiver.WorkOnce().ok()); });
    points.AwaitTaken(point);
    Bury(*replica_);
    SealAll();
    EXPECT_EQ(Sealed(), 1);
    const std::string all =
        "SELECT (SELECT count(*) FROM archive_file) || ' ' || (SELECT count(*) FROM outbox) || ' ' "
        "|| (SELECT string_agg(encode(manifest_sha256, 'hex') || run, ',') FROM archive) || "
        "(SELECT count(*) FROM archive_work)";
    const std::string before = Sql(all);
    points.LetGo(point);
    stopped.join();
    EXPECT_EQ(Sql(all), before) << step;
  }
  EXPECT_EQ(Export(batch).outcome, "OK");
}

TEST_F(Sealing, ACommitWhoseAnswerIsLostIsNeitherLostNorDoneTwice) {
  const std::int64_t batch = Closed(5);
  for (const char* step : {"take_archive", "begin_archive", "seal_records", "finish_archive"}) {
    Sql("DELETE FROM archive_file");
    Sql("DELETE FROM archive");
    Sql("DELETE FROM archive_work");
    Sql("INSERT INTO archive_work (district, batch_id) SELECT district, batch_id FROM batch");
    const base::testing::FailpointFolder points;
    points.Put(std::string(step) + ".in_commit", "fail UNAVAILABLE");
    (void)replica_->archiver.WorkOnce();
    EXPECT_FALSE(points.Has(std::string(step) + ".in_commit")) << step;
    StopWaiting();
    SealAll();
    EXPECT_EQ(Sealed(), 1) << step;
    EXPECT_EQ(WorkRow(), "") << step;
    EXPECT_EQ(Export(batch).outcome, "OK") << step;
  }
}

TEST_F(Sealing, APackageWaitsForTheStatementsOfItsDaysAndStopsNobody) {
  rig_->gateway.unreconciled.insert({"A1", rig_->gateway.booked_on});
  const std::int64_t batch = Closed(3);
  SealAll();
  EXPECT_EQ(Sealed(), 0);
  const auto waiting = GetArchive(batch);
  ASSERT_EQ(Outcome(waiting), "OK");
  EXPECT_EQ(waiting->waiting_reason(), "STATEMENT_OPEN");
  EXPECT_EQ(waiting->failures(), 0);
  EXPECT_EQ(Export(batch).outcome, "ARCHIVE_NOT_SEALED");
  // Not before its time.
  rig_->gateway.unreconciled.clear();
  SealAll();
  EXPECT_EQ(Sealed(), 0);
  StopWaiting();
  SealAll();
  EXPECT_EQ(Sealed(), 1);
  EXPECT_EQ(Export(batch).outcome, "OK");
}

TEST_F(Sealing, WhatFailsIsShownTriedAgainLaterAndDoesNotStopAnother) {
  const std::int64_t batch = Closed(3);
  rig_->gateway.trace_fails = absl::InternalError("broken");
  for (int round = 1; round <= 4; ++round) {
    SealAll();
    const auto archive = GetArchive(batch);
    EXPECT_EQ(archive->failures(), round);
    EXPECT_EQ(archive->waiting_reason(), "INTERNAL");
    StopWaiting();
  }
  EXPECT_EQ(rig_->archive_seals.Figures()->open, 1);
  EXPECT_EQ(rig_->archive_seals.Figures()->failing, 1);
  rig_->gateway.trace_fails = absl::OkStatus();
  SealAll();
  EXPECT_EQ(Sealed(), 1);
  EXPECT_EQ(rig_->archive_seals.Figures()->open, 0);
}

TEST_F(Sealing, APaymentThatComesBackAfterSealingMakesAFurtherPackageAndLeavesTheFirst) {
  const std::int64_t batch = Closed(5);
  SealAll();
  const Exported first = Export(batch);
  ASSERT_EQ(first.outcome, "OK");

  const std::int64_t item = Item(batch, 3);
  Report({Returned(MakeReference(item, 1))});
  Follow(*replica_);
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_SETTLED);
  // Nothing is made of a batch that is open again, and what is sealed stays as it was.
  SealAll();
  EXPECT_EQ(Sealed(), 1);
  EXPECT_EQ(Export(batch, 1).files, first.files);
  EXPECT_EQ(Outcome(Reissue(batch, {item})), "OK");
  Work(*replica_);
  PayAll(*replica_);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
  SealAll();
  ASSERT_EQ(Sealed(), 2);

  const Exported second = Export(batch, 2);
  ASSERT_EQ(second.outcome, "OK");
  EXPECT_EQ(second.manifest.package_no, 2);
  EXPECT_EQ(second.manifest.former, crypto::Sha256(first.manifest_text));
  // What came since: the return of the old attempt, and the new attempt with its payment.
  EXPECT_EQ(second.Lines("roster"), 0);
  EXPECT_EQ(second.Lines("instructions"), 1 + 1);
  EXPECT_EQ(second.Lines("outcomes"), 2);
  EXPECT_NE(second.Part("outcomes")
                .find(fmt::format("{{\"reference\":{}01,\"outcome_no\":2,"
                                  "\"state\":\"returned\"",
                                  item)),
            std::string::npos);
  EXPECT_NE(second.Part("outcomes").find(fmt::format("{{\"reference\":{}02,", item)),
            std::string::npos);
  EXPECT_NE(second.Part("ledger"), first.Part("ledger"));
  // The first one is still what it was, with twice as many rows in the books.
  const Exported again = Export(batch, 1);
  EXPECT_EQ(again.outcome, "OK");
  EXPECT_EQ(again.files, first.files);
  EXPECT_EQ(again.manifest_text, first.manifest_text);
  EXPECT_EQ(ListOf(batch).size(), 2u);
  EXPECT_EQ(GetArchive(batch)->package_no(), 2);
}

TEST_F(Sealing, ARecoveryThatEndsAfterSealingMakesAFurtherPackage) {
  const std::int64_t batch = Closed(3);
  SealAll();
  const Exported first = Export(batch);
  Recover(batch, Item(batch, 2), 104'500, "R-1");
  EXPECT_EQ(ListOf(batch).size(), 2u);
  SealAll();
  const Exported second = Export(batch);
  ASSERT_EQ(second.outcome, "OK");
  EXPECT_EQ(second.manifest.package_no, 2);
  EXPECT_EQ(second.manifest.former, crypto::Sha256(first.manifest_text));
  EXPECT_EQ(second.Lines("recoveries"), 2);
  EXPECT_NE(second.Part("recoveries").find("\"state\":\"RECOVERED\""), std::string::npos);
  EXPECT_NE(second.Part("recoveries").find("\"receipt\":\"R-1\""), std::string::npos);
  EXPECT_EQ(second.Lines("outcomes"), 0);
  EXPECT_GT(second.Lines("ledger"), first.Lines("ledger"));
  EXPECT_EQ(Export(batch, 1).files, first.files);
}

TEST_F(Sealing, WhatHappensWhileAPackageIsMadeIsInItAndNotHalfOfIt) {
  const std::int64_t batch = Closed(5);
  std::optional<TakenArchive> taken = Take(*replica_, 7);
  ASSERT_TRUE(taken.has_value());
  while (taken->step != SealStep::kRecoveries) ASSERT_EQ(Outcome(OneStep(*taken)), "OK");
  Recover(batch, Item(batch, 1), 104'500, "R-1");
  // It has begun again: whoever was at it writes nothing more.
  EXPECT_EQ(Outcome(OneStep(*taken)), "LEASE_LOST");
  EXPECT_EQ(WorkRow().substr(0, 4), "2 0 ");
  Sql("UPDATE archive_work SET worker = ''");
  SealAll();
  EXPECT_EQ(Sealed(), 1);
  const Exported out = Export(batch);
  ASSERT_EQ(out.outcome, "OK");
  EXPECT_EQ(out.manifest.package_no, 1);
  EXPECT_EQ(out.Lines("recoveries"), 2);
  EXPECT_EQ(out.Lines("roster"), 5);
  EXPECT_EQ(out.Lines("ledger"),
            Number("SELECT count(*) FROM ledger WHERE batch_id = " + std::to_string(batch)));
}

TEST_F(Sealing, ABatchThatIsOpenedAgainMeanwhileIsSealedOnceItIsClosed) {
  const std::int64_t batch = Closed(3);
  std::optional<TakenArchive> taken = Take(*replica_, 7);
  ASSERT_TRUE(taken.has_value());
  while (taken->step != SealStep::kFinish) ASSERT_EQ(Outcome(OneStep(*taken)), "OK");
  const std::int64_t item = Item(batch, 3);
  Report({Returned(MakeReference(item, 1))});
  Follow(*replica_);
  EXPECT_EQ(Outcome(OneStep(*taken)), "BATCH_STATE");
  ASSERT_TRUE(rig_->archive_seals.PutBack(*taken, absl::ZeroDuration(), false, "BATCH_STATE").ok());
  SealAll();
  EXPECT_EQ(Sealed(), 0);
  EXPECT_TRUE(ListOf(batch).empty());
  EXPECT_EQ(Outcome(Abandon(batch, {item})), "OK");
  EXPECT_EQ(Outcome(Close(batch)), "OK");
  SealAll();
  const Exported out = Export(batch);
  ASSERT_EQ(out.outcome, "OK");
  EXPECT_EQ(out.Lines("outcomes"), 4);
  EXPECT_EQ(out.manifest.paid.items, 2);
}

TEST_F(Sealing, TwoWorkersMakeTwoPackagesAndNeverOneTogether) {
  Closed(3);
  Replica other(*rig_, "other");
  const std::optional<TakenArchive> one = Take(*replica_, 1);
  ASSERT_TRUE(one.has_value());
  EXPECT_FALSE(Take(other, 1).has_value());
  // Its own slot has lost sight of it, and takes it again under another fence.
  const std::optional<TakenArchive> again = Take(*replica_, 1);
  ASSERT_TRUE(again.has_value());
  EXPECT_GT(again->fence, one->fence);
  TakenArchive stale = *one;
  EXPECT_EQ(Outcome(OneStep(stale)), "LEASE_LOST");
}

TEST_F(Sealing, ALargePartGoesOverSeveralPages) {
  const std::int64_t batch = Closed(2);
  Sql(
      fmt::format("INSERT INTO departure SELECT 120105, {}, n, '测*', 100, 'moved' FROM "
                  "generate_series(1, 4500) AS n",
                  batch));
  Sql(
      fmt::format("INSERT INTO movement SELECT 120105, {}, gen_random_uuid(), 1, 1, '', 1, 1 FROM "
                  "generate_series(1, 2000)",
                  batch));
  SealAll();
  const Exported out = Export(batch);
  ASSERT_EQ(out.outcome, "OK");
  EXPECT_EQ(out.Lines("departures"), 4'500);
  EXPECT_TRUE(out.files.contains("data/departures/000003.jsonl"));
  EXPECT_FALSE(out.files.contains("data/departures/000004.jsonl"));
  EXPECT_EQ(out.Lines("movements"),
            Number("SELECT count(*) FROM movement WHERE batch_id = " + std::to_string(batch)));
}

}  // namespace
}  // namespace yikatong::dispatch::testing
