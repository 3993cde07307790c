#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/failpoint.h"
#include "common/config/config.h"
#include "common/rpc/settings.h"

namespace yikatong::rpc {
namespace {

// Linked with the failpoints as a build for production has them.
TEST(ProductionSettings, AFolderOfFailpointsIsRefused) {
  ASSERT_FALSE(base::failpoint::BuiltIn());
  config::Schema schema("dispatch");
  DeclareServer(schema);
  config::Environment environment = {{"YKT_DISPATCH_TLS_CA", "/ca.pem"},
                                     {"YKT_DISPATCH_TLS_CERTIFICATE", "/tls.pem"},
                                     {"YKT_DISPATCH_TLS_KEY", "/tls.key"},
                                     {"YKT_DISPATCH_TOKEN_ISSUERS", "/issuers"}};
  EXPECT_TRUE(config::Load(schema, std::nullopt, environment).ok());
  environment["YKT_DISPATCH_FAILPOINTS"] = "/tmp";
  EXPECT_THAT(std::string(config::Load(schema, std::nullopt, environment).status().message()),
              testing::HasSubstr("failpoints are not in this build"));
}

}  // namespace
}  // namespace yikatong::rpc
