"""The local stack with every program of the suite in a container, under the security context that the chart gives a pod.

A folder of wrappers stands in for the folder of binaries: each runs its program in the image that holds it, with the
machine's network and the folders of the stack at their own paths.
"""
import json
import os
import pathlib
import re
import secrets
import shlex
import subprocess

import yaml

from stack import SERVICES, Stack, say

ROOT = pathlib.Path(__file__).resolve().parents[2]

IMAGE_OF = {**{service: service for service in SERVICES}, "yktctl": "tools", "provision": "tools"}
ARCHIVES = ROOT / "build" / "images"
# podman's words for what the chart's security context says of a container; `{user}` is its number.
CONFINED = ["--user", "{user}:{user}", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges"]


def version() -> str:
    return re.search(r"^project\(yikatong VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)[1]


def chart_pods() -> dict:
    """The pods of a trial, as the chart describes them: name of the workload -> spec."""
    chart = ROOT / "helm" / "yikatong"
    rendered = subprocess.run([ROOT / "build" / "tools" / "helm", "template", "yikatong", chart, "--values",
                               chart / "examples" / "trial.yaml"], capture_output=True, text=True, check=True).stdout
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in yaml.safe_load_all(rendered)
            if one and one["kind"] in ("Deployment", "StatefulSet", "Job")}


def chart_user() -> int:
    """The user of every container of the chart. CONFINED must say all that the chart says, so another context is an error."""
    found = set()
    for pod in chart_pods().values():
        found |= {json.dumps([pod["securityContext"], container["securityContext"]], sort_keys=True)
                  for container in [*pod["containers"], *pod.get("initContainers", [])]}
    contexts = [json.loads(context) for context in found]
    user = contexts[0][0]["runAsUser"]
    # Of fsGroup a kubelet makes files readable for the group; `ContainerStack` gives them to the user. Podman's seccomp profile
    # is the runtime's default unless told otherwise.
    known = [{"runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user, "fsGroupChangePolicy": "OnRootMismatch",
              "seccompProfile": {"type": "RuntimeDefault"}},
             {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}]
    if contexts != [known]:
        raise SystemExit(f"the chart has security contexts that containers are not run under here: {contexts}")
    return user


class Podman:
    """A podman with a storage of its own, so that nothing of the machine's is touched."""

    def __init__(self):
        self.command = ["podman", "--root", str(ARCHIVES / "podman"), "--runroot", str(ARCHIVES / "podman-run"), "--storage-driver", "vfs",
                        "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none"]

    def load(self) -> None:
        for image in sorted({*IMAGE_OF.values(), "trial"}):
            subprocess.run([*self.command, "load", "--quiet", "--input", str(ARCHIVES / f"{image}.tar")], check=True,
                           stdout=subprocess.DEVNULL)

    def run(self, network: str) -> list:
        """A command that runs an image under the chart's security context; options and the image follow."""
        user = chart_user()
        return [*self.command, "run", "--rm", "--interactive", "--pull=never", f"--network={network}", "--ulimit=nofile=4096:4096",
                "--ulimit=nproc=4096:4096", *(word.format(user=user) for word in CONFINED)]

    def running(self) -> list:
        """Process ids on this machine of what runs in containers."""
        listed = subprocess.run([*self.command, "ps", "--format", "{{.Pid}}"], capture_output=True, text=True, check=True).stdout
        return [int(pid) for pid in listed.split()]


class ContainerStack(Stack):
    """`binaries` is made: the wrappers. `readable`: folders that the programs read besides those of the stack."""

    def __init__(self, state: pathlib.Path, binaries: pathlib.Path, start_date: str, podman: Podman, readable: list):
        super().__init__(state, binaries, start_date)
        self.podman = podman
        self.readable = readable
        self.user = chart_user()

    def up(self) -> dict:
        self.state.mkdir(parents=True, exist_ok=True)
        self.run.mkdir(exist_ok=True)
        self.binaries.mkdir(parents=True, exist_ok=True)
        run = self.podman.run(network="host")
        for folder in (self.state, self.run):
            run += ["--volume", f"{folder}:{folder}"]
        for folder in self.readable:
            run += ["--volume", f"{folder}:{folder}:ro"]
        for program, image in IMAGE_OF.items():
            environment = ["--env", "PGPASSWORD"] if program == "provision" else []
            command = shlex.join([*run, *environment, f"localhost/yikatong/{image}:{version()}", f"/usr/local/bin/{program}"])
            wrapper = self.binaries / program
            wrapper.write_text(f'#!/bin/sh\n{self.give_files()}\nexec {command} "$@"\n', encoding="utf-8")
            wrapper.chmod(0o755)
        endpoints = super().up()
        # Those who measure a process want it, and not the podman that waits for it.
        inside = {}
        for pid in self.podman.running():
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
            if "--config" in words:
                inside[pathlib.Path(words[words.index("--config") + 1]).stem] = pid
        for process in endpoints["processes"]:
            process["pid"] = inside[process["name"]]
        return endpoints

    def give_files(self) -> str:
        """A command that makes the stack's files the containers' user's, as a kubelet does with volumes."""
        return (f"find {shlex.quote(str(self.state))} {shlex.quote(str(self.run))} -path {shlex.quote(str(self._data_folder))} -prune "
                f"-o -user root -exec chown -h {self.user}:{self.user} {{}} + 2>/dev/null")

    def _provision(self) -> None:
        # Who starts this is the administrator by his name on this machine; a container's user has none, and comes with a password.
        os.environ["PGPASSWORD"] = secrets.token_hex(24)
        if self._ask("CREATE ROLE administrator SUPERUSER LOGIN; SELECT 'made'") != "made":
            say("    the administrator's role is there")
        self._ask(f"ALTER ROLE administrator PASSWORD '{os.environ['PGPASSWORD']}'")
        super()._provision()

    def administrator(self) -> str:
        return f"host={self.run} user=administrator dbname=postgres"

    @staticmethod
    def _end(pid: int, name: str) -> None:
        Stack._end(pid, name if name == "redis-server" else "podman")
