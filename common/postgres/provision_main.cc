// Makes a service's database with its owner and runtime role, for whoever sets an installation up.
//
//   provision --admin CONNINFO --service NAME --owner-password-file F --runtime-password-file F
//             [--wait-seconds N]
#include <CLI/CLI.hpp>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

#include "common/postgres/migrate.h"

namespace {

std::string ReadSecret(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

int Run(int argc, char** argv) {
  CLI::App app("Makes a service's database with its owner and runtime role");
  std::string admin, service, owner_file, runtime_file;
  app.add_option("--admin", admin, "A role that may create databases and roles, in libpq's form")
      ->required();
  app.add_option("--service", service, "Name of the service")->required();
  app.add_option("--owner-password-file", owner_file)->required()->check(CLI::ExistingFile);
  app.add_option("--runtime-password-file", runtime_file)->required()->check(CLI::ExistingFile);
  int wait_s = 0;
  app.add_option("--wait-seconds", wait_s,
                 "How long to ask again for a server that does not answer")
      ->check(CLI::Range(0, 600));
  CLI11_PARSE(app, argc, argv);
  yikatong::postgres::ServicePasswords passwords;
  passwords.owner = ReadSecret(owner_file);
  passwords.runtime = ReadSecret(runtime_file);
  if (passwords.owner.empty() || passwords.runtime.empty()) {
    std::cerr << "a password file is empty\n";
    return 2;
  }
  const absl::Status status =
      yikatong::postgres::ProvisionServiceDatabase(admin, service, passwords, "", wait_s * 1'000);
  if (!status.ok()) {
    std::cerr << status.message() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
