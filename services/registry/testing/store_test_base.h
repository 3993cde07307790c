// One empty registry for each test, on one PostgreSQL for each test program.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/registry/testing/fixture.h"
#include "services/registry/wiring.h"

namespace yikatong::registry::testing {

class StoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = postgres::PgFixture::Start({.service = "registry", .migrations = Migrations()});
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override { r_ = std::make_unique<TestRegistry>(*server_); }
  void TearDown() override { r_.reset(); }

  std::string Sql(const std::string& text) { return r_->pg->Sql(text); }

  PayeeRef Payee(const PersonInput& person, std::int64_t item, std::int64_t version) {
    const std::int64_t id = r_->IdOf(person);
    return {.item_id = item,
            .payee_person_id = id,
            .account_version = version,
            .beneficiary_person_id = id};
  }
  ResolvedAccount ResolveAccount(const PersonInput& person, bool card_required = false) {
    const auto accounts = r_->registry.ResolveAccounts(
        {Payee(person, 1, 0)}, {.card_required = card_required,
                                .period_first_day = absl::CivilDay(2026, 11, 1),
                                .death_grace_months = 0});
    EXPECT_TRUE(accounts.ok()) << accounts.status();
    return accounts->front();
  }

  static inline std::unique_ptr<postgres::PgFixture> server_;
  std::unique_ptr<TestRegistry> r_;
};

}  // namespace yikatong::registry::testing
