"""Where a seed runs: a stack with two replicas and short leases, on a copy of a state that was made once, in a place of its
own with ports of its own, so that several seeds can run side by side."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from faults import LEASE_S, kill_server
from ports import HeldPorts
from rosters import TODAY
from stack import SERVICES, Stack, StackError, alive, say

DISK_MIB = 1500
POSTGRES_TRIES_S = 60
TEMPLATE_LIFE_S = 4 * 3600  # the tokens in it live for 12 hours


class FaultStack(Stack):
    """The stack with two replicas, short leases and failpoints, on a copy of a state that was made once."""

    def __init__(self, state: pathlib.Path, binaries: pathlib.Path):
        settings = {service: {"failpoints": state.resolve() / "failpoints" / service} for service in SERVICES}
        for service in ("catalogue", "registry", "bankgateway", "dispatch"):
            settings[service]["lease"] = f"{LEASE_S}s"
        # A harness that asks again and again is one organisation with many callers.
        for service in ("catalogue", "dispatch"):
            settings[service]["rate_limit"] = 100_000
        super().__init__(state, binaries, TODAY.isoformat(), replicas=2, settings=settings)

    def failpoints(self, service: str) -> pathlib.Path:
        return self.state / "failpoints" / service

    def postgres_runs(self) -> bool:
        try:
            lines = (self._data_folder / "postmaster.pid").read_text().split("\n")
            return alive(int(lines[0]), "postgres") and lines[7].strip() == "ready"
        except (OSError, ValueError, IndexError):
            return False

    def start_postgres(self) -> None:
        """Until it takes connections; what a killed server left behind may refuse a new one for a moment."""
        deadline = time.monotonic() + POSTGRES_TRIES_S
        while True:
            try:
                self._start_postgres()
                return
            except StackError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def start_redis(self) -> None:
        (self.run / "redis.sock").unlink(missing_ok=True)
        self._start_redis()
        self.tell_processes()

    def kill_postgres(self) -> None:
        kill_server(self._data_folder)

    def kill_all(self) -> None:
        """Ends whatever runs on this state, and waits for it."""
        pids = [pid for process, pid in self._read("pids.json", {}).items() if alive(pid, process.split("-")[0])]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.kill_postgres()
        while any(alive(pid, "") for pid in pids):
            time.sleep(0.02)

    def make(self) -> None:
        """From nothing; keeps what `resume` needs."""
        for service in SERVICES:
            self.failpoints(service).mkdir(parents=True, exist_ok=True)
        endpoints = self.up()
        self._write("people.json", endpoints["people"])

    def resume(self) -> dict:
        """Starts what a copied state holds, all at once."""
        self.ports = self.choose_ports()
        self.children = {}
        self._start_postgres()
        self.start_redis()
        for process, service in self.processes_of_all():
            self.start_process(process, service)
        for process, service in self.processes_of_all():
            self.await_ready(process, service)
        endpoints = self._endpoints(self._read("people.json", {}))
        self._write("endpoints.json", endpoints)
        return endpoints


class Slot:
    """Where one seed at a time runs: always the same path and ports, since settings, certificates and the gateway's books
    name them. A file system of its own in memory where that may be mounted, so that it can be full. Not thread safe."""

    def __init__(self, work: pathlib.Path, number: int, binaries: pathlib.Path):
        digest = hashlib.sha256(f"{work.resolve()}/{number}".encode()).hexdigest()[:12]
        self.path = pathlib.Path(f"/var/tmp/yikatong-faults-{digest}")
        self.template = work / f"template-{number}"
        self.binaries = binaries
        self.mounted = False
        self.ports = HeldPorts()  # nobody else is given them between two seeds

    def open(self) -> None:
        # What an earlier run left that was killed itself.
        left = FaultStack(self.path / "state", pathlib.Path("/"))
        if left.state.exists():
            left.kill_all()
        self._unmount()
        self.path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(self.path)],
                              capture_output=True, text=True, check=False)
        self.mounted = done.returncode == 0
        if not self.mounted:
            say(f"  no file system of its own, so no full disk: {done.stderr.strip()}")

    def close(self) -> None:
        self.ports.let_go()
        self._unmount()

    def _unmount(self) -> None:
        if self.path.exists():
            subprocess.run(["umount", str(self.path)], capture_output=True, check=False)
            shutil.rmtree(self.path)

    # --- The template ---------------------------------------------------------------------------------------------

    def has_template(self, key: str) -> bool:
        """Whether an earlier run left one of this key whose ports are still free; they are held from here on."""
        marker = self.template / "key"
        if not marker.exists() or marker.read_text() != key or time.time() - marker.stat().st_mtime > TEMPLATE_LIFE_S:
            return False
        try:
            for port in json.loads((self.template / "state" / "ports.json").read_text()).values():
                self.ports.hold(port)
        except OSError:
            self.ports.let_go()
            return False
        return True

    def make_template(self, key: str, found) -> None:
        """`found` does on a running stack what all seeds have in common."""
        stack = FaultStack(self.path / "state", self.binaries)
        # Before anybody listens: where a service does, no other socket may be bound.
        for port in stack.choose_ports().values():
            self.ports.hold(port)
        try:
            stack.make()
            found(stack)
        finally:
            stack.down()
        shutil.rmtree(self.template, ignore_errors=True)
        copy(self.path, self.template)
        (self.template / "key").write_text(key)

    def fill(self) -> FaultStack:
        """A fresh copy of the template; its stack is not started yet."""
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        copy(self.template, self.path)
        return FaultStack(self.path / "state", self.binaries)

    def keep(self, folder: pathlib.Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        copy(self.path, folder)


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
