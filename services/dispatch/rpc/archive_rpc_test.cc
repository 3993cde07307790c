// ArchiveService as its callers see it: over gRPC with mutual TLS and tokens.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "common/status/status.h"
#include "services/dispatch/testing/archive_rig.h"
#include "services/dispatch/testing/served.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;
using Service = v1::ArchiveService;

class ArchiveRpcTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    Serve(32);
  }
  void TearDown() override {
    served_.reset();
    ArchiveTest::TearDown();
  }
  void Serve(int max_streams) {
    served_.reset();
    rpc::GuardOptions options;
    options.max_streams = max_streams;
    served_ = std::make_unique<Served>(rig_->handlers, rig_->service, options, &rig_->budget,
                                       &rig_->repairs, &rig_->archives);
  }

  std::string TokenOf(Role role, std::int32_t district = kHebei) {
    return served_->Token({.person = "p",
                           .organisation = kFinance,
                           .roles = {role},
                           .fields = {"*"},
                           .districts = {district}});
  }
  struct Streamed {
    std::string outcome;
    int pieces = 0;
    std::size_t largest = 0;
    std::map<std::string, std::string> files;
    v1::Archive archive;
  };
  Streamed Take(std::int64_t batch, const std::string& token, const std::string& organisation,
                absl::Duration timeout = absl::Seconds(20)) {
    Streamed taken;
    rpc::Channel& channel = served_->As(organisation);
    const auto stub = Service::NewStub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, timeout, token);
    v1::ExportArchiveRequest request;
    request.set_batch_id(batch);
    const auto stream = stub->ExportArchive(&context, request);
    v1::ExportArchiveResponse piece;
    std::string path;
    while (stream->Read(&piece)) {
      EXPECT_EQ(piece.has_archive(), ++taken.pieces == 1);
      if (piece.has_archive()) taken.archive = piece.archive();
      if (piece.has_file()) path = piece.file().path();
      taken.files[path] += piece.content();
      taken.largest = std::max(taken.largest, piece.content().size());
    }
    taken.outcome = Outcome(rpc::FromGrpc(stream->Finish()));
    return taken;
  }

  std::unique_ptr<Served> served_;
};

TEST_F(ArchiveRpcTest, APackageIsListedShownAndGivenOutWhole) {
  const std::int64_t batch = Closed(5);
  SealAll();
  const std::string token = TokenOf(Role::kAuditor);
  v1::ListArchivesResponse list;
  ASSERT_EQ(Outcome(served_->Call<Service>(&Service::Stub::ListArchives, v1::ListArchivesRequest(),
                                           &list, token, served_->As(kFinance))),
            "OK");
  ASSERT_EQ(list.archives_size(), 1);
  EXPECT_EQ(list.archives(0).batch_id(), batch);
  EXPECT_EQ(list.archives(0).state(), v1::ARCHIVE_STATE_SEALED);
  EXPECT_TRUE(list.archives(0).manifest().empty());

  v1::GetArchiveRequest get;
  get.set_batch_id(batch);
  v1::Archive archive;
  ASSERT_EQ(Outcome(served_->Call<Service>(&Service::Stub::GetArchive, get, &archive, token,
                                           served_->As(kFinance))),
            "OK");
  EXPECT_EQ(archive.parts(0).name(), "roster");
  EXPECT_EQ(archive.parts(0).keeping(), v1::KEEPING_CLASS_APPLICATION);
  EXPECT_EQ(crypto::StringOf(crypto::Sha256(archive.manifest())), archive.manifest_sha256());

  const Streamed taken = Take(batch, token, kFinance);
  EXPECT_EQ(taken.outcome, "OK");
  EXPECT_EQ(taken.archive.manifest(), archive.manifest());
  EXPECT_LE(taken.largest, 256u << 10);
  const Exported direct = Export(batch);
  for (const auto& [path, bytes] : direct.files) EXPECT_EQ(taken.files.at(path), bytes) << path;
}

TEST_F(ArchiveRpcTest, OnlyThoseWhoAnswerForARosterOrAuditItTakeItOut) {
  const std::int64_t batch = Closed(2);
  SealAll();
  for (int i = 0; i < identity::kRoleCount; ++i) {
    const auto role = static_cast<Role>(i);
    const bool may = role == Role::kAuditor || role == Role::kCityFinance ||
                     role == Role::kDistrictFinanceReviewer || role == Role::kDepartmentReviewer;
    EXPECT_EQ(Take(batch, TokenOf(role), kFinance).outcome, may ? "OK" : "PERMISSION_DENIED")
        << identity::RoleName(role);
    v1::GetArchiveRequest get;
    get.set_batch_id(batch);
    v1::Archive archive;
    EXPECT_EQ(Outcome(served_->Call<Service>(&Service::Stub::GetArchive, get, &archive,
                                             TokenOf(role), served_->As(kFinance))),
              "OK")
        << identity::RoleName(role);
  }
}

TEST_F(ArchiveRpcTest, WhatIsOfAnotherDistrictDoesNotExist) {
  const std::int64_t batch = Closed(2);
  SealAll();
  EXPECT_EQ(Take(batch, TokenOf(Role::kAuditor, kBaodi), kFinance).outcome, "BATCH_UNKNOWN");
  EXPECT_EQ(Take(batch + 1, TokenOf(Role::kAuditor), kFinance).outcome, "BATCH_UNKNOWN");
  v1::ListArchivesResponse list;
  ASSERT_EQ(
      Outcome(served_->Call<Service>(&Service::Stub::ListArchives, v1::ListArchivesRequest(), &list,
                                     TokenOf(Role::kAuditor, kBaodi), served_->As(kFinance))),
      "OK");
  EXPECT_EQ(list.archives_size(), 0);
}

TEST_F(ArchiveRpcTest, AnAlteredRowEndsTheStreamWithoutAPackage) {
  const std::int64_t batch = Closed(5);
  SealAll();
  Sql("UPDATE item SET masked_name = 'x' WHERE item_id = " + std::to_string(Item(batch, 5)));
  const Streamed taken = Take(batch, TokenOf(Role::kAuditor), kFinance);
  EXPECT_EQ(taken.outcome, "ARCHIVE_ALTERED");
  EXPECT_FALSE(taken.files.contains("data/roster/000003.jsonl"));
  EXPECT_FALSE(taken.files.contains(std::string(archive::kFileListName)));
}

TEST_F(ArchiveRpcTest, NoMoreStreamsRunThanThereArePlaces) {
  const std::int64_t batch = Closed(2);
  SealAll();
  Serve(0);
  EXPECT_EQ(Take(batch, TokenOf(Role::kAuditor), kFinance).outcome, "OVERLOADED");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
