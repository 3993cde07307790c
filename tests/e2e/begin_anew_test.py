#!/usr/bin/python3
"""The audit log comes back from a backup without its last entries, and a new one begins by a signed break.

    /usr/bin/python3 tests/e2e/begin_anew_test.py . build/release

Real processes: the log, the catalogue that writes into it, and an auditor's command line. What is done is what the runbook
AuditLogAltered says.
"""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path.insert(0, str(SOURCE / "deploy" / "local.d"))
import stack  # noqa: E402

SERVICES = ("auditlog", "catalogue")
START = datetime.date(2026, 11, 2)
PATIENCE_S = 30
WHY = "数据库由备份恢复，缺少最近的记录"


class SmallStack(stack.Stack):
    """The log and one producer; the others are nowhere."""

    def address_of_all(self, service: str) -> str:
        return super().address_of_all(service) if service in SERVICES else "127.0.0.1:1"


class BeginAnew(unittest.TestCase):
    def setUp(self):
        for name in ("SERVICES", "WITH_DATABASE"):
            patch = mock.patch.object(stack, name, SERVICES)
            patch.start()
            self.addCleanup(patch.stop)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yikatong-anew-"))
        self.folder.chmod(0o755)
        self.addCleanup(lambda: shutil.rmtree(self.folder, ignore_errors=True))
        self.stack = SmallStack(self.folder / "state", BUILD / "bin", START.isoformat(),
                                settings={"auditlog": {"check_every": "100ms"}})
        self.addCleanup(lambda: (self.stack.down(), self.stack.forget()))
        self.endpoints = self.stack.up()
        self.keys = self.stack.certificates / "keys"
        self.date = START

    # --- What people and operators do ---------------------------------------------------------------------------------

    def ctl(self, who: str, *words: str):
        return subprocess.run([str(BUILD / "bin" / "yktctl"), "--json", "--as", who, *words], capture_output=True,
                              text=True, check=False,
                              env={**os.environ, "YKT_ENDPOINTS": str(self.stack.state / "endpoints.json")})

    def audit(self, *words: str) -> dict:
        done = self.ctl("auditor-1", "audit", *words)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def act(self) -> None:
        """Something that becomes an entry of the log."""
        self.date += datetime.timedelta(days=1)
        done = self.ctl("clock-admin-1", "clock", "advance", "--to", self.date.isoformat())
        self.assertEqual(0, done.returncode, done.stderr)

    def auditlog(self, command: str):
        return subprocess.run([str(BUILD / "bin" / "auditlog"), "--config", str(self.stack._config_file("auditlog")),
                               command], capture_output=True, text=True, check=False)

    def stop(self, service: str) -> None:
        self.stack._end(self.stack.children[service], service)

    def start(self, service: str) -> None:
        self.stack.start_process(service, service)
        self.stack.await_ready(service, service)

    def wait_for(self, what: str, true) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def lag(self) -> float:
        return stack.metric(self.stack.address("catalogue", "metrics"), "yikatong_outbox_lag_entries")

    def wait_until_sent(self, size: int) -> None:
        # The gauge is as of the relay's last look, so the log's own size counts as well.
        self.wait_for("the outbox is not empty", lambda: self.lag() == 0 and self.size() >= size)

    def size(self) -> int:
        return int(self.audit("checkpoint")["tree_size"])

    def intact(self) -> bool:
        return stack.metric(self.stack.address("auditlog", "metrics"), "yikatong_auditlog_intact") == 1

    def log_of(self, service: str) -> str:
        return (self.stack.log / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    # --- The story ----------------------------------------------------------------------------------------------------

    def test_a_log_that_lost_entries_is_followed_by_another_one(self):
        old_key, new_key = str(self.keys / "audit-log.pub"), str(self.keys / "audit-log-2.pub")
        kept, kept_anew = str(self.folder / "kept"), str(self.folder / "kept-anew")
        for _ in range(3):
            self.act()
        self.wait_until_sent(3)
        self.stop("auditlog")
        self.stack._ask("CREATE DATABASE backup TEMPLATE auditlog")
        self.start("auditlog")
        self.act()
        self.act()
        self.wait_until_sent(5)
        closed = self.audit("checkpoint")
        self.audit("verify", "--public-key", old_key, "--keep", kept, "--sample", "5")
        self.assertEqual(1, self.ctl("auditor-1", "audit", "break", "--public-key", old_key).returncode)

        # The log comes back without its last two entries, and says so.
        self.stop("auditlog")
        self.stack._ask("ALTER DATABASE auditlog RENAME TO auditlog_closed")
        self.stack._ask("ALTER DATABASE backup RENAME TO auditlog")
        self.start("auditlog")
        self.wait_for("nobody noticed", lambda: not self.intact())
        self.act()  # waits in the outbox of the catalogue from now on
        self.stop("auditlog")
        self.stack._ask("ALTER DATABASE auditlog RENAME TO auditlog_restored")

        # Another origin, another key, another file, an empty database.
        self.stack._check([str(SOURCE / "deploy" / "certificates" / "make"), str(self.stack.certificates),
                           "--signing-key", "audit-log-2"])
        former = self.stack.state / "audit-checkpoint"
        self.stack.settings["auditlog"] |= {
            "origin": "yikatong.local/audit-2", "signing_key": self.keys / "audit-log-2.key",
            "checkpoint_file": self.stack.state / "audit-checkpoint-2", "former_verifier_key": closed["verifier_key"],
            "former_checkpoint": former, "break_reason": WHY}
        self.stack._write_configs()
        self.stack._provision()
        self.start("auditlog")
        self.wait_for("the catalogue goes on under its old epoch", lambda: '"outbox_diverged"' in self.log_of("catalogue"))

        begun = self.auditlog("--begin-anew")
        self.assertEqual(0, begun.returncode, begun.stderr)
        first = begun.stdout.split("checkpoint:\n", 1)[1]
        again = self.auditlog("--begin-anew")
        self.assertEqual(0, again.returncode, again.stderr)
        self.assertIn("nothing was changed", again.stdout)
        self.assertEqual(first, again.stdout.split("checkpoint:\n", 1)[1])
        published = self.folder / "first"
        published.write_text(first, encoding="utf-8")

        # The catalogue begins at number 1 of its next epoch, with what had waited.
        self.stop("catalogue")
        self.stack.settings["catalogue"] = {"restore_id": "anew"}
        self.stack._write_configs()
        self.stack._check([str(BUILD / "bin" / "catalogue"), "--config", str(self.stack._config_file("catalogue")),
                           "--raise-restore-epoch"])
        self.start("catalogue")
        self.act()
        self.wait_until_sent(4)

        # Whoever has the new key verifies the new log from its first checkpoint on.
        verified = self.audit("verify", "--public-key", new_key, "--previous", str(published), "--keep", kept_anew,
                              "--sample", "5")
        self.assertTrue(verified["verified"])
        self.assertEqual(1, verified["consistency_checked"])
        self.assertEqual(0, self.auditlog("--verify").returncode)
        self.assertTrue(self.intact())
        entries = self.audit("entries")["entries"]
        self.assertEqual(["log.begun_anew", "clock.advanced", "service.restored", "clock.advanced"], [one["kind"] for one in entries])
        self.assertEqual(["1", "1", "2", "3"], [one["number"] for one in entries])
        self.assertEqual(1, len(self.audit("entries", "--kind", "log.begun_anew")["entries"]))

        # The break says where the closed log ended, and whoever kept a checkpoint of it can compare.
        said = self.audit("break", "--public-key", new_key, "--former", kept)
        self.assertEqual({"former_log": "yikatong.local/audit", "former_key": closed["verifier_key"], "former_size": 5,
                          "reason": WHY, "verified": True},
                         {key: said[key] for key in ("former_log", "former_key", "former_size", "reason", "verified")})
        foreign = self.ctl("auditor-1", "audit", "break", "--public-key", new_key, "--former", kept_anew)
        self.assertEqual(1, foreign.returncode)
        self.assertIn("PROOF_INVALID", foreign.stderr)
        # Under the new key the old history is nobody's, and the new log is no continuation of it.
        for key, previous in ((new_key, kept), (old_key, kept)):
            refused = self.ctl("auditor-1", "audit", "verify", "--public-key", key, "--previous", previous)
            self.assertEqual(1, refused.returncode)
            self.assertIn("PROOF_INVALID", refused.stderr)

        late = self.auditlog("--begin-anew")
        self.assertEqual(1, late.returncode)
        self.assertIn("AUDIT_LOG_NOT_EMPTY", late.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
