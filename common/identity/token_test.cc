#include "common/identity/token.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "common/crypto/ed25519.h"
#include "common/status/status.h"

namespace yikatong::identity {
namespace {

namespace fs = std::filesystem;
using status::Reason;

constexpr absl::Duration kHour = absl::Hours(1);

TokenClaims Operator() {
  return {.person = "p-17",
          .organisation = "agri-120105",
          .roles = {Role::kDepartmentOperator},
          .fields = {"agriculture"},
          .districts = {120106, 120105, 120105}};
}

class TokenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ykt-token-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(folder_ / "issuers");
    signer_ = NewIssuer("first");
    Trust("first");
    auto verifier = TokenVerifier::Load({.issuer_folder = (folder_ / "issuers").string()}, clock_);
    ASSERT_TRUE(verifier.ok()) << verifier.status();
    verifier_ = *std::move(verifier);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<TokenSigner> NewIssuer(const std::string& name) {
    crypto::SystemRandom random;
    const auto key = crypto::Ed25519PrivateKey::Generate(random);
    std::ofstream(folder_ / (name + ".key")) << key.Pem().Reveal();
    std::ofstream(folder_ / (name + ".pub")) << key.PublicKey().Pem();
    auto signer = TokenSigner::Load((folder_ / (name + ".key")).string(), clock_);
    EXPECT_TRUE(signer.ok()) << signer.status();
    return *std::move(signer);
  }
  void Trust(const std::string& name) {
    fs::copy_file(folder_ / (name + ".pub"), folder_ / "issuers" / (name + ".pem"));
  }

  absl::StatusOr<Caller> Authenticate(std::string_view uri, std::string_view token) {
    absl::StatusOr<Caller> certified = CallerOfCertificate(uri);
    if (!certified.ok()) return certified;
    return verifier_->Authenticate(*certified, token);
  }
  std::optional<Reason> Refusal(std::string_view token) {
    return status::ReasonOf(Authenticate(kCertificate, token).status());
  }
  std::string Mint(const TokenClaims& claims, absl::Duration lifetime = kHour) {
    auto token = signer_->Mint(claims, lifetime);
    EXPECT_TRUE(token.ok()) << token.status();
    return token.value_or("");
  }

  static constexpr std::string_view kCertificate = "ykt://org/agri-120105";
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  fs::path folder_;
  std::unique_ptr<TokenSigner> signer_;
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(TokenTest, NamesPersonRolesFieldsAndDistricts) {
  const absl::StatusOr<Caller> caller = Authenticate(kCertificate, Mint(Operator()));
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->organisation, "agri-120105");
  EXPECT_EQ(caller->person, "p-17");
  EXPECT_EQ(caller->roles, RoleSet({Role::kDepartmentOperator}));
  EXPECT_EQ(caller->fields, std::vector<std::string>{"agriculture"});
  EXPECT_EQ(caller->districts, (std::vector<int32_t>{120105, 120106}));
  EXPECT_EQ(caller->token_id.size(), 32u);
  EXPECT_FALSE(caller->IsService());
}

TEST_F(TokenTest, OfAnotherOrganisationIsRefusedBesideThisCertificate) {
  const std::string token = Mint(Operator());
  EXPECT_EQ(status::ReasonOf(Authenticate("ykt://org/hr-120105", token).status()),
            Reason::kTokenOrganisation);
}

TEST_F(TokenTest, IsMissingForAnOrganisation) { EXPECT_EQ(Refusal(""), Reason::kUnauthenticated); }

TEST_F(TokenTest, ExpiresToTheSecond) {
  const std::string token = Mint(Operator(), absl::Minutes(5));
  clock_.Advance(absl::Minutes(5) - absl::Seconds(1));
  EXPECT_TRUE(Authenticate(kCertificate, token).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Refusal(token), Reason::kTokenExpired);
}

TEST_F(TokenTest, FromTheFutureIsNotValidYet) {
  clock_.JumpWallClock(absl::Minutes(2));
  const std::string token = Mint(Operator());
  clock_.JumpWallClock(-absl::Minutes(2));
  EXPECT_EQ(Refusal(token), Reason::kTokenExpired);
  clock_.JumpWallClock(absl::Minutes(2) - absl::Seconds(20));  // within the leeway
  EXPECT_TRUE(Authenticate(kCertificate, token).ok());
}

TEST_F(TokenTest, ThatLivesTooLongIsRefused) {
  EXPECT_TRUE(Authenticate(kCertificate, Mint(Operator(), absl::Hours(12))).ok());
  EXPECT_EQ(Refusal(Mint(Operator(), absl::Hours(13))), Reason::kTokenInvalid);
}

TEST_F(TokenTest, WithAnyByteChangedIsRefused) {
  const std::string token = Mint(Operator());
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Refusal(forged), Reason::kTokenInvalid) << "byte " << i;
  }
}

