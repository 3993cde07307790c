"""Reads the stand-in bank's journal (services/banksim/README.md) apart from the bank: it believes no summary."""
import binascii
import dataclasses
import pathlib


class JournalError(Exception):
    """The journal is damaged before its last whole group."""


@dataclasses.dataclass(slots=True)
class Booked:
    """What the journal holds of one reference."""
    amount_fen: int
    credits: int = 0
    returns: int = 0
    failures: int = 0


def read(path: pathlib.Path) -> dict:
    """reference -> Booked, from whole groups only; a torn tail was never answered by the bank."""
    booked = {}
    group = []
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = raw.rstrip(b"\n")
            if number == 1:
                if not line.startswith(b"V|YKTJ1"):
                    raise JournalError("the journal's head is missing")
                continue
            body, checksum = line[:-8], line[-8:]
            if not raw.endswith(b"\n") or f"{binascii.crc32(body):08x}".encode() != checksum.lower():
                rest = lines.read(1 << 20)
                if b"\nE|" in rest or rest.startswith(b"E|"):
                    raise JournalError(f"line {number} does not fit its checksum")
                break  # the torn tail
            fields = body.decode().split("|")
            if fields[0] != "E":
                group.append(fields)
                continue
            if int(fields[1]) != len(group):
                raise JournalError(f"line {number}: a group has another number of lines")
            for one in group:
                _take(booked, one)
            group = []
    return booked


def _take(booked: dict, fields: list) -> None:
    kind = fields[0]
    if kind not in ("C", "X", "R"):
        return
    # C|number|date|file|reference|amount|…, X and R alike
    reference, amount = int(fields[4]), int(fields[5])
    entry = booked.get(reference)
    if entry is None:
        entry = booked[reference] = Booked(amount)
    if entry.amount_fen != amount:
        raise JournalError(f"reference {reference} has two amounts")
    if kind == "C":
        entry.credits += 1
    elif kind == "R":
        entry.returns += 1
    else:
        entry.failures += 1
