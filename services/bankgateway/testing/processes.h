// Runs binaries of this build as processes of their own, with certificates of a made-up
// installation; for tests.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace yikatong::bankgateway::testing {

// A folder with certificates and keys, made by deploy/certificates/make; removed with the object.
class Installation {
 public:
  Installation();
  ~Installation();
  Installation(const Installation&) = delete;

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // Lines of a configuration for the server of a service.
  std::string ServerSettings(const std::string& service, const std::string& ready_file,
                             int port) const;

 private:
  std::string folder_;
};

// A port that nobody listens on now.
int FreePort();

// One process; killed with the object.
class Process {
 public:
  Process(std::string binary, std::string config_file, std::string ready_file)
      : binary_(std::move(binary)),
        config_file_(std::move(config_file)),
        ready_file_(std::move(ready_file)) {}
  ~Process() { Kill(); }
  Process(const Process&) = delete;

  // Returns when the ready file is there. Fails the test when it does not come.
  void Start();
  void Kill();      // kill -9
  int Terminate();  // SIGTERM; the exit code
  // Runs the binary to its end with one more argument.
  int RunOnce(const std::string& argument) const;
  const std::string& grpc_address() const { return grpc_address_; }

 private:
  pid_t Spawn(const std::vector<std::string>& arguments) const;

  const std::string binary_;
  const std::string config_file_;
  const std::string ready_file_;
  std::string grpc_address_;
  pid_t pid_ = -1;
};

}  // namespace yikatong::bankgateway::testing
