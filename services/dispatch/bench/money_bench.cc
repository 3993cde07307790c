// How fast chunks are routed, submitted and their outcomes applied, with peers that answer at once:
// what dispatch itself and its database cost. Prints, and asserts nothing.
//
//   dispatch_money_bench [items, default 20000]
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of the server's backends that live now: all that take part stay connected.
double ServerCpuSeconds(pid_t postmaster) {
  double ticks = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos)
      continue;
    std::ifstream in(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) continue;
    // state, parent, nine fields that do not matter here, ticks in user and in kernel mode
    std::istringstream fields(text.substr(name_end + 1));
    std::string skipped;
    std::int64_t parent = 0, user = 0, system = 0;
    fields >> skipped >> parent;
    for (int i = 0; i < 9; ++i) fields >> skipped;
    fields >> user >> system;
    if (parent == postmaster) ticks += static_cast<double>(user + system);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class MoneyBench : public MoneyTest {
 public:
  void TestBody() override {}

  void Go(int items) {
    SetUpTestSuite();
    Renew(items);
    Measure(items);
    rig_.reset();
    TearDownTestSuite();
  }

 private:
  void Measure(int items) {
    fmt::print("{} items in chunks of 2000\n", items);
    const std::int64_t batch = Paying(items);
    Sql("ANALYZE");
    Replica replica(*rig_, "bench");
    const auto measure = [&](const char* what, auto&& work) {
      const std::int64_t statements = rig_->pg->database().Counters().statements;
      const double cpu = OwnCpuSeconds();
      const double server = ServerCpuSeconds(server_->pid());
      const auto start = std::chrono::steady_clock::now();
      work();
      const double wall =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      fmt::print(
          "{:<22} {:>9.0f} rows/s   {:>6.2f} us CPU here, {:>6.2f} us in PostgreSQL, {:>5} "
          "statements\n",
          what, items / wall, 1e6 * (OwnCpuSeconds() - cpu) / items,
          1e6 * (ServerCpuSeconds(server_->pid()) - server) / items,
          rig_->pg->database().Counters().statements - statements);
    };
    measure("route, submit, send", [&] { Work(replica); });
    const std::int64_t first = Item(batch, 1);
    for (int from = 0; from < items; from += 2'000) {
      std::vector<ReportedOutcome> outcomes;
      for (int i = from; i < std::min(items, from + 2'000); ++i) {
        outcomes.push_back(i % 50 == 0 ? Failed((first + i) * 100 + 1)
                                       : Paid((first + i) * 100 + 1));
      }
      Report(std::move(outcomes));
    }
    measure("outcomes", [&] { Follow(replica); });
    measure("find what to reissue", [&] { (void)Reissue(batch, {}); });
  }
};

}  // namespace
}  // namespace yikatong::dispatch::testing

int main(int argc, char** argv) {
  yikatong::dispatch::testing::MoneyBench bench;
  bench.Go(argc > 1 ? std::stoi(argv[1]) : 20'000);
  return 0;
}
