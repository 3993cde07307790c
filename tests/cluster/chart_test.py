"""The chart on a real Kubernetes of one node: what its README and its notes tell a person to do, word by word, and what must come of it.

Images are those of build/images. See `run`.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from node import ROOT, Node
from postgres import NAME, External

sys.path.append(str(ROOT / "deploy" / "local.d"))
from kubernetes_people import binaries_of  # noqa: E402

NAMESPACE = "pay"
RELEASE = "yikatong"
CITY = "city"  # the namespace of what is installed as production is
# As much as one node of two processors holds.
PRODUCTION = {"database": {"provision": {"enabled": True, "secret": "administrator"}},
              "services": {name: {"resources": {"requests": {"cpu": "20m", "memory": "64Mi"}}}
                           for name in ("auditlog", "catalogue", "registry", "bankgateway", "dispatch")}}
README = ROOT / "helm" / "yikatong" / "README.md"
PATIENCE_S = 600
PODS = 8  # of a trial: six services, PostgreSQL and Redis
VERSION = re.search(r"^project\(yikatong VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)[1]


def said(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Trial:
    """One release of the chart in a namespace that admits restricted pods only."""

    def __init__(self, node: Node, binaries: pathlib.Path):
        self.node = node
        self.binaries = binaries
        self.folder = node.state / "trial"
        self.forwards = []
        self.wrong = []

    def run(self, command: str) -> str:
        """A line of a text for people, with a folder of this test in place of its own."""
        line = command.replace("build/trial", str(self.folder))
        said(f"$ {command}")
        done = subprocess.run(["bash", "-c", f"set -euo pipefail; {line}"], cwd=ROOT, env=self.node.environment(), capture_output=True, text=True,
                              check=False, timeout=PATIENCE_S * 2)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def state(self) -> str:
        return self.node.kubectl("get", "pods", "-A", check=False) + \
            self.node.kubectl("get", "events", "-A", "--field-selector", "type=Warning", check=False)[-1500:]

    def must(self, holds: bool, what: str) -> None:
        said(f"  {'ok   ' if holds else 'WRONG'} {what}")
        if not holds:
            self.wrong.append(what)

    def running(self, namespace: str = NAMESPACE) -> list:
        """Pods that are to run on; not those of Jobs, nor what is being ended."""
        return [one for one in self.pods(namespace) if "deletionTimestamp" not in one["metadata"]
                and one["metadata"].get("ownerReferences", [{"kind": "Job"}])[0]["kind"] != "Job"]

    def until_ready(self, is_new) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            pods = self.running()
            states = [state for one in pods for state in one["status"].get("containerStatuses", [])]
            if len(states) == PODS and all(state["ready"] for state in states) and all(is_new(one) for one in pods):
                said(f"  {PODS} pods are ready; restarts: {[state['restartCount'] for state in states]}")
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(states)} pods, not {PODS} that are ready")
            time.sleep(1)

    def pods(self, namespace: str) -> list:
        return json.loads(self.node.kubectl("-n", namespace, "get", "pods", "-l", f"app.kubernetes.io/instance={RELEASE}", "-o", "json"))["items"]


def commands_under(heading: str) -> list:
    """The lines that README's first block under a heading tells people to type; without what is said about them."""
    text = README.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    block = re.search(r"```\n(.*?)```", text, re.S)[1]
    return [line.split(" # ")[0].strip() for line in block.splitlines()]


def install(trial: Trial) -> None:
    """Under "Install": what is typed, until the services answer."""
    typed = [one for one in commands_under("Install") if not one.startswith(("deploy/images/build", "for image"))]
    for command in typed:
        began = time.monotonic()
        out = trial.run(command)
        if command.startswith("kubectl create namespace"):
            trial.node.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        said(f"  {time.monotonic() - began:.0f} s")
        if command.startswith("helm install"):
            trial.notes = out
            trial.until_ready(lambda one: True)
        if command.startswith("helm test"):
            trial.must("SERVING" in out, f"helm test says that services serve: {out[-600:]}")


