// Closed batches and their archives, over the money rig.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/archive/manifest.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {

// A package as it was given out.
struct Exported {
  std::string outcome;  // of the stream
  std::string altered;  // the file that ARCHIVE_ALTERED names
  std::string manifest_text;
  archive::Manifest manifest;
  std::map<std::string, std::string> files;  // path -> bytes, the list of files among them

  std::string Part(std::string_view part) const;  // all records of a part
  std::int64_t Lines(std::string_view part) const;
};

class ArchiveTest : public MoneyTest {
 protected:
  void SetUp() override {
    MoneyTest::SetUp();
    replica_ = std::make_unique<Replica>(*rig_, "one");
  }
  void TearDown() override { replica_.reset(); }

  // A batch of `rows` people in chunks of two, everything of it paid but `failing` items from the
  // end, which are given up; settled and closed.
  std::int64_t Closed(int rows, int failing = 0, const std::vector<int>& objected = {});
  // Works on packages until there is none to make now.
  void SealAll() { SealAll(*replica_); }
  void SealAll(Replica& replica);
  // Every wait of a package is over.
  void StopWaiting() {
    Sql("UPDATE archive_work SET not_before = now() - interval '1 second' WHERE worker = ''");
  }
  Exported Export(std::int64_t batch, std::int32_t package_no = 0);
  Exported Export(std::int64_t batch, std::int32_t package_no, const identity::Caller& caller);
  // The newest package, or the one that is named.
  absl::StatusOr<v1::Archive> GetArchive(std::int64_t batch, std::int32_t package_no = 0);
  std::vector<v1::Archive> ListOf(std::int64_t batch);
  // The bodies of audit entries of a kind.
  std::vector<std::string> Entries(const std::string& kind);
  // One recovery of a payment, brought to its end.
  void Recover(std::int64_t batch, std::int64_t item, std::int64_t fen, const std::string& receipt);

  std::unique_ptr<Replica> replica_;
  identity::Caller auditor_ =
      CallerOf("auditor", {identity::Role::kAuditor}, {kHebei}, {"*"}, "audit.120000");
};

}  // namespace yikatong::dispatch::testing
