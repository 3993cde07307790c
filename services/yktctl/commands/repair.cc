// What went wrong, and is mended: wrong payments, money given back, missed amounts, returned
// batches, chunks that were set aside.
#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/csv.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::dispatch::v1;
using Dispatch = v1::DispatchService;

absl::Status FillTopUp(const CsvReader& in, v1::TopUpRow& row) {
  YKT_ASSIGN_OR_RETURN(const std::int64_t item, in.Number("item_id"));
  row.set_item_id(item);
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
  YKT_ASSIGN_OR_RETURN(const std::int64_t age, in.Number("age"));
  row.set_age(static_cast<std::int32_t>(age));
  YKT_ASSIGN_OR_RETURN(const std::int64_t assessed, in.Fen("assessed"));
  row.set_assessed_fen(assessed);
  return absl::OkStatus();
}

absl::Status TopUp(Session& session, v1::CreateTopUpRequest request, const std::string& path) {
  YKT_ASSIGN_OR_RETURN(CsvReader in, CsvReader::Open(path, {"item_id", "amount"}));
  while (true) {
    YKT_ASSIGN_OR_RETURN(const bool more, in.Next());
    if (!more) break;
    YKT_RETURN_IF_ERROR(FillTopUp(in, *request.add_rows()));
  }
  request.set_request_id(session.RequestId());
  v1::Batch batch;
  YKT_RETURN_IF_ERROR(
      Call<Dispatch>(session, "dispatch", &Dispatch::Stub::CreateTopUp, request, batch));
  Print(session, batch);
  return absl::OkStatus();
}

void AddRecoveries(CLI::App& repair, Session& session, int& code, const std::vector<Field>& page) {
  const Field id = {"recovery_id", "Recovery", true, "recovery"};
  AddCall<Dispatch>(repair, session, code, "open", "Ask for wrong payments of one person",
                    "dispatch", &Dispatch::Stub::OpenRecoveries,
                    {{"batch_id", "Batch", true, "id"},
                     {"item_ids", "Items", true, "item"},
                     {"cause", "DECEASED, PAID_TWICE, WRONG_AMOUNT or NOT_ENTITLED", true},
                     {"due_fen", "What has to come back of one item, in yuan; none for all"},
                     {"reason", "Why", true}});
  AddCall<Dispatch>(repair, session, code, "approve", "Approve a recovery that another opened",
                    "dispatch", &Dispatch::Stub::ApproveRecovery, {id});
  AddCall<Dispatch>(repair, session, code, "notify", "Record that the person was told", "dispatch",
                    &Dispatch::Stub::NotifyRecovery, {id, {"notice", "The letter or visit", true}});
  AddCall<Dispatch>(repair, session, code, "receive", "Record money that came back", "dispatch",
                    &Dispatch::Stub::RecordReceipt,
                    {id,
                     {"receipt", "The bank's reference of the receipt", true},
                     {"amount_fen", "The amount in yuan", true},
                     {"received_on", "The day on which it came", true}});
  AddCall<Dispatch>(repair, session, code, "ask-write-off", "Ask to give the rest of a recovery up",
                    "dispatch", &Dispatch::Stub::RequestWriteOff,
                    {id, {"document", "What it is based on", true}, {"reason", "Why", true}});
  AddCall<Dispatch>(repair, session, code, "decide-write-off", "Decide on what another asked",
                    "dispatch", &Dispatch::Stub::DecideWriteOff,
                    {id, {"approve", "yes, or no to go on asking", true}, {"reason", "Why", true}});
  AddCall<Dispatch>(repair, session, code, "cancel", "Cancel a recovery that was not right",
                    "dispatch", &Dispatch::Stub::CancelRecovery, {id, {"reason", "Why", true}});
  AddCall<Dispatch>(repair, session, code, "show", "One recovery", "dispatch",
                    &Dispatch::Stub::GetRecovery, {id});
  AddCall<Dispatch>(repair, session, code, "recoveries", "Recoveries", "dispatch",
                    &Dispatch::Stub::ListRecoveries,
                    {{"district", "District; none for all of yours"},
                     {"batch_id", "Batch", false, "id"},
                     {"case_id", "Case", false, "case"},
                     {"state", "PROPOSED, ORDERED …"},
                     page[0],
                     page[1]},
                    {"recovery_id", "case_id", "batch_id", "item_id", "cause", "state", "due_fen",
                     "received_fen", "due_on"});
}

