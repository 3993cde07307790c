#!/usr/bin/env python3
"""Who may include whom.

domain -> common/base|status|money|codes|calendar|crypto|identity|policy|archive only; rpc, store, clients, workers -> domain;
no service includes another; common never includes services. Only rpc, clients, workers and main see gRPC and protobuf; only
store and common see the database.
"""
import sys

from tree import files, includes, report

DOMAIN_MAY = ("common/base/", "common/status/", "common/money/", "common/codes/", "common/calendar/",
              "common/crypto/", "common/identity/", "common/policy/", "common/archive/")
WIRE = ("grpcpp/", "grpc/", "google/protobuf", "google/rpc", "yikatong/")
DATABASE = ("pqxx", "libpq", "common/postgres/", "hiredis", "common/redis/")


def part_of(path: str) -> str:
    """`domain`, `rpc` …: the folder inside a service; empty for its root files."""
    pieces = path.split("/")
    return pieces[2] if len(pieces) > 3 else ""


def broken(path: str, included: str) -> str:
    own = path.split("/")
    if included.startswith("services/"):
        if own[0] == "common":
            return "common never includes a service"
        if own[0] == "services" and included.split("/")[1] != own[1]:
            return "no service includes another"
    if own[0] == "common" and own[1] in ("base", "status", "money", "codes", "calendar", "policy", "crypto", "archive"):
        if included.startswith(WIRE) or included.startswith(DATABASE):
            return f"common/{own[1]} is plain values: no wire, no database"
    if own[0] != "services" or path.endswith("_test.cc"):
        return ""
    part = part_of(path)
    target = included.split("/")
    target_part = target[2] if included.startswith("services/") and len(target) > 3 else ""
    if part == "domain":
        if included.startswith("common/") and not included.startswith(DOMAIN_MAY):
            return "domain includes plain values only"
        if included.startswith(WIRE) or included.startswith(DATABASE) or included.startswith("prometheus/"):
            return "domain reaches for wire, database or metrics"
        if included.startswith("services/") and target_part != "domain":
            return "domain includes only domain"
    if part == "store" and (target_part in ("rpc", "clients", "workers") or included.startswith("grpcpp/")):
        return "store knows only the domain and the database"
    if part == "rpc" and included.startswith(("pqxx", "libpq", "hiredis")):
        return "rpc does not speak to the database's driver"
    return ""


def main() -> int:
    checked, findings = 0, []
    for path, text in files(".h", ".cc"):
        if not path.startswith(("common/", "services/")):
            continue
        for included in includes(text):
            checked += 1
            why = broken(path, included)
            if why:
                findings.append(f"{path} includes {included}: {why}")
    return report("includes", checked, findings)


if __name__ == "__main__":
    sys.exit(main())
