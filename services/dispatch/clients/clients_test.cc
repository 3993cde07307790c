// What comes from peers: pinned rules, failures; and what the settings say.
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "common/rpc/wire_status.h"
#include "common/status/status.h"
#include "services/dispatch/clients/peer_status.h"
#include "services/dispatch/clients/rule_codec.h"
#include "services/dispatch/clients/testing/fakes.h"
#include "services/dispatch/config.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;
using status::ReasonOf;
using testing::RuleOf;
namespace pb = catalogue::v1;

TEST(RuleCodec, ReadsBackAllThatABatchIsPinnedTo) {
  pb::GetPayableVersionResponse wire = RuleOf("P042", "AGRI"), other = RuleOf("P043", "AGRI");
  testing::Exclude(wire, other, pb::SLOT_UNIT_YEAR, pb::KEY_KIND_HOUSEHOLD);
  wire.mutable_policy()->set_key_kind(pb::KEY_KIND_PLOT);
  wire.mutable_policy()->set_slot_unit(pb::SLOT_UNIT_LIFE);
  wire.mutable_version()->mutable_calculation()->set_type(pb::CALCULATION_TYPE_ASSESSED);
  wire.mutable_version()->mutable_eligibility()->set_min_age(0);
  wire.mutable_version()->mutable_eligibility()->set_residence(pb::RESIDENCE_RULE_DISTRICT);
  wire.mutable_version()->set_payee_rule(pb::PAYEE_RULE_GUARDIAN);
  wire.mutable_version()->set_effective_to("2026-12-31");
  const auto rule = CatalogueRuleCodec().Decode(wire.SerializeAsString());
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->policy_id, "P042");
  EXPECT_EQ(rule->key_kind, policy::KeyKind::kPlot);
  EXPECT_EQ(rule->slot_unit, base::SlotUnit::kLife);
  EXPECT_EQ(rule->calculation.type, policy::CalculationType::kAssessed);
  EXPECT_EQ(rule->eligibility.min_age, 0) << "a bound of 0 is not the same as none";
  EXPECT_EQ(rule->eligibility.max_age, std::nullopt);
  EXPECT_EQ(rule->eligibility.residence, policy::ResidenceRule::kDistrict);
  EXPECT_EQ(rule->payee_rule, policy::PayeeRule::kGuardian);
  EXPECT_EQ(rule->effective_to, absl::CivilDay(2026, 12, 31));
  ASSERT_EQ(rule->exclusions.size(), 1u);
  EXPECT_EQ(rule->exclusions[0].exclusion_id, "P042~P043");
  EXPECT_EQ(rule->exclusions[0].slot_unit, base::SlotUnit::kYear);
  ASSERT_EQ(rule->review_steps.size(), 2u);
  EXPECT_EQ(rule->review_steps[1].role, "department_reviewer");
}

TEST(RuleCodec, RefusesWhatNoCatalogueHasSent) {
  const CatalogueRuleCodec codec;
  EXPECT_EQ(ReasonOf(codec.Decode("\xff\xff").status()), Reason::kInvariantBroken);
  EXPECT_EQ(ReasonOf(codec.Decode("").status()), Reason::kInvariantBroken);
  const auto spoilt = [&](auto change) {
    pb::GetPayableVersionResponse wire = RuleOf("P001");
    change(wire);
    return ReasonOf(codec.Decode(wire.SerializeAsString()).status());
  };
  EXPECT_EQ(spoilt([](auto& w) { w.mutable_version()->set_policy_id("P002"); }),
            Reason::kInvariantBroken);
  EXPECT_EQ(spoilt([](auto& w) { w.mutable_policy()->clear_key_kind(); }),
            Reason::kInvariantBroken);
  EXPECT_EQ(spoilt([](auto& w) { w.mutable_version()->set_cadence("daily"); }),
            Reason::kInvariantBroken);
  EXPECT_EQ(spoilt([](auto& w) { w.mutable_version()->set_effective_from("soon"); }),
            Reason::kInvariantBroken);
}

TEST(PeerFailures, ARefusalGoesOnAndEverythingElseIsAPeerThatIsAway) {
  const auto seen = [](const absl::Status& status) {
    return ReasonOf(FromPeer("catalogue", rpc::ToGrpc(status)));
  };
  EXPECT_EQ(seen(status::Refuse(Reason::kPolicyUnknown)), Reason::kPolicyUnknown);
  EXPECT_EQ(seen(status::Refuse(Reason::kPolicyPublicationOverdue)),
            Reason::kPolicyPublicationOverdue);
  EXPECT_EQ(seen(status::Refuse(Reason::kPermissionDenied)), Reason::kPeerUnavailable);
  EXPECT_EQ(seen(status::Refuse(Reason::kDatabaseUnavailable)), Reason::kPeerUnavailable);
  EXPECT_EQ(seen(status::Refuse(Reason::kRateLimited)), Reason::kPeerUnavailable)
      << "our calls were too many, not our caller's";
  EXPECT_EQ(seen(status::Refuse(Reason::kMessageTooLarge)), Reason::kMessageTooLarge);
  EXPECT_EQ(seen(status::Invariant("theirs")), Reason::kPeerUnavailable);
  EXPECT_EQ(ReasonOf(FromPeer("catalogue", grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone"))),
            Reason::kPeerUnavailable);
  EXPECT_TRUE(FromPeer("catalogue", grpc::Status::OK).ok());
}

TEST(SendWindows, AreReadStrictly) {
  const auto night = ParseSendWindow("22:00-02:30");
  ASSERT_TRUE(night.has_value());
  EXPECT_EQ(night->from, absl::Hours(22));
  EXPECT_EQ(night->to, absl::Minutes(150));
  EXPECT_EQ(ParseSendWindow("00:00-24:00")->to, absl::Hours(24));
  for (const char* bad :
       {"", "late", "8:00-17:00", "08:00-25:00", "08:60-09:00", "08:00-17:00 ", "08:00/17:00"}) {
    EXPECT_FALSE(ParseSendWindow(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace yikatong::dispatch
