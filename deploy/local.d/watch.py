"""A Prometheus that reads every process of a stack, with the alerts of the chart, and an Alertmanager that shows what fires.

Both listen on loopback and keep everything under one folder. Nothing is sent to anybody.
"""
import json
import pathlib
import shutil
import subprocess
import time
import urllib.request

from ports import HeldPorts
from stack import START_TIMEOUT_S, Stack, StackError, alive

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "helm" / "yikatong" / "alerts"
PROGRAMS = {"alertmanager": "prometheus-alertmanager", "prometheus": "prometheus"}  # in the order of starting


class Watch:
    def __init__(self, folder: pathlib.Path, interval: str = "5s", alerts: pathlib.Path = ALERTS):
        """`interval`: how often processes are read and rules evaluated; `alerts`: a folder of rule files."""
        self.folder = folder.resolve()
        self.interval = interval
        self.alerts = alerts
        self.addresses = {}
        self.held_ports = HeldPorts()  # until `end`: nobody else is given them before the two listen
        self.children = []

    def start(self, endpoints: dict) -> None:
        """`endpoints` as the stack writes them. Starts anew what was started on this folder before; the history stays. Both are ready
        when it returns; where one does not start, StackError says why and neither is left."""
        missing = [program for program in PROGRAMS.values() if shutil.which(program) is None]
        if missing:
            raise StackError(f"not installed: {', '.join(missing)} (deploy/install-packages watch)")
        self.end()
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.addresses = {name: f"127.0.0.1:{self.held_ports.hold()}" for name in PROGRAMS}
        try:
            self._run("alertmanager", {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]},
                      "--storage.path", "--cluster.listen-address=")
            # The labels that the chart's PodMonitor gives.
            targets = [{"targets": [one["metrics"]], "labels": {"suite": "yikatong", "service": one["service"], "pod": one["name"]}}
                       for one in endpoints["processes"]]
            self._run("prometheus", {
                "global": {"scrape_interval": self.interval, "evaluation_interval": self.interval},
                "rule_files": [str(self.alerts / "*.yaml")],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.addresses["alertmanager"]]}]}]},
                "scrape_configs": [{"job_name": "yikatong", "static_configs": targets}]}, "--storage.tsdb.path")
            fresh = self.folder / "watch.json.new"
            fresh.write_text(json.dumps(self.addresses) + "\n", encoding="utf-8")
            fresh.rename(self.folder / "watch.json")
        except BaseException:  # an interrupted start, too
            self.end()
            raise

    def _run(self, name: str, config: dict, data: str, *more: str) -> None:
        """Starts one and waits until it is ready; `data`: its option for the folder of what it keeps."""
        self._config_file(name).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        address = self.addresses[name]
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            before = out.tell()
            child = subprocess.Popen([PROGRAMS[name], f"--config.file={self._config_file(name)}", f"{data}={self.folder / 'data' / name}",
                                      f"--web.listen-address={address}", f"--web.external-url=http://{address}", "--log.level=warn", *more],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.children.append(child)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready(address):
            if child.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"{name} did not start:\n{log.read_bytes()[before:].decode(errors='replace')[-1500:]}")
            time.sleep(0.05)

    @staticmethod
    def _is_ready(address: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5):
                return True
        except OSError:  # nobody listens yet, or says that it is not ready
            return False

    def _config_file(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.yml"

    def running(self) -> list:
        """(pid, program) of what was started on this folder, by this process or an earlier one. Each is known by its own name and by
        its config file, so that nothing has to be written down that could be lost, torn or of a number that was used anew."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            for name, program in PROGRAMS.items():
                if entry.name.isdigit() and alive(int(entry.name), program) and self._is_of_this_folder(entry, name):
                    found.append((int(entry.name), program))
        return found

    def _is_of_this_folder(self, process: pathlib.Path, name: str) -> bool:
        try:
            return f"--config.file={self._config_file(name)}".encode() in (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            return False

    def end(self) -> None:
        """Ends what was started on this folder, by this process or an earlier one, and waits for it."""
        for child in self.children:
            child.terminate()  # one that was started just now may not bear its name yet
        for pid, program in self.running():
            Stack._end(pid, program)
        for child in self.children:
            child.wait()
        self.children.clear()
        self.held_ports.let_go()
        (self.folder / "watch.json").unlink(missing_ok=True)
