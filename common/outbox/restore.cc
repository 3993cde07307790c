#include "common/outbox/restore.h"

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/outbox/outbox.h"
#include "common/outbox/sql/queries.h"
#include "common/postgres/settings.h"
#include "common/status/status.h"

namespace yikatong::outbox {
namespace {

using postgres::Rows;
using postgres::Transaction;
using status::Reason;

constexpr std::size_t kMaxIdLength = 64;
constexpr int kWholeCity = 120000;

bool IsRestoreId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

absl::StatusOr<std::int64_t> Read(Transaction& tx, const postgres::Query& read) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(read));
  YKT_INVARIANT(rows.size() == 1, "there is not one restore epoch");
  return rows[0].Int64(0);
}

}  // namespace

void DeclareRestore(config::Schema& schema) {
  schema.Text(
      "restore_id", "",
      "Name of the restore that --raise-restore-epoch is for, such as its day: letters, "
      "digits, - _ . only. The same for all services; done once for each name, by --migrate "
      "too.");
}

absl::StatusOr<std::int64_t> ReadRestoreEpoch(postgres::Database& database,
                                              const postgres::Query& read) {
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(database.Read("read_epoch", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(epoch, Read(tx, read));
    return absl::OkStatus();
  }));
  return epoch;
}

absl::Status AppendOwn(Transaction& tx, std::string_view service, std::string_view kind,
                       std::map<std::string, std::string> details) {
  const base::SystemClock clock;
  base::RandomIdSource ids;
  Entry entry;
  entry.service = service;
  entry.kind = kind;
  entry.district = kWholeCity;
  entry.subject = "services/" + std::string(service);
  entry.actor_org = "service:" + std::string(service);
  entry.at = clock.Now();
  entry.business_date = base::BeijingDate(entry.at);
  entry.details = std::move(details);
  return Append(tx, ids.NewId(), entry);
}

absl::Status RaiseRestoreEpoch(const std::string& restore_id, std::string_view service,
                               const postgres::DatabaseOptions& options,
                               const postgres::Query& read, const postgres::Query& raise,
                               std::ostream& out) {
  if (!IsRestoreId(restore_id)) {
    return status::Refuse(Reason::kConfigInvalid,
                          "restore_id must name the restore, with letters, digits, - _ . only");
  }
  postgres::Database database(options);
  std::int64_t epoch = 0;
  bool before = false;
  YKT_RETURN_IF_ERROR(database.Transact("raise_epoch", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows done, tx.Run(kRestoredFind, restore_id));
    before = !done.empty();
    if (before) {
      epoch = done[0].Int64(0);
      return absl::OkStatus();
    }
    YKT_ASSIGN_OR_RETURN(const std::int64_t former, Read(tx, read));
    if (former >= kMaxRestoreEpoch) {
      return status::Refuse(Reason::kStateConflict, "the last of the restore epochs has begun",
                            {{"epoch", std::to_string(former)}});
    }
    YKT_ASSIGN_OR_RETURN(
        const Rows acked,
        tx.Run(kRestoredAcknowledged, std::string(service) + "/" + std::to_string(former)));
    const std::int64_t kept = acked.empty() ? 0 : acked[0].Int64(0);
    YKT_ASSIGN_OR_RETURN(epoch, Read(tx, raise));
    YKT_RETURN_IF_ERROR(tx.Run(kRestoredInsert, restore_id, epoch, kept).status());
    return AppendOwn(tx, service, "service.restored",
                     {{"restore_id", restore_id},
                      {"former_epoch", std::to_string(former)},
                      {"kept_through", std::to_string(kept)}});
  }));
  out << "restore epoch: " << epoch << (before ? " (raised before)\n" : "\n");
  return absl::OkStatus();
}

rpc::Commands WithRestores(const Numbered& numbered, rpc::Commands own) {
  own.migrate = [numbered](const config::Config& config) -> absl::Status {
    YKT_RETURN_IF_ERROR(
        postgres::MigrateAsOwner(config, numbered.service, numbered.migrations, std::cout));
    const std::string& restore_id = config.Text("restore_id");
    if (restore_id.empty()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(const postgres::DatabaseOptions owner,
                         postgres::OwnerOptionsOf(config, numbered.service));
    return RaiseRestoreEpoch(restore_id, numbered.service, owner, numbered.read, numbered.raise,
                             std::cout);
  };
  own.raise_restore_epoch = [numbered](const config::Config& config) {
    return RaiseRestoreEpoch(config.Text("restore_id"), numbered.service,
                             postgres::DatabaseOptionsOf(config, numbered.service), numbered.read,
                             numbered.raise, std::cout);
  };
  return own;
}

}  // namespace yikatong::outbox