TEST_F(TokenTest, OfAStrangerIsRefusedAlsoUnderTheNameOfAKnownKey) {
  const auto stranger = NewIssuer("stranger");
  const auto token = stranger->Mint(Operator(), kHour);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(Refusal(*token), Reason::kTokenInvalid);

  // The stranger's signature over claims that name the known key.
  std::string payload;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token->substr(0, token->find('.')), &payload));
  payload.replace(payload.find(stranger->key_id()), 16, signer_->key_id());
  const std::string body = absl::WebSafeBase64Escape(payload);
  std::ifstream file(folder_ / "stranger.key");
  const std::string pem((std::istreambuf_iterator<char>(file)), {});
  const auto key = crypto::Ed25519PrivateKey::FromPem(pem);
  ASSERT_TRUE(key.ok());
  const std::string signature = key->Sign("yikatong-token-v1\n" + body);
  EXPECT_EQ(Refusal(body + "." + absl::WebSafeBase64Escape(signature)), Reason::kTokenInvalid);
}

TEST_F(TokenTest, SignedWithoutItsPrefixIsRefused) {
  std::ifstream file(folder_ / "first.key");
  const std::string pem((std::istreambuf_iterator<char>(file)), {});
  const auto key = crypto::Ed25519PrivateKey::FromPem(pem);
  ASSERT_TRUE(key.ok());
  const std::string token = Mint(Operator());
  const std::string body = token.substr(0, token.find('.'));
  EXPECT_EQ(Refusal(body + "." + absl::WebSafeBase64Escape(key->Sign(body))),
            Reason::kTokenInvalid);
}

TEST_F(TokenTest, ThatIsNoTokenIsRefused) {
  const std::string token = Mint(Operator());
  for (const std::string& bad :
       {std::string("x"), std::string("."), std::string("a.b"), token + ".x", token + "=",
        " " + token, token.substr(0, token.find('.')), std::string(5000, 'A'),
        std::string("\0\n.\xff", 4)}) {
    EXPECT_EQ(Refusal(bad), Reason::kTokenInvalid) << bad.substr(0, 40);
  }
}

// Claims that a verifier must not take even when the issuer signed them.
TEST_F(TokenTest, WithWrongClaimsIsRefusedThoughTheSignatureHolds) {
  std::ifstream file(folder_ / "first.key");
  const std::string pem((std::istreambuf_iterator<char>(file)), {});
  const auto key = crypto::Ed25519PrivateKey::FromPem(pem);
  ASSERT_TRUE(key.ok());
  const std::string good =
      R"({"aud":"yikatong","districts":[120105],"exp":1790003600,"fields":["hr"],"iat":1790000000,)"
      R"("jti":"t-1","kid":")" +
      signer_->key_id() + R"(","org":"agri-120105","roles":["auditor"],"sub":"p-1"})";
  const auto sign = [&](const std::string& payload) {
    const std::string body = absl::WebSafeBase64Escape(payload);
    return body + "." + absl::WebSafeBase64Escape(key->Sign("yikatong-token-v1\n" + body));
  };
  ASSERT_TRUE(Authenticate(kCertificate, sign(good)).ok());
  const std::pair<std::string, std::string> changes[] = {
      {R"("aud":"yikatong")", R"("aud":"other")"},
      {R"("roles":["auditor"])", R"("roles":["emperor"])"},
      {R"("roles":["auditor"])", R"("roles":[])"},
      {R"("districts":[120105])", R"("districts":[])"},
      {R"("districts":[120105])", R"("districts":["120105"])"},
      {R"("districts":[120105])", R"("districts":[-1])"},
      {R"("fields":["hr"])", R"("fields":["h,r"])"},
      {R"("fields":["hr"])", R"("fields":"hr")"},
      {R"("jti":"t-1")", R"("jti":"")"},
      {R"("sub":"p-1")", R"("sub":"张三")"},
      {R"("exp":1790003600)", R"("exp":"1790003600")"},
      {R"("exp":1790003600)", R"("exp":1789999999)"},
      {R"("iat":1790000000)", R"("iat":-5)"},
      {R"("org":"agri-120105",)", ""},
  };
  for (const auto& [from, to] : changes) {
    std::string payload = good;
    payload.replace(payload.find(from), from.size(), to);
    EXPECT_EQ(Refusal(sign(payload)), Reason::kTokenInvalid) << to;
  }
  EXPECT_EQ(Refusal(sign("[1]")), Reason::kTokenInvalid);
}

