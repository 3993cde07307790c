#include "common/archive/manifest.h"

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace yikatong::archive {
namespace {

Manifest Sample() {
  Manifest manifest;
  manifest.batch_id = 10500000007;
  manifest.package_no = 1;
  manifest.district = 120105;
  manifest.department_id = "civil.120105";
  manifest.field = "CIVIL";
  manifest.policy_id = "P001";
  manifest.policy_version = 3;
  manifest.period = "2026-03";
  manifest.declared = {20, 2'090'000};
  manifest.accepted = {19, 1'985'500};
  manifest.paid = {18, 1'881'000};
  manifest.created_on = absl::CivilDay(2026, 3, 1);
  manifest.closed_on = absl::CivilDay(2026, 3, 20);
  manifest.sealed_on = absl::CivilDay(2026, 3, 21);
  manifest.last_paid_on = absl::CivilDay(2026, 3, 18);
  manifest.keep_until = absl::CivilDay(2056, 12, 31);
  manifest.parts = {
      {"roster", Keeping::kApplication, absl::CivilDay(2036, 3, 18), 1, 19, 2'000},
      {"outcomes", Keeping::kPaymentEvidence, absl::CivilDay(2056, 12, 31), 2, 18, 1'500}};
  manifest.files = 3;
  manifest.files_sha256 = crypto::Sha256("list");
  return manifest;
}

TEST(Manifest, ReadsBackWhatItWrote) {
  Manifest manifest = Sample();
  const std::string text = *ManifestText(manifest);
  EXPECT_TRUE(text.starts_with("yikatong-archive/v1\nbatch: 10500000007\npackage: 1\nformer: \n"));
  EXPECT_NE(text.find("\npart: roster application 2036-03-18 1 19 2000\n"), std::string::npos);
  EXPECT_EQ(*ParseManifest(text), manifest);

  manifest.package_no = 2;
  manifest.former = crypto::Sha256(text);
  manifest.last_paid_on.reset();
  EXPECT_EQ(*ParseManifest(*ManifestText(manifest)), manifest);
}

TEST(Manifest, RefusesEveryByteThatItWouldNotHaveWritten) {
  const std::string text = *ManifestText(Sample());
  int refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // Taking a byte away, doubling it, and putting a blank in its place.
    std::string shorter = text;
    shorter.erase(i, 1);
    std::string longer = text;
    longer.insert(i, 1, text[i]);
    std::string other = text;
    other[i] = ' ';
    for (const std::string& bad : {shorter, longer, other}) {
      const absl::StatusOr<Manifest> read = ParseManifest(bad);
      // A digit or a letter more or less can be another manifest, but never the same one.
      if (read.ok()) {
        EXPECT_TRUE(bad == text || !(*read == Sample()));
      } else {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(text.size()));
  EXPECT_FALSE(ParseManifest(text + "\n").ok());
  EXPECT_FALSE(ParseManifest("").ok());
  EXPECT_FALSE(ParseManifest(std::string(kMaxManifestBytes + 1, 'x')).ok());
}

TEST(Manifest, APackageKnowsItsFormerUnlessItIsTheFirst) {
  Manifest manifest = Sample();
  manifest.former = crypto::Sha256("");
  EXPECT_EQ(status::ReasonOf(ManifestText(manifest).status()), status::Reason::kInvariantBroken);
  manifest = Sample();
  manifest.package_no = 2;
  EXPECT_EQ(status::ReasonOf(ManifestText(manifest).status()), status::Reason::kInvariantBroken);
}

TEST(Manifest, NoValueHoldsABlankOrALineBreak) {
  for (const char* bad : {"two words", "line\nbreak", "\x7f", "\xff"}) {
    Manifest manifest = Sample();
    manifest.policy_id = bad;
    EXPECT_EQ(status::ReasonOf(ManifestText(manifest).status()), status::Reason::kInvariantBroken);
  }
}

TEST(FileList, ALineIsWhatSha256sumWritesAndNamesOnlyFilesOfRecords) {
  const crypto::Digest hash = crypto::Sha256("records");
  const std::string path = FilePath("roster", 12);
  EXPECT_EQ(path, "data/roster/000012.jsonl");
  EXPECT_EQ(PartOfPath(path), "roster");
  std::string line = FileLine(hash, path);
  line.pop_back();
  const absl::StatusOr<ListedFile> file = ParseFileLine(line);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->path, path);
  EXPECT_EQ(file->sha256, hash);
  for (const char* bad :
       {"data/roster/12.jsonl", "data/../000012.jsonl", "data//000012.jsonl", "roster/000012.jsonl",
        "data/roster/000012.json", "data/roster/00001x.jsonl", "data/roster/x/000012.jsonl",
        "data/.jsonl", "data/a/.jsonl", ""}) {
    EXPECT_EQ(PartOfPath(bad), "") << bad;
    EXPECT_FALSE(ParseFileLine(crypto::HexOf(hash) + "  " + bad).ok()) << bad;
  }
  EXPECT_FALSE(ParseFileLine(line.substr(1)).ok());
  EXPECT_FALSE(ParseFileLine("").ok());
  EXPECT_EQ(PartOfPath(FilePath("roster", 12'345'678)), "roster");
}

}  // namespace
}  // namespace yikatong::archive
