#include "services/bankgateway/clients/agent_bank_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <vector>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/status/status.h"
#include "yikatong/bank/v1/agent_bank.grpc.pb.h"

namespace yikatong::bankgateway {
namespace {

namespace pb = bank::v1;

constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr absl::Duration kStatementTimeout = absl::Minutes(5);
constexpr int kMaxStatementLines = 2'000;

RowState FromWire(pb::RowState state) {
  switch (state) {
    case pb::ROW_STATE_PAID:
      return RowState::kPaid;
    case pb::ROW_STATE_FAILED:
      return RowState::kFailed;
    case pb::ROW_STATE_RETURNED:
      return RowState::kReturned;
    case pb::ROW_STATE_NOT_FOUND:
      return RowState::kNotFound;
    default:
      return RowState::kPending;  // what we do not understand is not decided
  }
}

BankResult FromWire(const pb::RowResult& wire) {
  BankResult result;
  result.number = wire.number();
  result.file_id = wire.file_id();
  result.reference = wire.reference();
  result.state = FromWire(wire.state());
  result.return_code = wire.return_code();
  result.bank_serial = wire.bank_serial();
  result.booked_on = base::ParseDate(wire.booked_on());
  result.amount_fen = wire.amount_fen();
  return result;
}

class GrpcAgentBank final : public AgentBank {
 public:
  GrpcAgentBank(std::shared_ptr<rpc::Channel> channel, std::string bank_code)
      : channel_(std::move(channel)),
        stub_(pb::AgentBankService::NewStub(channel_->grpc())),
        bank_code_(std::move(bank_code)) {}

  absl::StatusOr<SendAnswer> SubmitFile(const FileToSend& file, const PartReader& read,
                                        std::int64_t timeout_ms) override {
    grpc::ClientContext context;
    channel_->Prepare(context, absl::Milliseconds(timeout_ms));
    pb::SubmitFileResponse response;
    const auto writer = stub_->SubmitFile(&context, &response);
    pb::SubmitFileRequest message;
    pb::FileHead& head = *message.mutable_head();
    head.set_file_id(file.file_id);
    head.set_agreement_no(file.agreement_no);
    head.set_business_date(base::FormatDate(file.business_date));
    head.set_rows(file.rows);
    head.set_total_fen(file.total_fen);
    head.set_byte_size(file.byte_size);
    head.set_sha256(file.sha256);
    head.set_signature(file.signature);
    head.set_signer_key_id(file.signer_key_id);
    head.set_bank_code(bank_code_);
    if (absl::Status status = base::failpoint::Hit("send_file.before_send"); !status.ok()) {
      context.TryCancel();
      writer->Finish();
      return status;
    }
    bool open = writer->Write(message);
    for (std::int32_t part = 0; open && part < file.parts; ++part) {
      absl::StatusOr<std::string> bytes = read(part);
      if (!bytes.ok()) {
        context.TryCancel();
        writer->Finish();
        return bytes.status();
      }
      message.set_data(*std::move(bytes));
      open = writer->Write(message);
    }
    writer->WritesDone();
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(writer->Finish()));
    YKT_RETURN_IF_ERROR(base::failpoint::Hit("send_file.after_send"));
    switch (response.answer()) {
      case pb::FILE_ANSWER_ACCEPTED:
        return SendAnswer{FileAnswer::kAccepted, ""};
      case pb::FILE_ANSWER_DUPLICATE:
        return SendAnswer{FileAnswer::kDuplicate, ""};
      case pb::FILE_ANSWER_REFUSED:
        return SendAnswer{FileAnswer::kRefused, response.reason()};
      default:
        return absl::UnknownError("the bank's answer is not understood");
    }
  }