void AddArrivals(CLI::App& repair, Session& session, int& code, const std::vector<Field>& page) {
  const Field id = {"arrival_id", "Arrival", true, "arrival"};
  AddCall<Dispatch>(repair, session, code, "arrived", "Record money that somebody gave back",
                    "dispatch", &Dispatch::Stub::RecordArrival,
                    {{"district", "District whose account it came to", true},
                     {"receipt", "The bank's reference of the receipt", true},
                     {"amount_fen", "The amount in yuan", true},
                     {"arrived_on", "The day on which it came", true},
                     {"note", "What the bank's notice says, without name or account"}});
  AddCall<Dispatch>(repair, session, code, "confirm", "Say which item it was paid for", "dispatch",
                    &Dispatch::Stub::ConfirmArrival,
                    {id,
                     {"batch_id", "Batch", true, "id"},
                     {"item_id", "Item", true, "item"},
                     {"reason", "Why it was given back", true}});
  AddCall<Dispatch>(repair, session, code, "refuse", "Say that it is none of ours", "dispatch",
                    &Dispatch::Stub::RefuseArrival, {id, {"reason", "Why", true}});
  AddCall<Dispatch>(
      repair, session, code, "arrivals", "Money that was given back", "dispatch",
      &Dispatch::Stub::ListArrivals,
      {{"district", "District; none for all of yours"},
       {"state", "OPEN, CONFIRMED or REFUSED"},
       page[0],
       page[1]},
      {"arrival_id", "district", "receipt", "amount_fen", "arrived_on", "state", "recovery_id"});
}

void AddBatches(CLI::App& repair, Session& session, int& code, const std::vector<Field>& page) {
  const Field id = {"batch_id", "Batch", true, "id"};
  CLI::App* top_up = repair.add_subcommand(
      "top-up", "Open a batch of missed amounts from a CSV file of at most 1000 items");
  auto request = std::make_shared<v1::CreateTopUpRequest>();
  auto file = std::make_shared<std::string>();
  top_up->add_option("file", *file, "CSV with item_id,amount and the corrected figures")
      ->required();
  BindFields(*top_up, *request, {id, {"reason", "Why", true}});
  top_up->callback([&session, &code, request, file] {
    const absl::Status status = TopUp(session, *request, *file);
    if (!status.ok()) code = Fail(session, status);
  });
  AddCall<Dispatch>(repair, session, code, "correct",
                    "Put a corrected batch in the place of one that was returned", "dispatch",
                    &Dispatch::Stub::CorrectBatch,
                    {id,
                     {"declared_count", "Rows that will come", true, "count"},
                     {"declared_fen", "Their sum in yuan", true, "total"},
                     {"reason", "What is corrected", true}});
  AddCall<Dispatch>(repair, session, code, "set-aside", "Chunks that failed three times",
                    "dispatch", &Dispatch::Stub::ListSetAsideChunks,
                    {{"district", "District; none for all of yours"},
                     {"batch_id", "Batch", false, "id"},
                     page[0],
                     page[1]},
                    {"batch_id", "chunk", "repair", "committed", "reason"});
  AddCall<Dispatch>(repair, session, code, "resume", "Take such a chunk back into work", "dispatch",
                    &Dispatch::Stub::ResumeChunk,
                    {id, {"chunk", "Chunk", true}, {"reason", "What was mended", true}});
}

}  // namespace

void AddRepairCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* repair =
      app.add_subcommand("repair", "What went wrong, and is mended")->require_subcommand(1);
  const std::vector<Field> page = {{"page_size", "Rows a page"}, {"page_token", "Page"}};
  AddCall<Dispatch>(*repair, session, code, "list",
                    "Everything that waits for somebody, with what to do and until when",
                    "dispatch", &Dispatch::Stub::ListRepairs,
                    {{"district", "District; none for all of yours"},
                     {"batch_id", "Batch", false, "id"},
                     {"overdue_only", "Only what is overdue: yes or no"},
                     page[0],
                     page[1]},
                    {"kind", "batch_id", "item_id", "subject_id", "amount_fen", "reason",
                     "since_on", "due_on", "overdue", "what_to_do"});
  AddRecoveries(*repair, session, code, page);
  AddArrivals(*repair, session, code, page);
  AddBatches(*repair, session, code, page);
}

}  // namespace yikatong::yktctl
