#!/usr/bin/env python3
"""Turns a folder of SQL files into one C++ header.

usage: embed_sql.py NAMESPACE SQL_DIR HEADER

SQL_DIR/queries/<stem>.sql      -> inline constexpr postgres::Query k<Stem>{"<stem>", R"sql(…)sql"};
SQL_DIR/migrations/NNNN_x.sql   -> a row of kMigrations, in order of the number.

A query's first line must be a comment that says why it is as it is. In a migration a line
`-- include common/outbox/sql/outbox_v1.sql` is replaced by that file (a path from the root of the
tree); such a file is part of the migration's checksum, so it is never edited once released: a
change is a new file and a new migration. HEADER.d lists what was read, as a make rule.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r"^-- include (\S+)[ \t]*$", re.MULTILINE)


class Refused(Exception):
    pass


def constant(stem: str) -> str:
    return "k" + "".join(part.capitalize() for part in stem.split("_"))


def literal(text: str) -> str:
    """One C++ literal; `)sql"` would end it early."""
    if ')sql"' in text:
        raise Refused('the text must not hold )sql"')
    return f'R"sql({text})sql"'


def expand(path: pathlib.Path, read: list[pathlib.Path]) -> str:
    text = path.read_text(encoding="utf-8")
    read.append(path)

    def put_in(match: re.Match) -> str:
        included = ROOT / match.group(1)
        if not included.is_file():
            raise Refused(f"{path}: no file {match.group(1)} in the tree")
        inner = included.read_text(encoding="utf-8")
        if INCLUDE.search(inner):
            raise Refused(f"{included}: an included file includes no other")
        read.append(included)
        return inner.rstrip("\n")

    return INCLUDE.sub(put_in, text)


def queries(sql_dir: pathlib.Path, read: list[pathlib.Path]) -> list[str]:
    out = []
    for path in sorted((sql_dir / "queries").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        read.append(path)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) or len(path.stem) > 58:
            raise Refused(f"{path}: a query's name is lower_snake_case, at most 58 characters")
        if not text.startswith("-- "):
            raise Refused(f"{path}: the first line must be a comment that says why")
        out.append(f"inline constexpr ::yikatong::postgres::Query {constant(path.stem)}"
                   f'{{"{path.stem}", {literal(text)}}};')
    return out


def migrations(sql_dir: pathlib.Path, read: list[pathlib.Path]) -> list[str]:
    rows = []
    for number, path in enumerate(sorted((sql_dir / "migrations").glob("*.sql")), start=1):
        if not re.fullmatch(f"{number:04d}_[a-z0-9_]+", path.stem):
            raise Refused(f"{path}: migrations are NNNN_lower_snake_case, "
                          "numbered 0001, 0002, … without a gap")
        rows.append(f'    {{{number}, "{path.stem}", {literal(expand(path, read))}}},')
    return rows or ['    {0, "", ""},']


def main() -> int:
    namespace, sql_dir, header = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    read: list[pathlib.Path] = []
    try:
        lines = ["// Made from sql/ by cmake/embed_sql.py.", "#pragma once", "",
                 '#include "common/postgres/migration.h"', '#include "common/postgres/query.h"', "",
                 f"namespace {namespace} {{", "",
                 *queries(sql_dir, read), "",
                 "inline constexpr ::yikatong::postgres::Migration kMigrations[] = {",
                 *migrations(sql_dir, read), "};", "",
                 f"}}  // namespace {namespace}", ""]
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    header.parent.mkdir(parents=True, exist_ok=True)
    header.write_text("\n".join(lines), encoding="utf-8")
    prerequisites = " ".join(str(path.resolve()).replace(" ", r"\ ") for path in read)
    rule = header.with_name(header.name + ".d")
    rule.write_text(f"{header}: {prerequisites}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
