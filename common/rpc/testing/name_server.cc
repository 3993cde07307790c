#include "common/rpc/testing/name_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"

namespace yikatong::rpc::testing {
namespace {

constexpr size_t kHeader = 12;  // id, flags, and the numbers of questions, answers and others
constexpr uint16_t kAddress = 1, kInternet = 1, kNoSuchName = 3;
constexpr uint16_t kIsAnswer = 0x8400, kWantsRecursion = 0x0100;
constexpr uint16_t kNameOfTheQuestion = 0xC000 | kHeader;

uint16_t Number(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

void Append(std::string& bytes, uint16_t number) {
  bytes += static_cast<char>(number >> 8);
  bytes += static_cast<char>(number & 0xFF);
}

}  // namespace

NameServer::NameServer(absl::Duration cache) : cache_(cache) {
  socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  // How soon it sees that it is to stop.
  const timeval look = {.tv_sec = 0, .tv_usec = 50'000};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof(look));
  thread_ = std::thread([this] { Serve(); });
}

NameServer::~NameServer() {
  stopping_ = true;
  thread_.join();
  close(socket_);
}

void NameServer::Set(std::vector<std::string> addresses) {
  std::lock_guard lock(mutex_);
  addresses_ = std::move(addresses);
}

std::string NameServer::TargetOf(int port) const {
  // The dot at its end keeps the machine's search domains out of it.
  return "dns://127.0.0.1:" + std::to_string(port_) + "/probe.test.:" + std::to_string(port);
}

std::vector<std::string> NameServer::Known() {
  std::lock_guard lock(mutex_);
  if (absl::Now() - cached_at_ >= cache_) {
    cached_ = addresses_;
    cached_at_ = absl::Now();
  }
  return cached_;
}

std::string NameServer::Answer(std::string_view query) {
  const size_t name_end = query.find('\0', kHeader);
  if (name_end == std::string_view::npos || name_end + 5 > query.size()) return "";
  const std::string_view question = query.substr(kHeader, name_end + 5 - kHeader);
  const std::vector<std::string> known = Known();
  // To any other type the name has nothing to say: AAAA, which gRPC asks for, too.
  const bool for_addresses = Number(query, name_end + 1) == kAddress;

  std::string answer(query.substr(0, 2));
  Append(answer, kIsAnswer | (Number(query, 2) & kWantsRecursion) |
                     (known.empty() ? kNoSuchName : uint16_t{0}));
  Append(answer, 1);
  Append(answer, for_addresses ? static_cast<uint16_t>(known.size()) : uint16_t{0});
  Append(answer, 0);
  Append(answer, 0);
  answer += question;
  if (!for_addresses) return answer;
  for (const std::string& address : known) {
    in_addr bytes = {};
    EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &bytes), 1) << address;
    Append(answer, kNameOfTheQuestion);
    Append(answer, kAddress);
    Append(answer, kInternet);
    Append(answer, 0);  // good for no second
    Append(answer, 0);
    Append(answer, sizeof(bytes));
    answer.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
  }
  return answer;
}

void NameServer::Serve() {
  while (!stopping_) {
    char query[512];
    sockaddr_in from = {};
    socklen_t size = sizeof(from);
    const ssize_t got =
        recvfrom(socket_, query, sizeof(query), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < static_cast<ssize_t>(kHeader)) continue;
    ++asked_;
    const std::string answer = Answer({query, static_cast<size_t>(got)});
    sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
           size);
  }
}

}  // namespace yikatong::rpc::testing
