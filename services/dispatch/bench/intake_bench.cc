// Collects one roster over one connection, with a stand-in registry and a private, durable
// PostgreSQL.
//   dispatch_intake_bench [rows]      200000 by default
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "services/dispatch/sql/queries.h"
#include "services/dispatch/testing/rig.h"

namespace dispatch = yikatong::dispatch;
namespace fakes = yikatong::dispatch::testing;
namespace identity = yikatong::identity;
namespace postgres = yikatong::postgres;
namespace v1 = yikatong::dispatch::v1;

namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void Fail(const absl::Status& status) {
  fmt::print(stderr, "{}\n", status.ToString());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  // People are told apart by a thousand sequences of sixty birth years.
  constexpr int kPerDay = 60'000;
  const int rows = argc > 1 ? static_cast<int>(std::strtol(argv[1], nullptr, 10)) : 200'000;
  constexpr int kChunk = 2'000;
  const auto server = postgres::PgFixture::Start(
      {.service = "dispatch", .migrations = dispatch::sql::kMigrations, .durable = true});
  fakes::IntakeRig rig(*server);
  const auto day_of = [](int n) { return 1 + n / kPerDay % 28; };
  for (int n = 0; n < rows; ++n)
    rig.people.At(n % kPerDay, 1980, 1 + n / kPerDay / 28, day_of(n)).person_id = 1'000 + n;

  const identity::Caller caller =
      fakes::CallerOf("operator", {identity::Role::kDepartmentOperator});
  v1::CreateBatchRequest create;
  create.set_request_id(rig.ids.NewId());
  create.set_district(fakes::kHebei);
  create.set_department_id("civil.120105");
  create.set_policy_id("P001");
  create.set_period("2026-03");
  create.set_declared_count(rows);
  create.set_declared_fen(std::int64_t{104'500} * rows);
  const auto batch = rig.handlers.CreateBatch(create, caller);
  if (!batch.ok()) Fail(batch.status());

  dispatch::UploadStream stream;
  double wall = 0, cpu = 0;
  std::int64_t accepted = 0;
  for (int first = 0, chunk = 1; first < rows; first += kChunk, ++chunk) {
    v1::UploadItemsRequest request;
    request.set_batch_id(batch->batch_id());
    request.set_chunk(chunk);
    for (int n = first; n < std::min(rows, first + kChunk); ++n) {
      v1::ItemRow* row = request.add_rows();
      row->set_row(n + 1);
      row->set_id_no(fakes::IdOf(n % kPerDay, 1980, 1 + n / kPerDay / 28, day_of(n)));
      row->set_name(fakes::FakePeople::NameOf(n % kPerDay));
      row->set_amount_fen(104'500);
    }
    const double wall_before = WallSeconds(), cpu_before = CpuSeconds();
    const auto answer = rig.handlers.UploadChunk(request, caller, stream);
    wall += WallSeconds() - wall_before;
    cpu += CpuSeconds() - cpu_before;
    if (!answer.ok()) Fail(answer.status());
    accepted += answer->accepted();
  }
  v1::SealBatchRequest seal;
  seal.set_request_id(rig.ids.NewId());
  seal.set_batch_id(batch->batch_id());
  const double before = WallSeconds();
  const auto sealed = rig.handlers.SealBatch(seal, caller);
  if (!sealed.ok()) Fail(sealed.status());
  const auto counters = rig.pg->database().Counters();
  fmt::print(
      "rows {}  accepted {}  rows/s {:.0f}  cpu us/row {:.1f}  statements/chunk {:.1f}  seal ms "
      "{:.0f}\n",
      rows, accepted, rows / wall, cpu / rows * 1e6,
      static_cast<double>(counters.statements) * kChunk / rows, (WallSeconds() - before) * 1e3);
  return accepted == rows ? 0 : 1;
}
