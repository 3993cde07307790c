"""What the chart's README and NOTES tell whoever installs, upgrades and removes it is so."""
import functools
import json
import math
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

import chart
from chart import MATRIX, WORKLOADS, component, containers, of_kind, pod_of, selected

README = (chart.CHART / "README.md").read_text(encoding="utf-8")
UNITS = {"m": 0.001, "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


def asked(workload: dict, what: str) -> float:
    """What a node keeps free for one pod: its containers together, or the largest of those that run before them."""
    def sums(which):
        return [quantity(one["resources"]["requests"][what]) for one in pod_of(workload).get(which, [])]
    return max(sum(sums("containers")), *sums("initContainers"), 0)


def surges(workload: dict) -> int:
    """Pods more than it has while it is changed for another release: one that starts, and one that drains until the next one's turn."""
    new = workload["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0) if workload["kind"] == "Deployment" else 0
    return 2 * new


def pods(case: str, most: bool) -> dict:
    """Workload -> how many pods it has: at the least, or at the most."""
    scaled = {one["spec"]["scaleTargetRef"]["name"]: one["spec"]["maxReplicas" if most else "minReplicas"]
              for one in of_kind(case, "HorizontalPodAutoscaler")}
    return {one["metadata"]["name"]: one["spec"].get("replicas", scaled.get(one["metadata"]["name"]))
            for one in of_kind(case, "Deployment", "StatefulSet")}


@functools.lru_cache(None)
def needs(case: str, what: str, upgrade: bool, most: bool) -> float:
    """The sum of what all pods ask for at the fullest moment."""
    count = pods(case, most)
    together = sum(asked(one, what) * (count[one["metadata"]["name"]] + (surges(one) if upgrade else 0))
                   for one in of_kind(case, "Deployment", "StatefulSet"))
    # Those of a trial run beside the rest; hooks come one after the other, and before any other pod is there.
    jobs = [asked(one, what) for one in of_kind(case, "Job")]
    hook = any("helm.sh/hook" in one["metadata"].get("annotations", {}) for one in of_kind(case, "Job"))
    tests = [asked(one, what) for one in of_kind(case, "Pod")]
    return together + max(*tests, 0 if hook else sum(jobs))


@functools.lru_cache(None)
def notes(case: str, release: str = "yikatong", namespace: str = "pay") -> str:
    words, values = chart.words_of(case)
    done = chart.helm("install", release, str(chart.CHART), "--namespace", namespace, "--dry-run=client", *words, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\nNOTES:\n", 1)[1]


def commands(text: str) -> list:
    """The commands of a text, as lists of words: lines, or ends of pipes, that begin with a program's name. Of a README those in blocks."""
    found = []
    shown = "".join(re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)) or text
    for line in shown.replace("\\\n", " ").splitlines():
        for part in re.split(r" (?:>/dev/null )?[|&]+(?: |$)", line.split(" #")[0].strip()):
            if re.match(r"(helm|kubectl|yktctl|deploy/[\w/-]+)\b", part) and "…" not in part:
                found.append(shlex.split(part))
    return found


def timeout_s(words: list) -> int:
    told = words[words.index("--timeout") + 1] if "--timeout" in words else "5m"
    return int(told[:-1]) * {"s": 1, "m": 60}[told[-1]]


def tried_for_s(retries: int) -> int:
    """How long a Job asks for a database that never answers: its tries are 10, 20, 40 … seconds apart, six minutes at the most."""
    wait = chart.SCHEMA["properties"]["database"]["properties"]["startWaitSeconds"]["default"]
    return (retries + 1) * wait + sum(min(10 * 2**number, 360) for number in range(retries))


class Room(unittest.TestCase):
    def test_the_readme_says_how_much_a_cluster_needs(self):
        for case, most, name in (("trial", False, "the trial"), ("defaults", False, "the defaults, fewest pods"),
                                 ("defaults", True, "the defaults, most pods")):
            cells = [f"{math.ceil(needs(case, what, upgrade, most) / unit * 10 - 1e-6) / 10}{sign}" for upgrade in (False, True)
                     for what, unit, sign in (("cpu", 1, ""), ("memory", 2**30, " GiB"))]
            self.assertIn(f"| {name} | {' | '.join(cells)} |\n", README)

    def test_the_readme_says_how_many_connections_there_can_be(self):
        each = {name: int(one["default"]) for name, ones in chart.SETTINGS.items() for one in ones if one["key"] == "database_connections"}
        count = pods("defaults", most=True)
        workloads = {component(one): one for one in of_kind("defaults", "Deployment", "StatefulSet")}
        most = sum(each[name] * count[one["metadata"]["name"]] for name, one in workloads.items())
        more = sum(each[name] * surges(one) for name, one in workloads.items())
        self.assertIn(f"= {most} at the most, and {more} more during an upgrade", README)
        terms = {size: [f"{count[workloads[name]['metadata']['name']]} {name}" for name in sorted(workloads) if each[name] == size]
                 for size in sorted(set(each.values()))}
        self.assertIn(" + ".join(f"{size} × ({' + '.join(ones)})" for size, ones in terms.items()), " ".join(README.split()))

    def test_the_example_cluster_has_room_for_them(self):
        said = re.search(r"= (\d+) at the most, and (\d+) more", README)
        (cluster,) = [one for one in chart.read_all((chart.EXAMPLES / "cloudnative-pg-cluster.yaml").read_text(encoding="utf-8"))
                      if one["kind"] == "Cluster"]
        self.assertGreater(int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]), int(said[1]) + int(said[2]))


