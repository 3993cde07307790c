// Packages as files: what is written reads back, and nothing else does.
#include "services/yktctl/bag.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

#include "common/crypto/merkle.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/crypto/tlog_proof.h"
#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "services/yktctl/commands/archive.h"

namespace yikatong::yktctl {
namespace {

using status::Reason;

// A package with its parts, before it is written.
struct Package {
  archive::Manifest manifest;
  std::string text;
  std::string list;
  std::vector<std::pair<std::string, std::string>> records;  // path -> bytes, in their order
};

Package MakePackage(std::int32_t package_no = 1, std::optional<crypto::Digest> former = {}) {
  Package package;
  package.records = {{archive::FilePath("roster", 1), "{\"item\":1}\n{\"item\":2}\n"},
                     {archive::FilePath("roster", 2), "{\"item\":3}\n"},
                     {archive::FilePath("ledger", 1), "{\"line\":7}\n"}};
  archive::Manifest& manifest = package.manifest;
  manifest.batch_id = 10500000007;
  manifest.package_no = package_no;
  manifest.former = former;
  manifest.district = 120105;
  manifest.department_id = "civil.120105";
  manifest.field = "CIVIL";
  manifest.policy_id = "P001";
  manifest.policy_version = 1;
  manifest.period = "2026-03";
  manifest.keep_until = absl::CivilDay(2056, 12, 31);
  manifest.parts = {
      {"roster", archive::Keeping::kApplication, absl::CivilDay(2036, 3, 1), 2, 3, 33},
      {"ledger", archive::Keeping::kPaymentEvidence, absl::CivilDay(2056, 12, 31), 1, 1, 11}};
  for (const auto& [path, bytes] : package.records)
    package.list += archive::FileLine(crypto::Sha256(bytes), path);
  manifest.files = 3;
  manifest.files_sha256 = crypto::Sha256(package.list);
  package.text = *archive::ManifestText(manifest);
  return package;
}

class Bags : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "bags-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  static std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  std::string Write(const Package& package, const std::string& name,
                    const std::string& proof = "") {
    std::string path = PathOf(name);
    std::filesystem::remove(path);
    auto writer = BagWriter::Create(path, "batch-10500000007-1", absl::CivilDay(2026, 3, 20));
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE((*writer)->Add(archive::kBagName, archive::kBagText).ok());
    EXPECT_TRUE((*writer)->Add(archive::kManifestName, package.text).ok());
    for (const auto& [record, bytes] : package.records)
      EXPECT_TRUE((*writer)->Add(record, bytes).ok());
    EXPECT_TRUE((*writer)->Add(archive::kFileListName, package.list).ok());
    if (!proof.empty()) {
      EXPECT_TRUE((*writer)->Add(archive::kProofName, proof).ok());
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE((*writer)->Finish().ok());
    return path;
  }
  // The file that ARCHIVE_ALTERED names; the reason's name for another refusal, OK for none.
  static std::string Altered(const absl::StatusOr<Bag>& bag) {
    if (bag.ok()) return "OK";
    if (status::ReasonOf(bag.status()) != Reason::kArchiveAltered)
      return status::ReasonNameOf(bag.status());
    return status::MetadataOf(bag.status()).at("file");
  }
  std::string AlteredIn(const std::function<void(Package&)>& change) {
    Package package = MakePackage();
    change(package);
    return Altered(ReadBag(Write(package, "changed.tar")));
  }

  std::string folder_;
};

TEST_F(Bags, WhatWasWrittenReadsBackAndIsTheSameBytesAgain) {
  const Package package = MakePackage();
  const std::string path = Write(package, "one.tar", "the proof");
  const absl::StatusOr<Bag> bag = ReadBag(path);
  ASSERT_TRUE(bag.ok()) << bag.status();
  EXPECT_EQ(bag->manifest, package.manifest);
  EXPECT_EQ(bag->manifest_text, package.text);
  EXPECT_EQ(bag->proof, "the proof");
  EXPECT_EQ(Read(path), Read(Write(package, "other.tar", "the proof")));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST_F(Bags, AFileThatNeverBecameWholeIsTakenAway) {
  const std::string path = PathOf("half.tar");
  {
    auto writer = *BagWriter::Create(path, "batch", absl::CivilDay(2026, 3, 20));
    EXPECT_TRUE(writer->Begin(archive::FilePath("roster", 1), 100).ok());
    EXPECT_TRUE(writer->Append("too little").ok());
    // Neither another file nor an end before all of it came, and not more than was announced.
    EXPECT_EQ(status::ReasonOf(writer->Begin(archive::FilePath("roster", 2), 1)),
              Reason::kArchiveAltered);
    EXPECT_EQ(status::ReasonOf(writer->Finish()), Reason::kArchiveAltered);
    EXPECT_EQ(status::ReasonOf(writer->Append(std::string(100, 'x'))), Reason::kArchiveAltered);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Bags, ARowThatIsChangedTakenAwayOrAddedIsFoundByItsFile) {
  EXPECT_EQ(AlteredIn([](Package&) {}), "OK");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records[0].second[9] = '4'; }),
            "data/roster/000001.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records[2].second += "{\"line\":8}\n"; }),
            "data/ledger/000001.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records[1].second = ""; }),
            "data/roster/000002.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records[1].second.pop_back(); }),
            "data/roster/000002.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records.pop_back(); }),
            "data/ledger/000001.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) {
              package.records.emplace_back(archive::FilePath("ledger", 2), "{\"line\":8}\n");
            }),
            "data/ledger/000002.jsonl");
  EXPECT_EQ(AlteredIn([](Package& package) { package.records.push_back(package.records[0]); }),
            "data/roster/000001.jsonl");
  EXPECT_EQ(
      AlteredIn([](Package& package) { package.records.emplace_back("data/../outside", "x\n"); }),
      "batch-10500000007-1/data/../outside");
}

