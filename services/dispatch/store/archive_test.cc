// What a sealed package holds, who sees it, and that nothing in it can be changed unseen.
#include "services/dispatch/domain/archive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "common/crypto/merkle.h"
#include "common/status/status.h"
#include "services/dispatch/testing/archive_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class Archives : public ArchiveTest {
 protected:
  void ExpectHolds(const std::string& text, const std::string& what) {
    EXPECT_NE(text.find(what), std::string::npos) << what << " is not in\n" << text;
  }
};

TEST_F(Archives, AClosedBatchBecomesAPackageWhoseEveryHashAndCountHolds) {
  bad_rows_ = {2};
  const std::int64_t batch = Closed(7, 1);
  SealAll();
  const Exported out = Export(batch);
  ASSERT_EQ(out.outcome, "OK");
  // The list is what the manifest names, and each file what the list names.
  const std::string& list = out.files.at(std::string(archive::kFileListName));
  EXPECT_EQ(crypto::Sha256(list), out.manifest.files_sha256);
  std::string again;
  std::map<std::string, std::int64_t> records;
  std::map<std::string, std::int64_t> bytes;
  for (std::string_view rest = list; !rest.empty();) {
    const auto file = archive::ParseFileLine(rest.substr(0, rest.find('\n')));
    ASSERT_TRUE(file.ok()) << file.status();
    const std::string& content = out.files.at(file->path);
    EXPECT_EQ(crypto::Sha256(content), file->sha256);
    const std::string part(archive::PartOfPath(file->path));
    records[part] += std::count(content.begin(), content.end(), '\n');
    bytes[part] += static_cast<std::int64_t>(content.size());
    rest.remove_prefix(rest.find('\n') + 1);
  }
  ASSERT_EQ(out.manifest.parts.size(), records.size());
  for (const archive::Part& part : out.manifest.parts) {
    EXPECT_EQ(part.records, records[part.name]) << part.name;
    EXPECT_EQ(part.bytes, bytes[part.name]) << part.name;
  }
  EXPECT_EQ(static_cast<std::size_t>(out.manifest.files) + 1, out.files.size());

  // Seven rows in chunks of two: one refused, one given up, five paid.
  EXPECT_EQ(out.manifest.declared, (archive::CountAndFen{7, 7 * 104'500 + 1}));
  EXPECT_EQ(out.manifest.accepted, (archive::CountAndFen{6, 6 * 104'500L}));
  EXPECT_EQ(out.manifest.paid, (archive::CountAndFen{5, 5 * 104'500L}));
  EXPECT_EQ(records["roster"], 6);
  EXPECT_EQ(records["refused"], 1);
  EXPECT_EQ(records["instructions"], 6 + 4);  // a submission for each of four chunks
  EXPECT_EQ(records["outcomes"], 6);
  EXPECT_EQ(records["statements"], 4 + 4);
  EXPECT_EQ(records["reviews"], 2);
  EXPECT_EQ(records["notice"], 2);
  EXPECT_EQ(records["exceptions"], 1);
  EXPECT_EQ(records["ledger"],
            Number("SELECT count(*) FROM ledger WHERE batch_id = " + std::to_string(batch)));
  EXPECT_EQ(records["movements"],
            Number("SELECT count(*) FROM movement WHERE batch_id = " + std::to_string(batch)));
  EXPECT_FALSE(records.contains("recoveries"));
  EXPECT_FALSE(records.contains("departures"));
  ExpectHolds(out.Part("refused"), "{\"row\":2,\"ordinal\":0,\"reason\":\"AMOUNT_NOT_STANDARD\"");
  ExpectHolds(out.Part("roster"), fmt::format("{{\"item\":{},\"row\":7,", Item(batch, 7)));
  ExpectHolds(out.Part("outcomes"), "\"state\":\"failed\",\"reason\":\"BANK_ACCOUNT_CLOSED\"");
  ExpectHolds(out.Part("exceptions"), "\"bucket\":\"abandoned\"");
  ExpectHolds(out.Part("statements"),
              "\"statement\":\"A1\",\"day\":\"2026-03-10\",\"complete\":true");
  ExpectHolds(
      out.Part("notice"),
      "\"root\":\"" +
          Sql("SELECT encode(root, 'hex') FROM notice WHERE batch_id = " + std::to_string(batch)) +
          "\"");
}

TEST_F(Archives, ThePackageIsTheSameHoweverOftenItIsGivenOut) {
  const std::int64_t batch = Closed(5);
  SealAll();
  const Exported one = Export(batch);
  const Exported other = Export(batch, 1);
  ASSERT_EQ(one.outcome, "OK");
  EXPECT_EQ(one.manifest_text, other.manifest_text);
  EXPECT_EQ(one.files, other.files);
  // Each taking is known, with who took it.
  const std::vector<std::string> taken = Entries("archive.exported");
  ASSERT_EQ(taken.size(), 2u);
  ExpectHolds(taken[0], "\nactor_person: auditor\n");
  ExpectHolds(taken[0], fmt::format("\nsubject: batches/120105/{}/archives/1\n", batch));
}

TEST_F(Archives, TheAuditLogCommitsToTheManifest) {
  const std::int64_t batch = Closed(3);
  SealAll();
  const Exported out = Export(batch);
  const std::vector<std::string> sealed = Entries("archive.sealed");
  ASSERT_EQ(sealed.size(), 1u);
  ExpectHolds(sealed[0],
              "\nroot: " + crypto::HexOf(crypto::LeafHash(out.manifest_text)) + "\nleaves: 1\n");
  ExpectHolds(sealed[0], "\ndetail.manifest_sha256: " +
                             crypto::HexOf(crypto::Sha256(out.manifest_text)) + "\n");
  ExpectHolds(sealed[0], "\nsubject: " + archive::PackageSubject(kHebei, batch, 1) + "\n");
  ExpectHolds(sealed[0], "\nactor_org: service:dispatch\n");
}

TEST_F(Archives, NoPackageHoldsAnIdNumberAnAccountOrANameInFull) {
  const std::int64_t batch = Closed(4);
  Sql(
      fmt::format("INSERT INTO objection VALUES (120105, {}, 1, {}, '{} 有两份工资', 3, 'p', "
                  "'2026-03-04', 'q', '账户 6222021234567890123')",
                  batch, Item(batch, 1), IdOf(1)));
  SealAll();
  const Exported out = Export(batch);
  ASSERT_EQ(out.outcome, "OK");
  EXPECT_EQ(out.Lines("objections"), 1);
  ExpectHolds(out.Part("objections"), "[redacted] 有两份工资");
  std::string all;
  for (const auto& [path, bytes] : out.files) all += bytes;
  for (int person = 0; person < 4; ++person) EXPECT_EQ(all.find(IdOf(person)), std::string::npos);
  EXPECT_EQ(all.find("6222021234567890123"), std::string::npos);
  // What names there are, are masked.
  const std::string masked = Sql("SELECT min(masked_name) FROM item");
  ExpectHolds(out.Part("roster"), "\"name\":\"" + masked + "\"");
}

TEST_F(Archives, EachPartIsKeptAsLongAsItsKindAsksAndTheListShowsWhatIsPast) {
  const std::int64_t batch = Closed(3);
  const absl::CivilDay closed = rig_->business.Today();
  SealAll();
  const auto archive = GetArchive(batch);
  ASSERT_EQ(Outcome(archive), "OK");
  std::map<std::string, std::string> until;
  for (const v1::ArchivePart& part : archive->parts()) until[part.name()] = part.keep_until();
  EXPECT_EQ(until["roster"], "2036-03-10");  // ten years after the last payment
  EXPECT_EQ(until["statements"], fmt::format("{}-12-31", closed.year() + 10));
  EXPECT_EQ(until["ledger"], fmt::format("{}-12-31", closed.year() + 30));
  EXPECT_EQ(archive->keep_until(), until["ledger"]);
  EXPECT_FALSE(archive->past_keeping());

  const auto past = [&] {
    v1::ListArchivesRequest request;
    request.set_past_keeping_only(true);
    return rig_->archives.ListArchives(request, auditor_)->archives_size();
  };
  EXPECT_EQ(past(), 0);
  rig_->business.AdvanceDays(static_cast<int>(absl::CivilDay(2036, 3, 11) - closed));
  const auto later = GetArchive(batch);
  for (const v1::ArchivePart& part : later->parts())
    EXPECT_EQ(part.past_keeping(),
              part.name() == "roster" || part.name() == "notice" || part.name() == "reviews")
        << part.name();
  EXPECT_EQ(past(), 0);
  rig_->business.AdvanceDays(366 * 21);
  EXPECT_EQ(past(), 1);
  EXPECT_TRUE(GetArchive(batch)->past_keeping());
  // It is shown, and stays.
  EXPECT_EQ(Export(batch).outcome, "OK");
}

TEST_F(Archives, ARowThatIsAlteredInTheBooksIsFoundWhenThePackageIsGivenOut) {
  bad_rows_ = {1};
  const std::int64_t batch = Closed(5);
  SealAll();
  ASSERT_EQ(Export(batch).outcome, "OK");
  const std::string item = std::to_string(Item(batch, 3));
  const struct {
    std::string change, back, file;
  } alterations[] = {
      {"UPDATE item SET amount_fen = amount_fen + 1 WHERE item_id = " + item,
       "UPDATE item SET amount_fen = amount_fen - 1 WHERE item_id = " + item,
       "data/roster/000002.jsonl"},
      {"UPDATE rejection SET reason = 'OTHER'",
       "UPDATE rejection SET reason = 'AMOUNT_NOT_STANDARD'", "data/refused/000001.jsonl"},
      {"UPDATE attempt SET account_version = account_version + 1 WHERE reference = " + item + "01",
       "UPDATE attempt SET account_version = account_version - 1 WHERE reference = " + item + "01",
       "data/instructions/000002.jsonl"},
      {"UPDATE submission SET agreement_no = 'A2' WHERE chunk = 3",
       "UPDATE submission SET agreement_no = 'A1' WHERE chunk = 3",
       "data/instructions/000003.jsonl"},
      {"UPDATE outcome SET booked_on = '2026-03-11' WHERE reference = " + item + "01",
       "UPDATE outcome SET booked_on = '2026-03-10' WHERE reference = " + item + "01",
       "data/outcomes/000002.jsonl"},
      {"UPDATE archive_file SET bytes = overlay(bytes placing '\\x20' from 3) WHERE part = 12",
       "UPDATE archive_file SET bytes = overlay(bytes placing '\\x6c' from 3) WHERE part = 12",
       "data/ledger/000001.jsonl"},
      {"UPDATE archive_file SET sha256 = set_byte(sha256, 0, 255 - get_byte(sha256, 0)) WHERE part "
       "= 6",
       "UPDATE archive_file SET sha256 = set_byte(sha256, 0, 255 - get_byte(sha256, 0)) WHERE part "
       "= 6",
       "manifest-sha256.txt"},
      {"UPDATE archive SET manifest = overlay(manifest placing '\\x39' from 28)", "",
       "package.txt"},
  };
  for (const auto& alteration : alterations) {
    Sql(alteration.change);
    const Exported out = Export(batch);
    EXPECT_EQ(out.outcome, "ARCHIVE_ALTERED") << alteration.change;
    EXPECT_EQ(out.altered, alteration.file) << alteration.change;
    if (alteration.back.empty()) continue;
    Sql(alteration.back);
    EXPECT_EQ(Export(batch).outcome, "OK") << alteration.back;
  }
}

TEST_F(Archives, ARowThatIsTakenAwayOrDoubledIsFoundToo) {
  const std::int64_t batch = Closed(4);
  SealAll();
  const std::string reference = std::to_string(Item(batch, 2)) + "01";
  Sql("CREATE TABLE kept AS SELECT * FROM outcome WHERE reference = " + reference);
  Sql("DELETE FROM outcome WHERE reference = " + reference);
  EXPECT_EQ(Export(batch).altered, "data/outcomes/000001.jsonl");
  Sql("INSERT INTO outcome SELECT * FROM kept");
  EXPECT_EQ(Export(batch).outcome, "OK");
  Sql("UPDATE kept SET outcome_no = 2");
  Sql("INSERT INTO outcome SELECT * FROM kept");
  EXPECT_EQ(Export(batch).altered, "data/outcomes/000001.jsonl");
}

TEST_F(Archives, TheServiceItselfCanNeitherChangeNorDeleteWhatIsSealed) {
  const std::int64_t batch = Closed(2);
  SealAll();
  constexpr postgres::Query kTries[] = {
      {"try_update", "UPDATE archive SET sealed_on = sealed_on"},
      {"try_delete", "DELETE FROM archive"},
      {"try_truncate", "TRUNCATE archive"},
      {"try_update_file", "UPDATE archive_file SET records = records"},
      {"try_delete_file", "DELETE FROM archive_file"},
      {"try_truncate_file", "TRUNCATE archive_file"}};
  for (const postgres::Query& query : kTries) {
    const absl::Status status = rig_->context.database.Transact(
        "try", [&](postgres::Transaction& tx) { return tx.Run(query).status(); });
    EXPECT_EQ(Outcome(status), "DATABASE_REFUSED") << query.sql;
  }
  EXPECT_EQ(Export(batch).outcome, "OK");
}

TEST_F(Archives, WhatIsNotClosedForeignOrUnknownHasNoArchive) {
  const std::int64_t open = Approved(2, "P001", 20);
  const auto archive = GetArchive(open);
  EXPECT_EQ(Outcome(archive), "BATCH_STATE");
  EXPECT_EQ(status::MetadataOf(archive.status()).at("state"), "APPROVED");
  EXPECT_EQ(Export(open).outcome, "BATCH_STATE");
  EXPECT_TRUE(ListOf(open).empty());

  const std::int64_t batch = Closed(2);
  // Closed, and not sealed yet.
  ASSERT_EQ(Outcome(GetArchive(batch)), "OK");
  EXPECT_EQ(GetArchive(batch)->state(), v1::ARCHIVE_STATE_SEALING);
  EXPECT_EQ(Export(batch).outcome, "ARCHIVE_NOT_SEALED");
  SealAll();
  EXPECT_EQ(GetArchive(batch)->state(), v1::ARCHIVE_STATE_SEALED);
  EXPECT_EQ(Outcome(GetArchive(batch, 2)), "ARCHIVE_UNKNOWN");
  EXPECT_EQ(Export(batch, 2).outcome, "ARCHIVE_UNKNOWN");
  EXPECT_EQ(Outcome(GetArchive(batch + 1)), "BATCH_UNKNOWN");
  EXPECT_EQ(Outcome(GetArchive(0)), "BATCH_UNKNOWN");

  const identity::Caller foreign =
      CallerOf("foreign", {identity::Role::kAuditor}, {kBaodi}, {"*"}, "audit.120115");
  const identity::Caller other_field =
      CallerOf("other", {identity::Role::kAuditor}, {kHebei}, {"AGRI"}, "audit.120000");
  for (const identity::Caller* caller : {&foreign, &other_field}) {
    v1::GetArchiveRequest get;
    get.set_batch_id(batch);
    EXPECT_EQ(Outcome(rig_->archives.GetArchive(get, *caller)), "BATCH_UNKNOWN");
    EXPECT_EQ(Export(batch, 0, *caller).outcome, "BATCH_UNKNOWN");
    EXPECT_EQ(rig_->archives.ListArchives({}, *caller)->archives_size(), 0);
  }
  EXPECT_TRUE(Entries("archive.exported").empty());
}

TEST_F(Archives, TheListGoesPageByPageThroughPackagesAndFilters) {
  std::vector<std::int64_t> batches;
  Line("P001", "city", 10'000'000'000);
  for (int i = 0; i < 3; ++i) {
    const std::int64_t batch = Approved(2, "P001", i * 2);
    EXPECT_EQ(Outcome(Fund(batch)), "OK");
    EXPECT_EQ(Outcome(Release(batch)), "OK");
    Work(*replica_);
    PayAll(*replica_);
    EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
    EXPECT_EQ(Outcome(Close(batch)), "OK");
    batches.push_back(batch);
    if (i < 2) SealAll();
  }
  v1::ListArchivesRequest request;
  request.set_page_size(1);
  std::vector<std::pair<std::int64_t, int>> seen;
  while (true) {
    const auto page = rig_->archives.ListArchives(request, auditor_);
    ASSERT_EQ(Outcome(page), "OK");
    for (const v1::Archive& one : page->archives()) seen.emplace_back(one.batch_id(), one.state());
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  const std::vector<std::pair<std::int64_t, int>> wanted = {
      {batches[0], v1::ARCHIVE_STATE_SEALED},
      {batches[1], v1::ARCHIVE_STATE_SEALED},
      {batches[2], v1::ARCHIVE_STATE_SEALING}};
  EXPECT_EQ(seen, wanted);
  v1::ListArchivesRequest sealing;
  sealing.set_state(v1::ARCHIVE_STATE_SEALING);
  EXPECT_EQ(rig_->archives.ListArchives(sealing, auditor_)->archives_size(), 1);
  v1::ListArchivesRequest bad;
  bad.set_page_token("x");
  EXPECT_EQ(Outcome(rig_->archives.ListArchives(bad, auditor_)), "PAGE_TOKEN_INVALID");
  bad.clear_page_token();
  bad.set_page_size(1'001);
  EXPECT_EQ(Outcome(rig_->archives.ListArchives(bad, auditor_)), "FIELD_INVALID");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
