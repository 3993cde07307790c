#include "common/rpc/tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

namespace yikatong::rpc {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

absl::Status Unusable(const char* what, const std::string& path, const char* why) {
  return absl::FailedPreconditionError(std::string(what) + " '" + path + "' " + why);
}

std::unique_ptr<std::FILE, Close> Open(const std::string& path) {
  return std::unique_ptr<std::FILE, Close>(std::fopen(path.c_str(), "re"));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  const auto ca_file = Open(files.ca);
  if (!ca_file) return Unusable("TLS authorities", files.ca, "cannot be read");
  const std::unique_ptr<X509, Close> ca(PEM_read_X509(ca_file.get(), nullptr, nullptr, nullptr));
  if (!ca) return Unusable("TLS authorities", files.ca, "hold no PEM certificate");

  const auto certificate_file = Open(files.certificate);
  if (!certificate_file) return Unusable("TLS certificate", files.certificate, "cannot be read");
  const std::unique_ptr<X509, Close> certificate(
      PEM_read_X509(certificate_file.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return Unusable("TLS certificate", files.certificate, "holds no PEM certificate");
  }

  const auto key_file = Open(files.key);
  if (!key_file) return Unusable("TLS key", files.key, "cannot be read");
  const std::unique_ptr<EVP_PKEY, Close> key(
      PEM_read_PrivateKey(key_file.get(), nullptr, nullptr, nullptr));
  if (!key) return Unusable("TLS key", files.key, "holds no unencrypted PEM private key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Unusable("TLS key", files.key, "does not belong to the certificate");
  }
  return absl::OkStatus();
}

}  // namespace yikatong::rpc
