"""What is asked of the report of a demonstration, and of two that were run with one seed in different places."""

# What must not depend on where, or how fast, the programs ran: keys of a report, from its top to the figure.
FIGURES = (("payments",), ("fen",), ("reasons",), ("bank_journal",), ("ledger",), ("audit", "verified"), ("archives", "verified"))


def wrong_in(report: dict) -> list:
    """What must not be in a report, in words; empty where all of it holds."""
    wrong = list(report["differences"])
    if not report["ledger"]["balanced"]:
        wrong.append("the ledger is not balanced")
    if not report["audit"]["verified"]:
        wrong.append("the audit log does not verify")
    if not report["archives"]["verified"]:
        wrong.append("the exported archive does not verify")
    twice = report["bank_journal"]["references_credited_twice"]
    if twice:
        wrong.append(f"the bank credited {twice} references twice")
    return wrong


def told_apart(one: dict, other: dict, where: tuple) -> list:
    """The figures in which two reports differ, in words; `where`: where each of the two was run."""
    wrong = []
    for figure in FIGURES:
        told = [_at(report, figure) for report in (one, other)]
        if told[0] != told[1]:
            wrong.append(f"{'.'.join(figure)}: {told[0]} {where[0]}, {told[1]} {where[1]}")
    return wrong


def _at(report: dict, figure: tuple):
    for key in figure:
        report = report[key]
    return report
