#include "services/yktctl/csv.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace yikatong::yktctl {
namespace {

class CsvTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/yktctl-csv-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& content) {
    std::string path = folder_ + "/rows.csv";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string folder_;
};

TEST_F(CsvTest, ReadsQuotesDoubledQuotesLineBreaksAndAByteOrderMark) {
  auto in = CsvReader::Open(
      Write("\xEF\xBB\xBFname,note\r\n张三,\"a \"\"b\"\", c\"\r\n李四,\"two\nlines\"\n"), {"name"});
  ASSERT_TRUE(in.ok()) << in.status();
  ASSERT_TRUE(*in->Next());
  EXPECT_EQ(in->Get("name"), "张三");
  EXPECT_EQ(in->Get("note"), "a \"b\", c");
  ASSERT_TRUE(*in->Next());
  EXPECT_EQ(in->Get("note"), "two\nlines");
  EXPECT_EQ(in->Get("absent"), "");
  EXPECT_FALSE(*in->Next());
}

TEST_F(CsvTest, MoneyIsYuanWithAtMostTwoDecimalsAndNeverAFloat) {
  auto in = CsvReader::Open(Write("amount\n1045.00\n5.6\n19.99\n-5.00\n0.01\n\n"), {"amount"});
  ASSERT_TRUE(in.ok());
  for (const std::int64_t fen : {104'500, 560, 1'999, -500, 1}) {
    ASSERT_TRUE(*in->Next());
    EXPECT_EQ(*in->Fen("amount"), fen);
  }
  for (const char* bad : {"1,045.00", "1045.001", "壹仟", "1e3", "+5", "5.", ".5", "--1"}) {
    auto one = CsvReader::Open(Write(std::string("amount\n\"") + bad + "\"\n"), {"amount"});
    ASSERT_TRUE(one.ok());
    ASSERT_TRUE(*one->Next());
    EXPECT_FALSE(one->Fen("amount").ok()) << bad;
  }
}

TEST_F(CsvTest, SaysLineAndFaultOfARowThatIsNotWhole) {
  const auto fault = [&](const std::string& content) {
    auto in = CsvReader::Open(Write(content), {"a"});
    if (!in.ok()) return std::string(in.status().message());
    const auto more = in->Next();
    return more.ok() ? std::string("read") : std::string(more.status().message());
  };
  EXPECT_NE(fault("a,b\n1\n").find("line 2"), std::string::npos);
  EXPECT_NE(fault("a,b\n1,\"open\n").find("quote"), std::string::npos);
  EXPECT_NE(fault("a\n\xC3\x28\n").find("UTF-8"), std::string::npos);
  EXPECT_NE(fault("b\n1\n").find("no column `a`"), std::string::npos);
  EXPECT_NE(fault("").find("empty"), std::string::npos);
  EXPECT_NE(fault("a\n" + std::string(70'000, 'x') + "\n").find("64 KiB"), std::string::npos);
}

TEST_F(CsvTest, AWholeNumberIsNothingElse) {
  auto in = CsvReader::Open(Write("n\n12x\n"), {"n"});
  ASSERT_TRUE(*in->Next());
  EXPECT_FALSE(in->Number("n").ok());
}

}  // namespace
}  // namespace yikatong::yktctl