  absl::StatusOr<FileReport> GetFileState(const std::string& file_id) override {
    grpc::ClientContext context;
    channel_->Prepare(context, kTimeout);
    pb::GetFileStateRequest request;
    request.set_file_id(file_id);
    pb::GetFileStateResponse response;
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub_->GetFileState(&context, request, &response)));
    FileReport report;
    switch (response.state()) {
      case pb::FILE_STATE_NOT_FOUND:
        report.state = BankFileState::kNotFound;
        break;
      case pb::FILE_STATE_PROCESSING:
        report.state = BankFileState::kProcessing;
        break;
      case pb::FILE_STATE_DONE:
        report.state = BankFileState::kDone;
        break;
      case pb::FILE_STATE_REFUSED:
        report.state = BankFileState::kRefused;
        break;
      default:
        return absl::UnknownError("the bank's answer is not understood");
    }
    report.sha256 = response.sha256();
    report.word = response.reason();
    report.horizon_days = std::max(0, response.horizon_business_days());
    return report;
  }

  absl::StatusOr<ResultPage> ListResults(std::int64_t after, int count) override {
    grpc::ClientContext context;
    channel_->Prepare(context, kTimeout);
    pb::ListResultsRequest request;
    request.set_after(after);
    request.set_page_size(count);
    request.set_bank_code(bank_code_);
    pb::ListResultsResponse response;
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub_->ListResults(&context, request, &response)));
    if (response.results_size() > count)
      return absl::DataLossError("more results than were asked for");
    ResultPage page;
    page.head = response.head();
    page.results.reserve(static_cast<std::size_t>(response.results_size()));
    for (const pb::RowResult& wire : response.results()) page.results.push_back(FromWire(wire));
    return page;
  }

  absl::StatusOr<std::vector<BankResult>> QueryReferences(
      const std::vector<std::int64_t>& references) override {
    grpc::ClientContext context;
    channel_->Prepare(context, kTimeout);
    pb::QueryReferencesRequest request;
    request.mutable_references()->Assign(references.begin(), references.end());
    request.set_bank_code(bank_code_);
    pb::QueryReferencesResponse response;
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub_->QueryReferences(&context, request, &response)));
    if (response.results_size() != request.references_size()) {
      return absl::DataLossError("not as many answers as questions");
    }
    std::vector<BankResult> answers;
    for (int i = 0; i < response.results_size(); ++i) {
      answers.push_back(FromWire(response.results(i)));
      if (answers.back().reference != request.references(i)) {
        return absl::DataLossError("the answers are not those to the questions");
      }
    }
    return answers;
  }

  absl::Status GetStatement(
      const std::string& agreement_no, absl::CivilDay day,
      const std::function<bool(const StatementHead&)>& on_head,
      const std::function<absl::Status(const std::vector<StatementLine>&)>& on_lines) override {
    grpc::ClientContext context;
    channel_->Prepare(context, kStatementTimeout);
    pb::GetStatementRequest request;
    request.set_agreement_no(agreement_no);
    request.set_business_date(base::FormatDate(day));
    const auto reader = stub_->GetStatement(&context, request);
    const auto stop = [&](absl::Status why) {
      context.TryCancel();
      reader->Finish();
      return why;
    };
    pb::GetStatementResponse message;
    bool first = true;
    std::vector<StatementLine> lines;
    while (reader->Read(&message)) {
      if (message.has_head() != first)
        return stop(absl::DataLossError("a statement has one head, in front"));
      if (first) {
        const pb::StatementHead& head = message.head();
        if (!on_head({head.closed(), head.lines(), head.debit_fen(), head.credit_fen()})) {
          return stop(absl::OkStatus());
        }
        first = false;
      }
      for (pb::StatementLine& wire : *message.mutable_lines()) {
        lines.push_back({wire.line(), wire.reference(), wire.debit(), wire.amount_fen(),
                         std::move(*wire.mutable_bank_serial()),
                         std::move(*wire.mutable_return_code())});
        if (lines.size() == static_cast<std::size_t>(kMaxStatementLines)) {
          if (absl::Status taken = on_lines(lines); !taken.ok()) return stop(taken);
          lines.clear();
        }
      }
    }
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
    if (first) return absl::DataLossError("a statement without a head");
    return lines.empty() ? absl::OkStatus() : on_lines(lines);
  }

 private:
  const std::shared_ptr<rpc::Channel> channel_;
  const std::unique_ptr<pb::AgentBankService::Stub> stub_;
  const std::string bank_code_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<AgentBank>> GrpcAgentBanks::Of(const Bank& bank) {
  if (bank.address.empty()) return absl::NotFoundError("the bank has no address");
  const std::lock_guard lock(mutex_);
  std::shared_ptr<rpc::Channel>& channel = channels_[{bank.address, bank.tls_name}];
  if (channel == nullptr) {
    rpc::ChannelOptions options;
    options.address = bank.address;
    options.server =
        bank.tls_name.empty() ? bank.address.substr(0, bank.address.rfind(':')) : bank.tls_name;
    options.tls = tls_;
    options.retry_unavailable = false;
    absl::StatusOr<std::unique_ptr<rpc::Channel>> opened = rpc::Channel::Open(options);
    if (!opened.ok()) {
      channels_.erase({bank.address, bank.tls_name});
      return opened.status();
    }
    channel = *std::move(opened);
  }
  return std::make_shared<GrpcAgentBank>(channel, bank.bank_code);
}

}  // namespace yikatong::bankgateway
