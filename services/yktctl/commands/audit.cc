// The audit log as an auditor uses it. Verification needs only the log's public key: what the
// services answer is never believed, it is recomputed.
#include <fmt/core.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "common/base/hex.h"
#include "common/crypto/keys.h"
#include "common/crypto/merkle.h"
#include "common/crypto/note.h"
#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/commands/log_break.h"
#include "services/yktctl/commands/log_proof.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::auditlog::v1;
using Log = v1::AuditLogService;

struct Verification {
  std::string public_key, previous, keep;
  std::vector<std::int64_t> items;
  std::string step = "outcome";
  int sample = 0;
  std::uint64_t seed = 1;
  std::int64_t inclusion_checked = 0;
  std::int64_t consistency_checked = 0;
  std::int64_t size = 0;
  std::string root;
};

absl::Status CheckConsistency(Session& session, const crypto::Checkpoint& old,
                              const crypto::Checkpoint& now) {
  v1::GetConsistencyProofRequest request;
  request.set_first_size(static_cast<std::int64_t>(old.size));
  request.set_second_size(static_cast<std::int64_t>(now.size));
  v1::ConsistencyProof proof;
  YKT_RETURN_IF_ERROR(
      Call<Log>(session, "auditlog", &Log::Stub::GetConsistencyProof, request, proof));
  YKT_ASSIGN_OR_RETURN(const std::vector<crypto::Digest> hashes, DigestsFrom(proof.hashes()));
  if (!crypto::VerifyConsistency(old.size, now.size, old.root, now.root, hashes)) {
    return Broken("the log does not extend the checkpoint that was kept: its history was changed");
  }
  return absl::OkStatus();
}