def forward(trial: Trial) -> None:
    """The ports that deploy/kubernetes-people says to forward, until they answer."""
    for process in trial.forwards:
        process.terminate()
        process.wait()
    trial.forwards = []
    for line in trial.forwarding:
        words = line.split(" >")[0].split()
        log = (trial.node.state / f"forward-{words[4].split('/')[1]}.log").open("wb")
        trial.forwards.append(subprocess.Popen(words, env=trial.node.environment(), stdout=log, stderr=log))
        at = int(words[5].split(":")[0])
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", at)) == 0:
                    break
            if trial.forwards[-1].poll() is not None:
                raise RuntimeError(f"{line}: {pathlib.Path(log.name).read_text()}")
            time.sleep(0.1)


def pay(trial: Trial) -> None:
    """People, forwarded ports, and the demonstration."""
    text = trial.run(f"deploy/kubernetes-people build/trial --release {RELEASE} --namespace {NAMESPACE}")
    trial.forwarding = [line for line in text.splitlines() if " port-forward " in line]
    noted = [line.strip() for line in trial.notes.splitlines() if " port-forward " in line]
    trial.must(len(noted) == 6 and noted == trial.forwarding, f"notes and deploy/kubernetes-people forward the same {len(noted)} ports")
    forward(trial)
    (command,) = [line.strip() for line in trial.notes.splitlines() if line.strip().startswith("deploy/kubernetes-demo ")]
    out = trial.run(command)
    trial.must("all of it holds" in out, f"2,000 people are paid: {out[-1500:]}")
    ask(trial)


def look(trial: Trial) -> None:
    """README under "What a pod is": what holds in a pod, and what its metrics say."""
    for one in trial.running():
        name = one["spec"]["containers"][0]["name"]
        if name in ("postgresql", "redis"):
            continue
        holds = trial.node.kubectl("-n", NAMESPACE, "exec", one["metadata"]["name"], "--", f"/usr/local/bin/{name}", "--config",
                                   "/etc/yikatong/config/service.conf", "--print-config")
        trial.must("drain_notice = 35s" in holds, f"{name} --print-config in its pod: {len(holds.splitlines())} lines")
    for line in trial.forwarding:
        port = line.split()[6].split(":")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        trial.must(text.count("yikatong_build_info{") == 1, f"{line.split()[4]}: {text.count(chr(10))} lines of metrics")


def ask(trial: Trial) -> None:
    """What the notes tell people to look at afterwards."""
    for line in (one.strip() for one in trial.notes.splitlines()):
        if line.startswith("yktctl ") and "import" not in line and " add " not in line:
            out = trial.run(f"export YKT_ENDPOINTS=build/trial/endpoints.json PATH={trial.binaries}:$PATH; {line}")
            trial.must(bool(out.strip()), f"{line}: {out[:150]!r}")


def keep_out(trial: Trial) -> None:
    """Who is none of the release's pods reaches nothing of it, and who asks from elsewhere under their labels neither."""
    of_test = {f"app.kubernetes.io/{key}": value for key, value in (("name", "yikatong"), ("instance", RELEASE), ("component", "test"))}
    for namespace, labels, ends in ((NAMESPACE, of_test, "Succeeded"), (NAMESPACE, {}, "Failed"), ("default", of_test, "Failed")):
        trial.node.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger", "namespace": namespace, "labels": labels}, "spec": {
            "restartPolicy": "Never", "securityContext": {"runAsNonRoot": True, "runAsUser": 10002, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "ask", "image": f"localhost/yikatong/tools:{VERSION}", "imagePullPolicy": "Never",
                            "command": ["/usr/local/bin/yktctl"], "args": ["--timeout", "10", "health", f"{RELEASE}-dispatch.{NAMESPACE}:8081"],
                            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}]}})
        trial.node.kubectl("-n", namespace, "wait", "pod/stranger", f"--for=jsonpath={{.status.phase}}={ends}", "--timeout=60s")
        log = trial.node.kubectl("-n", namespace, "logs", "stranger")
        trial.must(("SERVING" in log) == (ends == "Succeeded") and ("Deadline" in log) == (ends == "Failed"),
                   f"in {namespace}, {'with' if labels else 'without'} the labels of a test: {log.splitlines()[0]!r}")
        trial.node.kubectl("-n", namespace, "delete", "pod", "stranger")


