#!/usr/bin/env python3
"""Names and sizes: no drawer for everything, no file that is two things, common knows no service."""
import re
import sys

from tree import files, report

SERVICES = ("catalogue", "registry", "dispatch", "bankgateway", "auditlog", "banksim", "yktctl")
DRAWERS = re.compile(r"(^|/)(utils?|helpers?|misc|common)\.(h|cc|py)$")
# The contract's entry file and the list of reasons are read as lists.
MOST_LINES = 600


def main() -> int:
    checked, findings = 0, []
    for path, text in files(".h", ".cc", ".py"):
        checked += 1
        if DRAWERS.search(path):
            findings.append(f"{path}: a name that says nothing of its content")
        lines = text.count("\n")
        if lines > MOST_LINES and not path.endswith("_test.cc"):
            findings.append(f"{path}: {lines} lines; is it one thing?")
        if path.startswith("common/") and path.endswith((".h", ".cc")) and not path.endswith("_test.cc"):
            code = re.sub(r"//[^\n]*", "", text)
            for service in SERVICES:
                if re.search(rf'"[^"\n]*\b{service}\b[^"\n]*"', code):
                    findings.append(f"{path}: common knows the service {service} by name")
    for path, text in files("main.cc"):
        if path.startswith("services/"):
            checked += 1
            if text.count("\n") >= 60:
                findings.append(f"{path}: wiring only, under 60 lines")
    return report("names", checked, findings)


if __name__ == "__main__":
    sys.exit(main())
