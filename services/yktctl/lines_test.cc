// `yktctl lines` as a process of its own: it is about what a process does in which nothing else
// runs that would drive its connections.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/rpc/testing/rig.h"
#include "services/yktctl/output.h"

extern char** environ;

namespace yikatong::yktctl {
namespace {

// Command after command to one `yktctl lines`.
class Lines {
 public:
  Lines() {
    int to[2], from[2];
    EXPECT_EQ(pipe2(to, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(from, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    std::string program = std::string(std::getenv("YIKATONG_BUILD_DIR")) + "/bin/yktctl";
    std::string word = "lines";
    char* const arguments[] = {program.data(), word.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    in_ = fdopen(to[1], "w");
    out_ = fdopen(from[0], "r");
  }
  ~Lines() {
    std::fclose(in_);
    std::fclose(out_);
    waitpid(pid_, nullptr, 0);
  }

  // The exit code of one command.
  int Run(const std::vector<std::string>& words) {
    std::fputs((nlohmann::json(words).dump() + "\n").c_str(), in_);
    std::fflush(in_);
    char* line = nullptr;
    std::size_t room = 0;
    int code = -1;
    while (code < 0 && getline(&line, &room, out_) > 0) {
      const nlohmann::json said = nlohmann::json::parse(line, nullptr, false);
      if (said.is_object() && said.contains("exit")) code = said["exit"];
    }
    std::free(line);
    return code;
  }

 private:
  pid_t pid_ = 0;
  std::FILE* in_ = nullptr;
  std::FILE* out_ = nullptr;
};

TEST(RunLines, FindsAServiceAgainThatWasAwayForAWhile) {
  rpc::testing::Rig rig;
  rig.Start();
  rig.options.grpc_address = rig.server->addresses().grpc;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("yktctl-lines-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const rpc::TlsFiles tls = rpc::testing::OrganisationTls(rpc::testing::Installation(), "agri");
  std::ofstream(folder / "token") << rig.Token() << "\n";
  std::ofstream(folder / "endpoints.json") << nlohmann::json{
      {"services",
       // As replicas are told, of which one is left.
       {{"catalogue", {{"address", "ipv4:" + rig.options.grpc_address}, {"tls_name", "probe"}}}}},
      {"people",
       {{"somebody",
         {{"token_file", folder / "token"},
          {"tls_ca", tls.ca},
          {"tls_certificate", tls.certificate},
          {"tls_key", tls.key}}}}}};
  const std::vector<std::string> command = {
      "--endpoints", folder / "endpoints.json", "--as", "somebody", "clock", "show"};
  {
    Lines lines;
    // It has no clock, but it answers.
    ASSERT_EQ(lines.Run(command), kRefused);
    rig.Stop();
    for (int i = 0; i < 20; ++i) ASSERT_EQ(lines.Run(command), kUnavailable);
    rig.Start();
    // At once, though nobody has looked after the connection since.
    EXPECT_EQ(lines.Run(command), kRefused);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace yikatong::yktctl
