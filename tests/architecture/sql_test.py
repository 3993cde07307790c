#!/usr/bin/env python3
"""Where SQL may stand, and what each statement must say.

SQL lives in sql/queries and sql/migrations; a statement's first line says why it is so; a statement on a hot table names
the district, or says why not by `-- no district: <reason>`.
"""
import re
import sys

from tree import files, report

IN_CODE = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s')
PARTITIONED = re.compile(r"CREATE TABLE (\w+) \([^;]*\) PARTITION BY HASH \(district\)", re.S)


def main() -> int:
    checked, findings = 0, []
    hot = {}
    for path, text in files(".sql"):
        if "/sql/migrations/" in path:
            service = path.split("/")[1]
            hot.setdefault(service, set()).update(PARTITIONED.findall(text))
    for path, text in files(".sql"):
        if "/queries/" not in path:
            continue
        checked += 1
        if not text.startswith("-- "):
            findings.append(f"{path}: the first line must say why the statement is so")
        body = re.sub(r"--[^\n]*", "", text)
        tables = hot.get(path.split("/")[1], set())
        named = [table for table in sorted(tables) if re.search(rf"\b{table}\b", body)]
        if named and not re.search(r"\bdistrict\b", body) and "-- no district: " not in text:
            findings.append(f"{path}: uses {', '.join(named)} without the district and says no reason")
    for path, text in files(".cc", ".h"):
        if path.startswith(("tests/", "proto/")) or path.endswith("_test.cc") or "/testing/" in path or "/bench/" in path:
            continue
        checked += 1
        for number, line in enumerate(text.split("\n"), start=1):
            if IN_CODE.search(line) and not line.lstrip().startswith("//"):
                findings.append(f"{path}:{number}: SQL inside C++")
    return report("sql", checked, findings)


if __name__ == "__main__":
    sys.exit(main())