TEST_F(Bags, AListOrAManifestThatIsChangedWithItsFileIsFoundToo) {
  // The hash in the list follows the file: then the list is not the manifest's.
  EXPECT_EQ(AlteredIn([](Package& package) {
              package.records[0].second[9] = '4';
              package.list.clear();
              for (const auto& [path, bytes] : package.records)
                package.list += archive::FileLine(crypto::Sha256(bytes), path);
            }),
            "manifest-sha256.txt");
  // The manifest follows the list, and forgets its counts.
  EXPECT_EQ(AlteredIn([](Package& package) {
              package.records[0].second += "{\"item\":9}\n";
              package.list.clear();
              for (const auto& [path, bytes] : package.records)
                package.list += archive::FileLine(crypto::Sha256(bytes), path);
              package.manifest.files_sha256 = crypto::Sha256(package.list);
              package.text = *archive::ManifestText(package.manifest);
            }),
            "package.txt");
  EXPECT_EQ(AlteredIn([](Package& package) { package.text += "\n"; }), "package.txt");
  EXPECT_EQ(AlteredIn([](Package& package) { package.text.clear(); }), "package.txt");
}

TEST_F(Bags, AFileThatIsNoPackageIsRefused) {
  EXPECT_EQ(Altered(ReadBag(PathOf("nowhere.tar"))), "FIELD_INVALID");
  std::ofstream(PathOf("text.tar")) << "this is no tar file, however long it is\n";
  EXPECT_EQ(Altered(ReadBag(PathOf("text.tar"))), "FIELD_INVALID");
  // Cut anywhere, it is never taken for a whole one.
  const std::string whole = Read(Write(MakePackage(), "whole.tar"));
  for (std::size_t size = 0; size < whole.size(); size += 256) {
    // Zeros behind the last byte say nothing.
    if (whole.find_first_not_of('\0', size) == std::string::npos) continue;
    std::ofstream(PathOf("cut.tar"), std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    EXPECT_FALSE(ReadBag(PathOf("cut.tar")).ok()) << size;
  }
}

// A log with the sealing of a package in the middle.
struct Log {
  explicit Log(const Package& package, const std::function<void(outbox::Entry&)>& change = {}) {
    outbox::Entry entry;
    entry.service = "dispatch";
    entry.kind = "archive.sealed";
    entry.district = 120105;
    entry.subject =
        archive::PackageSubject(120105, package.manifest.batch_id, package.manifest.package_no);
    entry.actor_org = "service:dispatch";
    entry.at = absl::FromUnixSeconds(1'772'409'600);
    entry.business_date = absl::CivilDay(2026, 3, 20);
    entry.root = crypto::StringOf(crypto::LeafHash(package.text));
    entry.leaves = 1;
    entry.details = {{"manifest_sha256", crypto::HexOf(crypto::Sha256(package.text))}};
    if (change) change(entry);
    const std::string body = *outbox::CanonicalBody(entry);
    const std::vector<crypto::Digest> leaves = {crypto::LeafHash("before"), crypto::LeafHash(body),
                                                crypto::LeafHash("behind")};
    crypto::Checkpoint head;
    head.origin = "audit.example";
    head.size = leaves.size();
    head.root = crypto::RootOf(leaves);
    crypto::TlogProof made;
    made.extra = body;
    made.index = 1;
    made.path = *crypto::InclusionPath(leaves, 1);
    made.checkpoint =
        *crypto::SignCheckpoint(head, *crypto::NoteSigner::Make("audit.example", key));
    proof = crypto::FormatTlogProof(made);
  }
  crypto::SeededRandom random{3};
  crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::Generate(random);
  std::string proof;
};

TEST_F(Bags, ThePackageIsTheOneThatTheLogSealed) {
  const Package package = MakePackage();
  const Log log(package);
  const Bag bag = *ReadBag(Write(package, "one.tar", log.proof));
  const auto anchor = CheckAnchor(bag, bag.proof, log.key.PublicKey());
  ASSERT_TRUE(anchor.ok()) << anchor.status();
  EXPECT_EQ(anchor->entry_index, 1);
  EXPECT_EQ(anchor->tree_size, 3);

  crypto::SeededRandom random{4};
  const auto other = crypto::Ed25519PrivateKey::Generate(random);
  EXPECT_EQ(status::ReasonOf(CheckAnchor(bag, bag.proof, other.PublicKey()).status()),
            Reason::kProofInvalid);
  EXPECT_EQ(status::ReasonOf(CheckAnchor(bag, "", log.key.PublicKey()).status()),
            Reason::kProofInvalid);
}

TEST_F(Bags, AnyOtherByteIsFoundInAFileByItsHashAndInTheManifestByTheLog) {
  const Package package = MakePackage();
  const Log log(package);
  const std::string whole = Read(Write(package, "whole.tar", log.proof));
  std::vector<std::string> contents = {std::string(archive::kBagText), package.list, package.text};
  for (const auto& [path, bytes] : package.records) contents.push_back(bytes);
  for (const std::string& content : contents) {
    const std::size_t start = whole.find(content);
    ASSERT_NE(start, std::string::npos);
    for (std::size_t at = start; at < start + content.size(); ++at) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      std::ofstream(PathOf("bad.tar"), std::ios::binary | std::ios::trunc) << bad;
      const absl::StatusOr<Bag> bag = ReadBag(PathOf("bad.tar"));
      if (content != package.text) {
        EXPECT_FALSE(bag.ok()) << at;
      } else if (bag.ok()) {
        // Facts of the batch that no hash of a file is over.
        EXPECT_EQ(status::ReasonOf(CheckAnchor(*bag, bag->proof, log.key.PublicKey()).status()),
                  Reason::kProofInvalid)
            << at;
      }
    }
  }
}

TEST_F(Bags, ASealingOfAnotherPackageOrNoSealingProvesNothing) {
  const Package package = MakePackage();
  const Bag bag = *ReadBag(Write(package, "one.tar"));
  const std::function<void(outbox::Entry&)> changes[] = {
      [](outbox::Entry& entry) { entry.kind = "archive.exported"; },
      [](outbox::Entry& entry) { entry.service = "registry"; },
      [](outbox::Entry& entry) { entry.subject += "0"; },
      [](outbox::Entry& entry) { entry.root[0] = static_cast<char>(entry.root[0] ^ 1); },
      [](outbox::Entry& entry) { entry.leaves = 2; },
      [](outbox::Entry& entry) { entry.details.clear(); },
      [](outbox::Entry& entry) { entry.details["manifest_sha256"] = std::string(64, '0'); }};
  for (const auto& change : changes) {
    const Log log(package, change);
    EXPECT_EQ(status::ReasonOf(CheckAnchor(bag, log.proof, log.key.PublicKey()).status()),
              Reason::kProofInvalid);
  }
}

TEST_F(Bags, PackagesOfABatchFollowEachOther) {
  const Package first = MakePackage();
  const Package second = MakePackage(2, crypto::Sha256(first.text));
  const Package stranger = MakePackage(2, crypto::Sha256("another"));
  const Bag one = *ReadBag(Write(first, "1.tar"));
  const Bag two = *ReadBag(Write(second, "2.tar"));
  EXPECT_TRUE(CheckFollows(one, two).ok());
  EXPECT_EQ(status::ReasonOf(CheckFollows(one, *ReadBag(Write(stranger, "s.tar")))),
            Reason::kArchiveAltered);
  EXPECT_EQ(status::ReasonOf(CheckFollows(two, one)), Reason::kArchiveAltered);
  EXPECT_EQ(status::ReasonOf(CheckFollows(one, one)), Reason::kArchiveAltered);
}

}  // namespace
}  // namespace yikatong::yktctl
