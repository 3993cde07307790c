#!/usr/bin/env python3
"""Turns a folder of SQL files into one C++ header.

usage: embed_sql.py NAMESPACE SQL_DIR HEADER

SQL_DIR/queries/<stem>.sql      -> inline constexpr postgres::Query k<Stem>{"<stem>", R"sql(…)sql"};
SQL_DIR/migrations/NNNN_x.sql   -> a row of kMigrations, in order of the number.
A query's first line must be a comment that says why it is as it is.
"""
import pathlib
import re
import sys


def constant(stem: str) -> str:
    return "k" + "".join(part.capitalize() for part in stem.split("_"))


def main() -> int:
    namespace, sql_dir, header = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out = ["// Made from sql/ by cmake/embed_sql.py.", "#pragma once", "",
           '#include "common/postgres/migration.h"', '#include "common/postgres/query.h"', "",
           f"namespace {namespace} {{", ""]
    for path in sorted((sql_dir / "queries").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) or len(path.stem) > 63:
            print(f"{path}: a query's name is lower_snake_case, at most 63 characters", file=sys.stderr)
            return 1
        if not text.startswith("-- "):
            print(f"{path}: the first line must be a comment that says why", file=sys.stderr)
            return 1
        out.append(f'inline constexpr ::yikatong::postgres::Query {constant(path.stem)}{{"{path.stem}", '
                   f'R"sql({text})sql"}};')
    migrations = sorted((sql_dir / "migrations").glob("*.sql"))
    for number, path in enumerate(migrations, start=1):
        if not path.name.startswith(f"{number:04d}_"):
            print(f"{path}: migrations are numbered 0001, 0002, … without a gap", file=sys.stderr)
            return 1
    out += ["", f"inline constexpr ::yikatong::postgres::Migration kMigrations[] = {{"]
    for number, path in enumerate(migrations, start=1):
        text = path.read_text(encoding="utf-8")
        out.append(f'    {{{number}, "{path.stem}", R"sql({text})sql"}},')
    if not migrations:
        out.append('    {0, "", ""},')
    out += ["};", "", f"}}  // namespace {namespace}", ""]
    header.parent.mkdir(parents=True, exist_ok=True)
    header.write_text("\n".join(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
