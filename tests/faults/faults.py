"""Faults 26 to 34 of the scenarios, done to a running stack from outside, and the hand that starts again what fell."""
import contextlib
import errno
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time
import traceback

import psycopg2

import points
from stack import SERVICES, WITH_DATABASE, StackError, alive, ended

LEASE_S = 3  # of the stack under test; the shortest that the services take
# Longer than every time-out of the suite: 30 s for a statement of the database, 10 s to submit, 20 s for our own calls.
LONG_OUTAGE_S = 40
STAGES = ("people", "collect", "publish", "review", "fund", "pay", "statements", "repair", "recover")


def state_of(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


class Keeper(threading.Thread):
    """Starts again what ended, as Kubernetes would, and wakes what a failpoint stopped once its lease has passed on."""

    def __init__(self, stack, draw: random.Random):
        super().__init__(daemon=True)
        self.stack = stack
        self.draw = draw
        self.lock = threading.RLock()
        self.held = set()      # processes that a fault keeps down
        self.frozen = set()    # processes that a fault stopped and wakes itself
        self.postgres_held = False
        self.redis_held = False
        self.restarts = 0
        self.failure = None
        self.traceback = ""
        self.done = threading.Event()
        self._due = {}         # process -> when it is started again
        self._stopped = {}     # process -> since when it stands still
        self._untold = False   # the list of processes could not be written: the disk was full

    def run(self):
        while not self.done.wait(0.05):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001: told to who waits for the seed
                self.failure = error
                self.traceback = traceback.format_exc()
                return

    def look(self) -> None:
        now = time.monotonic()
        with self.lock:
            if self._untold:
                self._start(self.stack.tell_processes)
            # The database first: nothing else starts without it.
            if not self.postgres_held and not self.stack.postgres_runs():
                self._start(self.stack.start_postgres)
                self.restarts += 1
            if not self.redis_held and ended(self.stack.children["redis"]):
                self._start(self.stack.start_redis)
                self.restarts += 1
            for process, service in self.stack.processes_of_all():
                pid = self.stack.children[process]
                if state_of(pid) == "T" and process not in self.frozen and self._stopped_by_point(service, pid):
                    since = self._stopped.setdefault(process, now)
                    if now - since > 1.5 * LEASE_S:
                        os.kill(pid, signal.SIGCONT)
                        del self._stopped[process]
                    continue
                self._stopped.pop(process, None)
                if process in self.held or not ended(pid):
                    self._due.pop(process, None)
                    continue
                due = self._due.setdefault(process, now + self.draw.uniform(0.1, 0.8))
                if now >= due:
                    del self._due[process]
                    self._start(lambda process=process, service=service: self.stack.start_process(process, service))
                    self.restarts += 1

    def _start(self, start) -> None:
        """What the full disk of a fault keeps from being written now is written later."""
        self._untold = False
        try:
            start()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self._untold = True

    def _stopped_by_point(self, service: str, pid: int) -> bool:
        """Whether a failpoint stopped it: what somebody else stops is not ours to wake."""
        return any(took.read_text().startswith("stop") for took in self.stack.failpoints(service).glob(f"fired/*.{pid}"))

    def hold_all(self) -> None:
        """Ends every service for good, so that nobody works on what is altered from here on."""
        with self.lock:
            for process, _ in self.stack.processes_of_all():
                self.held.add(process)
                if not ended(self.stack.children[process]):
                    os.kill(self.stack.children[process], signal.SIGKILL)

    def check(self) -> None:
        if self.failure is not None:
            raise StackError(f"what had ended could not be started again: {self.failure}\n{self.traceback}")

    def all_up(self) -> bool:
        self.check()
        with self.lock:
            if not self.stack.postgres_runs():
                return False
            return all(not ended(self.stack.children[process]) and state_of(self.stack.children[process]) != "T"
                       and (self.stack.state / f"{process}.ready").exists()
                       for process, _ in self.stack.processes_of_all())


class Faults:
    """Draws the faults of one seed and does them. Each begins a drawn time after the beginning of a drawn stage."""

    def __init__(self, stack, keeper: Keeper, seed: int, disk: pathlib.Path | None):
        self.stack = stack
        self.keeper = keeper
        self.disk = disk  # a file system of its own for the database, or none
        self.draw = random.Random(f"faults-{seed}")
        self.started = []
        self.threads = []
        self.problems = []
        self.clock_moved = threading.Event()
        self.plan = self._plan(seed)
        self.points = points.chosen(seed)

    # --- The plan -------------------------------------------------------------------------------------------------

    def _plan(self, seed: int) -> list:
        """(stage, seconds after its beginning, kind, how)."""
        draw = self.draw
        kinds = ["kill_one", "kill_both", "kill_bank", "kill_postgres", "cut", "freeze", "redis_stop", "redis_flush",
                 "redis_slow", "redis_full", "outage", "locks", "clock"]
        if self.disk is not None:
            kinds.append("disk_full")
        # One kind that every so many seeds must have, so that none is left to luck; the others are drawn.
        plan = [kinds[seed % len(kinds)]] + draw.sample(kinds, draw.randint(2, 4))
        found = []
        for kind in plan:
            stage = draw.choice(STAGES if kind not in ("kill_bank", "outage") else ("pay", "statements", "repair"))
            found.append((stage, round(draw.uniform(0, 1.2), 3), kind, draw.random()))
        if seed % 10 == 7:
            found.append((draw.choice(("pay", "repair")), 0.2, "long_outage", draw.random()))
        return found

    def arm(self) -> None:
        for service, point, action in self.points:
            folder = self.stack.failpoints(service)
            folder.mkdir(parents=True, exist_ok=True)
            fresh = folder / f".{point}"
            fresh.write_text(action + "\n")
            fresh.rename(folder / point)

    def disarm(self) -> None:
        for service, point, _ in self.points:
            (self.stack.failpoints(service) / point).unlink(missing_ok=True)

    def fired(self) -> list:
        """(service, point, action) of what fired."""
        return [(service, point, action) for service, point, action in self.points
                if any(self.stack.failpoints(service).glob(f"fired/{point}.*"))]

    def begin(self, stage: str) -> None:
        for at, after_s, kind, how in self.plan:
            if at == stage:
                thread = threading.Thread(target=self._do, args=(stage, after_s, kind, how), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _do(self, stage: str, after_s: float, kind: str, how: float) -> None:
        time.sleep(after_s)  # the drawn moment, not a wait for anything
        try:
            getattr(self, kind)(random.Random(how))
            self.started.append((stage, kind))
        except Exception as error:  # noqa: BLE001: a fault that could not be done is a failure of the harness
            self.problems.append(f"{kind}: {type(error).__name__}: {error}")

    def end(self) -> None:
        """Every fault has been done and undone."""
        for thread in self.threads:
            thread.join()
        self.disarm()

    # --- Processes ------------------------------------------------------------------------------------------------

    def _kill(self, processes: list) -> None:
        with self.keeper.lock:
            for process in processes:
                pid = self.stack.children[process]
                if state_of(pid) not in ("", "Z"):
                    os.kill(pid, signal.SIGKILL)

    def kill_one(self, draw) -> None:
        service = draw.choice(WITH_DATABASE)
        self._kill([draw.choice(self.stack.replicas_of(service))])

    def kill_both(self, draw) -> None:
        self._kill(self.stack.replicas_of(draw.choice(WITH_DATABASE)))

    def kill_bank(self, _) -> None:
        self._kill(["banksim"])

    def _outage(self, service: str, seconds: float) -> None:
        processes = self.stack.replicas_of(service)
        self.keeper.held.update(processes)
        try:
            self._kill(processes)
            time.sleep(seconds)  # the outage itself
        finally:
            self.keeper.held.difference_update(processes)

    def outage(self, draw) -> None:
        self._outage(draw.choice(SERVICES), draw.uniform(2, 5))

    def long_outage(self, draw) -> None:
        self._outage(draw.choice(("registry", "bankgateway", "auditlog", "banksim", "dispatch")), LONG_OUTAGE_S)

    def freeze(self, draw) -> None:
        service = draw.choice(("dispatch", "bankgateway", "dispatch", "bankgateway", "catalogue", "registry", "auditlog"))
        process = draw.choice(self.stack.replicas_of(service))
        with self.keeper.lock:
            pid = self.stack.children[process]
            self.keeper.frozen.add(process)
            if state_of(pid) not in ("", "Z"):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(LEASE_S * draw.uniform(1.2, 1.8))
        with self.keeper.lock:
            self.keeper.frozen.discard(process)
            if not ended(pid):
                os.kill(pid, signal.SIGCONT)

    # --- PostgreSQL -----------------------------------------------------------------------------------------------

    def kill_postgres(self, draw) -> None:
        with self.keeper.lock:
            self.keeper.postgres_held = True
            self.stack.kill_postgres()
        time.sleep(draw.uniform(0, 1.5))
        self.keeper.postgres_held = False

    def _connect(self, database: str):
        return psycopg2.connect(host=str(self.stack.run), dbname=database, user="postgres")

    def cut(self, draw) -> None:
        """Connections are cut again and again, whatever they are at."""
        try:
            with contextlib.closing(self._connect("postgres")) as connection, connection.cursor() as cursor:
                for _ in range(draw.randint(3, 12)):
                    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE usename LIKE '%%\\_app' AND random() < %s", (draw.uniform(0.2, 1),))
                    connection.commit()
                    time.sleep(draw.uniform(0.02, 0.2))
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            pass  # killed by another fault

    def locks(self, draw) -> None:
        """Two sessions lock rows that a service wants, crosswise to it and to each other: somebody is a deadlock's victim."""
        service, *tables = draw.choice((("dispatch", "batch", "chunk", "budget_line"), ("dispatch", "recovery", "batch", "chunk"),
                                        ("bankgateway", "bank", "file", "reconciliation_case")))
        orders = (("ORDER BY 1", *tables), ("ORDER BY 1 DESC", *reversed(tables)))

        def session(order, *tables):
            try:
                connection = self._connect(service)
                with connection, connection.cursor() as cursor:
                    for table in tables:
                        cursor.execute(f"SELECT * FROM {table} {order} LIMIT 5 FOR UPDATE")
                        time.sleep(draw.uniform(0.3, 1.2))
                connection.close()
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                pass  # the deadlock's victim, or killed by another fault

        for _ in range(2):
            threads = [threading.Thread(target=session, args=one) for one in orders]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def disk_full(self, draw) -> None:
        """The file system of the database and of the bank's journal has not a byte left for a while."""
        filler = self.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as out:
                block = bytes(1 << 20)
                while block:
                    try:
                        out.write(block)
                    except OSError:
                        block = block[:len(block) // 2]
                time.sleep(draw.uniform(1, 3))
        finally:
            filler.unlink(missing_ok=True)

    # --- Redis ----------------------------------------------------------------------------------------------------

    def _redis(self, *words: str) -> None:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self.stack.run / "redis.sock"))
                connection.sendall(" ".join(words).encode() + b"\r\n")
                connection.recv(256)
        except OSError:
            pass  # stopped by another fault

    def redis_stop(self, draw) -> None:
        with self.keeper.lock:
            self.keeper.redis_held = True
            pid = self.stack.children["redis"]
            if state_of(pid) not in ("", "Z"):
                os.kill(pid, signal.SIGKILL)
        time.sleep(draw.uniform(0.5, 4))
        self.keeper.redis_held = False

    def redis_flush(self, draw) -> None:
        for _ in range(draw.randint(1, 5)):
            self._redis("FLUSHALL")
            time.sleep(draw.uniform(0.05, 0.5))

    def redis_slow(self, draw) -> None:
        self._redis("CLIENT", "PAUSE", str(draw.randint(1000, 5000)), "ALL")

    def redis_full(self, draw) -> None:
        self._redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self._redis("CONFIG", "SET", "maxmemory", "1")
        time.sleep(draw.uniform(1, 4))
        self._redis("CONFIG", "SET", "maxmemory", "128mb")
        self._redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")

    # --- The clock ------------------------------------------------------------------------------------------------

    def clock(self, draw) -> None:
        """The wall clock of one service jumps an hour either way, and back."""
        service = draw.choice(WITH_DATABASE)
        folder = self.stack.failpoints(service)
        folder.mkdir(parents=True, exist_ok=True)
        self.clock_moved.set()
        try:
            (folder / "clock").write_text(str(draw.choice((-3600, 3600))))
            time.sleep(draw.uniform(1, 4))
        finally:
            (folder / "clock").unlink(missing_ok=True)


def kill_server(data: pathlib.Path) -> None:
    """Ends the postmaster and all its children by kill -9, as when the machine loses its memory but not its disk."""
    try:
        postmaster = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not alive(postmaster, "postgres"):
        return
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False).stdout.split()
    for pid in (postmaster, *map(int, children)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for pid in (postmaster, *map(int, children)):
        while state_of(pid) not in ("", "Z"):
            time.sleep(0.01)
