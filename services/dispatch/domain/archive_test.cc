// The rules of archives without a database: records byte by byte, keeping times, the order of
// steps.
#include "services/dispatch/domain/archive.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "services/dispatch/domain/record.h"

namespace yikatong::dispatch {
namespace {

using archive::Keeping;

TEST(Record, IsOneObjectALineInTheOrderOfItsFields) {
  RecordWriter out;
  out.Number("item", 1050000000001)
      .Text("name", "测*")
      .Flag("social_card", true)
      .Day("booked_on", absl::CivilDay(2026, 3, 1))
      .Day("due_on", std::optional<absl::CivilDay>())
      .Instant("at", absl::FromUnixMillis(1'772'409'600'123))
      .Hex("sha256", "\x01\xff")
      .End();
  out.Number("item", -1).End();
  EXPECT_EQ(out.count(), 2);
  const Records records = out.Take();
  EXPECT_EQ(records.count, 2);
  EXPECT_EQ(records.bytes,
            "{\"item\":1050000000001,\"name\":\"测*\",\"social_card\":true,\"booked_on\":"
            "\"2026-03-01\",\"due_on\":null,\"at\":\"2026-03-02T00:00:00.123Z\",\"sha256\":"
            "\"01ff\"}\n{\"item\":-1}\n");
  EXPECT_EQ(out.count(), 0);
  EXPECT_TRUE(out.Take().bytes.empty());
}

TEST(Record, EscapesWhatWouldEndALineOrAString) {
  RecordWriter out;
  out.Text("text", std::string("a\"b\\c\nd\te\x7f") + std::string(1, '\0')).End();
  const std::string line = out.Take().bytes;
  EXPECT_EQ(line, "{\"text\":\"a\\\"b\\\\c\\u000ad\\u0009e\\u007f\\u0000\"}\n");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Record, WordsOfOfficersKeepNoIdNumberAndNoAccount) {
  RecordWriter out;
  out.Words("text", "120101199003071234 的账户 6222021234567890123, 电话 13812345678").End();
  const std::string line = out.Take().bytes;
  for (const char* secret : {"120101199003071234", "6222021234567890123", "13812345678"})
    EXPECT_EQ(line.find(secret), std::string::npos) << line;
  EXPECT_NE(line.find("的账户"), std::string::npos);
}

TEST(Keeping, FollowsTheRuleOfEachClass) {
  const absl::CivilDay closed(2026, 3, 20);
  const absl::CivilDay paid(2026, 2, 28);
  EXPECT_EQ(KeepUntil(Keeping::kApplication, paid, closed, closed), absl::CivilDay(2036, 2, 28));
  EXPECT_EQ(KeepUntil(Keeping::kApplication, std::nullopt, closed, closed),
            absl::CivilDay(2036, 3, 20));
  // From the end of the year, not from the day.
  EXPECT_EQ(KeepUntil(Keeping::kPaymentEvidence, paid, closed, closed),
            absl::CivilDay(2056, 12, 31));
  EXPECT_EQ(KeepUntil(Keeping::kStatement, paid, closed, closed), absl::CivilDay(2036, 12, 31));
  // What came later counts from the year in which it was sealed.
  EXPECT_EQ(KeepUntil(Keeping::kPaymentEvidence, paid, closed, absl::CivilDay(2027, 1, 1)),
            absl::CivilDay(2057, 12, 31));
  // A leap day has no tenth anniversary.
  EXPECT_EQ(KeepUntil(Keeping::kApplication, absl::CivilDay(2028, 2, 29), closed, closed),
            absl::CivilDay(2038, 2, 28));
}

TEST(Parts, EachHasANameOfItsOwnAndIsFoundByIt) {
  std::set<std::string_view> names;
  for (int i = 1; i < kArchiveParts; ++i) {
    const auto part = static_cast<ArchivePart>(i);
    names.insert(ArchivePartName(part));
    EXPECT_EQ(FindArchivePart(ArchivePartName(part)), part);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kArchiveParts - 1));
  EXPECT_FALSE(FindArchivePart("").has_value());
  EXPECT_FALSE(FindArchivePart("accounts").has_value());
}

TEST(Steps, ALaterPackageLeavesOutWhatCannotChangeAnyMore) {
  for (const std::int32_t package_no : {1, 2}) {
    std::set<SealStep> passed;
    for (SealStep step = SealStep::kBegin; step != SealStep::kFinish;
         step = NextSealStep(step, package_no)) {
      EXPECT_TRUE(passed.insert(step).second);
    }
    EXPECT_EQ(passed.contains(SealStep::kUploads), package_no == 1);
    EXPECT_EQ(passed.contains(SealStep::kDepartures), package_no == 1);
    EXPECT_TRUE(passed.contains(SealStep::kChunks));
    EXPECT_TRUE(passed.contains(SealStep::kRecoveries));
  }
  EXPECT_EQ(NextSealStep(SealStep::kFinish, 1), SealStep::kFinish);
}

}  // namespace
}  // namespace yikatong::dispatch
