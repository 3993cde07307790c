#include "common/postgres/testing/pg_fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <thread>
#include <utility>
#include <vector>

#include "common/postgres/migrate.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

namespace fs = std::filesystem;

constexpr int kStartTimeoutMs = 30'000;
constexpr char kPassword[] = "only-for-tests";

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "pg_fixture: %s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

std::string BinDir() {
  if (const char* dir = std::getenv("YIKATONG_PG_BIN"); dir != nullptr) return dir;
  for (const char* dir :
       {"/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/usr/local/pgsql/bin"}) {
    if (fs::exists(std::string(dir) + "/postgres")) return dir;
  }
  Die("no PostgreSQL server found; set YIKATONG_PG_BIN");
}

// Whom the server runs as: PostgreSQL refuses root.
struct Account {
  uid_t uid;
  gid_t gid;
};
std::optional<Account> ServerAccount() {
  if (geteuid() != 0) return std::nullopt;
  const passwd* entry = getpwnam("postgres");
  if (entry == nullptr) Die("no account named postgres to run the server as");
  return Account{entry->pw_uid, entry->pw_gid};
}

// Starts a program as the server's account, its output to `log`. The child ends with SIGQUIT when
// our thread does.
pid_t Spawn(const std::vector<std::string>& command, const std::string& log) {
  const std::optional<Account> account = ServerAccount();
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) Die("fork failed");
  if (pid > 0) return pid;
  // Only what is safe between fork and exec from here on.
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (account.has_value() && (setgroups(1, &account->gid) != 0 || setgid(account->gid) != 0 ||
                              setuid(account->uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (getppid() != parent) _exit(126);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  if (chdir("/") != 0) _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

// Whether a process that is not our child is still there; one that nobody has waited for is not.
bool Runs(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(stat, line)) return false;
  const std::size_t end = line.rfind(')');
  return end != std::string::npos && end + 2 < line.size() && line[end + 2] != 'Z';
}

int WaitFor(pid_t pid) {
  int state = 0;
  while (waitpid(pid, &state, 0) < 0) {
    if (errno != EINTR) Die("waitpid failed");
  }
  return state;
}

void RunOrDie(const std::vector<std::string>& command, const std::string& log) {
  if (WaitFor(Spawn(command, log)) == 0) return;
  std::ifstream in(log);
  Die(fmt::format("{} failed:\n{}", command[0],
                  std::string(std::istreambuf_iterator<char>(in), {})));
}

// A temporary folder that the server's account owns. Short: a socket's path has at most 107 bytes.
std::string MakeFolder() {
  const char* base = std::getenv("TMPDIR");
  std::string folder =
      std::string(base == nullptr || std::string(base).size() > 40 ? "/tmp" : base) +
      "/ykt-pg-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) Die("no temporary folder");
  if (const auto account = ServerAccount(); account.has_value()) {
    if (chown(folder.c_str(), account->uid, account->gid) != 0) Die("chown failed");
  }
  return folder;
}

void CopyTree(const std::string& from, const std::string& to) {
  const pid_t pid = fork();
  if (pid < 0) Die("fork failed");
  if (pid == 0) {
    execl("/bin/cp", "cp", "-a", "--reflink=auto", from.c_str(), to.c_str(), nullptr);
    _exit(127);
  }
  if (WaitFor(pid) != 0) Die("cannot copy the template " + from);
}

// The template's folder, built by the first who comes; others wait for the lock.
std::string TemplateFolder() {
  const char* build = std::getenv("YIKATONG_BUILD_DIR");
  const std::string base = build != nullptr
                               ? std::string(build)
                               : fmt::format("{}/yikatong-{}", fs::temp_directory_path().string(),
                                             static_cast<int>(geteuid()));
  fs::create_directories(base);
  // Its name changes with how it is made, so that an old one is never used.
  std::string folder = base + "/pg-template-1";
  const int lock = open((folder + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) Die("cannot lock " + folder);
  if (!fs::exists(folder)) {
    const std::string work = MakeFolder();
    RunOrDie({BinDir() + "/initdb", "-D", work + "/data", "-U", "postgres", "-A", "trust",
              "--no-sync", "--encoding=UTF8", "--locale=C"},
             work + "/initdb.log");
    std::ofstream(work + "/data/pg_hba.conf") << "local all postgres trust\n"
                                                 "local all all scram-sha-256\n";
    fs::remove_all(folder + ".new");
    CopyTree(work + "/data", folder + ".new");
    fs::rename(folder + ".new", folder);
    fs::remove_all(work);
  }
  close(lock);
  return folder;
}

std::string BaseDatabase(std::string_view service) { return fmt::format("base_{}", service); }

// Runs statements and gives the first value back. What is wrong with them is the test's fault: it
// dies.
std::string RunSql(const std::string& conninfo, std::string_view statements) {
  try {
    pqxx::connection connection(conninfo);
    pqxx::nontransaction work(connection);
    const pqxx::result result = work.exec(std::string(statements));
    return result.empty() || result[0].empty() || result[0][0].is_null()
               ? ""
               : result[0][0].as<std::string>();
  } catch (const std::exception& error) {
    Die(fmt::format("{}\nin: {}", error.what(), statements));
  }
}

}  // namespace

PgFixture::PgFixture(PgFixtureOptions options)
    : options_(std::move(options)), root_(MakeFolder()) {}

std::unique_ptr<PgFixture> PgFixture::Start(PgFixtureOptions options) {
  std::unique_ptr<PgFixture> fixture(new PgFixture(std::move(options)));
  CopyTree(TemplateFolder(), fixture->root_ + "/data");
  std::ofstream conf(fixture->root_ + "/data/postgresql.auto.conf", std::ios::app);
  conf << "listen_addresses = ''\nunix_socket_directories = '" << fixture->root_
       << "'\nmax_connections = 80\nshared_buffers = 32MB\nlogging_collector = off\njit = off\n"
          "synchronous_commit = on\nlog_min_messages = warning\n";
  if (!fixture->options_.durable) conf << "fsync = off\nfull_page_writes = off\n";
  for (const auto& [name, value] : fixture->options_.server_settings) {
    conf << name << " = '" << value << "'\n";
  }
  conf.close();
  fixture->Launch();
  if (!fixture->options_.service.empty()) {
    fixture->AddService(fixture->options_.service, fixture->options_.migrations);
  }
  return fixture;
}

PgFixture::~PgFixture() {
  if (pid_ > 0) {
    kill(pid_, SIGCONT);
    kill(pid_, SIGINT);  // the fast shutdown: ends every session
    WaitFor(pid_);
  }
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void PgFixture::Launch() {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartTimeoutMs);
  const auto spawn = [&] {
    return Spawn({BinDir() + "/postgres", "-D", root_ + "/data"}, root_ + "/log");
  };
  pid_ = spawn();
  for (;;) {
    try {
      pqxx::connection probe(admin_conninfo());
      return;
    } catch (const std::exception&) {
      if (std::chrono::steady_clock::now() > deadline)
        Die("the server does not start: see " + root_ + "/log");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // After kill -9 the old server's children may hold its memory for a moment; the new one then
    // gives up.
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) pid_ = spawn();
  }
}

void PgFixture::AddService(std::string_view service, std::span<const Migration> migrations) {
  const std::string database = BaseDatabase(service);
  const absl::Status made =
      ProvisionServiceDatabase(admin_conninfo(), service, {kPassword, kPassword}, database);
  if (!made.ok()) Die("cannot make " + database + ": " + made.ToString());
  const auto migrated = Migrate(conninfo(OwnerRole(service), database), service, migrations);
  if (!migrated.ok()) {
    std::ifstream log(root_ + "/log");
    Die(fmt::format("cannot migrate {}: {}\n{}", database, migrated.status().ToString(),
                    std::string(std::istreambuf_iterator<char>(log), {})));
  }
}

std::unique_ptr<TestDatabase> PgFixture::FreshDatabase(std::string_view service) {
  const std::string of(service.empty() ? std::string_view(options_.service) : service);
  const std::string name = fmt::format("t{}_{}", ++databases_, of);
  Sql("postgres", fmt::format("CREATE DATABASE {} TEMPLATE {} OWNER {}", name, BaseDatabase(of),
                              OwnerRole(of)));
  // Who may connect is not copied with a database.
  Sql("postgres",
      fmt::format("REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1}",
                  name, RuntimeRole(of)));
  return std::unique_ptr<TestDatabase>(new TestDatabase(*this, of, name));
}

// Its sessions are processes of their own, which answer for a moment after it has died: they die
// with it here.
void PgFixture::Kill() {
  kill(pid_, SIGCONT);
  std::vector<pid_t> all;
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid_));
  for (pid_t child = 0; children >> child;) all.push_back(child);
  kill(pid_, SIGKILL);
  for (const pid_t child : all) kill(child, SIGKILL);
  WaitFor(pid_);
  for (const pid_t child : all) {
    while (Runs(child)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  pid_ = -1;
}

void PgFixture::Restart() { Launch(); }
void PgFixture::Pause() { kill(pid_, SIGSTOP); }
void PgFixture::Resume() { kill(pid_, SIGCONT); }

std::string PgFixture::conninfo(std::string_view role, std::string_view database) const {
  return fmt::format("host={} user={} password={} dbname={} connect_timeout=5", root_, role,
                     kPassword, database);
}

std::string PgFixture::admin_conninfo(std::string_view database) const {
  return fmt::format("host={} user=postgres dbname={} connect_timeout=5", root_, database);
}

std::string PgFixture::Sql(std::string_view database, std::string_view statements) {
  return RunSql(admin_conninfo(database), statements);
}

TestDatabase::TestDatabase(PgFixture& fixture, std::string service, std::string name)
    : fixture_(fixture), service_(std::move(service)), name_(std::move(name)) {}

TestDatabase::~TestDatabase() {
  database_.reset();
  if (fixture_.pid() > 0) {
    fixture_.Sql("postgres", fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name_));
  }
}

std::unique_ptr<Database> TestDatabase::Open(DatabaseOptions options) const {
  options.conninfo = runtime_conninfo();
  return std::make_unique<Database>(std::move(options));
}

Database& TestDatabase::database() {
  if (database_ == nullptr) database_ = Open();
  return *database_;
}

std::string TestDatabase::runtime_conninfo() const {
  return fixture_.conninfo(RuntimeRole(service_), name_);
}

std::string TestDatabase::owner_conninfo() const {
  return fixture_.conninfo(OwnerRole(service_), name_);
}
std::string TestDatabase::Sql(std::string_view statements) {
  return fixture_.Sql(name_, statements);
}

}  // namespace yikatong::postgres
