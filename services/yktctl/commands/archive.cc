// Archives of closed batches: listed, taken out as a file, and verified without any service.
#include "services/yktctl/commands/archive.h"

#include <fmt/core.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/crypto/keys.h"
#include "common/crypto/merkle.h"
#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/commands/log_proof.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"
#include "yikatong/dispatch/v1/archive.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::dispatch::v1;
using Archives = v1::ArchiveService;
using Log = auditlog::v1::AuditLogService;
using status::Reason;

// How long an entry may be on its way from the outbox to the log.
constexpr std::chrono::seconds kAnchorWaits(10);
constexpr std::chrono::milliseconds kAnchorLooks(200);

struct Exporting {
  v1::ExportArchiveRequest request;
  std::string file;
  bool without_proof = false;
};

struct Verifying {
  std::vector<std::string> files;
  std::string public_key;
  bool ask_log = false;
};

absl::Status ArchiveBroken(std::string_view what) {
  return status::Refuse(Reason::kArchiveAltered, what);
}

// The proof that the log holds the sealing of a package now; NOT_FOUND where it does not.
absl::StatusOr<std::string> AskProof(Session& session, std::string_view manifest) {
  auditlog::v1::Checkpoint head;
  YKT_RETURN_IF_ERROR(Call<Log>(session, "auditlog", &Log::Stub::GetCheckpoint,
                                auditlog::v1::GetCheckpointRequest(), head));
  // Its signature is checked by whoever verifies, under a key that is not asked for here.
  crypto::Checkpoint checkpoint;
  checkpoint.size = static_cast<std::uint64_t>(head.tree_size());
  auditlog::v1::EntrySelector selector;
  selector.set_subtree_root(crypto::StringOf(crypto::LeafHash(manifest)));
  YKT_ASSIGN_OR_RETURN(FoundEntry found, FindEntry(session, selector, checkpoint));
  found.proof.checkpoint = head.note();
  return crypto::FormatTlogProof(found.proof);
}

// The same, waiting for an entry that is on its way; empty where it does not come.
absl::StatusOr<std::string> WaitForProof(Session& session, std::string_view manifest) {
  const auto until = std::chrono::steady_clock::now() + kAnchorWaits;
  while (true) {
    absl::StatusOr<std::string> proof = AskProof(session, manifest);
    if (proof.ok() || !absl::IsNotFound(proof.status())) return proof;
    if (std::chrono::steady_clock::now() >= until) return std::string();
    std::this_thread::sleep_for(kAnchorLooks);
  }
}

// Takes the pieces of an export into a file.
class Receiver {
 public:
  Receiver(Session& session, std::string path) : session_(session), path_(std::move(path)) {}

  absl::Status Take(const v1::ExportArchiveResponse& piece) {
    switch (piece.piece_case()) {
      case v1::ExportArchiveResponse::kArchive:
        return Start(piece.archive());
      case v1::ExportArchiveResponse::kFile:
        if (writer_ == nullptr) break;
        progress_->Set(++files_);
        return writer_->Begin(piece.file().path(), piece.file().byte_size());
      case v1::ExportArchiveResponse::kContent:
        if (writer_ == nullptr) break;
        return writer_->Append(piece.content());
      default:
        break;
    }
    return ArchiveBroken("the export does not begin with its archive");
  }
  absl::Status Finish(std::string_view proof) {
    if (writer_ == nullptr) return ArchiveBroken("the export is empty");
    if (!proof.empty()) YKT_RETURN_IF_ERROR(writer_->Add(archive::kProofName, proof));
    return writer_->Finish();
  }
  const v1::Archive& archive() const { return archive_; }
  const std::string& path() const { return path_; }

 private:
  absl::Status Start(const v1::Archive& archive) {
    if (writer_ != nullptr) return ArchiveBroken("the export has two beginnings");
    archive_ = archive;
    const std::string folder = fmt::format("batch-{}-{}", archive.batch_id(), archive.package_no());
    if (path_.empty()) path_ = folder + ".tar";
    const auto sealed_on = base::ParseDate(archive.sealed_on());
    if (!sealed_on.has_value()) return ArchiveBroken("the archive has no day of its sealing");
    YKT_ASSIGN_OR_RETURN(writer_, BagWriter::Create(path_, folder, *sealed_on));
    progress_ = std::make_unique<Progress>(session_, "files", archive.files() + 1);
    YKT_RETURN_IF_ERROR(writer_->Add(archive::kBagName, archive::kBagText));
    return writer_->Add(archive::kManifestName, archive.manifest());
  }

  Session& session_;
  std::string path_;
  v1::Archive archive_;
  std::unique_ptr<BagWriter> writer_;
  std::unique_ptr<Progress> progress_;
  std::int64_t files_ = 0;
};

