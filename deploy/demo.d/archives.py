"""What a demonstration does with archives: batches in which nothing is open are closed, their packages sealed, one of them is
taken out as a file and verified with nothing but the log's public key."""
import time

OPEN = ("waiting", "held", "unroutable", "in_transit", "failed", "unknown", "returned_open")
SEAL_TIMEOUT_S = 120


class ArchiveError(Exception):
    """What went wrong, in words."""


def whole(totals: dict) -> bool:
    """Whether nothing of a batch is open any more."""
    return all(int(totals.get(bucket, 0)) == 0 for bucket in OPEN)


def archive_whole(demo) -> dict:
    """Closes what is whole and says what was sealed and what the verification of one package said."""
    ctl, closed = demo.ctl, []
    for batch in demo.live():
        own = demo.batches[batch["key"]]
        shown = ctl("auditor-1", "batch", "show", "--id", own)
        if shown["state"] == "BATCH_STATE_SETTLED" and whole(shown["totals"]):
            ctl(demo.officer(batch, "operator"), "batch", "close", "--id", own)
            closed.append(str(own))
    if not closed:
        return {"closed": 0, "sealed": 0, "records": 0, "verified": True}
    deadline = time.monotonic() + SEAL_TIMEOUT_S
    while True:
        listed = ctl("auditor-1", "archive", "list", "--page-size", "1000")["archives"]
        sealed = {one["batch_id"]: one for one in listed if one["state"].endswith("SEALED")}
        if set(closed) <= set(sealed):
            break
        if time.monotonic() > deadline:
            raise ArchiveError(f"archives are not sealed: {[one for one in listed if one['batch_id'] not in sealed]}")
        time.sleep(0.2)
    largest = max((sealed[batch] for batch in closed), key=lambda one: int(one["records"]))
    file = demo.stack.state / "archive.tar"
    ctl("auditor-1", "archive", "export", "--id", largest["batch_id"], "--to", file)
    checked = ctl("auditor-1", "archive", "verify", file, "--public-key", demo.stack.certificates / "keys" / "audit-log.pub")
    package = checked["packages"][0]
    return {"closed": len(closed), "sealed": len(sealed), "records": sum(int(one["records"]) for one in sealed.values()),
            "exported": {"batch": largest["batch_id"], "file": str(file), "files": package["files"],
                         "records": package["records"], "keep_until": package["keep_until"]},
            "verified": bool(checked["verified"] and package["anchored"]
                             and int(package["records"]) == int(largest["records"]))}


def told(archives: dict) -> str:
    """One line about them."""
    if not archives["closed"]:
        return "none: no batch is without something open"
    exported = archives["exported"]
    return (f"{archives['sealed']} batches sealed with {archives['records']:,} records; one of {exported['records']:,} exported, "
            f"{'verified' if archives['verified'] else 'NOT VERIFIED'}, to keep until {exported['keep_until']}")