def lose_pods(trial: Trial) -> None:
    """Every pod is deleted at once, with the database: what they remember is on their disks."""
    before = {one["metadata"]["uid"] for one in trial.running()}
    trial.node.kubectl("-n", NAMESPACE, "delete", "pod", "-l", f"app.kubernetes.io/instance={RELEASE}", "--field-selector=status.phase=Running")
    trial.until_ready(lambda one: one["metadata"]["uid"] not in before)
    forward(trial)
    ask(trial)


def upgrade(trial: Trial) -> None:
    """Another release by the line of the notes, and back to the one before."""
    values = trial.folder / "values.yaml"
    values.write_text((ROOT / "helm" / "yikatong" / "examples" / "trial.yaml").read_text(encoding="utf-8") + "labels: {release: second}\n",
                      encoding="utf-8")
    for verb, label in ((" upgrade ", "second"), (" rollback ", None)):
        (line,) = [one.strip() for one in trial.notes.splitlines() if one.strip().startswith("helm ") and verb in one]
        trial.run(line.replace("VALUES.yaml", str(values)))
        trial.until_ready(lambda one, label=label: one["metadata"]["labels"].get("release") == label)
        forward(trial)
        ask(trial)


def uninstall(trial: Trial) -> None:
    """README under "Removing": a trial takes all but the pod of `helm test` and the Secrets."""
    trial.run(f"helm uninstall {RELEASE} -n {NAMESPACE} --wait")
    for command in commands_under("Removing")[2:]:
        trial.run(command)
    trial.run("deploy/kubernetes-secrets build/trial | kubectl delete -n pay -f -")
    trial.node.kubectl("-n", NAMESPACE, "wait", "pod", "--all", "--for=delete", "--timeout=180s")
    left = trial.node.kubectl("-n", NAMESPACE, "get", "all,pvc,networkpolicy,pdb,hpa,secret,configmap", "-o", "name").split()
    left = [one for one in left if one != "configmap/kube-root-ca.crt"]  # every namespace has it
    trial.must(not left, f"nothing is left: {left}")
    trial.must(not trial.node.kubectl("get", "priorityclass", "-l", f"app.kubernetes.io/instance={RELEASE}", "-o", "name"),
               "no PriorityClass is left")


def produce(trial: Trial) -> None:
    """The chart's defaults, with a PostgreSQL of somebody else's: migrations are hooks, and one that fails stops an upgrade before any pod."""
    trial.node.kubectl("create", "namespace", CITY)
    trial.node.kubectl("label", "namespace", CITY, "pod-security.kubernetes.io/enforce=restricted")
    database = External(trial.node, CITY)
    try:
        trial.run(f"deploy/kubernetes-secrets build/trial --no-trial | kubectl apply -n {CITY} -f -")
        values = trial.folder / "production.yaml"
        values.write_text(json.dumps(PRODUCTION), encoding="utf-8")
        trial.run(f"helm install {RELEASE} helm/yikatong -n {CITY} -f {values} --wait --timeout 35m")
        pods = trial.running(CITY)
        trial.must(len(pods) == 10 and not any(state["restartCount"] for one in pods for state in one["status"]["containerStatuses"]),
                   f"{len(pods)} pods run, none was started again")
        out = trial.run(f"helm test {RELEASE} -n {CITY} --logs")
        trial.must("Succeeded" in out, "helm test asks each of them")
        restore(trial, values)
        upgrade_that_fails(trial, values)
        remove(trial)
    finally:
        database.end()


