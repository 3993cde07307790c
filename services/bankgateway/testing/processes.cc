#include "services/bankgateway/testing/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "gtest/gtest.h"

namespace yikatong::bankgateway::testing {
namespace {

std::string Environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

}  // namespace

Installation::Installation() {
  std::string folder = (std::filesystem::temp_directory_path() / "gateway_test_XXXXXX").string();
  folder_ = mkdtemp(folder.data());
  const std::string command = Environment("YIKATONG_SOURCE_DIR", ".") +
                              "/deploy/certificates/make " + folder_ + " --organisation ops > " +
                              folder_ + "/make.log 2>&1";
  if (std::system(command.c_str()) != 0) ADD_FAILURE() << "certificates could not be made";
}

Installation::~Installation() { std::filesystem::remove_all(folder_); }

std::string Installation::ServerSettings(const std::string& service, const std::string& ready_file,
                                         int port) const {
  return "grpc_address = 127.0.0.1:" + std::to_string(port) +
         "\ntls_ca = " + Path("services/" + service + "/ca.pem") +
         "\ntls_certificate = " + Path("services/" + service + "/tls.pem") +
         "\ntls_key = " + Path("services/" + service + "/tls.key") +
         "\ntoken_issuers = " + Path("issuers") + "\nready_file = " + ready_file + "\n";
}

int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(descriptor);
  EXPECT_TRUE(bound);
  return ntohs(address.sin_port);
}

pid_t Process::Spawn(const std::vector<std::string>& arguments) const {
  const std::string path = Environment("YIKATONG_BUILD_DIR", ".") + "/bin/" + binary_;
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(path.c_str()));
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string log = config_file_ + ".log";
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    execv(path.c_str(), argv.data());
    _exit(127);
  }
  return pid;
}

void Process::Start() {
  std::filesystem::remove(ready_file_);
  pid_ = Spawn({"--config", config_file_});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!std::filesystem::exists(ready_file_)) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_ || std::chrono::steady_clock::now() > deadline) {
      std::ifstream log(config_file_ + ".log");
      std::stringstream text;
      text << log.rdbuf();
      FAIL() << binary_ << " did not start: " << text.str();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::ifstream ready(ready_file_);
  const std::string json((std::istreambuf_iterator<char>(ready)), std::istreambuf_iterator<char>());
  const std::string key = "\"grpc\":\"";
  const std::size_t at = json.find(key);
  ASSERT_NE(at, std::string::npos) << json;
  grpc_address_ = json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

void Process::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Process::Terminate() {
  kill(pid_, SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int Process::RunOnce(const std::string& argument) const {
  int status = 0;
  waitpid(Spawn({"--config", config_file_, argument}), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace yikatong::bankgateway::testing
