#include <fmt/core.h>

#include <optional>
#include <utility>

#include "common/base/hex.h"
#include "common/crypto/sha256.h"
#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/commands/upload.h"
#include "services/yktctl/csv.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::dispatch::v1;

absl::Status FillItem(const CsvReader& in, std::int64_t number, v1::ItemRow& row) {
  YKT_ASSIGN_OR_RETURN(const std::int64_t given, in.Number("row"));
  row.set_row(given == 0 ? number : given);
  row.set_id_no(std::string(in.Get("id_no")));
  row.set_name(std::string(in.Get("name")));
  row.set_payee_id_no(std::string(in.Get("payee_id_no")));
  row.set_payee_name(std::string(in.Get("payee_name")));
  YKT_ASSIGN_OR_RETURN(const std::int64_t amount, in.Fen("amount"));
  row.set_amount_fen(amount);
  YKT_ASSIGN_OR_RETURN(const std::int64_t quantity, in.Number("quantity"));
  row.set_quantity(quantity);
  YKT_ASSIGN_OR_RETURN(const std::int64_t members, in.Number("members"));
  row.set_members(static_cast<std::int32_t>(members));
  YKT_ASSIGN_OR_RETURN(const std::int64_t income, in.Fen("income"));
  row.set_income_fen(income);
  YKT_ASSIGN_OR_RETURN(const std::int64_t bill, in.Fen("bill"));
  row.set_bill_fen(bill);
  row.set_tier(std::string(in.Get("tier")));
  row.set_object_id(std::string(in.Get("object_id")));
  return absl::OkStatus();
}

absl::StatusOr<Uploaded> UploadItems(Session& session, std::int64_t batch_id,
                                     const std::string& path) {
  YKT_ASSIGN_OR_RETURN(CsvReader in, CsvReader::Open(path, {"id_no", "name", "amount"}));
  YKT_ASSIGN_OR_RETURN(rpc::Channel * channel, session.To("dispatch"));
  const auto stub = v1::DispatchService::NewStub(channel->grpc());
  grpc::ClientContext context;
  session.Prepare(*channel, context, absl::Hours(1));
  const auto stream = stub->UploadItems(&context);
  std::ifstream sized(path, std::ios::binary | std::ios::ate);
  Uploaded uploaded;
  Progress progress(session, "bytes of the roster", static_cast<std::int64_t>(sized.tellg()));
  std::int32_t chunk = 0;
  std::int64_t number = 0;
  // A chunk holds consecutive rows: the row after a jump in the numbers waits for the next one.
  std::optional<v1::ItemRow> ahead;
  const absl::Status status = UploadChunks<v1::UploadItemsRequest, v1::UploadItemsResponse>(
      *stream,
      [&](v1::UploadItemsRequest& request) -> absl::StatusOr<bool> {
        request.set_batch_id(batch_id);
        request.set_chunk(++chunk);
        std::size_t bytes = 0;
        while (request.rows_size() < kRowsAChunk && bytes < kBytesAChunk) {
          if (!ahead) {
            YKT_ASSIGN_OR_RETURN(const bool more, in.Next());
            if (!more) break;
            YKT_RETURN_IF_ERROR(FillItem(in, ++number, ahead.emplace()));
          }
          const int filled = request.rows_size();
          if (filled > 0 && ahead->row() != request.rows(filled - 1).row() + 1) break;
          bytes += ahead->ByteSizeLong() + 4;
          request.add_rows()->Swap(&*ahead);
          ahead.reset();
        }
        progress.Set(in.bytes_read());
        return request.rows_size() > 0;
      },
      [&](const v1::UploadItemsResponse& response) {
        ++uploaded.chunks;
        uploaded.accepted += response.accepted();
        for (const auto& one : response.rejections()) {
          uploaded.refused.push_back({one.row(), one.reason(), one.detail()});
        }
      });
  YKT_RETURN_IF_ERROR(status);
  return uploaded;
}

// Follows a batch until it is settled, cancelled, or the time is over.
absl::Status Watch(Session& session, std::int64_t batch_id) {
  YKT_ASSIGN_OR_RETURN(rpc::Channel * channel, session.To("dispatch"));
  const auto stub = v1::DispatchService::NewStub(channel->grpc());
  grpc::ClientContext context;
  session.Prepare(*channel, context);
  v1::WatchBatchRequest request;
  request.set_batch_id(batch_id);
  const auto stream = stub->WatchBatch(&context, request);
  v1::WatchBatchResponse response;
  Progress progress(session, fmt::format("batch {}", batch_id), 0);
  while (stream->Read(&response)) {
    if (session.options().json) std::cout << ToJson(response) << '\n' << std::flush;
    progress.SetTotal(response.progress().total());
    progress.Set(response.progress().done(), response.progress().stage());
  }
  return rpc::FromGrpc(stream->Finish());
}

