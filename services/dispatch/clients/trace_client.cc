// What the gateway tells of submissions, for the archive of their batch: a stream of one message
// for each.
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <optional>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/dispatch/clients/gateway_stub.h"
#include "services/dispatch/clients/payment_clients.h"

namespace yikatong::dispatch {
namespace {

namespace bank = ::yikatong::bankgateway::v1;

constexpr absl::Duration kTraceCall = absl::Seconds(60);

// The short name of an enum's value: CASE_STATE_OPEN is OPEN. Empty for the one that is never used.
std::string ShortName(const std::string& name, std::string_view prefix) {
  const std::string tail = name.substr(std::min(prefix.size(), name.size()));
  return tail == "UNSPECIFIED" ? "" : tail;
}

absl::StatusOr<absl::CivilDay> DayOf(const std::string& text) {
  const std::optional<absl::CivilDay> day = base::ParseDate(text);
  YKT_INVARIANT(day.has_value(), "the gateway told a day that there is none of");
  return *day;
}

absl::StatusOr<SubmissionTrace> FromWire(const bank::TraceSubmissionsResponse& wire) {
  SubmissionTrace trace;
  trace.submission = wire.submission();
  trace.agreement_no = wire.agreement_no();
  trace.file_id = wire.file_id();
  trace.file_sha256 = wire.file_sha256();
  trace.file_state = ShortName(bank::FileState_Name(wire.file_state()), "FILE_STATE_");
  trace.file_date = wire.file_date();
  trace.file_offset = wire.file_offset();
  for (const bank::StatementShare& share : wire.statements()) {
    const bank::Reconciliation& whole = share.statement();
    YKT_ASSIGN_OR_RETURN(const absl::CivilDay day, DayOf(whole.business_date()));
    trace.statements.push_back({whole.agreement_no(), day, whole.complete(), whole.lines(),
                                whole.agreed(), whole.differences(), whole.debit_fen(),
                                whole.credit_fen(), share.own_lines(), share.own_debit_fen(),
                                share.own_credit_fen()});
  }
  for (const bank::Case& one : wire.cases()) {
    YKT_ASSIGN_OR_RETURN(const absl::CivilDay day, DayOf(one.business_date()));
    trace.cases.push_back({one.case_id(), one.kind(), one.reference(), day,
                           ShortName(bank::CaseState_Name(one.state()), "CASE_STATE_"),
                           ShortName(bank::CaseDecision_Name(one.decision()), "CASE_DECISION_"),
                           one.reason(), one.statement_fen(), one.book_fen()});
  }
  return trace;
}

}  // namespace

absl::StatusOr<std::vector<SubmissionTrace>> BankGateway::TraceSubmissions(
    std::int32_t district, const std::vector<std::string>& submissions) {
  std::vector<SubmissionTrace> traces;
  if (submissions.empty()) return traces;
  bank::TraceSubmissionsRequest request;
  request.set_district(district);
  for (const std::string& one : submissions) request.add_submissions(one);
  grpc::ClientContext context;
  channel_.Prepare(context, kTraceCall);
  const auto stream = stub_->gateway->TraceSubmissions(&context, request);
  bank::TraceSubmissionsResponse answer;
  absl::Status malformed;
  while (stream->Read(&answer)) {
    absl::StatusOr<SubmissionTrace> trace = FromWire(answer);
    if (trace.ok()) {
      traces.push_back(*std::move(trace));
    } else {
      malformed = trace.status();
    }
  }
  YKT_RETURN_IF_ERROR(rpc::FromGrpc(stream->Finish()));
  YKT_RETURN_IF_ERROR(malformed);
  return traces;
}

}  // namespace yikatong::dispatch
