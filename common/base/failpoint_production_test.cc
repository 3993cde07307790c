#include <filesystem>

#include "common/base/failpoint.h"
#include "gtest/gtest.h"

namespace yikatong::base::failpoint {
namespace {

TEST(FailpointProductionTest, ABuildForProductionRefusesToBeArmed) {
  EXPECT_FALSE(BuiltIn());
  const absl::Status armed = Arm(std::filesystem::temp_directory_path().string());
  EXPECT_EQ(armed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Armed());
  EXPECT_TRUE(Hit("pack.before_commit").ok());
}

}  // namespace
}  // namespace yikatong::base::failpoint