// Binds a file as evidence by its hash; the bytes stay where they are.
absl::Status Attach(Session& session, std::int64_t batch_id, const std::string& path,
                    const std::string& kind, const std::string& media_type,
                    const std::string& uri) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return status::Refuse(status::Reason::kAttachmentInvalid, path + " cannot be read");
  crypto::Sha256Hasher hasher;
  std::string buffer(1 << 20, '\0');
  std::int64_t size = 0;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
    hasher.Update(std::string_view(buffer).substr(0, static_cast<std::size_t>(in.gcount())));
    size += in.gcount();
  }
  v1::AddAttachmentRequest request;
  request.set_request_id(session.RequestId());
  request.set_batch_id(batch_id);
  auto& attachment = *request.mutable_attachment();
  attachment.set_kind(kind);
  attachment.set_sha256(crypto::StringOf(hasher.Finish()));
  attachment.set_byte_size(size);
  attachment.set_uri(uri.empty() ? "file:" + path : uri);
  attachment.set_media_type(media_type);
  v1::Batch batch;
  YKT_RETURN_IF_ERROR(Call<v1::DispatchService>(
      session, "dispatch", &v1::DispatchService::Stub::AddAttachment, request, batch));
  Print(session, batch);
  return absl::OkStatus();
}

void AddCollection(CLI::App& batch, Session& session, int& code, const Field& id,
                   const std::vector<Field>& page) {
  using Dispatch = v1::DispatchService;
  AddCall<Dispatch>(batch, session, code, "create", "Open a batch", "dispatch",
                    &Dispatch::Stub::CreateBatch,
                    {{"district", "District that pays", true},
                     {"department_id", "Department", true, "department"},
                     {"policy_id", "Policy", true, "policy"},
                     {"period", "2026, 2026-Q1, 2026-03 or LIFE", true},
                     {"declared_count", "Rows that will come", true, "count"},
                     {"declared_fen", "Their sum in yuan", true, "total"},
                     {"pay_on", "Day of payment"}});
  CLI::App* upload =
      batch.add_subcommand("upload", "Upload a roster from a CSV file; run again after a break");
  auto upload_id = std::make_shared<std::int64_t>(0);
  auto file = std::make_shared<std::string>();
  upload->add_option("file", *file, "CSV with id_no,name,amount,…")->required();
  upload->add_option("--id", *upload_id, "Batch")->required();
  upload->callback([&session, &code, upload_id, file] {
    const auto uploaded = UploadItems(session, *upload_id, *file);
    code = uploaded.ok() ? PrintUploaded(session, *uploaded) : Fail(session, uploaded.status());
  });
  AddCall<Dispatch>(batch, session, code, "seal",
                    "End the collection; count and total must be as declared", "dispatch",
                    &Dispatch::Stub::SealBatch, {id});
  AddCall<Dispatch>(
      batch, session, code, "departures", "Who was in last period's roster and is not in this one",
      "dispatch", &Dispatch::Stub::ListDepartures,
      {id, {"unexplained_only", "Only those without a reason: yes or no"}, page[0], page[1]});
  AddCall<Dispatch>(
      batch, session, code, "explain", "Say why people left", "dispatch",
      &Dispatch::Stub::ExplainDepartures,
      {id, {"person_ids", "People; none for all", false, "person"}, {"reason", "Why", true}});
  AddCall<Dispatch>(batch, session, code, "rejections", "Rows that were refused", "dispatch",
                    &Dispatch::Stub::ListRejections, {id, page[0], page[1]});
  AddCall<Dispatch>(batch, session, code, "items", "Items, by state", "dispatch",
                    &Dispatch::Stub::ListItems,
                    {id, {"state", "paid, failed, unroutable …"}, page[0], page[1]});
  AddCall<Dispatch>(batch, session, code, "cancel", "Cancel a batch before it is released",
                    "dispatch", &Dispatch::Stub::CancelBatch, {id, {"reason", "Why", true}});
}