def restore(trial: Trial, values: pathlib.Path) -> None:
    """The commands of RESTORING.md, on databases that lost nothing: what the Jobs, the pods and the gateway make of them."""
    text = re.sub(r"\s+", " ", (ROOT / "helm" / "yikatong" / "RESTORING.md").read_text(encoding="utf-8"))
    stop, finish = (re.search(f"`(kubectl -n NAMESPACE {verb}[^`]*)`", text)[1].replace("NAMESPACE", CITY) for verb in ("scale ", "exec deploy/"))
    trial.run(stop)
    trial.node.kubectl("-n", CITY, "wait", "pod", "-l", "app.kubernetes.io/component notin (migrate,test)", "--for=delete", "--timeout=180s")
    production = json.loads(values.read_text(encoding="utf-8"))
    values.write_text(json.dumps({**production, "restore": {"id": "rehearsal"}}), encoding="utf-8")
    trial.run(f"helm upgrade {RELEASE} helm/yikatong -n {CITY} -f {values} --wait --timeout 35m")
    scaled = [one for one in trial.node.kubectl("-n", CITY, "get", "hpa", "-o", "jsonpath={.items[*].spec.scaleTargetRef.name}").split()]
    trial.must(len(scaled) == 3, f"a HorizontalPodAutoscaler leaves them at none: {scaled}")
    trial.run(f"kubectl -n {CITY} scale {' '.join(f'deployment/{name}' for name in scaled)} --replicas=2")
    for name in scaled:
        trial.node.kubectl("-n", CITY, "rollout", "status", f"deployment/{name}", "--timeout=180s")
    logs = trial.node.kubectl("-n", CITY, "logs", "-l", "app.kubernetes.io/component=migrate", "--prefix", "--tail=-1")
    raised = set(re.findall(r"migrate-(\w+)-\S*/migrate\] .*epoch", logs))
    trial.must(raised == {"catalogue", "registry", "bankgateway", "dispatch"}, f"epochs were raised of {sorted(raised)}")
    out = trial.run(finish)
    trial.must(bool(out.strip()), f"the restore is finished: {out.strip()[-200:]!r}")


def upgrade_that_fails(trial: Trial, values: pathlib.Path) -> None:
    """With another password of an owner, as after a vault was changed alone."""
    before = {one["metadata"]["uid"] for one in trial.running(CITY)}
    trial.node.apply(External.secret(CITY, f"{RELEASE}-dispatch-database", owner="another", runtime="another"))
    values.write_text(json.dumps({**PRODUCTION, "labels": {"release": "second"}, "migrations": {"retries": 0}, "database": {"startWaitSeconds": 3}}),
                      encoding="utf-8")
    try:
        trial.run(f"helm upgrade {RELEASE} helm/yikatong -n {CITY} -f {values} --wait --timeout 5m")
        trial.must(False, "an upgrade fails where a migration does")
    except RuntimeError as error:
        said(f"  {str(error)[-300:]}")
    trial.must({one["metadata"]["uid"] for one in trial.running(CITY)} == before, "no pod was touched")
    (command,) = [one for one in commands_under("Upgrades") if one.startswith("kubectl")]
    out = trial.run(command.replace("-n pay", f"-n {CITY}"))
    trial.must("password authentication failed" in out, f"the log of the Job says why: {out[-400:]}")
    trial.run(f"helm rollback {RELEASE} -n {CITY} --wait")
    trial.must({one["metadata"]["uid"] for one in trial.running(CITY)} == before, "and back: no pod was touched")


def remove(trial: Trial) -> None:
    """What README says under "Removing" that helm leaves goes by its commands."""
    trial.run(f"helm uninstall {RELEASE} -n {CITY} --wait")
    for command in commands_under("Removing"):
        trial.run(command.replace("-n pay", f"-n {CITY}"))
    trial.node.kubectl("-n", CITY, "wait", "pod", "--all", "--for=delete", "--timeout=180s")
    left = trial.node.kubectl("-n", CITY, "get", "all,pvc,networkpolicy,pdb,hpa,configmap", "-o", "name").split()
    others = {f"service/{NAME}", f"configmap/{RELEASE}-token-issuers", "configmap/kube-root-ca.crt"}
    trial.must(set(left) == others, f"nothing is left but Secrets and what is not the chart's: {left}")


STEPS = (install, keep_out, pay, look, lose_pods, upgrade, uninstall, produce)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=[step.__name__ for step in STEPS], help="these steps, in their order")
    parser.add_argument("--stay", action="store_true", help="leave the cluster for an hour where a step failed")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the first process of a namespace heeds none that it does not ask for
    with Node(ROOT / "build" / "cluster" / "node") as node:
        for archive in sorted((ROOT / "build" / "images").glob("*.tar")):
            node.import_image(archive)
        trial = Trial(node, binaries_of(None).resolve())
        try:
            for step in (one for one in STEPS if not arguments.only or one.__name__ in arguments.only):
                said(f"== {step.__name__}")
                step(trial)
        except Exception as error:  # whoever looks at it wants to see the cluster
            print(error, trial.state(), flush=True)
            trial.wrong.append(str(error))
            if arguments.stay:
                time.sleep(3600)
        finally:
            for process in trial.forwards:
                process.terminate()
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