class Priority(unittest.TestCase):
    def test_no_pod_is_below_those_that_need_it(self):
        # Else the pods that an upgrade adds would take the place of their own database on a full node.
        for case in MATRIX:
            for one in of_kind(case, "Deployment", "StatefulSet"):
                with self.subTest(case, name=one["metadata"]["name"]):
                    classes = [each["metadata"]["name"] for each in of_kind(case, "PriorityClass")] or [None]
                    self.assertEqual([pod_of(one).get("priorityClassName")], classes)

    def test_a_hook_asks_for_no_class_that_comes_after_it(self):
        for case in MATRIX:
            own = {one["metadata"]["name"] for one in of_kind(case, "PriorityClass")}
            for job in of_kind(case, "Job"):
                if "annotations" in job["metadata"]:
                    self.assertNotIn(pod_of(job).get("priorityClassName"), own, case)

    def test_two_namespaces_and_two_values_have_classes_of_their_own(self):
        def name(namespace, value):
            done = chart.helm("template", "yikatong", str(chart.CHART), "--namespace", namespace, "--show-only", "templates/priorityclass.yaml",
                              values={"priority": {"value": value}})
            (one,) = chart.read_all(done.stdout)
            self.assertEqual(one["value"], value)
            return one["metadata"]["name"]
        names = [name("pay", 100000), name("rehearsal", 100000), name("pay", 2000000)]
        self.assertEqual(len(set(names)), 3, names)


class Callers(unittest.TestCase):
    def callers(self, expose: dict) -> dict:
        done = chart.helm("template", "yikatong", str(chart.CHART), "--show-only", "templates/service.yaml",
                          values={"services": {"dispatch": {"expose": expose}}})
        return next(one["spec"] for one in chart.read_all(done.stdout) if one["metadata"]["name"] == "yikatong-dispatch-callers")

    def test_where_their_network_is_asked_for_their_address_is_kept(self):
        networks = [{"cidr": "192.0.2.0/24"}]
        for kind in ("NodePort", "LoadBalancer"):
            self.assertEqual(self.callers({"type": kind, "from": networks}).get("externalTrafficPolicy"), "Local", kind)
        self.assertNotIn("externalTrafficPolicy", self.callers({"type": "ClusterIP", "from": networks}))  # Kubernetes refuses it there
        self.assertNotIn("externalTrafficPolicy", self.callers({"type": "NodePort"}))


class Examples(unittest.TestCase):
    def test_no_service_that_scales_has_fewer_pods_than_the_example_says(self):
        said = chart.read_all((chart.EXAMPLES / "external-database.yaml").read_text(encoding="utf-8"))[0]["serviceDefaults"]["replicas"]
        self.assertEqual(set(pods("external-database", most=False).values()), {said})


