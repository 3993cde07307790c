#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/commands/upload.h"
#include "services/yktctl/csv.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::registry::v1;

// `ACTIVE` of a file as CARD_STATE_ACTIVE; 0 for an empty cell. INVALID_ARGUMENT for a word that
// there is none of.
absl::StatusOr<int> EnumOf(const google::protobuf::EnumDescriptor& type, const CsvReader& row,
                           const char* column) {
  std::string text(row.Get(column));
  if (text.empty()) return 0;
  std::string prefix = type.value(0)->name();
  prefix.resize(prefix.size() - std::string_view("UNSPECIFIED").size());
  const auto* value = type.FindValueByName(prefix + text);
  if (value == nullptr) {
    return status::Refuse(
        status::Reason::kFieldInvalid,
        "line " + std::to_string(row.line()) + ": `" + column + "` is none of the known words");
  }
  return value->number();
}

absl::Status FillPerson(const CsvReader& in, std::int64_t number, v1::PersonRow& row) {
  row.set_row(number);
  row.set_id_no(std::string(in.Get("id_no")));
  row.set_name(std::string(in.Get("name")));
  YKT_ASSIGN_OR_RETURN(const std::int64_t village, in.Number("village_code"));
  row.set_village_code(village);
  row.set_household_no(std::string(in.Get("household_no")));
  YKT_ASSIGN_OR_RETURN(const int role,
                       EnumOf(*v1::HouseholdRole_descriptor(), in, "household_role"));
  row.set_household_role(static_cast<v1::HouseholdRole>(role));
  row.set_guardian_id_no(std::string(in.Get("guardian_id_no")));
  row.set_phone(std::string(in.Get("phone")));
  row.set_died_on(std::string(in.Get("died_on")));
  row.set_card_no(std::string(in.Get("card_no")));
  YKT_ASSIGN_OR_RETURN(const int state, EnumOf(*v1::CardState_descriptor(), in, "card_state"));
  row.set_card_state(static_cast<v1::CardState>(state));
  row.set_card_bank_code(std::string(in.Get("card_bank_code")));
  row.set_card_account_no(std::string(in.Get("card_account_no")));
  row.set_card_account_name(std::string(in.Get("card_account_name")));
  row.set_legacy_bank_code(std::string(in.Get("legacy_bank_code")));
  row.set_legacy_account_no(std::string(in.Get("legacy_account_no")));
  YKT_ASSIGN_OR_RETURN(const int kind, EnumOf(*v1::AccountKind_descriptor(), in, "legacy_kind"));
  row.set_legacy_kind(static_cast<v1::AccountKind>(kind));
  return absl::OkStatus();
}

absl::Status FillChange(const CsvReader& in, std::int64_t number, v1::ChangeRow& row) {
  row.set_row(number);
  row.set_event_id(std::string(in.Get("event_id")));
  YKT_ASSIGN_OR_RETURN(const int kind, EnumOf(*v1::ChangeKind_descriptor(), in, "kind"));
  row.set_kind(static_cast<v1::ChangeKind>(kind));
  row.set_id_no(std::string(in.Get("id_no")));
  row.set_happened_on(std::string(in.Get("happened_on")));
  row.set_card_no(std::string(in.Get("card_no")));
  row.set_bank_code(std::string(in.Get("bank_code")));
  row.set_account_no(std::string(in.Get("account_no")));
  row.set_account_name(std::string(in.Get("account_name")));
  YKT_ASSIGN_OR_RETURN(const std::int64_t village, in.Number("village_code"));
  row.set_village_code(village);
  return absl::OkStatus();
}

template <typename Response>
std::function<void(const Response&)> Collect(Uploaded& uploaded, Progress& progress) {
  return [&](const Response& response) {
    ++uploaded.chunks;
    uploaded.accepted += response.accepted();
    for (const auto& one : response.rejections()) {
      uploaded.refused.push_back({one.row(), one.reason(), one.detail()});
    }
    progress.Set(uploaded.accepted + static_cast<std::int64_t>(uploaded.refused.size()));
  };
}

