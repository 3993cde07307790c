// A folder of failpoints for as long as a test lives.
//
//   FailpointFolder points;
//   points.Put("save_attempts.before_begin", "wait");
//   std::thread slow([&] { … });
//   points.AwaitTaken("save_attempts.before_begin");   // it stands still there
//   …
//   points.LetGo("save_attempts.before_begin");
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "common/base/failpoint.h"
#include "gtest/gtest.h"

namespace yikatong::base::testing {

class FailpointFolder {
 public:
  FailpointFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "failpoints-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    EXPECT_TRUE(failpoint::Arm(folder_).ok()) << "tests are built with YIKATONG_FAILPOINTS";
  }
  ~FailpointFolder() {
    failpoint::Disarm();
    std::filesystem::remove_all(folder_);
  }
  FailpointFolder(const FailpointFolder&) = delete;
  FailpointFolder& operator=(const FailpointFolder&) = delete;

  void Put(const std::string& point, const std::string& action) const {
    // Whole at once: it may be taken at any moment.
    const std::string fresh = folder_ + "/." + point;
    std::ofstream(fresh) << action << "\n";
    std::filesystem::rename(fresh, folder_ + "/" + point);
  }
  // Fails where nobody gets there within a minute.
  void AwaitTaken(const std::string& point) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (Has(point)) {
      if (std::chrono::steady_clock::now() > until) {
        ADD_FAILURE() << "nobody got to " << point;
        return;
      }
      std::this_thread::yield();
    }
  }
  void LetGo(const std::string& point) const { Put(point + ".go", ""); }
  bool Has(const std::string& name) const { return std::filesystem::exists(folder_ + "/" + name); }

 private:
  std::string folder_;
};

}  // namespace yikatong::base::testing
