"""A Prometheus that reads every process of a stack, with the alerts of the chart, and an Alertmanager that shows what fires.

Both listen on loopback and keep everything under one folder. Nothing is sent to anybody.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from ports import HeldPorts

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "helm" / "yikatong" / "alerts"
START_TIMEOUT_S = 60


def runs(pid: int, name: str) -> bool:
    """Whether `pid` is still the process that was started as `name`; a zombie is none."""
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z" and name in command


class Watch:
    def __init__(self, folder: pathlib.Path, interval: str = "5s"):
        """`interval`: how often processes are read and rules evaluated."""
        self.folder = folder
        self.interval = interval
        self.addresses = {"prometheus": "", "alertmanager": ""}
        self.held_ports = HeldPorts()  # until `end`: nobody else is given them before the two listen
        self.children = []

    def start(self, endpoints: dict, alertmanager: bool = True) -> None:
        """`endpoints` as the stack writes them. Starts anew what was started on this folder before; the history stays."""
        self.end()
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        alerting = {}
        if alertmanager:
            address = self.addresses["alertmanager"] = f"127.0.0.1:{self.held_ports.hold()}"
            (self.folder / "alertmanager.yml").write_text(json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
            self._run("alertmanager", ["prometheus-alertmanager", f"--config.file={self.folder / 'alertmanager.yml'}",
                                       f"--storage.path={self.folder / 'data' / 'alertmanager'}", f"--web.listen-address={address}",
                                       "--cluster.listen-address=", "--log.level=warn"])
            alerting = {"alertmanagers": [{"static_configs": [{"targets": [address]}]}]}
        address = self.addresses["prometheus"] = f"127.0.0.1:{self.held_ports.hold()}"
        # The labels that the chart's PodMonitor gives.
        targets = [{"targets": [one["metrics"]], "labels": {"service": one["service"], "pod": one["name"]}}
                   for one in endpoints["processes"]]
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": self.interval, "evaluation_interval": self.interval},
            "rule_files": [str(ALERTS / "*.yaml")], "alerting": alerting,
            "scrape_configs": [{"job_name": "yikatong", "static_configs": targets}]}, indent=1))
        self._run("prometheus", ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}",
                                 f"--storage.tsdb.path={self.folder / 'data' / 'prometheus'}", f"--web.listen-address={address}",
                                 "--log.level=warn"])
        (self.folder / "watch.json").write_text(json.dumps({"pids": {name: child.pid for name, child in self.children},
                                                            "addresses": self.addresses}))

    def _run(self, name: str, command: list) -> None:
        if shutil.which(command[0]) is None:
            raise FileNotFoundError(f"{command[0]} is not installed (deploy/install-packages watch)")
        with (self.folder / f"{name}.log").open("ab") as out:
            self.children.append((name, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)))

    def end(self) -> None:
        """Ends what was started on this folder, by this process or an earlier one, and waits for it."""
        known = self.folder / "watch.json"
        for name, pid in (json.loads(known.read_text())["pids"] if known.exists() else {}).items():
            deadline = time.monotonic() + START_TIMEOUT_S
            if runs(pid, name):
                os.kill(pid, signal.SIGTERM)
            while runs(pid, name):
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                    deadline += START_TIMEOUT_S
                time.sleep(0.05)
        for _, child in self.children:
            child.wait()
        self.children.clear()
        self.held_ports.let_go()
        known.unlink(missing_ok=True)
