#include "common/telemetry/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "common/status/status.h"

namespace yikatong::telemetry {
namespace {

class LogTest : public testing::Test {
 protected:
  nlohmann::json Line(Level level, std::string_view event, Fields fields) {
    lines_.clear();
    logger_.Write(level, event, fields);
    EXPECT_EQ(lines_.size(), 1u);
    EXPECT_EQ(lines_.at(0).find('\n'), std::string::npos);
    return nlohmann::json::parse(lines_.at(0));
  }

  base::ManualClock clock_{absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone()) +
                           absl::Milliseconds(7)};
  std::vector<std::string> lines_;
  Logger logger_{"dispatch", Level::kInfo, clock_,
                 [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(LogTest, ALineIsOneJsonObjectWithTypedFields) {
  const std::string text = "a \"b\" \\ c\nd\t\x01 中";
  const nlohmann::json line = Line(Level::kInfo, "chunk_sent",
                                   {{"rows", 1000},
                                    {"big", std::int64_t{-5'000'000'000}},
                                    {"took_ms", 1.5},
                                    {"last", true},
                                    {"text", text},
                                    {"literal", "x"}});
  EXPECT_EQ(line["time"], "2026-03-01T00:00:00.007Z");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["service"], "dispatch");
  EXPECT_EQ(line["event"], "chunk_sent");
  EXPECT_EQ(line["rows"], 1000);
  EXPECT_EQ(line["big"], -5'000'000'000);
  EXPECT_EQ(line["took_ms"], 1.5);
  EXPECT_EQ(line["last"], true);
  EXPECT_EQ(line["text"], text);
  EXPECT_EQ(line["literal"], "x");
}

TEST_F(LogTest, LinesOfOneThreadHaveItsInnermostTrace) {
  EXPECT_FALSE(Line(Level::kInfo, "before", {}).contains("trace_id"));
  {
    const LineTrace outer("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    {
      const LineTrace inner("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
      EXPECT_EQ(Line(Level::kInfo, "inner", {})["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    }
    const nlohmann::json line = Line(Level::kInfo, "outer", {{"rows", 1}});
    EXPECT_EQ(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(line["span_id"], "00f067aa0ba902b7");
    // A line that has a trace of its own keeps it, once.
    Line(Level::kInfo, "own", {{"trace_id", "x"}});
    EXPECT_EQ(lines_[0].find("trace_id"), lines_[0].rfind("trace_id"));
    EXPECT_EQ(lines_[0].find("span_id"), std::string::npos);
    std::thread([&] { EXPECT_FALSE(Line(Level::kInfo, "other", {}).contains("trace_id")); }).join();
  }
  EXPECT_FALSE(Line(Level::kInfo, "after", {}).contains("trace_id"));
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  logger_.Write(Level::kDebug, "detail");
  EXPECT_TRUE(lines_.empty());
  EXPECT_FALSE(logger_.Enabled(Level::kDebug));
  EXPECT_TRUE(logger_.Enabled(Level::kError));
  EXPECT_EQ(ParseLevel("warning"), Level::kWarning);
  EXPECT_EQ(ParseLevel("WARN"), std::nullopt);
}

TEST_F(LogTest, WhatLooksLikeANumberOfAPersonNeverReachesALine) {
  for (const char* secret : {"120105198506159993", "12011019920318998X", "6200000000000013",
                             "6200001201050000010", "13800000001"}) {
    const nlohmann::json line =
        Line(Level::kError, "trouble", {{"text", std::string("got ") + secret}});
    EXPECT_EQ(line["text"], "got [redacted]");
    EXPECT_EQ(lines_.at(0).find(secret), std::string::npos);
  }
  EXPECT_EQ(Line(Level::kInfo, "e", {{"number", std::int64_t{120105198506159993}}})["number"],
            "[redacted]");
  EXPECT_EQ(Line(Level::kInfo, "e", {{"number", std::int64_t{6200000000000013}}})["number"],
            "[redacted]");
}

TEST_F(LogTest, AFieldThatIsNamedLikeASecretIsReplacedWhole) {
  const nlohmann::json line =
      Line(Level::kInfo, "e", {{"name", "张三"}, {"token", "abc"}, {"phone", 1}});
  EXPECT_EQ(line["name"], "[redacted]");
  EXPECT_EQ(line["token"], "[redacted]");
  EXPECT_EQ(line["phone"], "[redacted]");
}

TEST_F(LogTest, ReferencesItemsAndSumsStay) {
  const nlohmann::json line = Line(Level::kInfo, "e",
                                   {{"reference", "0105000000000101"},
                                    {"item_id", std::int64_t{1050000000001}},
                                    {"total_fen", std::int64_t{15'000'000'000}},
                                    {"needed_fen", "15000000000"},
                                    {"count", std::int64_t{13'800'000'001}}});
  EXPECT_EQ(line["reference"], "0105000000000101");
  EXPECT_EQ(line["item_id"], 1050000000001);
  EXPECT_EQ(line["total_fen"], 15'000'000'000);
  EXPECT_EQ(line["needed_fen"], "15000000000");
  EXPECT_EQ(line["count"], 13'800'000'001);
  EXPECT_EQ(Line(Level::kInfo, "e", {{"reference", "120105198506159993"}})["reference"],
            "[redacted]");
}

TEST_F(LogTest, AStatusIsWrittenWithItsReason) {
  const nlohmann::json line =
      Line(Level::kWarning, "refused",
           {{"status", status::Refuse(status::Reason::kBatchEmpty)}, {"ok", absl::OkStatus()}});
  EXPECT_EQ(line["status"], "FAILED_PRECONDITION BATCH_EMPTY: The batch has no row");
  EXPECT_EQ(line["ok"], "OK");
}

TEST_F(LogTest, ALongOrMalformedValueStillGivesAValidLine) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "中";
  const std::string cut = Line(Level::kInfo, "e", {{"text", text}})["text"];
  EXPECT_LE(cut.size(), kMaxValueBytes + 3);
  EXPECT_TRUE(cut.ends_with("中…"));
  EXPECT_EQ(Line(Level::kInfo, "e", {{"text", "a\xff\xfe"}})["text"], "a\\xff\\xfe");
}

TEST(ProcessLogTest, LinesOfManyThreadsAreWholeAndCanBeCaptured) {
  std::vector<std::string> lines;
  {
    const LogCapture capture([&](std::string_view line) { lines.emplace_back(line); });
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([i] {
        for (int k = 0; k < 100; ++k) Log::Info("tick", {{"thread", i}, {"k", k}});
      });
    }
    for (std::thread& thread : threads) thread.join();
    Log::Debug("last");
  }
  EXPECT_EQ(lines.size(), 401u);
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

}  // namespace
}  // namespace yikatong::telemetry
