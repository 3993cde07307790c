#include "services/auditlog/wiring.h"

#include <fmt/core.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/failpoint.h"
#include "common/crypto/keys.h"
#include "common/postgres/migrate.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "services/auditlog/begin_anew.h"
#include "services/auditlog/config.h"

namespace yikatong::auditlog {

Command TakeCommand(std::vector<const char*>& arguments) {
  Command command = Command::kServe;
  std::erase_if(arguments, [&command](const char* argument) {
    const std::string_view text = argument;
    if (text == "--migrate") {
      command = Command::kMigrate;
    } else if (text == "--check-config") {
      command = Command::kCheckConfig;
    } else if (text == "--verify") {
      command = Command::kVerify;
    } else if (text == "--begin-anew") {
      command = Command::kBeginAnew;
    } else {
      return false;
    }
    return true;
  });
  return command;
}

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   const base::Clock& clock,
                                                   telemetry::Metrics& metrics) {
  YKT_ASSIGN_OR_RETURN(const crypto::Ed25519PrivateKey key,
                       crypto::ReadEd25519PrivateKey(config.Path("signing_key")));
  YKT_ASSIGN_OR_RETURN(crypto::NoteSigner signer,
                       crypto::NoteSigner::Make(config.Text("origin"), key));
  return std::unique_ptr<Parts>(new Parts(config, std::move(signer), clock, metrics));
}

Parts::Parts(const config::Config& config, crypto::NoteSigner signer, const base::Clock& clock,
             telemetry::Metrics& metrics)
    : cache_(redis::OpenCache(config, "auditlog", clock, &metrics)),
      database_(postgres::DatabaseOptionsOf(config, "auditlog", &metrics)),
      store_(database_),
      signer_(std::move(signer)),
      memory_(config.Path("checkpoint_file").empty()
                  ? std::nullopt
                  : std::optional<CheckpointFile>(std::in_place, config.Path("checkpoint_file"),
                                                  signer_.verifier())),
      log_(store_, integrity_, memory(), signer_, clock,
           config.Text("former_verifier_key").empty() ? Beginning::kAnyEntry : Beginning::kBreak) {}

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config, RefusalRecorder& refusals) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.allow = redis::RateLimitOf(config, *cache_);
  options.max_request_bytes = static_cast<std::int64_t>(kMaxBytesOfAppend) + (64 << 10);
  options.audit_refusal = [&refusals](const identity::Caller& caller, std::string_view method,
                                      const absl::Status& refusal) {
    refusals.Record(caller, method, refusal);
  };
  return options;
}

WatchmanOptions WatchmanOptionsOf(const config::Config& config) {
  return {config.Duration("check_every"), config.Duration("check_whole_every")};
}

absl::Status RunMigrate(const config::Config& config, std::ostream& out) {
  return postgres::MigrateAsOwner(config, "auditlog", LogMigrations(), out);
}

absl::Status RunVerify(Parts& parts, std::ostream& out, std::ostream& progress) {
  std::uint64_t shown = 0;
  const auto show = [&](std::uint64_t done, std::uint64_t total) {
    if (total > 0 && (done == total || done >= shown + 100'000)) {
      shown = done;
      progress << fmt::format("checked {} of {} entries\n", done, total);
    }
    return true;
  };
  YKT_ASSIGN_OR_RETURN(const VerifyReport report, VerifyWhole(parts.store(), parts.memory(), show));
  out << fmt::format(
      "size: {}\nroot: {}\nentries checked: {}\nnodes checked: {}\nheads checked: {}\n",
      report.size, crypto::HexOf(report.root), report.entries, report.nodes, report.heads);
  for (const Finding& finding : report.findings) {
    out << (finding.index ? fmt::format("ALTERED at index {}: {}\n", *finding.index, finding.what)
                          : fmt::format("ALTERED: {}\n", finding.what));
  }
  if (report.ok()) {
    out << "the log is as it was written\n";
    return absl::OkStatus();
  }
  return status::Refuse(status::Reason::kAuditLogAltered, report.findings.front().what);
}

absl::Status RunBeginAnew(const config::Config& config, Parts& parts, const base::Clock& clock,
                          std::ostream& out) {
  YKT_ASSIGN_OR_RETURN(const Break what, ReadBreak(config, parts.log().verifier()));
  YKT_RETURN_IF_ERROR(postgres::CheckSchema(parts.database(), LogMigrations()));
  YKT_ASSIGN_OR_RETURN(const Begun begun,
                       BeginAnew(parts.log(), parts.store(), parts.memory(), clock,
                                 static_cast<std::int32_t>(config.Int("restore_epoch")), what));
  out << (begun.before ? "the log had begun with this break before; nothing was changed\n"
                       : "the log begins with this break\n");
  out << fmt::format("former log: {}, size {}, root {}\n", what.former.name(), what.last.size,
                     crypto::HexOf(what.last.root));
  out << fmt::format("verifier key: {}\ncheckpoint:\n{}", parts.log().verifier().VerifierKey(),
                     begun.checkpoint.note);
  return absl::OkStatus();
}

int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve) {
  std::vector<const char*> arguments(argv, argv + argc);
  const Command command = TakeCommand(arguments);
  const config::Start start =
      config::FromCommandLine(Settings(), static_cast<int>(arguments.size()), arguments.data(),
                              environ, std::cout, std::cerr);
  if (!start.config) return start.exit_code;
  const base::SystemClock clock;
  absl::Status status;
  if (command == Command::kMigrate) {
    status = RunMigrate(*start.config, std::cout);
  } else if (command == Command::kServe) {
    status = base::failpoint::ArmIfSet(start.config->Path("failpoints"));
    if (status.ok()) status = serve(*start.config);
  } else {
    telemetry::Metrics metrics;
    const auto parts = Parts::Make(*start.config, clock, metrics);
    status = parts.status();
    if (status.ok() && command == Command::kVerify) {
      status = RunVerify(**parts, std::cout, std::cerr);
    } else if (status.ok() && command == Command::kBeginAnew) {
      status = RunBeginAnew(*start.config, **parts, clock, std::cout);
      if (!status.ok()) {
        std::cerr << fmt::format("{}: {}\n", status::ReasonNameOf(status),
                                 status::Describe(status, status::Lang::kEnglish));
        return 1;
      }
    }
  }
  return status.ok() ? 0 : rpc::ExitFailure(status);
}

}  // namespace yikatong::auditlog
