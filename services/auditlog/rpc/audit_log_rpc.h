// The contract yikatong.auditlog.v1 over the domain: wire to domain and back, nothing decided.
#pragma once

#include <span>

#include "common/identity/access.h"
#include "common/rpc/call.h"
#include "common/telemetry/metrics.h"
#include "services/auditlog/domain/audit_log.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::auditlog {

// Who may call what.
std::span<const identity::MethodRule> Rules();

namespace pb = ::yikatong::auditlog::v1;

// Thread safe. What it is given must outlive it.
class AuditLogRpc final : public pb::AuditLogService::Service {
 public:
  AuditLogRpc(AuditLog& log, const rpc::Guard& guard, telemetry::Metrics& metrics);

  grpc::Status AppendEntries(grpc::ServerContext* context, const pb::AppendEntriesRequest* request,
                             pb::AppendEntriesResponse* response) override;
  grpc::Status GetNextNumber(grpc::ServerContext* context, const pb::GetNextNumberRequest* request,
                             pb::GetNextNumberResponse* response) override;
  grpc::Status GetCheckpoint(grpc::ServerContext* context, const pb::GetCheckpointRequest* request,
                             pb::Checkpoint* response) override;
  grpc::Status GetInclusionProof(grpc::ServerContext* context,
                                 const pb::GetInclusionProofRequest* request,
                                 pb::InclusionProof* response) override;
  grpc::Status GetConsistencyProof(grpc::ServerContext* context,
                                   const pb::GetConsistencyProofRequest* request,
                                   pb::ConsistencyProof* response) override;
  grpc::Status GetEntry(grpc::ServerContext* context, const pb::GetEntryRequest* request,
                        pb::Entry* response) override;
  grpc::Status ListEntries(grpc::ServerContext* context, const pb::ListEntriesRequest* request,
                           pb::ListEntriesResponse* response) override;
  grpc::Status GetTile(grpc::ServerContext* context, const pb::GetTileRequest* request,
                       pb::Tile* response) override;
  grpc::Status GetEntryBundle(grpc::ServerContext* context,
                              const pb::GetEntryBundleRequest* request,
                              pb::EntryBundle* response) override;

 private:
  void ToWire(const SignedCheckpoint& checkpoint, pb::Checkpoint* wire) const;

  AuditLog& log_;
  const rpc::Guard& guard_;
  telemetry::CounterFamily appended_;
};

}  // namespace yikatong::auditlog
