#include "services/banksim/rpc/bank_rpc.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::banksim {
namespace {

namespace pb = bank::v1;
using identity::Role;

constexpr std::int64_t kMaxFileBytes = 8 << 20;
constexpr std::int64_t kMaxPartBytes = 1 << 20;

constexpr std::string_view kSubmitFile = "/yikatong.bank.v1.AgentBankService/SubmitFile";
constexpr std::string_view kGetFileState = "/yikatong.bank.v1.AgentBankService/GetFileState";
constexpr std::string_view kListResults = "/yikatong.bank.v1.AgentBankService/ListResults";
constexpr std::string_view kQueryReferences = "/yikatong.bank.v1.AgentBankService/QueryReferences";
constexpr std::string_view kGetStatement = "/yikatong.bank.v1.AgentBankService/GetStatement";
constexpr std::string_view kSetFaults = "/yikatong.bank.v1.BankSimulatorService/SetFaults";
constexpr std::string_view kGetSummary = "/yikatong.bank.v1.BankSimulatorService/GetJournalSummary";

constexpr identity::MethodRule kRules[] = {
    {kSubmitFile, {}, {"bankgateway"}},
    {kGetFileState, {}, {"bankgateway"}},
    {kListResults, {}, {"bankgateway"}},
    {kQueryReferences, {}, {"bankgateway"}},
    {kGetStatement, {}, {"bankgateway"}},
    {kSetFaults, {Role::kSystemAdmin, Role::kBankAdmin}, {}},
    {kGetSummary, {Role::kSystemAdmin, Role::kBankAdmin, Role::kAuditor}, {}},
};

std::string NameOf(const identity::Caller& caller) {
  return caller.IsService() ? caller.service : caller.organisation;
}

absl::Status Open(const Bank& bank, const Faults& faults) {
  if (!bank.HasDay()) return absl::UnavailableError("the bank does not know its business date yet");
  if (faults.down) return absl::UnavailableError("the bank is down");
  if (faults.delay_ms > 0) absl::SleepFor(absl::Milliseconds(faults.delay_ms));
  return absl::OkStatus();
}

absl::Status Malformed(std::string_view field) {
  return status::Refuse(status::Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

pb::RowState ToWire(RowState state) {
  switch (state) {
    case RowState::kNotFound:
      return pb::ROW_STATE_NOT_FOUND;
    case RowState::kPending:
      return pb::ROW_STATE_PENDING;
    case RowState::kPaid:
      return pb::ROW_STATE_PAID;
    case RowState::kFailed:
      return pb::ROW_STATE_FAILED;
    case RowState::kReturned:
      return pb::ROW_STATE_RETURNED;
  }
  return pb::ROW_STATE_UNSPECIFIED;
}

std::string CodeText(int code) {
  char text[16];
  std::snprintf(text, sizeof text, "%04d", code);
  return text;
}

void ToWire(RowReport&& report, pb::RowResult& wire) {
  wire.set_number(report.number);
  wire.set_file_id(std::move(report.file_id));
  wire.set_reference(report.reference);
  wire.set_state(ToWire(report.state));
  if (report.return_code != 0) wire.set_return_code(CodeText(report.return_code));
  wire.set_bank_serial(std::move(report.bank_serial));
  wire.set_booked_on(std::move(report.booked_on));
  wire.set_amount_fen(report.amount_fen);
}

FileHead FromWire(const pb::FileHead& wire) {
  return {wire.file_id(),       wire.agreement_no(), wire.bank_code(),
          wire.business_date(), wire.rows(),         wire.total_fen(),
          wire.sha256(),        wire.signature(),    wire.signer_key_id()};
}

Faults FromWire(const pb::Faults& wire) {
  return {wire.seed(),
          wire.fail_permille(),
          wire.return_permille(),
          wire.return_after_days(),
          wire.late_permille(),
          wire.late_days(),
          wire.lost_answer_permille(),
          wire.refuse_file_permille(),
          wire.delay_ms(),
          wire.repeat_permille(),
          wire.down(),
          wire.second_debit_permille(),
          wire.foreign_debit_permille(),
          wire.stray_reversal_permille(),
          wire.correct_after_days()};
}

void ToWire(const Faults& faults, pb::Faults& wire) {
  wire.set_seed(faults.seed);
  wire.set_fail_permille(faults.fail_permille);
  wire.set_return_permille(faults.return_permille);
  wire.set_return_after_days(faults.return_after_days);
  wire.set_late_permille(faults.late_permille);
  wire.set_late_days(faults.late_days);
  wire.set_lost_answer_permille(faults.lost_answer_permille);
  wire.set_refuse_file_permille(faults.refuse_file_permille);
  wire.set_delay_ms(faults.delay_ms);
  wire.set_repeat_permille(faults.repeat_permille);
  wire.set_down(faults.down);
  wire.set_second_debit_permille(faults.second_debit_permille);
  wire.set_foreign_debit_permille(faults.foreign_debit_permille);
  wire.set_stray_reversal_permille(faults.stray_reversal_permille);
  wire.set_correct_after_days(faults.correct_after_days);
}

bool RatesFit(const Faults& faults) {
  const auto rate = [](int permille) { return permille >= 0 && permille <= 1000; };
  return rate(faults.fail_permille) && rate(faults.return_permille) && rate(faults.late_permille) &&
         rate(faults.lost_answer_permille) && rate(faults.refuse_file_permille) &&
         rate(faults.repeat_permille) && rate(faults.second_debit_permille) &&
         rate(faults.foreign_debit_permille) && rate(faults.stray_reversal_permille) &&
         faults.second_debit_permille + faults.foreign_debit_permille +
                 faults.stray_reversal_permille <=
             1000 &&
         faults.correct_after_days >= 0 && faults.correct_after_days <= 365 &&
         faults.fail_permille + faults.return_permille + faults.late_permille <= 1000 &&
         faults.return_after_days >= 0 && faults.return_after_days <= 366 &&
         faults.late_days >= 0 && faults.late_days <= 366 && faults.delay_ms >= 0 &&
         faults.delay_ms <= 60'000;
}

// Reads the rest of a file behind its head.
absl::Status ReadBytes(grpc::ServerReader<pb::SubmitFileRequest>& reader, std::int64_t size,
                       std::string& bytes) {
  bytes.reserve(static_cast<std::size_t>(size));
  pb::SubmitFileRequest part;
  while (reader.Read(&part)) {
    const std::int64_t length = static_cast<std::int64_t>(part.data().size());
    if (part.part_case() != pb::SubmitFileRequest::kData || length > kMaxPartBytes ||
        static_cast<std::int64_t>(bytes.size()) + length > size) {
      return Malformed("data");
    }
    bytes += part.data();
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const identity::MethodRule> Rules() { return kRules; }

grpc::Status AgentBankRpc::SubmitFile(grpc::ServerContext* context,
                                      grpc::ServerReader<pb::SubmitFileRequest>* reader,
                                      pb::SubmitFileResponse* response) {
  return rpc::Streamed(guard_, context, kSubmitFile, [&](const identity::Caller& caller) {
    pb::SubmitFileRequest first;
    if (!reader->Read(&first) || first.part_case() != pb::SubmitFileRequest::kHead) {
      return Malformed("head");
    }
    const pb::FileHead& head = first.head();
    if (head.byte_size() < 1 || head.byte_size() > kMaxFileBytes) return Malformed("byte_size");
    YKT_RETURN_IF_ERROR(Open(bank_, bank_.FaultsOf(head.bank_code())));
    std::string bytes;
    YKT_RETURN_IF_ERROR(ReadBytes(*reader, head.byte_size(), bytes));
    YKT_RETURN_IF_ERROR(rpc::StreamEnd(*context));
    absl::StatusOr<SubmitAnswer> answer = bank_.SubmitFile(NameOf(caller), FromWire(head), bytes);
    if (!answer.ok()) return answer.status();
    if (answer->lost) {
      context->TryCancel();
      return absl::CancelledError("the answer is lost on purpose");
    }
    response->set_answer(answer->answer == FileAnswer::kAccepted    ? pb::FILE_ANSWER_ACCEPTED
                         : answer->answer == FileAnswer::kDuplicate ? pb::FILE_ANSWER_DUPLICATE
                                                                    : pb::FILE_ANSWER_REFUSED);
    response->set_reason(answer->reason);
    return absl::OkStatus();
  });
}

grpc::Status AgentBankRpc::GetFileState(grpc::ServerContext* context,
                                        const pb::GetFileStateRequest* request,
                                        pb::GetFileStateResponse* response) {
  return rpc::Unary(guard_, context, kGetFileState, *request, [&](const identity::Caller& caller) {
    const std::string name = NameOf(caller);
    YKT_RETURN_IF_ERROR(Open(bank_, bank_.FaultsOfFile(name, request->file_id())));
    const FileReport report = bank_.GetFile(name, request->file_id());
    response->set_state(report.state == FileState::kNotFound     ? pb::FILE_STATE_NOT_FOUND
                        : report.state == FileState::kProcessing ? pb::FILE_STATE_PROCESSING
                        : report.state == FileState::kDone       ? pb::FILE_STATE_DONE
                                                                 : pb::FILE_STATE_REFUSED);
    response->set_sha256(report.sha256);
    response->set_reason(report.reason);
    response->set_horizon_business_days(bank_.horizon_days());
    return absl::OkStatus();
  });
}

grpc::Status AgentBankRpc::ListResults(grpc::ServerContext* context,
                                       const pb::ListResultsRequest* request,
                                       pb::ListResultsResponse* response) {
  return rpc::Unary(guard_, context, kListResults, *request, [&](const identity::Caller& caller) {
    YKT_RETURN_IF_ERROR(Open(bank_, bank_.FaultsOf(request->bank_code())));
    if (request->page_size() < 0 || request->after() < 0) return Malformed("page_size");
    const std::int64_t count =
        request->page_size() == 0 ? 2000 : std::min(request->page_size(), 5000);
    std::int64_t head = 0;
    for (RowReport& report :
         bank_.ListResults(NameOf(caller), request->bank_code(), request->after(), count, head)) {
      ToWire(std::move(report), *response->add_results());
    }
    response->set_head(head);
    return absl::OkStatus();
  });
}

grpc::Status AgentBankRpc::QueryReferences(grpc::ServerContext* context,
                                           const pb::QueryReferencesRequest* request,
                                           pb::QueryReferencesResponse* response) {
  return rpc::Unary(
      guard_, context, kQueryReferences, *request, [&](const identity::Caller& caller) {
        YKT_RETURN_IF_ERROR(Open(bank_, bank_.FaultsOf("")));
        if (request->references_size() > 1000) return Malformed("references");
        const std::vector<std::int64_t> references(request->references().begin(),
                                                   request->references().end());
        for (RowReport& report :
             bank_.QueryReferences(NameOf(caller), request->bank_code(), references)) {
          ToWire(std::move(report), *response->add_results());
        }
        return absl::OkStatus();
      });
}

grpc::Status AgentBankRpc::GetStatement(grpc::ServerContext* context,
                                        const pb::GetStatementRequest* request,
                                        grpc::ServerWriter<pb::GetStatementResponse>* writer) {
  return rpc::Unary(guard_, context, kGetStatement, *request, [&](const identity::Caller& caller) {
    const std::string name = NameOf(caller);
    YKT_RETURN_IF_ERROR(Open(bank_, bank_.FaultsOfAgreement(request->agreement_no())));
    const std::optional<absl::CivilDay> day = base::ParseDate(request->business_date());
    if (!day) return Malformed("business_date");
    const StatementHead head = bank_.GetStatementHead(name, request->agreement_no(), *day);
    pb::GetStatementResponse message;
    message.mutable_head()->set_closed(head.closed);
    message.mutable_head()->set_lines(head.lines);
    message.mutable_head()->set_debit_fen(head.debit_fen);
    message.mutable_head()->set_credit_fen(head.credit_fen);
    if (!writer->Write(message)) return absl::CancelledError("the caller went away");
    // An open statement may grow while it is read; the head says how many lines belong to it.
    for (std::int64_t sent = 0; sent < head.lines;) {
      message.Clear();
      for (StatementLine& line :
           bank_.ListStatementLines(name, request->agreement_no(), *day, sent,
                                    std::min<std::int64_t>(5000, head.lines - sent))) {
        pb::StatementLine& wire = *message.add_lines();
        wire.set_line(line.line);
        wire.set_reference(line.reference);
        wire.set_debit(line.debit);
        wire.set_amount_fen(line.amount_fen);
        wire.set_bank_serial(std::move(line.bank_serial));
        if (line.return_code != 0) wire.set_return_code(CodeText(line.return_code));
      }
      sent += message.lines_size();
      if (!writer->Write(message)) return absl::CancelledError("the caller went away");
    }
    return absl::OkStatus();
  });
}

grpc::Status SimulatorRpc::SetFaults(grpc::ServerContext* context,
                                     const pb::SetFaultsRequest* request,
                                     pb::SetFaultsResponse* response) {
  return rpc::Unary(guard_, context, kSetFaults, *request, [&](const identity::Caller&) {
    const Faults faults = FromWire(request->faults());
    if (!RatesFit(faults)) return Malformed("faults");
    YKT_RETURN_IF_ERROR(bank_.SetFaults(request->bank_code(), faults));
    ToWire(bank_.FaultsOf(request->bank_code()), *response->mutable_faults());
    return absl::OkStatus();
  });
}

grpc::Status SimulatorRpc::GetJournalSummary(grpc::ServerContext* context,
                                             const pb::GetJournalSummaryRequest* request,
                                             pb::GetJournalSummaryResponse* response) {
  return rpc::Unary(guard_, context, kGetSummary, *request, [&](const identity::Caller&) {
    const JournalSummary summary = bank_.Summary();
    response->set_credits(summary.credits);
    response->set_credit_fen(summary.credit_fen);
    response->set_returns(summary.returns);
    response->set_return_fen(summary.return_fen);
    response->set_references_credited_twice(summary.references_credited_twice);
    return absl::OkStatus();
  });
}

}  // namespace yikatong::banksim