absl::Status Export(Session& session, const Exporting& wanted) {
  YKT_ASSIGN_OR_RETURN(rpc::Channel* const channel, session.To("dispatch"));
  const auto stub = Archives::NewStub(channel->grpc());
  grpc::ClientContext context;
  session.Prepare(*channel, context);
  Receiver receiver(session, wanted.file);
  const auto stream = stub->ExportArchive(&context, wanted.request);
  v1::ExportArchiveResponse piece;
  absl::Status taken;
  while (taken.ok() && stream->Read(&piece)) taken = receiver.Take(piece);
  if (!taken.ok()) context.TryCancel();
  const absl::Status ended = rpc::FromGrpc(stream->Finish());
  YKT_RETURN_IF_ERROR(taken);
  YKT_RETURN_IF_ERROR(ended);
  std::string proof;
  if (!wanted.without_proof) {
    YKT_ASSIGN_OR_RETURN(proof, WaitForProof(session, receiver.archive().manifest()));
  }
  YKT_RETURN_IF_ERROR(receiver.Finish(proof));
  // What lies there now is what counts, not what was meant to.
  YKT_ASSIGN_OR_RETURN(const Bag bag, ReadBag(receiver.path()));
  const v1::Archive& archive = receiver.archive();
  if (session.options().json) {
    std::cout << nlohmann::json{{"file", receiver.path()},
                                {"batch_id", archive.batch_id()},
                                {"package_no", archive.package_no()},
                                {"files", bag.manifest.files},
                                {"records", archive.records()},
                                {"bytes", archive.bytes()},
                                {"with_proof", !bag.proof.empty()}}
                     .dump()
              << '\n';
    return absl::OkStatus();
  }
  std::cout << fmt::format("{}: package {} of batch {}, {} files, {} records\n", receiver.path(),
                           archive.package_no(), archive.batch_id(), bag.manifest.files,
                           archive.records());
  if (bag.proof.empty())
    std::cout << "without the log's proof: verify it with --ask-log, or export it again later\n";
  return absl::OkStatus();
}

struct Verified {
  std::string file;
  Bag bag;
  std::optional<Anchor> anchor;
};

absl::StatusOr<Verified> VerifyOne(Session& session, const Verifying& wanted,
                                   const std::optional<crypto::Ed25519PublicKey>& key,
                                   const std::string& file) {
  Verified verified;
  verified.file = file;
  YKT_ASSIGN_OR_RETURN(verified.bag, ReadBag(file));
  std::string proof = verified.bag.proof;
  if (wanted.ask_log) {
    YKT_ASSIGN_OR_RETURN(proof, AskProof(session, verified.bag.manifest_text));
  }
  if (!key.has_value()) return verified;
  if (proof.empty()) {
    return Broken(
        fmt::format("{} has no proof of the log; ask the log itself with --ask-log", file));
  }
  YKT_ASSIGN_OR_RETURN(verified.anchor, CheckAnchor(verified.bag, proof, *key));
  return verified;
}

absl::Status Verify(Session& session, Verifying wanted) {
  // Where there is an installation its key is used; without one the hashes can be checked alone.
  if (wanted.public_key.empty()) wanted.public_key = session.Setting("audit_public_key");
  std::optional<crypto::Ed25519PublicKey> key;
  if (!wanted.public_key.empty()) {
    YKT_ASSIGN_OR_RETURN(key, crypto::ReadEd25519PublicKey(wanted.public_key));
  }
  std::vector<Verified> all;
  for (const std::string& file : wanted.files) {
    YKT_ASSIGN_OR_RETURN(Verified one, VerifyOne(session, wanted, key, file));
    all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const Verified& a, const Verified& b) {
    return std::pair(a.bag.manifest.batch_id, a.bag.manifest.package_no) <
           std::pair(b.bag.manifest.batch_id, b.bag.manifest.package_no);
  });
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].bag.manifest.batch_id == all[i - 1].bag.manifest.batch_id)
      YKT_RETURN_IF_ERROR(CheckFollows(all[i - 1].bag, all[i].bag));
  }
  nlohmann::json packages = nlohmann::json::array();
  for (const Verified& one : all) {
    const archive::Manifest& manifest = one.bag.manifest;
    std::int64_t records = 0;
    for (const archive::Part& part : manifest.parts) records += part.records;
    if (session.options().json) {
      packages.push_back({{"file", one.file},
                          {"batch_id", manifest.batch_id},
                          {"package_no", manifest.package_no},
                          {"files", manifest.files},
                          {"records", records},
                          {"keep_until", base::FormatDate(manifest.keep_until)},
                          {"manifest_sha256", crypto::HexOf(crypto::Sha256(one.bag.manifest_text))},
                          {"anchored", one.anchor.has_value()},
                          {"entry_index", one.anchor.has_value() ? one.anchor->entry_index : -1},
                          {"tree_size", one.anchor.has_value() ? one.anchor->tree_size : 0}});
      continue;
    }
    std::cout << fmt::format("{}: package {} of batch {}, {} files, {} records, to keep until {}\n",
                             one.file, manifest.package_no, manifest.batch_id, manifest.files,
                             records, base::FormatDate(manifest.keep_until));
    std::cout << (one.anchor.has_value()
                      ? fmt::format("every hash holds; sealed by entry {} of the log, signed at {} "
                                    "entries\n",
                                    one.anchor->entry_index, one.anchor->tree_size)
                      : "every hash holds; who sealed it was not checked: give the log's "
                        "--public-key\n");
  }
  if (session.options().json)
    std::cout << nlohmann::json{{"verified", true}, {"packages", packages}}.dump() << '\n';
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Anchor> CheckAnchor(const Bag& bag, const std::string& proof_text,
                                   const crypto::Ed25519PublicKey& key) {
  const absl::StatusOr<crypto::TlogProof> proof = crypto::ParseTlogProof(proof_text);
  if (!proof.ok()) return Broken("the proof is none of a log");
  const auto checkpoint = crypto::VerifyTlogProof(*proof, proof->extra, key);
  if (!checkpoint.ok()) {
    return Broken(checkpoint.status().code() == absl::StatusCode::kDataLoss
                      ? "the sealing is not in the tree of the checkpoint"
                      : "the checkpoint's signature is not that of the log's key");
  }
  const auto entry = outbox::ParseBody(proof->extra);
  const archive::Manifest& manifest = bag.manifest;
  if (!entry.ok() || entry->service != "dispatch" || entry->kind != archive::kSealedKind)
    return Broken("the entry of the log is about no sealing");
  const auto told = entry->details.find("manifest_sha256");
  if (entry->root != crypto::StringOf(crypto::LeafHash(bag.manifest_text)) || entry->leaves != 1 ||
      entry->subject !=
          archive::PackageSubject(manifest.district, manifest.batch_id, manifest.package_no) ||
      told == entry->details.end() ||
      told->second != crypto::HexOf(crypto::Sha256(bag.manifest_text))) {
    return Broken("the entry of the log is about another package");
  }
  return Anchor{static_cast<std::int64_t>(proof->index),
                static_cast<std::int64_t>(checkpoint->size)};
}

