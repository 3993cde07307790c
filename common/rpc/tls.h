// Where a process finds its certificate. The files are watched: replace all of them at once (a
// symlink swap, as Kubernetes does) and new connections use them within seconds.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace yikatong::rpc {

struct TlsFiles {
  std::string ca = {};           // PEM bundle of authorities whose certificates are accepted
  std::string certificate = {};  // PEM chain of this process
  std::string key = {};          // PEM private key of it
};

// gRPC says nothing about a missing or foreign file and refuses every handshake later; this says
// it at start: each file is readable, parses, and the key belongs to the certificate.
absl::Status CheckTlsFiles(const TlsFiles& files);

}  // namespace yikatong::rpc
