// Who is calling: each handler gets one Caller, made from the client certificate and the token.
//
//   if (!caller.InDistrict(batch.district)) return status::Refuse(Reason::kNotFound);
//
// Where rows are read, scope stands in the SQL instead, so that what is foreign does not exist:
//
//   const identity::Scope scope = identity::ScopeOf(caller);
//   … WHERE ($1::bool OR district = ANY($2::int[])) AND ($3::bool OR field = ANY($4::text[]))
//   tx.Run(kListBatches, scope.all_districts, scope.districts, scope.all_fields, scope.fields)
//
// A Caller is a value: copy it freely. It holds no secret and no personal data but the person's
// opaque id, which audit entries carry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/identity/role.h"

namespace yikatong::identity {

// The division code that stands for the whole city in a token's districts.
inline constexpr int32_t kWholeCity = 120000;
// The field name that stands for every field in a token's fields.
inline constexpr std::string_view kEveryField = "*";

struct Caller {
  std::string organisation = {};  // code from `ykt://org/<code>`; empty for one of our services
  std::string service = {};       // name from `ykt://service/<name>`; empty for an organisation
  std::string person = {};        // opaque id from the token's `sub`; empty for a service
  RoleSet roles = {};             // none for a service
  std::vector<std::string> fields = {};  // sorted, unique; {"*"} is every field
  std::vector<int32_t> districts = {};   // sorted, unique; one that is 120000 is the whole city
  std::string token_id = {};             // the token's `jti`

  bool IsService() const { return !service.empty(); }
  bool Has(Role role) const { return roles.Has(role); }

  // A service sees every district and field: its own rules decide what it asks for.
  bool AllDistricts() const;
  bool AllFields() const;
  bool InDistrict(int32_t district) const;
  bool InField(std::string_view field) const;

  // PostgreSQL array literals, "{120105,120106}" and "{agriculture,hr}"; "{}" where all are seen.
  std::string DistrictArray() const;
  std::string FieldArray() const;

  // The name that goes into rows and audit entries: "person@organisation" or "service:name".
  std::string Actor() const;
};

// The four parameters with which a statement keeps foreign rows out.
struct Scope {
  bool all_districts = false;
  std::string districts = "{}";  // int[] literal
  bool all_fields = false;
  std::string fields = "{}";  // text[] literal
};
Scope ScopeOf(const Caller& caller);

}  // namespace yikatong::identity
