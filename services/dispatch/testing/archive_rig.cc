#include "services/dispatch/testing/archive_rig.h"

#include <algorithm>

#include "common/status/status.h"

namespace yikatong::dispatch::testing {

std::string Exported::Part(std::string_view part) const {
  std::string records;
  for (const auto& [path, bytes] : files) {
    if (archive::PartOfPath(path) == part) records += bytes;
  }
  return records;
}

std::int64_t Exported::Lines(std::string_view part) const {
  const std::string records = Part(part);
  return std::count(records.begin(), records.end(), '\n');
}

std::int64_t ArchiveTest::Closed(int rows, int failing, const std::vector<int>& objected) {
  const std::int64_t batch = Paying(rows, "P001", 0, 2, objected);
  Work(*replica_);
  if (failing > 0) {
    std::vector<ReportedOutcome> failed;
    std::vector<std::int64_t> items;
    for (int row = rows - failing + 1; row <= rows; ++row) {
      items.push_back(Item(batch, row));
      failed.push_back(Failed(MakeReference(Item(batch, row), 1)));
    }
    Report(failed);
    Follow(*replica_);
    EXPECT_EQ(Outcome(Abandon(batch, items)), "OK");
  }
  PayAll(*replica_);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
  return batch;
}

void ArchiveTest::SealAll(Replica& replica) {
  for (int i = 0; i < 100; ++i) {
    const absl::StatusOr<bool> worked = replica.archiver.WorkOnce();
    ASSERT_TRUE(worked.ok()) << worked.status();
    if (!*worked) return;
  }
  FAIL() << "packages do not come to an end";
}

Exported ArchiveTest::Export(std::int64_t batch, std::int32_t package_no) {
  return Export(batch, package_no, auditor_);
}

Exported ArchiveTest::Export(std::int64_t batch, std::int32_t package_no,
                             const identity::Caller& caller) {
  Exported exported;
  v1::ExportArchiveRequest request;
  request.set_batch_id(batch);
  request.set_package_no(package_no);
  std::string path;
  const absl::Status status =
      rig_->archives.ExportArchive(request, caller, [&](const v1::ExportArchiveResponse& piece) {
        if (piece.has_archive()) exported.manifest_text = piece.archive().manifest();
        if (piece.has_file()) exported.files[path = piece.file().path()];
        exported.files[path] += piece.content();
        return true;
      });
  exported.files.erase("");
  exported.outcome = Outcome(status);
  const auto metadata = status::MetadataOf(status);
  if (metadata.contains("file")) exported.altered = metadata.at("file");
  if (status.ok()) exported.manifest = *archive::ParseManifest(exported.manifest_text);
  return exported;
}

absl::StatusOr<v1::Archive> ArchiveTest::GetArchive(std::int64_t batch, std::int32_t package_no) {
  v1::GetArchiveRequest request;
  request.set_batch_id(batch);
  request.set_package_no(package_no);
  return rig_->archives.GetArchive(request, auditor_);
}

std::vector<v1::Archive> ArchiveTest::ListOf(std::int64_t batch) {
  v1::ListArchivesRequest request;
  request.set_batch_id(batch);
  const auto list = rig_->archives.ListArchives(request, auditor_);
  EXPECT_EQ(Outcome(list), "OK");
  if (!list.ok()) return {};
  return {list->archives().begin(), list->archives().end()};
}

std::vector<std::string> ArchiveTest::Entries(const std::string& kind) {
  std::vector<std::string> bodies;
  std::string all = Sql(
      "SELECT coalesce(string_agg(convert_from(body, 'UTF8') || '=', '' ORDER BY created_at), '') "
      "FROM outbox WHERE convert_from(body, 'UTF8') LIKE E'%\\nkind: " +
      kind + "\\n%'");
  for (std::size_t end = 0; (end = all.find("\n=")) != std::string::npos;) {
    bodies.push_back(all.substr(0, end + 1));
    all.erase(0, end + 2);
  }
  return bodies;
}

void ArchiveTest::Recover(std::int64_t batch, std::int64_t item, std::int64_t fen,
                          const std::string& receipt) {
  v1::OpenRecoveriesRequest open;
  open.set_request_id(NewRequest());
  open.set_batch_id(batch);
  open.add_item_ids(item);
  open.set_cause(v1::RECOVERY_CAUSE_NOT_ENTITLED);
  open.set_reason("moved before the period");
  const auto opened = rig_->repairs.OpenRecoveries(open, operator_);
  ASSERT_EQ(Outcome(opened), "OK");
  const std::int64_t id = opened->recoveries(0).recovery_id();
  v1::ApproveRecoveryRequest approve;
  approve.set_request_id(NewRequest());
  approve.set_recovery_id(id);
  ASSERT_EQ(Outcome(rig_->repairs.ApproveRecovery(approve, department_)), "OK");
  v1::NotifyRecoveryRequest notify;
  notify.set_request_id(NewRequest());
  notify.set_recovery_id(id);
  notify.set_notice("letter 17");
  ASSERT_EQ(Outcome(rig_->repairs.NotifyRecovery(notify, operator_)), "OK");
  v1::RecordReceiptRequest receive;
  receive.set_request_id(NewRequest());
  receive.set_recovery_id(id);
  receive.set_receipt(receipt);
  receive.set_amount_fen(fen);
  receive.set_received_on("2026-03-09");
  ASSERT_EQ(Outcome(rig_->repairs.RecordReceipt(receive, finance_)), "OK");
}

}  // namespace yikatong::dispatch::testing