// One payment, from its leaf to the signed checkpoint.
absl::Status CheckItem(Session& session, std::int64_t item, const std::string& step,
                       const crypto::Checkpoint& checkpoint) {
  using Dispatch = dispatch::v1::DispatchService;
  dispatch::v1::GetItemProofRequest request;
  request.set_item_id(item);
  request.set_step(step);
  dispatch::v1::GetItemProofResponse proof;
  YKT_RETURN_IF_ERROR(
      Call<Dispatch>(session, "dispatch", &Dispatch::Stub::GetItemProof, request, proof));
  YKT_ASSIGN_OR_RETURN(const std::vector<crypto::Digest> path, DigestsFrom(proof.path()));
  YKT_ASSIGN_OR_RETURN(const crypto::Digest root, DigestFrom(proof.root()));
  if (proof.leaf().find(fmt::format("\nitem: {}\n", item)) == std::string::npos) {
    return Broken("the leaf is about another item");
  }
  if (!crypto::VerifyInclusion(crypto::LeafHash(proof.leaf()),
                               static_cast<std::uint64_t>(proof.leaf_index()),
                               static_cast<std::uint64_t>(proof.leaves()), path, root)) {
    return Broken(fmt::format("item {} is not under the root that was named", item));
  }
  // By the root itself: whatever number or epoch the entry has, it must commit to this root.
  v1::EntrySelector selector;
  selector.set_subtree_root(proof.root());
  YKT_ASSIGN_OR_RETURN(const v1::Entry entry, CheckInclusion(session, selector, checkpoint));
  const auto body = outbox::ParseBody(entry.body());
  if (!body.ok() || body->root != proof.root() || body->leaves != proof.leaves()) {
    return Broken(
        fmt::format("entry {} commits to another root than item {} is under", entry.index(), item));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadKept(const std::string& path) {
  std::ifstream in(path);
  std::stringstream kept;
  kept << in.rdbuf();
  if (!in) return status::Refuse(status::Reason::kFieldInvalid, path + " cannot be read");
  return kept.str();
}

absl::StatusOr<v1::Checkpoint> AskHead(Session& session) {
  v1::Checkpoint head;
  YKT_RETURN_IF_ERROR(
      Call<Log>(session, "auditlog", &Log::Stub::GetCheckpoint, v1::GetCheckpointRequest(), head));
  return head;
}

absl::Status Verify(Session& session, Verification& run) {
  YKT_ASSIGN_OR_RETURN(const crypto::Ed25519PublicKey key,
                       crypto::ReadEd25519PublicKey(run.public_key));
  YKT_ASSIGN_OR_RETURN(const v1::Checkpoint head, AskHead(session));
  YKT_ASSIGN_OR_RETURN(const crypto::Checkpoint checkpoint, OpenNote(head.note(), key));
  run.size = static_cast<std::int64_t>(checkpoint.size);
  run.root = base::ToHex(crypto::BytesOf(checkpoint.root));
  if (!run.previous.empty()) {
    YKT_ASSIGN_OR_RETURN(const std::string kept, ReadKept(run.previous));
    YKT_ASSIGN_OR_RETURN(const crypto::Checkpoint old, OpenNote(kept, key));
    YKT_RETURN_IF_ERROR(CheckConsistency(session, old, checkpoint));
    ++run.consistency_checked;
  }
  Progress progress(session, "proofs", static_cast<std::int64_t>(run.items.size()) + run.sample);
  for (const std::int64_t item : run.items) {
    YKT_RETURN_IF_ERROR(CheckItem(session, item, run.step, checkpoint));
    progress.Set(++run.inclusion_checked);
  }
  std::mt19937_64 random(run.seed);
  for (int i = 0; i < run.sample && checkpoint.size > 0; ++i) {
    v1::EntrySelector selector;
    selector.set_index(static_cast<std::int64_t>(random() % checkpoint.size));
    YKT_RETURN_IF_ERROR(CheckInclusion(session, selector, checkpoint).status());
    progress.Set(++run.inclusion_checked);
  }
  if (!run.keep.empty()) {
    std::ofstream out(run.keep);
    out << head.note();
    if (!out.flush())
      return status::Refuse(status::Reason::kFieldInvalid, run.keep + " cannot be written");
  }
  return absl::OkStatus();
}

// The first entry of the log, proved to be that of the signed head: what the log says of its place
// is not asked.
absl::StatusOr<LogBreak> FindBreak(Session& session, const std::string& public_key) {
  YKT_ASSIGN_OR_RETURN(const crypto::Ed25519PublicKey key,
                       crypto::ReadEd25519PublicKey(public_key));
  YKT_ASSIGN_OR_RETURN(const v1::Checkpoint head, AskHead(session));
  YKT_ASSIGN_OR_RETURN(const crypto::Checkpoint checkpoint, OpenNote(head.note(), key));
  v1::EntrySelector first;
  first.set_index(0);
  YKT_ASSIGN_OR_RETURN(const FoundEntry found, FindEntry(session, first, checkpoint));
  if (!crypto::VerifyInclusion(crypto::LeafHash(found.entry.body()), 0, checkpoint.size,
                               found.proof.path, checkpoint.root)) {
    return Broken("the entry is not the first one of the tree of the checkpoint");
  }
  return ReadBreak(found.entry.body());
}

void PrintBreak(const Session& session, const LogBreak& log_break) {
  const std::string root = crypto::HexOf(log_break.root);
  if (session.options().json) {
    std::cout << nlohmann::json{{"former_log", log_break.former.name()},
                                {"former_key", log_break.former.VerifierKey()},
                                {"former_size", log_break.size},
                                {"former_root", root},
                                {"reason", log_break.reason},
                                {"time", log_break.at},
                                {"verified", true}}
                     .dump()
              << '\n';
    return;
  }
  std::cout << fmt::format(
      "verified: the log begins with a break, at {}\nformer log: {}, size {}, root {}\nformer key: "
      "{}\nreason: {}\n",
      log_break.at, log_break.former.name(), log_break.size, root, log_break.former.VerifierKey(),
      log_break.reason);
}

void AddBreak(CLI::App& audit, Session& session, int& code) {
  struct Wanted {
    std::string public_key, former;
  };
  CLI::App* show = audit.add_subcommand(
      "break", "The log that this one follows, by its signed first entry; NOT_FOUND for none");
  auto wanted = std::make_shared<Wanted>();
  show->add_option("--public-key", wanted->public_key,
                   "PEM file of the log's Ed25519 key; default: endpoints.json");
  show->add_option("--former", wanted->former,
                   "A checkpoint of the former log that was kept; the break must not hide from it");
  show->callback([&session, &code, wanted] {
    if (wanted->public_key.empty()) wanted->public_key = session.Setting("audit_public_key");
    const auto shown = [&]() -> absl::Status {
      YKT_ASSIGN_OR_RETURN(const LogBreak found, FindBreak(session, wanted->public_key));
      if (!wanted->former.empty()) {
        YKT_ASSIGN_OR_RETURN(const std::string kept, ReadKept(wanted->former));
        YKT_RETURN_IF_ERROR(CheckKept(found, kept));
      }
      PrintBreak(session, found);
      return absl::OkStatus();
    }();
    if (!shown.ok()) code = Fail(session, shown);
  });
}

}  // namespace

void AddAuditCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* audit =
      app.add_subcommand("audit", "The audit log and its proofs")->require_subcommand(1);
  AddCall<Log>(*audit, session, code, "checkpoint", "The signed head of the log", "auditlog",
               &Log::Stub::GetCheckpoint, {});
  AddCall<Log>(*audit, session, code, "entries", "Entries, by district, subject or kind",
               "auditlog", &Log::Stub::ListEntries,
               {{"district", "District"},
                {"subject", "Subject, such as batches/120105/10500000001"},
                {"kind", "Kind, such as batch.sealed"},
                {"producer", "Service"},
                {"page_size", "Rows a page"},
                {"page_token", "Page"}},
               {"index", "producer", "number", "kind", "district", "subject", "append_time"});
  AddCall<Log>(*audit, session, code, "entry", "One entry", "auditlog", &Log::Stub::GetEntry,
               {{"entry.index", "Index in the log", true}});
  AddBreak(*audit, session, code);
  CLI::App* verify = audit->add_subcommand("verify",
                                           "Check the log's head, its history and single payments "
                                           "with nothing but the log's public key");
  auto run = std::make_shared<Verification>();
  verify->add_option("--public-key", run->public_key,
                     "PEM file of the log's Ed25519 key; default: endpoints.json");
  verify->add_option("--previous", run->previous,
                     "A checkpoint that was kept; the log must extend it");
  verify->add_option("--keep", run->keep, "Where to keep the checkpoint for the next time");
  verify->add_option("--item", run->items, "Items to follow from their leaf to the signed head");
  verify->add_option("--step", run->step, "Which step of the items: submit or outcome")
      ->check(CLI::IsMember({"submit", "outcome"}));
  verify->add_option("--sample", run->sample, "Entries drawn at random to prove")
      ->check(CLI::Range(0, 100000));
  verify->add_option("--seed", run->seed, "Seed of the draw");
  verify->callback([&session, &code, run] {
    if (run->public_key.empty()) run->public_key = session.Setting("audit_public_key");
    const absl::Status status = Verify(session, *run);
    if (!status.ok()) {
      code = Fail(session, status);
      return;
    }
    if (session.options().json) {
      std::cout << fmt::format(
          "{{\"tree_size\":{},\"root\":\"{}\",\"inclusion_checked\":{},\"consistency_checked\":{},"
          "\"verified\":true}}\n",
          run->size, run->root, run->inclusion_checked, run->consistency_checked);
      return;
    }
    std::cout << fmt::format(
        "verified: {} entries, root {}\n{} inclusion proofs and {} consistency proofs hold\n",
        run->size, run->root, run->inclusion_checked, run->consistency_checked);
  });
}

}  // namespace yikatong::yktctl
