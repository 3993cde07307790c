// What became of submissions, told one after the other. Nothing is decided here.
#include "services/bankgateway/rpc/trace_rpc.h"

#include <set>
#include <string>
#include <vector>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/bankgateway/rpc/gateway_rpc.h"
#include "services/bankgateway/rpc/page.h"
#include "services/bankgateway/rpc/wire.h"

namespace yikatong::bankgateway {
namespace {

using identity::Caller;

constexpr int kMostSubmissions = 64;

v1::TraceSubmissionsResponse ToWire(const SubmissionTrace& trace) {
  v1::TraceSubmissionsResponse wire;
  wire.set_submission(trace.submission);
  wire.set_agreement_no(trace.agreement_no);
  wire.set_file_id(trace.file_id);
  if (!trace.file_id.empty()) {
    wire.set_file_sha256(trace.file_sha256);
    wire.set_file_state(static_cast<v1::FileState>(trace.file_state));
    wire.set_file_date(base::FormatDate(trace.file_date));
    wire.set_file_offset(trace.file_offset);
  }
  for (const StatementShare& share : trace.statements) {
    v1::StatementShare& one = *wire.add_statements();
    ToWire(share.statement, *one.mutable_statement());
    one.set_own_lines(share.own_lines);
    one.set_own_debit_fen(share.own_debit_fen);
    one.set_own_credit_fen(share.own_credit_fen);
  }
  for (const Case& one : trace.cases) ToWire(one, *wire.add_cases());
  return wire;
}

}  // namespace

grpc::Status GatewayRpc::TraceSubmissions(
    grpc::ServerContext* context, const v1::TraceSubmissionsRequest* request,
    grpc::ServerWriter<v1::TraceSubmissionsResponse>* stream) {
  return rpc::Unary(
      guard_, context, kTraceSubmissions, *request, [&](const Caller&) -> absl::Status {
        const std::vector<std::string> wanted(request->submissions().begin(),
                                              request->submissions().end());
        const std::set<std::string> distinct(wanted.begin(), wanted.end());
        if (wanted.empty() || wanted.size() > kMostSubmissions || distinct.size() != wanted.size())
          return BadField("submissions");
        YKT_RETURN_IF_ERROR(books_.traces.CheckKnown(request->district(), wanted));
        for (const std::string& submission : wanted) {
          YKT_ASSIGN_OR_RETURN(const SubmissionTrace trace,
                               books_.traces.Trace(request->district(), submission));
          if (!stream->Write(ToWire(trace))) break;
        }
        return rpc::StreamEnd(*context);
      });
}

}  // namespace yikatong::bankgateway
