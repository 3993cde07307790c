#include "common/status/reason.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace yikatong::status {
namespace {

TEST(ReasonTest, EveryNameIsUniqueAndFoundAgain) {
  std::set<std::string_view> names;
  for (int i = 0; i < kReasonCount; ++i) {
    const Reason reason = ReasonAt(i);
    EXPECT_TRUE(names.insert(ReasonName(reason)).second) << ReasonName(reason);
    EXPECT_EQ(FindReason(ReasonName(reason)), reason) << ReasonName(reason);
  }
  EXPECT_EQ(FindReason(""), std::nullopt);
  EXPECT_EQ(FindReason("NO_SUCH_REASON"), std::nullopt);
  EXPECT_EQ(FindReason("not_found"), std::nullopt);
}

bool EndsWith(std::string_view text, std::string_view end) { return text.ends_with(end); }

TEST(ReasonTest, EveryReasonSaysWhatHappenedAndWhatToDoInBothLanguages) {
  std::set<std::string_view> english;
  std::set<std::string_view> chinese;
  for (int i = 0; i < kReasonCount; ++i) {
    const Reason reason = ReasonAt(i);
    const std::string_view name = ReasonName(reason);
    EXPECT_GE(ReasonText(reason, Lang::kEnglish).size(), 10u) << name;
    EXPECT_FALSE(EndsWith(ReasonText(reason, Lang::kEnglish), ".")) << name;
    EXPECT_TRUE(EndsWith(ReasonAction(reason, Lang::kEnglish), ".")) << name;
    EXPECT_FALSE(EndsWith(ReasonText(reason, Lang::kChinese), "。")) << name;
    EXPECT_TRUE(EndsWith(ReasonAction(reason, Lang::kChinese), "。")) << name;
    EXPECT_TRUE(english.insert(ReasonText(reason, Lang::kEnglish)).second) << name;
    EXPECT_TRUE(chinese.insert(ReasonText(reason, Lang::kChinese)).second) << name;
  }
}

TEST(ReasonTest, EveryReasonIsAFailure) {
  for (int i = 0; i < kReasonCount; ++i) {
    EXPECT_NE(CodeOf(ReasonAt(i)), absl::StatusCode::kOk) << ReasonName(ReasonAt(i));
  }
}

TEST(ReasonTest, ABankReasonIsNamedSoAndTheOthersOfRoutingAndRowsAreNot) {
  for (int i = 0; i < kReasonCount; ++i) {
    const Reason reason = ReasonAt(i);
    if (KindOf(reason) == ReasonKind::kBank) {
      EXPECT_TRUE(ReasonName(reason).starts_with("BANK_")) << ReasonName(reason);
    }
  }
  EXPECT_EQ(KindOf(Reason::kBankNameMismatch), ReasonKind::kBank);
  EXPECT_EQ(KindOf(Reason::kNameMismatch), ReasonKind::kRow);
  EXPECT_EQ(KindOf(Reason::kCardRequired), ReasonKind::kRouting);
  EXPECT_EQ(KindOf(Reason::kRequestIdReused), ReasonKind::kRequest);
}

TEST(ReasonTest, EveryKindOfBankReturnHasItsReason) {
  // The kinds of the domain's table of return codes; PAID is none, it is success.
  for (const char* kind : {"PENDING",
                           "ACCOUNT_INVALID",
                           "ACCOUNT_NOT_FOUND",
                           "NAME_MISMATCH",
                           "ACCOUNT_CLOSED",
                           "ACCOUNT_FROZEN",
                           "ACCOUNT_LOST",
                           "CARD_INACTIVE",
                           "DORMANT",
                           "ACCOUNT_TYPE",
                           "LIMIT",
                           "AMOUNT",
                           "DUPLICATE",
                           "ACCOUNT_STATE",
                           "RETURNED",
                           "SIGNATURE",
                           "UNKNOWN",
                           "OTHER",
                           "DECEASED",
                           "FUNDS"}) {
    const std::optional<Reason> reason = FindReason(std::string("BANK_") + kind);
    ASSERT_TRUE(reason.has_value()) << kind;
    EXPECT_EQ(KindOf(*reason), ReasonKind::kBank) << kind;
  }
}

}  // namespace
}  // namespace yikatong::status