class Alerts(unittest.TestCase):
    def rule(self, *disabled: str) -> dict:
        done = chart.helm("template", "yikatong", str(chart.CHART), "--show-only", "templates/prometheusrule.yaml", values={
            "monitoring": {"rules": True}, "services": {"banksim": {"enabled": True}, **{name: {"enabled": False} for name in disabled}}})
        (one,) = chart.read_all(done.stdout)
        return {rule["alert"]: rule["expr"] for group in one["spec"]["groups"] for rule in group["rules"]}

    def test_nobody_is_woken_for_a_service_that_is_not_installed(self):
        everything, without = self.rule(), self.rule("registry", "dispatch")
        for name, expression in everything.items():
            kept = [one for one in expression.rstrip("\n").split("\nor\n") if 'service="registry"' not in one and 'service="dispatch"' not in one]
            self.assertEqual(without[name], "\nor\n".join(kept) + "\n", name)
        self.assertEqual(re.findall(r'absent\(up\{[^}]*service="(\w+)"', without["ServiceDown"]), ["auditlog", "catalogue", "bankgateway"])

    def test_without_any_service_of_its_own_an_alert_is_left_out(self):
        self.assertNotIn("ServiceDown", self.rule(*chart.DATABASES))

    def test_pods_carry_the_label_by_which_alerts_know_them(self):
        (monitor,) = of_kind("cloudnative-pg", "PodMonitor")
        added = {one["targetLabel"]: one.get("replacement") for one in monitor["spec"]["podMetricsEndpoints"][0]["relabelings"]}
        self.assertEqual(added, {"suite": "yikatong", "service": None})


class Notes(unittest.TestCase):
    def test_the_commands_of_a_release_name_it_and_its_namespace(self):
        for case in ("trial", "defaults", "external-database"):
            for words in commands(notes(case, "money", "treasury")):
                line = " ".join(words)
                with self.subTest(case, command=line):
                    if words[0] in ("helm", "kubectl"):
                        self.assertRegex(line, r"(-n|--namespace) treasury\b")
                    self.assertNotIn("<", line)
            self.assertGreater(len(commands(notes(case))), 5)

    def test_helm_waits_for_as_long_as_a_migration_may_take(self):
        deadline = chart.SCHEMA["properties"]["migrations"]["properties"]["deadlineSeconds"]["default"]
        found = [words for text in (README, *(notes(case) for case in ("defaults", "external-database")))
                 for words in commands(text) if words[0] == "helm" and {"install", "upgrade"} & set(words)]
        found = [words for words in found if not any("trial.yaml" in one for one in words)]
        self.assertGreater(len(found), 2)
        for words in found:
            self.assertGreater(timeout_s(words), deadline, " ".join(words))

    def test_a_migration_that_cannot_succeed_is_told_within_helms_own_patience(self):
        self.assertLess(tried_for_s(chart.SCHEMA["properties"]["migrations"]["properties"]["retries"]["default"]), 300 - 60)

    def test_those_of_a_trial_are_tried_until_its_database_is_there(self):
        for job in of_kind("trial", "Job"):
            tried_s = tried_for_s(job["spec"]["backoffLimit"])
            self.assertGreater(tried_s, 600)
            self.assertLess(tried_s, min(job["spec"]["activeDeadlineSeconds"], 900))  # README gives helm fifteen minutes

    def test_a_trial_is_installed_in_an_order_that_works(self):
        words = [one for one in commands(README) if "build/trial" in one or "create" in one or {"install", "test"} & set(one)]
        order = [next(number for number, one in enumerate(words) if set(wanted) <= set(one)) for wanted in
                 (("kubectl", "create", "namespace", "pay"), ("deploy/kubernetes-secrets",),
                  ("helm", "install", "helm/yikatong/examples/trial.yaml", "--wait", "--wait-for-jobs"), ("helm", "test"),
                  ("deploy/kubernetes-people",), ("deploy/kubernetes-demo",))]
        self.assertEqual(order, sorted(order))

    def test_the_log_of_the_tests_can_be_read(self):
        # `helm test --logs` asks for the log of a pod without naming a container: refused where there is more than one.
        for case in MATRIX:
            (pod,) = of_kind(case, "Pod")
            self.assertEqual(len(pod["spec"]["containers"]), 1, case)