TEST_F(TokenTest, CannotBeMintedWithClaimsThatNobodyWouldTake) {
  TokenClaims claims = Operator();
  claims.fields = {};
  EXPECT_FALSE(signer_->Mint(claims, kHour).ok());
  claims = Operator();
  claims.organisation = "a b";
  EXPECT_FALSE(signer_->Mint(claims, kHour).ok());
  EXPECT_FALSE(signer_->Mint(Operator(), absl::ZeroDuration()).ok());
}

TEST_F(TokenTest, OfANewIssuerIsTakenAsSoonAsItsKeyIsThere) {
  const auto second = NewIssuer("second");
  const auto token = second->Mint(Operator(), kHour);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(Refusal(*token), Reason::kTokenInvalid);
  Trust("second");
  clock_.Advance(absl::Seconds(2));  // unknown keys make it look again, at most once a second
  EXPECT_TRUE(Authenticate(kCertificate, *token).ok());
  EXPECT_TRUE(Authenticate(kCertificate, Mint(Operator())).ok());
}

TEST_F(TokenTest, OfARemovedIssuerIsRefusedThoughItWasTakenBefore) {
  const std::string token = Mint(Operator());
  ASSERT_TRUE(Authenticate(kCertificate, token).ok());
  NewIssuer("second");
  Trust("second");
  fs::remove(folder_ / "issuers" / "first.pem");
  clock_.Advance(absl::Seconds(31));
  EXPECT_EQ(Refusal(token), Reason::kTokenInvalid);
}

TEST_F(TokenTest, KeysStayWhileTheirFolderCannotBeRead) {
  const std::string token = Mint(Operator());
  fs::rename(folder_ / "issuers", folder_ / "swapped");
  clock_.Advance(absl::Seconds(31));
  EXPECT_TRUE(Authenticate(kCertificate, token).ok());
}

TEST_F(TokenTest, VerifierNeedsAKeyToStart) {
  fs::create_directory(folder_ / "empty");
  EXPECT_FALSE(TokenVerifier::Load({.issuer_folder = (folder_ / "empty").string()}, clock_).ok());
  EXPECT_FALSE(TokenVerifier::Load({.issuer_folder = (folder_ / "none").string()}, clock_).ok());
  std::ofstream(folder_ / "empty" / "bad.pem") << "no key";
  EXPECT_FALSE(TokenVerifier::Load({.issuer_folder = (folder_ / "empty").string()}, clock_).ok());
}

TEST_F(TokenTest, IsNotForServicesWhichAreKnownByTheirCertificate) {
  const absl::StatusOr<Caller> service = Authenticate("ykt://service/dispatch", "");
  ASSERT_TRUE(service.ok());
  EXPECT_TRUE(service->IsService());
  EXPECT_EQ(service->service, "dispatch");
  EXPECT_TRUE(service->AllDistricts());
  EXPECT_EQ(status::ReasonOf(Authenticate("ykt://service/dispatch", Mint(Operator())).status()),
            Reason::kTokenOrganisation);
}

TEST_F(TokenTest, NoOtherCertificateNamesACaller) {
  for (std::string_view uri : {"", "ykt://org/", "ykt://service/", "ykt://org/a/b", "ykt://org/a b",
                               "https://org/agri", "spiffe://x/y", "ykt://person/p-1"}) {
    EXPECT_EQ(status::ReasonOf(CallerOfCertificate(uri).status()), Reason::kUnauthenticated) << uri;
  }
}

}  // namespace
}  // namespace yikatong::identity
