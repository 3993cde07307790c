#include "common/outbox/entry.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace yikatong::outbox {
namespace {

Entry Sample() {
  Entry entry;
  entry.service = "dispatch";
  entry.kind = "batch.sealed";
  entry.district = 120105;
  entry.subject = "batches/120105/77";
  entry.actor_org = "农业农村局";
  entry.actor_person = "p-1";
  entry.at = absl::FromUnixMillis(1'790'000'000'123);
  entry.business_date = absl::CivilDay(2026, 9, 21);
  entry.request_id = "0123456789abcdef0123456789abcdef";
  entry.root = std::string(32, '\xab');
  entry.leaves = 1000;
  entry.details = {{"total_fen", "12345"}, {"count", "1000"}};
  return entry;
}

TEST(EntryTest, TheCanonicalFormIsTheseBytes) {
  EXPECT_EQ(*CanonicalBody(Sample()),
            "yikatong-audit-entry/v1\n"
            "service: dispatch\n"
            "kind: batch.sealed\n"
            "district: 120105\n"
            "subject: batches/120105/77\n"
            "actor_org: 农业农村局\n"
            "actor_person: p-1\n"
            "at: 2026-09-21T14:13:20.123Z\n"
            "business_date: 2026-09-21\n"
            "request_id: 0123456789abcdef0123456789abcdef\n"
            "root: abababababababababababababababababababababababababababababababab\n"
            "leaves: 1000\n"
            "detail.count: 1000\n"
            "detail.total_fen: 12345\n");
}

TEST(EntryTest, AnEntryWithoutSubtreeAndPersonHasEmptyValuesAndNoRoot) {
  Entry entry = Sample();
  entry.root.clear();
  entry.leaves = 0;
  entry.actor_person.clear();
  entry.details.clear();
  const std::string body = *CanonicalBody(entry);
  EXPECT_EQ(body.find("root"), std::string::npos);
  EXPECT_NE(body.find("\nactor_person: \n"), std::string::npos);
  EXPECT_TRUE(ParseBody(body).ok());
}

TEST(EntryTest, WhatIsWrittenIsReadBack) {
  const std::string body = *CanonicalBody(Sample());
  const auto read = ParseBody(body);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->actor_org, "农业农村局");
  EXPECT_EQ(read->leaves, 1000);
  EXPECT_EQ(read->at, Sample().at);
  EXPECT_EQ(read->details, Sample().details);
  EXPECT_EQ(*CanonicalBody(*read), body);
}

TEST(EntryTest, WhatNoEntryMayHoldIsABrokenInvariant) {
  const std::vector<std::function<void(Entry&)>> spoilers = {
      [](Entry& e) { e.subject = "a\nroot: 00"; },
      [](Entry& e) { e.actor_person = "a\r"; },
      [](Entry& e) { e.actor_org = std::string("a\0b", 3); },
      [](Entry& e) { e.request_id = "\x7f"; },
      [](Entry& e) { e.subject = "\xc2\x85"; },  // the C1 line break
      [](Entry& e) { e.subject = "\u2028"; },
      [](Entry& e) { e.subject = "\xff"; },
      [](Entry& e) { e.service = "Dispatch"; },
      [](Entry& e) { e.service = ""; },
      [](Entry& e) { e.kind = "batch..sealed"; },
      [](Entry& e) { e.kind = "batch."; },
      [](Entry& e) { e.kind = "batch: x"; },
      [](Entry& e) { e.district = 12; },
      [](Entry& e) { e.root = "short"; },
      [](Entry& e) { e.leaves = 0; },
      [](Entry& e) { e.root.clear(); },
      [](Entry& e) { e.details["a b"] = "x"; },
      [](Entry& e) { e.details[""] = "x"; },
      [](Entry& e) { e.details["x"] = "line\nline"; },
      [](Entry& e) { e.details["x"] = std::string(70'000, 'x'); },
      [](Entry& e) { e.at = absl::InfiniteFuture(); },
  };
  for (size_t i = 0; i < spoilers.size(); ++i) {
    Entry entry = Sample();
    spoilers[i](entry);
    EXPECT_EQ(status::ReasonOf(CanonicalBody(entry).status()), status::Reason::kInvariantBroken)
        << i;
  }
}

TEST(EntryTest, NoOtherBytesReadAsTheSameEntry) {
  const std::string body = *CanonicalBody(Sample());
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string other = body;
    other.replace(other.find(from), from.size(), to);
    return other;
  };
  for (const std::string& other :
       {body + "\n", body.substr(0, body.size() - 1), replaced("v1", "v2"),
        replaced("120105", "0120105"), replaced("root: ab", "root: AB"),
        replaced("leaves: 1000", "leaves: +1000"),
        replaced("detail.count: 1000\ndetail.total_fen: 12345\n",
                 "detail.total_fen: 12345\ndetail.count: 1000\n"),
        replaced("detail.count: 1000\n", "detail.count: 1000\ndetail.count: 1000\n"),
        replaced(".123Z", ".1230Z"), replaced("service: dispatch\n", ""),
        replaced("detail.count", "count"), std::string(),
        std::string("yikatong-audit-entry/v1\n")}) {
    EXPECT_EQ(ParseBody(other).status().code(), absl::StatusCode::kInvalidArgument) << other;
  }
}

}  // namespace
}  // namespace yikatong::outbox
