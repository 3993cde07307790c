// Rows as they come, made fit to be stored: normalised, checked by themselves, refused with a
// reason. What can only be said beside other rows or the database is said elsewhere.
#pragma once

#include <string>
#include <variant>

#include "absl/time/civil_time.h"
#include "services/registry/domain/types.h"

namespace yikatong::registry {

// `today` is the business date: nobody is born or dies after it.
std::variant<NewPerson, Rejection> CheckPerson(const PersonInput& input, absl::CivilDay today);
std::variant<Change, Rejection> CheckChange(const ChangeInput& input, absl::CivilDay today);

// An ID number in the one form that is stored and searched; empty where it is none.
std::string NormalIdNumber(const std::string& id_no, absl::CivilDay today);

// The canonical bytes of a row as it came, for telling whether two rows are the same. Holds
// personal data: hash it with a key before it is stored.
void AppendCanonical(const PersonInput& input, std::string& out);
void AppendCanonical(const Change& change, std::string& out);
// The content of a person, whatever the row's number and notation.
void AppendCanonical(const NewPerson& person, std::string& out);

// The masked ID number that officers may see: the first four and the last four.
std::string MaskIdNumber(const std::string& id_no);
// The last four of an account number.
std::string LastFour(const std::string& account_no);

}  // namespace yikatong::registry
