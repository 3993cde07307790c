"""PostgreSQL and Redis of a trial, run as the chart's pods describe them: commands, mounts, probes, and how they end."""
import os
import pathlib
import secrets
import shutil
import subprocess
import time

from containers import Podman, chart_pods, chart_user, version
from stack import say

IMAGE = f"localhost/yikatong/trial:{version()}"
PATIENCE_S = 60
GRACE_S = 30  # terminationGracePeriodSeconds of a pod that names none


def wrong_in_trial(podman: Podman, folder: pathlib.Path) -> list:
    """Each is started on an empty volume, ended, and started once more on what it left; whatever was not as it should be."""
    wrong = []
    for name, pod in chart_pods().items():
        for container in pod["containers"]:
            if container["image"] != IMAGE:
                continue
            shutil.rmtree(folder / name, ignore_errors=True)
            password = secrets.token_hex(16)
            command = command_of(podman, pod, container, folder / name, password)
            for start in ("first", "second"):
                began = time.monotonic()
                with (folder / name / f"{start}.log").open("wb") as out:
                    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
                ready = wait_until_ready(podman, container, process)
                say(f"  {name}, {start} start: {'ready' if ready else 'NOT READY'} after {time.monotonic() - began:.1f} s")
                if not ready:
                    wrong.append(f"{name} is not ready: {(folder / name / f'{start}.log').read_text(errors='replace')[-500:]}")
                stopped = time.monotonic()
                subprocess.run([*podman.command, "stop", "--ignore", "--time", str(GRACE_S), container["name"]], stdout=subprocess.DEVNULL,
                               check=True)
                code = process.wait()
                if code != 0 or time.monotonic() - stopped >= GRACE_S:
                    wrong.append(f"{name} ended with {code} after {time.monotonic() - stopped:.1f} s")
    return wrong


def command_of(podman: Podman, pod: dict, container: dict, folder: pathlib.Path, password: str) -> list:
    """What a kubelet would run, with folders for volumes; every secret is this password."""
    user = chart_user()
    command = [*podman.run(network="none"), "--name", container["name"]]
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}  # those of claims are not among them
    for mount in container["volumeMounts"]:
        source = folder / mount["name"]
        source.mkdir(parents=True)
        for item in volumes.get(mount["name"], {}).get("secret", {}).get("items", []):
            (source / item["path"]).write_text(password, encoding="utf-8")
            (source / item["path"]).chmod(0o440)
            os.chown(source / item["path"], 0, user)
        os.chown(source, user, user)
        command += ["--volume", f"{source}:{mount['mountPath']}:{'ro' if mount.get('readOnly') else 'rw'}"]
    arguments = container["args"]
    for variable in container.get("env", []):
        command += ["--env", f"{variable['name']}={password}"]
        arguments = [one.replace(f"$({variable['name']})", password) for one in arguments]
    return [*command, "--entrypoint", container["command"][0], IMAGE, *container["command"][1:], *arguments]


def wait_until_ready(podman: Podman, container: dict, process: subprocess.Popen) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready(podman, container):
            return True
        time.sleep(0.2)
    return False


def is_ready(podman: Podman, container: dict) -> bool:
    """What the readiness probe says."""
    probe = container["readinessProbe"]
    if "exec" in probe:
        return subprocess.run([*podman.command, "exec", container["name"], *probe["exec"]["command"]], capture_output=True,
                              check=False).returncode == 0
    port = next(one["containerPort"] for one in container["ports"] if one["name"] == probe["tcpSocket"]["port"])
    return any(listens(pid, port) for pid in podman.running())


def listens(pid: int, port: int) -> bool:
    """Whether somebody listens on that port in the network of this process."""
    rows = pathlib.Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").split("\n")[1:-1]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)
