#include "services/auditlog/rpc/audit_log_rpc.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using identity::Caller;
using identity::Role;
using identity::RoleSet;
using status::Reason;

constexpr identity::MethodRule kRules[] = {
    // Producers are the services that own what is done; each may append for itself only.
    {"/yikatong.auditlog.v1.AuditLogService/AppendEntries",
     {},
     {"catalogue", "registry", "dispatch", "bankgateway"}},
    {"/yikatong.auditlog.v1.AuditLogService/GetNextNumber",
     {},
     {"catalogue", "registry", "dispatch", "bankgateway"}},
    // Checkpoints, proofs and hash tiles show no content: whoever is known may check the log.
    {"/yikatong.auditlog.v1.AuditLogService/GetCheckpoint",
     RoleSet::All(),
     {"oversight", "witness"}},
    {"/yikatong.auditlog.v1.AuditLogService/GetInclusionProof", RoleSet::All(), {"oversight"}},
    {"/yikatong.auditlog.v1.AuditLogService/GetConsistencyProof",
     RoleSet::All(),
     {"oversight", "witness"}},
    {"/yikatong.auditlog.v1.AuditLogService/GetTile", RoleSet::All(), {"oversight", "witness"}},
    // Whoever holds a hash may see what it stands for, in their district; the domain asks for more
    // otherwise.
    {"/yikatong.auditlog.v1.AuditLogService/GetEntry", RoleSet::All(), {"oversight"}},
    {"/yikatong.auditlog.v1.AuditLogService/ListEntries", {Role::kAuditor}, {"oversight"}},
    {"/yikatong.auditlog.v1.AuditLogService/GetEntryBundle", {Role::kAuditor}, {"oversight"}},
};

absl::Status InvalidField(const char* field) {
  return status::Refuse(Reason::kFieldInvalid, field, {{"field", field}});
}

// Sizes and indexes are int64 on the wire and never negative.
absl::StatusOr<std::uint64_t> Unsigned(std::int64_t number, const char* field) {
  if (number < 0) return InvalidField(field);
  return static_cast<std::uint64_t>(number);
}

// A size where 0 stands for the newest tree.
absl::StatusOr<std::optional<std::uint64_t>> SizeOrNewest(std::int64_t size, const char* field) {
  YKT_ASSIGN_OR_RETURN(const std::uint64_t checked, Unsigned(size, field));
  if (checked == 0) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(checked);
}

absl::StatusOr<EntrySelector> FromWire(const pb::EntrySelector& wire) {
  switch (wire.by_case()) {
    case pb::EntrySelector::kNumber:
      return EntrySelector(ByNumber{{wire.number().producer(), wire.number().restore_epoch()},
                                    wire.number().number()});
    case pb::EntrySelector::kIndex: {
      YKT_ASSIGN_OR_RETURN(const std::uint64_t index, Unsigned(wire.index(), "entry.index"));
      return EntrySelector(ByIndex{index});
    }
    case pb::EntrySelector::kLeafHash: {
      const auto hash = crypto::DigestOf(wire.leaf_hash());
      if (!hash) return InvalidField("entry.leaf_hash");
      return EntrySelector(ByLeafHash{*hash});
    }
    case pb::EntrySelector::kSubtreeRoot: {
      const auto root = crypto::DigestOf(wire.subtree_root());
      if (!root) return InvalidField("entry.subtree_root");
      return EntrySelector(BySubtreeRoot{*root});
    }
    case pb::EntrySelector::BY_NOT_SET:
      break;
  }
  return InvalidField("entry");
}

void ToWire(const StoredEntry& entry, pb::Entry* wire) {
  wire->set_index(static_cast<std::int64_t>(entry.index));
  wire->set_producer(entry.source.producer);
  wire->set_restore_epoch(entry.source.restore_epoch);
  wire->set_number(entry.number);
  wire->set_leaf_hash(crypto::StringOf(entry.leaf_hash));
  wire->set_kind(entry.facts.kind);
  wire->set_district(entry.facts.district);
  wire->set_subject(entry.facts.subject);
  if (entry.facts.subtree_root) {
    wire->set_subtree_root(crypto::StringOf(*entry.facts.subtree_root));
  }
  wire->set_body(entry.body);
  const std::int64_t micros = absl::ToUnixMicros(entry.appended_at);
  wire->mutable_append_time()->set_seconds(micros / 1'000'000);
  wire->mutable_append_time()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1000));
}

int WidthOrFull(int width) { return width == 0 ? kTileWidth : width; }

}  // namespace

std::span<const identity::MethodRule> Rules() { return kRules; }

AuditLogRpc::AuditLogRpc(AuditLog& log, const rpc::Guard& guard, telemetry::Metrics& metrics)
    : log_(log),
      guard_(guard),
      appended_(metrics.Counters("yikatong_auditlog_entries_appended_total",
                                 "Entries taken into the log.", {"producer"}, 16)) {}

void AuditLogRpc::ToWire(const SignedCheckpoint& checkpoint, pb::Checkpoint* wire) const {
  wire->set_note(checkpoint.note);
  wire->set_tree_size(static_cast<std::int64_t>(checkpoint.checkpoint.size));
  wire->set_root(crypto::StringOf(checkpoint.checkpoint.root));
  wire->set_verifier_key(log_.verifier().VerifierKey());
}