// The rows of a file, to size the bar; the head is not counted.
std::int64_t CountRows(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::max<std::int64_t>(
      0,
      std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n') - 1);
}

absl::StatusOr<Uploaded> LoadPeople(Session& session, const std::string& path,
                                    const std::string& load_id) {
  YKT_ASSIGN_OR_RETURN(CsvReader in, CsvReader::Open(path, {"id_no", "name", "village_code"}));
  YKT_ASSIGN_OR_RETURN(rpc::Channel * channel, session.To("registry"));
  const auto stub = v1::RegistryService::NewStub(channel->grpc());
  grpc::ClientContext context;
  session.Prepare(*channel, context, absl::Hours(1));
  const auto stream = stub->LoadPeople(&context);
  Uploaded uploaded;
  Progress progress(session, "people", CountRows(path));
  std::int32_t chunk = 0;
  std::int64_t number = 0;
  bool more = true;
  const absl::Status status = UploadChunks<v1::LoadPeopleRequest, v1::LoadPeopleResponse>(
      *stream,
      [&](v1::LoadPeopleRequest& request) -> absl::StatusOr<bool> {
        request.set_load_id(load_id);
        request.set_chunk(++chunk);
        std::size_t bytes = 0;
        while (more && request.rows_size() < kRowsAChunk && bytes < kBytesAChunk) {
          YKT_ASSIGN_OR_RETURN(more, in.Next());
          if (!more) break;
          v1::PersonRow& row = *request.add_rows();
          YKT_RETURN_IF_ERROR(FillPerson(in, ++number, row));
          bytes += row.ByteSizeLong() + 4;
        }
        return request.rows_size() > 0;
      },
      Collect<v1::LoadPeopleResponse>(uploaded, progress));
  YKT_RETURN_IF_ERROR(status);
  return uploaded;
}

absl::StatusOr<Uploaded> ApplyChanges(Session& session, const std::string& path,
                                      const std::string& source) {
  YKT_ASSIGN_OR_RETURN(CsvReader in,
                       CsvReader::Open(path, {"event_id", "kind", "id_no", "happened_on"}));
  YKT_ASSIGN_OR_RETURN(rpc::Channel * channel, session.To("registry"));
  const auto stub = v1::RegistryService::NewStub(channel->grpc());
  grpc::ClientContext context;
  session.Prepare(*channel, context, absl::Hours(1));
  const auto stream = stub->ApplyChanges(&context);
  Uploaded uploaded;
  Progress progress(session, "changes", CountRows(path));
  std::int32_t chunk = 0;
  std::int64_t number = 0;
  bool more = true;
  const absl::Status status = UploadChunks<v1::ApplyChangesRequest, v1::ApplyChangesResponse>(
      *stream,
      [&](v1::ApplyChangesRequest& request) -> absl::StatusOr<bool> {
        request.set_source(source);
        request.set_chunk(++chunk);
        while (more && request.rows_size() < kRowsAChunk) {
          YKT_ASSIGN_OR_RETURN(more, in.Next());
          if (!more) break;
          YKT_RETURN_IF_ERROR(FillChange(in, ++number, *request.add_rows()));
        }
        return request.rows_size() > 0;
      },
      Collect<v1::ApplyChangesResponse>(uploaded, progress));
  YKT_RETURN_IF_ERROR(status);
  return uploaded;
}

}  // namespace

void AddPersonCommands(CLI::App& app, Session& session, int& code) {
  using Registry = v1::RegistryService;
  CLI::App* person =
      app.add_subcommand("person", "People, cards and accounts")->require_subcommand(1);

  CLI::App* load = person->add_subcommand("load", "Load people from a CSV file");
  auto file = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  load->add_option("file", *file, "CSV with id_no,name,village_code,…")->required();
  load->add_option("--load-id", *id, "The same id goes on with a load that broke off");
  load->callback([&session, &code, file, id] {
    const auto uploaded = LoadPeople(session, *file, id->empty() ? session.RequestId() : *id);
    code = uploaded.ok() ? PrintUploaded(session, *uploaded) : Fail(session, uploaded.status());
  });
  CLI::App* change =
      person->add_subcommand("change", "Take changes (deaths, cards, moves) from a CSV file");
  auto source = std::make_shared<std::string>();
  change->add_option("file", *file, "CSV with event_id,kind,id_no,happened_on,…")->required();
  change
      ->add_option("--source", *source, "Where the events come from: card_office, civil_affairs …")
      ->required();
  change->callback([&session, &code, file, source] {
    const auto uploaded = ApplyChanges(session, *file, *source);
    code = uploaded.ok() ? PrintUploaded(session, *uploaded) : Fail(session, uploaded.status());
  });

  const Field purpose = {"purpose", "What it is asked for; it is recorded", true};
  AddCall<Registry>(*person, session, code, "find", "Find a person by ID number", "registry",
                    &Registry::Stub::FindPerson, {{"id_no", "ID number", true}, purpose});
  AddCall<Registry>(*person, session, code, "get", "Get a person, masked", "registry",
                    &Registry::Stub::GetPerson, {{"person_id", "Person", true, "id"}, purpose});
  AddCall<Registry>(*person, session, code, "history",
                    "What happened to a person's cards and places", "registry",
                    &Registry::Stub::ListPersonHistory,
                    {{"person_id", "Person", true, "id"},
                     purpose,
                     {"page_size", "Rows a page"},
                     {"page_token", "Page"}});
  AddCall<Registry>(*person, session, code, "household", "Get a household", "registry",
                    &Registry::Stub::GetHousehold,
                    {{"household_id", "Household", true, "id"}, purpose});
  AddCall<Registry>(*person, session, code, "merge", "Merge two records of one person", "registry",
                    &Registry::Stub::MergePeople,
                    {{"kept_person_id", "Person that stays", true, "kept"},
                     {"merged_person_id", "Person that becomes an alias", true, "merged"},
                     {"reason", "Why", true}});
  AddCall<Registry>(*person, session, code, "statistics", "Counts", "registry",
                    &Registry::Stub::GetStatistics, {{"district", "District; none for all"}});
}

}  // namespace yikatong::yktctl
