#!/usr/bin/env python3
"""Turns reasons.tsv into reason.h and reason.cc.

usage: make_reasons.py REASONS_TSV OUT_DIR

Columns, parted by tabs: REASON, gRPC code, kind (row, request, routing, bank), English text, English action,
Chinese text, Chinese action. Lines that are empty or begin with # are left out. Every fault is reported, not only
the first.
"""
import pathlib
import re
import sys

CODES = {
    "CANCELLED": "kCancelled", "UNKNOWN": "kUnknown", "INVALID_ARGUMENT": "kInvalidArgument",
    "DEADLINE_EXCEEDED": "kDeadlineExceeded", "NOT_FOUND": "kNotFound", "ALREADY_EXISTS": "kAlreadyExists",
    "PERMISSION_DENIED": "kPermissionDenied", "RESOURCE_EXHAUSTED": "kResourceExhausted",
    "FAILED_PRECONDITION": "kFailedPrecondition", "ABORTED": "kAborted", "OUT_OF_RANGE": "kOutOfRange",
    "UNIMPLEMENTED": "kUnimplemented", "INTERNAL": "kInternal", "UNAVAILABLE": "kUnavailable",
    "DATA_LOSS": "kDataLoss", "UNAUTHENTICATED": "kUnauthenticated",
}
KINDS = ["row", "request", "routing", "bank"]


def read(path):
    rows, faults, seen = [], [], {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        where = f"{path}:{number}"
        if len(columns) != 7:
            faults.append(f"{where}: {len(columns)} columns, not 7")
            continue
        if any(not column or column != column.strip() for column in columns):
            faults.append(f"{where}: an empty column, or blanks around one")
        name, code, kind, _, _, zh, zh_action = columns
        # ErrorInfo.reason allows 63 characters of this form.
        if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name) or len(name) > 63:
            faults.append(f"{where}: {name!r} is not UPPER_SNAKE_CASE of at most 63 characters")
        if name in seen:
            faults.append(f"{where}: {name} stands in line {seen[name]} already")
        seen[name] = number
        if code not in CODES:
            faults.append(f"{where}: {code!r} is no gRPC code")
        if kind not in KINDS:
            faults.append(f"{where}: kind {kind!r} is none of {', '.join(KINDS)}")
        for text in (zh, zh_action):
            if not re.search(r"[\u4e00-\u9fff]", text):
                faults.append(f"{where}: {text!r} is not Chinese")
        if any('"' in column or "\\" in column for column in columns):
            faults.append(f"{where}: a straight quote or backslash")
        rows.append(columns)
    if not rows:
        faults.append(f"{path}: no reason")
    return rows, faults


def constant(name):
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def header(rows):
    out = ["// Made from common/status/reasons.tsv by make_reasons.py.",
           "//",
           "// The one list of reasons: why a row, a request or a payment was refused, and what to do about it. A reason",
           "// is known outside this process by its name only: names are stored and sent, numbers never.",
           "#pragma once", "",
           "#include <cstdint>", "#include <optional>", "#include <string_view>", "",
           '#include "absl/status/status.h"', "",
           "namespace yikatong::status {", "",
           "enum class Reason : std::uint16_t {"]
    for name, _, _, en, *_ in rows:
        out.append(f"  {constant(name)},  // {en}")
    out += ["};", "",
            f"inline constexpr int kReasonCount = {len(rows)};", "",
            "enum class Lang { kEnglish, kChinese };", "",
            "// What a reason speaks of: one row of a list, a whole request, the way of a payment to an account, or the",
            "// answer of a bank.",
            "enum class ReasonKind { kRow, kRequest, kRouting, kBank };", "",
            "// The stable name, as it stands in ErrorInfo, in reports and in the database: UPPER_SNAKE_CASE.",
            "std::string_view ReasonName(Reason reason);", "",
            "// Nothing for a name that this build does not know.",
            "std::optional<Reason> FindReason(std::string_view name);", "",
            "// What happened, as one clause without a full stop.",
            "std::string_view ReasonText(Reason reason, Lang lang);", "",
            "// What the reader should do next, as a sentence.",
            "std::string_view ReasonAction(Reason reason, Lang lang);", "",
            "absl::StatusCode CodeOf(Reason reason);",
            "ReasonKind KindOf(Reason reason);", "",
            "// All reasons are the numbers from 0 to kReasonCount - 1.",
            "inline constexpr Reason ReasonAt(int index) { return static_cast<Reason>(index); }", "",
            "}  // namespace yikatong::status", ""]
    return "\n".join(out)


def source(rows):
    out = ["// Made from common/status/reasons.tsv by make_reasons.py.",
           '#include "common/status/reason.h"', "", "#include <algorithm>", "#include <array>", "",
           "namespace yikatong::status {", "namespace {", "",
           "struct Row {",
           "  std::string_view name;", "  absl::StatusCode code;", "  ReasonKind kind;",
           "  std::string_view text_en;", "  std::string_view action_en;",
           "  std::string_view text_zh;", "  std::string_view action_zh;", "};", "",
           f"constexpr std::array<Row, {len(rows)}> kRows = {{{{"]
    for name, code, kind, en, en_action, zh, zh_action in rows:
        out.append(f'    {{"{name}", absl::StatusCode::{CODES[code]}, ReasonKind::k{kind.capitalize()},')
        out.append(f'     "{en}",\n     "{en_action}",\n     "{zh}",\n     "{zh_action}"}},')
    by_name = sorted(range(len(rows)), key=lambda i: rows[i][0].encode())
    out += ["}};", "", "// Indexes of kRows in the order of their names, for FindReason.",
            f"constexpr std::array<std::uint16_t, {len(rows)}> kByName = {{{{"]
    for start in range(0, len(by_name), 16):
        out.append("    " + " ".join(f"{i}," for i in by_name[start:start + 16]))
    out += ["}};", "",
            "const Row& At(Reason reason) { return kRows.at(static_cast<std::size_t>(reason)); }", "",
            "}  // namespace", "",
            "std::string_view ReasonName(Reason reason) { return At(reason).name; }", "",
            "std::optional<Reason> FindReason(std::string_view name) {",
            "  const auto at = std::lower_bound(kByName.begin(), kByName.end(), name,",
            "                                   [](std::uint16_t i, std::string_view n) { return kRows[i].name < n; });",
            "  if (at == kByName.end() || kRows[*at].name != name) return std::nullopt;",
            "  return static_cast<Reason>(*at);", "}", "",
            "std::string_view ReasonText(Reason reason, Lang lang) {",
            "  return lang == Lang::kChinese ? At(reason).text_zh : At(reason).text_en;", "}", "",
            "std::string_view ReasonAction(Reason reason, Lang lang) {",
            "  return lang == Lang::kChinese ? At(reason).action_zh : At(reason).action_en;", "}", "",
            "absl::StatusCode CodeOf(Reason reason) { return At(reason).code; }", "",
            "ReasonKind KindOf(Reason reason) { return At(reason).kind; }", "",
            "}  // namespace yikatong::status", ""]
    return "\n".join(out)


def write(path, text):
    """Whole or not at all, and not if nothing changed: what includes an unchanged header is not built again."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def main():
    rows, faults = read(pathlib.Path(sys.argv[1]))
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    write(out / "reason.h", header(rows))
    write(out / "reason.cc", source(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
