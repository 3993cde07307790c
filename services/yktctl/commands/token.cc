#include "common/identity/token.h"

#include <iostream>
#include <memory>

#include "common/base/clock.h"
#include "common/status/status.h"
#include "services/yktctl/commands/call.h"

namespace yikatong::yktctl {
namespace {

struct Mint {
  std::string key, person, organisation, ttl = "8h";
  std::vector<std::string> roles, fields;
  std::vector<std::int32_t> districts;
};

absl::StatusOr<std::string> MintToken(const Mint& mint) {
  const base::SystemClock clock;
  YKT_ASSIGN_OR_RETURN(const auto signer, identity::TokenSigner::Load(mint.key, clock));
  identity::TokenClaims claims;
  claims.person = mint.person;
  claims.organisation = mint.organisation;
  claims.fields = mint.fields;
  claims.districts = mint.districts;
  for (const std::string& name : mint.roles) {
    const auto role = identity::ParseRole(name);
    if (!role.has_value()) return absl::FailedPreconditionError("there is no role " + name);
    claims.roles.Add(*role);
  }
  absl::Duration lifetime;
  if (!absl::ParseDuration(mint.ttl, &lifetime) || lifetime <= absl::ZeroDuration()) {
    return absl::FailedPreconditionError("--ttl is a duration such as 8h or 30m");
  }
  return signer->Mint(claims, lifetime);
}

}  // namespace

void AddTokenCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* token = app.add_subcommand("token", "Tokens of people")->require_subcommand(1);
  CLI::App* mint = token->add_subcommand("mint", "Sign a token with an issuer's key");
  auto values = std::make_shared<Mint>();
  mint->add_option("--issuer-key", values->key, "PEM file of the issuer's Ed25519 key")
      ->required()
      ->check(CLI::ExistingFile);
  mint->add_option("--person", values->person, "The person's opaque id")->required();
  mint->add_option("--organisation", values->organisation, "Code that the client certificate names")
      ->required();
  mint->add_option("--role", values->roles, "Roles, such as department_operator")->required();
  mint->add_option("--field", values->fields, "Fields of subsidies, or * for all")->required();
  mint->add_option("--district", values->districts, "Districts; 120000 for the whole city")
      ->required();
  mint->add_option("--ttl", values->ttl, "How long it is good, at most 12h");
  mint->callback([&session, &code, values] {
    const auto minted = MintToken(*values);
    if (!minted.ok()) {
      code = Fail(session, minted.status());
      return;
    }
    std::cout << *minted << '\n';
  });
}

}  // namespace yikatong::yktctl