void AddReview(CLI::App& batch, Session& session, int& code, const Field& id,
               const std::vector<Field>& page) {
  using Dispatch = v1::DispatchService;
  CLI::App* attach = batch.add_subcommand("attach", "Bind a file as evidence by its hash");
  auto attach_id = std::make_shared<std::int64_t>(0);
  auto file = std::make_shared<std::string>();
  auto kind = std::make_shared<std::string>();
  auto media = std::make_shared<std::string>("application/octet-stream");
  auto uri = std::make_shared<std::string>();
  attach->add_option("file", *file, "The file")->required();
  attach->add_option("--id", *attach_id, "Batch")->required();
  attach->add_option("--kind", *kind, "notice_photo, signed_roster, decision or other")->required();
  attach->add_option("--media-type", *media, "Such as image/jpeg");
  attach->add_option("--uri", *uri, "Where the bytes are kept, where that is not here");
  attach->callback([&session, &code, attach_id, file, kind, media, uri] {
    const absl::Status status = Attach(session, *attach_id, *file, *kind, *media, *uri);
    if (!status.ok()) code = Fail(session, status);
  });
  AddCall<Dispatch>(batch, session, code, "publish-notice",
                    "Make the masked list public for objection", "dispatch",
                    &Dispatch::Stub::PublishNotice, {id});
  AddCall<Dispatch>(batch, session, code, "notice", "The public lines", "dispatch",
                    &Dispatch::Stub::ListNoticeLines, {id, page[0], page[1]});
  AddCall<Dispatch>(batch, session, code, "object", "Record an objection; its item is held",
                    "dispatch", &Dispatch::Stub::RaiseObjection,
                    {id, {"item_id", "Item", true, "item"}, {"text", "What was said", true}});
  AddCall<Dispatch>(batch, session, code, "decide", "Decide an objection", "dispatch",
                    &Dispatch::Stub::DecideObjection,
                    {id,
                     {"objection_id", "Objection", true, "objection"},
                     {"decision", "UPHELD, REJECTED or WITHDRAWN", true},
                     {"reason", "Why", true}});
  AddCall<Dispatch>(batch, session, code, "close-notice", "End a notice whose days are over",
                    "dispatch", &Dispatch::Stub::CloseNotice, {id});
  AddCall<Dispatch>(batch, session, code, "review", "Take the next review step", "dispatch",
                    &Dispatch::Stub::ReviewBatch,
                    {id,
                     {"step", "The step's name", true},
                     {"approve", "yes, or no to return", true},
                     {"comment", "Comment"}});
}

void AddPayment(CLI::App& batch, Session& session, int& code, const Field& id) {
  using Dispatch = v1::DispatchService;
  AddCall<Dispatch>(batch, session, code, "fund", "Reserve the batch's money", "dispatch",
                    &Dispatch::Stub::FundBatch, {id});
  AddCall<Dispatch>(batch, session, code, "release", "Release it for payment", "dispatch",
                    &Dispatch::Stub::ReleaseBatch, {id});
  AddCall<Dispatch>(batch, session, code, "reissue",
                    "Send failed, returned or unroutable items again", "dispatch",
                    &Dispatch::Stub::ReissueItems,
                    {id,
                     {"item_ids", "Items; none for all that can be", false, "item"},
                     {"reason", "What was corrected", true}});
  AddCall<Dispatch>(batch, session, code, "abandon", "End items that cannot be paid", "dispatch",
                    &Dispatch::Stub::AbandonItems,
                    {id, {"item_ids", "Items", true, "item"}, {"reason", "Why", true}});
  AddCall<Dispatch>(batch, session, code, "close", "Close a settled batch", "dispatch",
                    &Dispatch::Stub::CloseBatch, {id});
  CLI::App* watch = batch.add_subcommand("watch", "Follow a batch until it is settled");
  auto watched = std::make_shared<std::int64_t>(0);
  watch->add_option("--id", *watched, "Batch")->required();
  watch->callback([&session, &code, watched] {
    const absl::Status status = Watch(session, *watched);
    if (!status.ok()) code = Fail(session, status);
  });
}

}  // namespace

void AddBatchCommands(CLI::App& app, Session& session, int& code) {
  using Dispatch = v1::DispatchService;
  CLI::App* batch =
      app.add_subcommand("batch", "Batches, from collection to closed")->require_subcommand(1);
  const Field id = {"batch_id", "Batch", true, "id"};
  const std::vector<Field> page = {{"page_size", "Rows a page"}, {"page_token", "Page"}};
  AddCall<Dispatch>(*batch, session, code, "show", "One batch with its totals", "dispatch",
                    &Dispatch::Stub::GetBatch, {id});
  AddCall<Dispatch>(
      *batch, session, code, "list", "Batches, the newest first", "dispatch",
      &Dispatch::Stub::ListBatches,
      {{"district", "District; none for all of yours"},
       {"policy_id", "Policy", false, "policy"},
       {"state", "COLLECTING, SEALED …"},
       page[0],
       page[1]},
      {"batch_id", "district", "policy_id", "period", "state", "declared_count", "declared_fen"});
  AddCollection(*batch, session, code, id, page);
  AddReview(*batch, session, code, id, page);
  AddPayment(*batch, session, code, id);
}

}  // namespace yikatong::yktctl