absl::Status CheckFollows(const Bag& former, const Bag& later) {
  if (later.manifest.package_no != former.manifest.package_no + 1) {
    return ArchiveBroken(fmt::format("package {} of batch {} does not follow package {}",
                                     later.manifest.package_no, later.manifest.batch_id,
                                     former.manifest.package_no));
  }
  if (later.manifest.former != crypto::Sha256(former.manifest_text)) {
    return ArchiveBroken(fmt::format("package {} of batch {} names another former package",
                                     later.manifest.package_no, later.manifest.batch_id));
  }
  return absl::OkStatus();
}

void AddArchiveCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* archive =
      app.add_subcommand("archive", "Sealed archives of closed batches")->require_subcommand(1);
  AddCall<Archives>(*archive, session, code, "list", "Packages, and until when they are kept",
                    "dispatch", &Archives::Stub::ListArchives,
                    {{"district", "District; none for all of yours"},
                     {"batch_id", "Batch", false, "id"},
                     {"past_keeping_only", "Only those past all of their keeping times: yes or no"},
                     {"state", "SEALING or SEALED"},
                     {"page_size", "Rows a page"},
                     {"page_token", "Page"}},
                    {"batch_id", "package_no", "state", "policy_id", "period", "sealed_on",
                     "keep_until", "past_keeping", "files", "records", "waiting_reason"});
  AddCall<Archives>(*archive, session, code, "show", "One package with its parts", "dispatch",
                    &Archives::Stub::GetArchive,
                    {{"batch_id", "Batch", true, "id"},
                     {"package_no", "Package; none for the newest", false, "package"}},
                    {"name", "keeping", "keep_until", "files", "records", "bytes", "past_keeping"});
  CLI::App* take = archive->add_subcommand(
      "export", "Take a package out as one tar file, with the log's proof of it");
  auto exporting = std::make_shared<Exporting>();
  BindFields(*take, exporting->request,
             {{"batch_id", "Batch", true, "id"},
              {"package_no", "Package; none for the newest", false, "package"}});
  take->add_option("--to", exporting->file,
                   "File; batch-<batch>-<package>.tar where none is named");
  take->add_flag("--without-proof", exporting->without_proof, "Do not ask the log for its proof");
  take->callback([&session, &code, exporting] {
    const absl::Status status = Export(session, *exporting);
    if (!status.ok()) code = Fail(session, status);
  });
  CLI::App* verify = archive->add_subcommand("verify",
                                             "Check every hash and count of packages, that they "
                                             "follow each other, and that the log sealed "
                                             "them; needs no service");
  auto verifying = std::make_shared<Verifying>();
  verify->add_option("file", verifying->files, "Files that were exported")->required();
  verify->add_option("--public-key", verifying->public_key,
                     "PEM file of the log's Ed25519 key; default: endpoints.json");
  verify->add_flag("--ask-log", verifying->ask_log,
                   "Ask the log for its proof of today, in the place of the one in the file");
  verify->callback([&session, &code, verifying] {
    const absl::Status status = Verify(session, *verifying);
    if (!status.ok()) code = Fail(session, status);
  });
}

}  // namespace yikatong::yktctl