class People(unittest.TestCase):
    """deploy/kubernetes-people, but for the tokens: see binaries_check.py."""

    def test_the_forwarded_ports_are_those_of_the_endpoints_file(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "trial" / "keys").mkdir(parents=True)
            (folder / "trial" / "keys" / "token-issuer.key").touch()
            # Mints no token, and says that it did.
            yktctl = folder / "yktctl"
            yktctl.write_text("#!/bin/sh\nwhile read -r line; do echo token; echo '{\"exit\": 0, \"error\": \"\"}'; done\n")
            yktctl.chmod(0o755)
            done = subprocess.run([chart.ROOT / "deploy" / "kubernetes-people", folder / "trial", "--release", "money", "--namespace", "treasury",
                                   "--binaries", folder], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            endpoints = json.loads((folder / "trial" / "endpoints.json").read_text(encoding="utf-8"))
        trial = chart.read_all((chart.EXAMPLES / "trial.yaml").read_text(encoding="utf-8"))[0]
        self.assertTrue(trial["services"]["banksim"]["enabled"])
        self.assertEqual(set(endpoints["services"]), set(chart.SETTINGS))
        self.assertIn("bank-admin-1", endpoints["people"])
        forwarded = [words for words in commands(notes("trial", "money-yikatong", "treasury")) if "port-forward" in words]
        said = [words for words in commands(done.stdout.replace("money-", "money-yikatong-")) if "port-forward" in words]
        self.assertEqual(sorted(forwarded), sorted(said))
        for words in forwarded:
            target, *pairs = words[-3:]
            here = {int(pair.split(":")[1]): f"127.0.0.1:{pair.split(':')[0]}" for pair in pairs}
            service = target.rsplit("-", 1)[1]
            ports = {one["name"]: one["port"] for one in chart.named("trial", "Service", f"yikatong-{service}")["spec"]["ports"]}
            self.assertEqual(endpoints["services"][service], {"address": here[ports["grpc"]], "tls_name": service})
            self.assertIn({"name": service, "service": service, "grpc": here[ports["grpc"]], "metrics": here[ports["metrics"]]}, endpoints["processes"])

    def test_the_bank_is_where_the_notes_say(self):
        (bank,) = [words for words in commands(notes("trial")) if words[:1] == ["yktctl"] and "add" in words]
        host, port = bank[bank.index("--address") + 1].split(":")
        ports = {one["name"]: one["port"] for one in chart.named("trial", "Service", host)["spec"]["ports"]}
        self.assertEqual(ports["grpc"], int(port))
        self.assertEqual(bank[bank.index("--tls-name") + 1], "banksim")


class Removal(unittest.TestCase):
    def test_what_helm_leaves_is_what_the_readme_removes(self):
        removed = [(words[words.index("delete") + 1].split(","), words[words.index("-l") + 1].split(","))
                   for words in commands(README) if "delete" in words and "-l" in words]
        self.assertGreater(len(removed), 1)

        def is_removed(kind: str, labels: dict) -> bool:
            return any(kind.lower() in kinds and selected({"matchLabels": dict(one.split("=") for one in selector)}, labels)
                       for kinds, selector in removed)
        for case in ("defaults", "external-database", "cloudnative-pg", "trial"):
            for one in chart.rendered(case):
                hook = "helm.sh/hook" in one["metadata"].get("annotations", {})
                claims = one["spec"].get("volumeClaimTemplates", []) if one["kind"] == "StatefulSet" else []
                keeps = one.get("spec", {}).get("persistentVolumeClaimRetentionPolicy", {}).get("whenDeleted") != "Delete"
                with self.subTest(case, kind=one["kind"], name=one["metadata"]["name"]):
                    # What is of the release helm removes itself: to remove that by hand, too, would take what runs.
                    if hook or case != "trial":
                        self.assertEqual(is_removed(one["kind"], one["metadata"]["labels"]), hook)
                    for claim in claims if keeps else []:
                        self.assertTrue(is_removed("PersistentVolumeClaim", claim["metadata"]["labels"]))

    def test_a_trial_takes_its_disks_with_it_and_nothing_else_does(self):
        for case in MATRIX:
            for one in of_kind(case, "StatefulSet"):
                goes = one["spec"].get("persistentVolumeClaimRetentionPolicy", {}).get("whenDeleted") == "Delete"
                self.assertEqual(goes, "trial" in MATRIX[case][0], (case, one["metadata"]["name"]))


if __name__ == "__main__":
    unittest.main()