grpc::Status AuditLogRpc::AppendEntries(grpc::ServerContext* context,
                                        const pb::AppendEntriesRequest* request,
                                        pb::AppendEntriesResponse* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/AppendEntries",
                    *request, [&](const Caller& caller) -> absl::Status {
                      AppendRequest append;
                      append.source = {request->producer(), request->restore_epoch()};
                      append.first_number = request->first_number();
                      append.bodies.assign(request->bodies().begin(), request->bodies().end());
                      YKT_ASSIGN_OR_RETURN(const Appended appended, log_.Append(caller, append));
                      appended_.With({append.source.producer}).Increment(appended.added);
                      response->set_next_number(appended.next_number);
                      response->set_tree_size(static_cast<std::int64_t>(appended.tree_size));
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetNextNumber(grpc::ServerContext* context,
                                        const pb::GetNextNumberRequest* request,
                                        pb::GetNextNumberResponse* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetNextNumber",
                    *request, [&](const Caller& caller) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(
                          const std::int64_t next,
                          log_.NextNumber(caller, {request->producer(), request->restore_epoch()}));
                      response->set_next_number(next);
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetCheckpoint(grpc::ServerContext* context,
                                        const pb::GetCheckpointRequest* request,
                                        pb::Checkpoint* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetCheckpoint",
                    *request, [&](const Caller&) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(const SignedCheckpoint checkpoint,
                                           log_.NewestCheckpoint());
                      ToWire(checkpoint, response);
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetInclusionProof(grpc::ServerContext* context,
                                            const pb::GetInclusionProofRequest* request,
                                            pb::InclusionProof* response) {
  return rpc::Unary(
      guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetInclusionProof", *request,
      [&](const Caller&) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const EntrySelector selector, FromWire(request->entry()));
        YKT_ASSIGN_OR_RETURN(const auto size, SizeOrNewest(request->tree_size(), "tree_size"));
        YKT_ASSIGN_OR_RETURN(const Inclusion proof, log_.ProveInclusion(selector, size));
        response->set_index(static_cast<std::int64_t>(proof.index));
        response->set_leaf_hash(crypto::StringOf(proof.leaf_hash));
        response->set_tree_size(static_cast<std::int64_t>(proof.tree_size));
        for (const crypto::Digest& hash : proof.path) response->add_path(crypto::StringOf(hash));
        if (proof.checkpoint) ToWire(*proof.checkpoint, response->mutable_checkpoint());
        return absl::OkStatus();
      });
}

grpc::Status AuditLogRpc::GetConsistencyProof(grpc::ServerContext* context,
                                              const pb::GetConsistencyProofRequest* request,
                                              pb::ConsistencyProof* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetConsistencyProof",
                    *request, [&](const Caller&) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(const std::uint64_t first,
                                           Unsigned(request->first_size(), "first_size"));
                      YKT_ASSIGN_OR_RETURN(const auto second,
                                           SizeOrNewest(request->second_size(), "second_size"));
                      YKT_ASSIGN_OR_RETURN(const Consistency proof,
                                           log_.ProveConsistency(first, second));
                      response->set_first_size(static_cast<std::int64_t>(proof.first_size));
                      response->set_second_size(static_cast<std::int64_t>(proof.second_size));
                      for (const crypto::Digest& hash : proof.hashes)
                        response->add_hashes(crypto::StringOf(hash));
                      if (proof.checkpoint)
                        ToWire(*proof.checkpoint, response->mutable_checkpoint());
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetEntry(grpc::ServerContext* context, const pb::GetEntryRequest* request,
                                   pb::Entry* response) {
  return rpc::Unary(
      guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetEntry", *request,
      [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const EntrySelector selector, FromWire(request->entry()));
        YKT_ASSIGN_OR_RETURN(const StoredEntry entry, log_.FindEntry(caller, selector));
        auditlog::ToWire(entry, response);
        return absl::OkStatus();
      });
}

grpc::Status AuditLogRpc::ListEntries(grpc::ServerContext* context,
                                      const pb::ListEntriesRequest* request,
                                      pb::ListEntriesResponse* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/ListEntries", *request,
                    [&](const Caller& caller) -> absl::Status {
                      ListRequest list;
                      list.filter = {request->district(), request->subject(), request->kind(),
                                     request->producer()};
                      list.page_size = request->page_size();
                      list.page_token = request->page_token();
                      YKT_ASSIGN_OR_RETURN(const EntryPage page, log_.ListEntries(caller, list));
                      for (const StoredEntry& entry : page.entries) {
                        auditlog::ToWire(entry, response->add_entries());
                      }
                      response->set_next_page_token(page.next_page_token);
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetTile(grpc::ServerContext* context, const pb::GetTileRequest* request,
                                  pb::Tile* response) {
  return rpc::Unary(guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetTile", *request,
                    [&](const Caller&) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(const std::uint64_t index,
                                           Unsigned(request->index(), "index"));
                      const TileId id{request->level(), index, WidthOrFull(request->width())};
                      YKT_ASSIGN_OR_RETURN(*response->mutable_data(), log_.ReadTile(id));
                      response->set_path(TilePath(id));
                      return absl::OkStatus();
                    });
}

grpc::Status AuditLogRpc::GetEntryBundle(grpc::ServerContext* context,
                                         const pb::GetEntryBundleRequest* request,
                                         pb::EntryBundle* response) {
  return rpc::Unary(
      guard_, context, "/yikatong.auditlog.v1.AuditLogService/GetEntryBundle", *request,
      [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const std::uint64_t index, Unsigned(request->index(), "index"));
        const int width = WidthOrFull(request->width());
        YKT_ASSIGN_OR_RETURN(*response->mutable_data(), log_.ReadBundle(caller, index, width));
        response->set_path(TilePath({kEntriesLevel, index, width}));
        return absl::OkStatus();
      });
}

}  // namespace yikatong::auditlog
