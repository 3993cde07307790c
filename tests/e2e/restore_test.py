"""Restores every database to one moment in the middle of paying, and pays on: nothing is paid twice, nothing is lost.

    /usr/bin/python3 tests/e2e/restore_test.py . build/release [--payments N] [--seed S]

The whole demonstration is run on a database server that archives its log. A base backup is taken before batches are paid. Half of
them are released; then comes the moment to which everything will be put back; then the others are released, and when most are paid
somebody deletes what must not be deleted. Now what helm/yikatong/RESTORING.md says is done: everything is stopped; catalogue,
registry, dispatch and bankgateway are put back to the moment, the audit log to its end, so that it loses nothing; epochs are raised;
two replicas of each service start; the later batches are released again; the gateways, one of which is killed meanwhile, find out
what the bank did since; the restore is finished. Afterwards the report must hold as if nothing had happened.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
sys.path[:0] = [str(SOURCE / "deploy" / "demo.d"), str(SOURCE / "deploy" / "local.d")]
from run import Ctl, Demo, end_what_was_started, show  # noqa: E402
from stack import POSTGRES_BIN, WITH_DATABASE, Stack, alive, say  # noqa: E402
from whole_demo import PATIENCE_S, own_stack, wait_for_credits, wrong_in  # noqa: E402

MOMENT, MISTAKE = 0.1, 0.75  # of the payments credited
RESTORE_ID = "rehearsal"
REPLICAS = 2  # of each service: both look up what banks have


class Backup:
    """A base backup and the archived log of a stack's database server, in a folder of its own."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.folder = pathlib.Path(f"{stack.run}-backup")
        self.archive = self.folder / "log"
        self.base = self.folder / "base"
        self.archive.mkdir(parents=True)
        if os.getuid() == 0:
            for path in (self.folder, self.archive):
                shutil.chown(path, "postgres", "postgres")
        # A file is there whole or not at all.
        stack.database_settings = {"archive_mode": "on", "archive_command":
                                   f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f.part && mv {self.archive}/%f.part {self.archive}/%f"}

    def run(self, *words) -> str:
        done = subprocess.run([*self.stack._as_postgres(), *map(str, words)], cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def take(self) -> None:
        self.run(POSTGRES_BIN / "pg_basebackup", "-h", self.stack.run, "-U", "postgres", "-D", self.base, "--checkpoint=fast",
                 "--wal-method=none", "--no-sync")

    def archive_everything(self) -> None:
        """Until the log up to now is in the archive."""
        last = self.stack._ask("SELECT pg_walfile_name(pg_current_wal_lsn())")
        self.stack._ask("SELECT pg_switch_wal()")
        self.wait("the log is archived", lambda: (self.archive / last).exists())

    @staticmethod
    def wait(what: str, holds) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"waited for ever until {what}"
            time.sleep(0.05)

    def put_back(self, data: pathlib.Path, until: str) -> None:
        """Makes `data` what it was at the time `until`, or at the end of the archive; it recovers when it is started."""
        shutil.rmtree(data, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.base), str(data)], check=True)
        with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as out:
            out.write(f"restore_command = 'cp {self.archive}/%f %p'\nrecovery_target_action = 'promote'\n")
            if until:
                out.write(f"recovery_target_time = '{until}'\n")
        self.run("touch", data / "recovery.signal")

    def put_back_to(self, moment: str) -> None:
        """All databases of the stack to one moment, but for the audit log, which comes back whole."""
        data = self.stack._data_folder
        self.run(POSTGRES_BIN / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        whole, dump = self.folder / "whole", self.folder / "auditlog.dump"
        self.put_back(whole, "")
        log = self.folder / "whole.log"
        try:
            self.run(POSTGRES_BIN / "pg_ctl", "-D", whole, "-w", "-t", str(PATIENCE_S), "-l", log, "-o",
                     f"-c unix_socket_directories={self.folder} -c archive_mode=off", "start")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from None
        ask = [POSTGRES_BIN / "psql", "-h", self.folder, "-U", "postgres", "-XAtqc", "SELECT pg_is_in_recovery()"]
        self.wait("the audit log is recovered", lambda: self.run(*ask) == "f")
        self.run(POSTGRES_BIN / "pg_dump", "-h", self.folder, "-U", "postgres", "-Fc", "-C", "-f", dump, "auditlog")
        self.run(POSTGRES_BIN / "pg_ctl", "-D", whole, "-m", "fast", "-w", "stop")
        self.put_back(data, moment)
        self.stack._start_postgres()
        self.wait("the databases are recovered", lambda: self.stack._ask("SELECT pg_is_in_recovery()") == "f")
        self.stack._ask("DROP DATABASE auditlog")
        self.run(POSTGRES_BIN / "pg_restore", "-h", self.stack.run, "-U", "postgres", "-C", "-d", "postgres", dump)

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class RestoredDemo(Demo):
    def __init__(self, arguments, stack: Stack, backup: Backup):
        super().__init__(arguments, stack)
        self.backup = backup
        self.credits_at = {}
        self.moment = ""
        self.released_after = set()  # batches: their release is undone
        self.withheld = 0
        self.undone = 0

    def fund(self) -> None:
        super().fund()
        self.backup.take()

    def release(self, keys) -> None:
        if self.moment:
            return super().release(keys)
        # Every second one by size, so that the others' payments are not enough to reach the mistake.
        size = {batch["key"]: batch["declared_count"] for batch in self.live()}
        before = set(sorted(keys & size.keys(), key=lambda key: (size[key], key))[::2])
        super().release(before)
        self.await_credits("moment", MOMENT)
        self.moment = self.stack._ask("SELECT clock_timestamp()")
        self.released_after = set(keys) - before
        super().release(self.released_after)

    def wait_until_quiet(self, what: str) -> dict:
        if what != "pay" or "mistake" in self.credits_at:
            return super().wait_until_quiet(what)
        self.await_credits("mistake", MISTAKE)
        self.stop_all()
        self.stack._ask("DELETE FROM ledger; DELETE FROM attempt", "dispatch")
        self.backup.archive_everything()
        begun = time.monotonic()
        self.backup.put_back_to(self.moment)
        say(f"    put back to {self.credits_at['moment']} credits from {self.credits_at['mistake']} in {time.monotonic() - begun:.1f} s")
        assert self.stack._ask("SELECT count(*) > 0 FROM ledger", "dispatch") == "t"
        for service in WITH_DATABASE:
            if service != "auditlog":
                self.command(service, "--raise-restore-epoch", {"RESTORE_ID": RESTORE_ID})
        up = subprocess.run([str(SOURCE / "deploy" / "local" / "up"), "--state", str(self.stack.state),
                             "--replicas", str(REPLICAS)], capture_output=True, text=True, check=False)
        assert up.returncode == 0, up.stdout + up.stderr
        self.ctl = Ctl(self.stack)
        self.release(self.released_after)
        self.kill_while_looking_up()
        sums = super().wait_until_quiet(what)
        said = self.command("bankgateway", "--finish-restore")
        assert f"restore {RESTORE_ID} is finished" in said, said
        self.withheld = int(self.stack._ask("SELECT sum(withheld) FROM submission", "bankgateway"))
        self.undone = self.count_undone()
        say(f"    paid on: the bank had {self.withheld} of them, {self.undone} entries of the log are undone")
        return sums

    def kill_while_looking_up(self) -> None:
        """kill -9 of one gateway once it has begun to ask the banks, and its start again."""
        asked = "SELECT count(*) > 0 FROM submission WHERE looked_up_on IS NOT NULL"
        self.backup.wait("a chunk is looked up", lambda: self.stack._ask(asked, "bankgateway") == "t")
        self.stack.children = self.stack._read("pids.json", {})
        pid = self.stack.children["bankgateway"]
        os.kill(pid, signal.SIGKILL)
        self.backup.wait("the killed gateway is gone", lambda: not alive(pid, "bankgateway"))
        self.stack.start_process("bankgateway", "bankgateway")
        self.stack.await_ready("bankgateway", "bankgateway")

    def await_credits(self, event: str, share: float) -> None:
        self.credits_at[event] = wait_for_credits(self.journal, round(share * self.plan["expected"]["accepted"]))

    def stop_all(self) -> None:
        """kill -9 of everything but the database server, Redis too."""
        self.ctl.close()
        for pid in self.stack._read("pids.json", {}).values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def command(self, service: str, word: str, environment: dict | None = None) -> str:
        done = subprocess.run([str(self.stack.binaries / service), "--config", str(self.stack._config_file(service)), word],
                              env={**os.environ, **{f"YKT_{service.upper()}_{key}": value for key, value in (environment or {}).items()}},
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{service} {word}: {done.stdout}{done.stderr}"
        return done.stdout

    def count_undone(self) -> int:
        """Entries of the former epochs behind what the log was told to keep."""
        undone = 0
        for service in ("catalogue", "registry", "dispatch", "bankgateway"):
            epoch, kept = self.stack._ask("SELECT epoch - 1, kept_through FROM restored", service).split("|")
            undone += int(self.stack._ask(f"SELECT count(*) FROM entry WHERE producer = '{service}' AND restore_epoch = {epoch} "
                                          f"AND number > {kept}", "auditlog"))
        return undone


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args(sys.argv[3:])
    end_what_was_started()
    with own_stack("yikatong-restore-", BUILD / "bin", REPLICAS) as stack:
        backup = Backup(stack)
        demo = RestoredDemo(arguments, stack, backup)
        try:
            report = demo.run()
        finally:
            demo.ctl.close()
            backup.forget()
    show(report)
    wrong = wrong_in(report)
    if demo.credits_at["moment"] >= demo.credits_at["mistake"] or not demo.withheld or not demo.undone:
        wrong.append(f"nothing was undone: {demo.credits_at} credits, {demo.withheld} found at the bank, {demo.undone} entries undone")
    print(f"credits at the {', '.join(f'{event} {credits}' for event, credits in demo.credits_at.items())} "
          f"of {report['bank_journal']['credits']}; {demo.withheld} found at the bank, {demo.undone} entries of the log undone")
    for one in wrong:
        print(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
