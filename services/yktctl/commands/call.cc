#include "services/yktctl/commands/call.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>

#include "common/base/hex.h"
#include "common/money/money.h"

namespace yikatong::yktctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::int64_t WholeNumber(const std::string& text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    throw CLI::ValidationError("not a whole number: " + text);
  }
  return value;
}

// `ACTIVE` for CARD_STATE_ACTIVE.
int EnumNumber(const FieldDescriptor& field, std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  std::string prefix = field.enum_type()->value(0)->name();
  prefix.resize(prefix.size() - std::string_view("UNSPECIFIED").size());
  const auto* value = field.enum_type()->FindValueByName(prefix + text);
  if (value == nullptr) {
    std::string known;
    for (int i = 1; i < field.enum_type()->value_count(); ++i) {
      known += " " + field.enum_type()->value(i)->name().substr(prefix.size());
    }
    throw CLI::ValidationError("one of" + known);
  }
  return value->number();
}

void SetField(Message& message, const FieldDescriptor& field, const std::string& text) {
  const auto& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<std::int32_t>(WholeNumber(text));
      repeated ? reflection.AddInt32(&message, &field, value)
               : reflection.SetInt32(&message, &field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      std::int64_t value = 0;
      if (field.name().size() > 4 &&
          field.name().compare(field.name().size() - 4, 4, "_fen") == 0) {
        const auto fen = money::ParseYuan(text);
        if (!fen.ok()) throw CLI::ValidationError("not an amount in yuan: " + text);
        value = *fen;
      } else {
        value = WholeNumber(text);
      }
      repeated ? reflection.AddInt64(&message, &field, value)
               : reflection.SetInt64(&message, &field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "yes" && text != "no" && text != "true" && text != "false") {
        throw CLI::ValidationError("yes or no, not " + text);
      }
      reflection.SetBool(&message, &field, text == "yes" || text == "true");
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      reflection.SetEnumValue(&message, &field, EnumNumber(field, text));
      return;
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = text;
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        const auto bytes = base::FromHex(text);
        if (!bytes.has_value()) throw CLI::ValidationError("not hexadecimal: " + text);
        value = *bytes;
      }
      repeated ? reflection.AddString(&message, &field, value)
               : reflection.SetString(&message, &field, value);
      return;
    }
    default:
      throw CLI::ValidationError("this field cannot be given");
  }
}

}  // namespace

void BindFields(CLI::App& command, Message& request, const std::vector<Field>& fields) {
  for (const Field& bound : fields) {
    // Down to the message that holds the field; its parts are made when the option is given.
    std::vector<const FieldDescriptor*> path;
    const auto* type = request.GetDescriptor();
    for (std::size_t at = 0; at <= bound.path.size();) {
      const std::size_t dot = std::min(bound.path.find('.', at), bound.path.size());
      const auto* field = type->FindFieldByName(bound.path.substr(at, dot - at));
      if (field == nullptr) throw std::logic_error("no field " + bound.path);
      path.push_back(field);
      type = field->message_type();
      at = dot + 1;
    }
    std::string name = bound.option.empty() ? path.back()->name() : bound.option;
    std::replace(name.begin(), name.end(), '_', '-');
    if (name.size() > 4 && name.compare(name.size() - 4, 4, "-fen") == 0)
      name.resize(name.size() - 4);
    auto set = [&request, path](const std::string& text) {
      Message* at = &request;
      for (std::size_t i = 0; i + 1 < path.size(); ++i)
        at = at->GetReflection()->MutableMessage(at, path[i]);
      SetField(*at, *path.back(), text);
    };
    CLI::Option* option = nullptr;
    if (path.back()->is_repeated()) {
      option = command.add_option_function<std::vector<std::string>>(
          "--" + name,
          [set](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) set(text);
          },
          bound.help);
    } else {
      option = command.add_option_function<std::string>("--" + name, set, bound.help);
    }
    option->required(bound.required);
  }
}

void FillRequestId(Session& session, Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  if (field != nullptr) request.GetReflection()->SetString(&request, field, session.RequestId());
}

std::string NextPage(const Message& response) {
  const auto* field = response.GetDescriptor()->FindFieldByName("next_page_token");
  return field == nullptr ? "" : response.GetReflection()->GetString(response, field);
}

bool SetPageToken(Message& request, const std::string& token) {
  const auto* field = request.GetDescriptor()->FindFieldByName("page_token");
  if (field == nullptr || token.empty()) return false;
  request.GetReflection()->SetString(&request, field, token);
  return true;
}

}  // namespace yikatong::yktctl
