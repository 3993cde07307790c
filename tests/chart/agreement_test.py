"""Whatever a manifest says is true of the other manifests, and of the services as helm/settings.json has them."""
import functools
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import chart
from chart import MATRIX, WORKLOADS, component, containers, of_kind, pod_labels, pod_of, rendered, selected, settings_of

DNS_CACHE_S = 30  # of CoreDNS as kubeadm installs it


def services_of(case: str) -> dict:
    """Workloads of the suite's own services: name -> workload."""
    return {component(one): one for one in of_kind(case, "Deployment", "StatefulSet") if component(one) in chart.SETTINGS}


def config_of(case: str, workload: dict) -> dict:
    volume = next(one for one in pod_of(workload)["volumes"] if one["name"] == "config")
    return settings_of(chart.named(case, "ConfigMap", volume["configMap"]["name"]))


def files_of(volume: dict, case: str):
    """(file, kind of the object, its name) of every file that a volume is said to have; nothing for a disk."""
    for source in volume.get("projected", {}).get("sources", [volume]):
        if "configMap" in source:
            name = source["configMap"]["name"]
            there = [one for one in of_kind(case, "ConfigMap") if one["metadata"]["name"] == name]
            for file in there[0]["data"] if there else ["*.pem"]:
                yield file, "ConfigMap", name
        if "secret" in source:
            secret = source["secret"]
            name = secret.get("secretName") or secret["name"]
            for file in [one["path"] for one in secret["items"]] if "items" in secret else ["ca.crt", "tls.crt", "tls.key"]:
                yield file, "Secret", name


def mounted(case: str, workload: dict, container: dict) -> dict:
    """Path -> where it comes from, of every file in a container; of a disk its folder."""
    volumes = {one["name"]: one for one in pod_of(workload).get("volumes", [])}
    for claim in workload["spec"].get("volumeClaimTemplates", []):
        volumes[claim["metadata"]["name"]] = {"disk": True}
    found = {}
    for mount in container.get("volumeMounts", []):
        volume = volumes[mount["name"]]
        if not {"configMap", "secret", "projected"} & set(volume):
            found[mount["mountPath"]] = ("disk", mount["name"])
            continue
        for file, kind, name in files_of(volume, case):
            found[f"{mount['mountPath']}/{file}"] = (kind, name)
    return found


class Settings(unittest.TestCase):
    def each(self):
        """(case, service, workload, its settings), migrations included."""
        for case in MATRIX:
            for name, workload in services_of(case).items():
                yield case, name, workload, config_of(case, workload)
            for job in of_kind(case, "Job"):
                yield case, containers(job)[-1]["command"][0].rsplit("/", 1)[1], job, config_of(case, job)

    def test_a_service_is_told_only_what_it_knows_and_all_that_it_needs(self):
        seen = set()
        for case, name, workload, settings in self.each():
            known = {one["key"]: one for one in chart.SETTINGS[name]}
            with self.subTest(case, service=name, kind=workload["kind"]):
                self.assertEqual(set(settings) - set(known), set())
                needed = {key for key, one in known.items() if one["default"] is None}
                self.assertEqual(needed - set(settings), set())
                self.assertNotIn("", settings.values())
            seen.add(name)
        self.assertEqual(seen, set(chart.SETTINGS))

    def test_calls_are_the_peers_that_a_service_has_addresses_of(self):
        for name in chart.SETTINGS:
            peers = {one["key"].removesuffix("_address") for one in chart.SETTINGS[name]} & set(chart.SETTINGS)
            own = chart.SCHEMA["properties"]["services"]["properties"][name]["default"]
            self.assertEqual(set(own.get("calls", [])), peers, name)

    def test_keys_and_storage_are_paths_that_the_service_asks_for(self):
        asked = {name: {one["key"] for one in ones} for name, ones in chart.SETTINGS.items()}
        for name, settings in asked.items():
            own = chart.SCHEMA["properties"]["services"]["properties"][name]["default"]
            keys = set(own.get("keys", {})) | {own.get("storage", {}).get("setting")} - {None}
            self.assertEqual(keys - settings, set(), name)
            # A certificate's key has its own Secret; a verifier key is a line of text that everybody may know.
            files = {one for one in settings if one.endswith(("_key", "_keys"))} - {"tls_key", "former_verifier_key"}
            self.assertEqual(files - keys, set(), name)
            self.assertEqual(own.get("database", True), "database_conninfo" in settings, name)
            self.assertEqual(own.get("redis", True), "redis_address" in settings, name)

    def test_every_path_is_of_a_file_that_is_mounted(self):
        for case, name, workload, settings in self.each():
            there = mounted(case, workload, containers(workload)[-1])
            migrates = workload["kind"] == "Job"
            for key, value in settings.items():
                if not value.startswith("/etc/yikatong") and not value.startswith("/var/lib/yikatong"):
                    continue
                with self.subTest(case, service=name, kind=workload["kind"], key=key):
                    # A migration reads the owner's password and nothing else; what is required must only be said.
                    if migrates and key != "owner_password_file":
                        continue
                    if key == "token_issuers":
                        self.assertTrue(any(path.startswith(f"{value}/") and path.endswith(".pem") for path in there))
                    else:
                        self.assertIn(value if value.startswith("/etc") else "/var/lib/yikatong", there)

    def test_the_authority_of_the_database_is_mounted_where_it_is_asked_for(self):
        for case, name, workload, settings in self.each():
            for key in {"database_conninfo", "owner_conninfo"} & set(settings):
                said = re.search(r"sslrootcert=(\S+)", settings[key])
                verifies = "sslmode=verify" in settings[key]
                with self.subTest(case, service=name, key=key):
                    self.assertEqual(bool(said), verifies)
                    if said and not (workload["kind"] == "Job" and key == "database_conninfo"):
                        self.assertIn(said[1], mounted(case, workload, containers(workload)[-1]))

    def test_a_number_is_written_as_the_service_reads_it(self):
        settings = config_of("each-its-own", services_of("each-its-own")["bankgateway"])
        self.assertEqual((settings["rate_limit"], settings["senders"]), ("1000000", "4"))
        bank = config_of("each-its-own", services_of("each-its-own")["banksim"])
        self.assertEqual(bank["open_agreements"], "false")


class Ports(unittest.TestCase):
    def test_container_probes_and_settings_agree(self):
        for case in MATRIX:
            for name, workload in services_of(case).items():
                (container,) = containers(workload)
                ports = {one["name"]: one["containerPort"] for one in container["ports"]}
                settings = config_of(case, workload)
                with self.subTest(case, service=name):
                    self.assertEqual({port: int(settings[f"{port}_address"].rsplit(":", 1)[1]) for port in ports}, ports)
                    for probe, asks in (("startupProbe", "liveness"), ("livenessProbe", "liveness"), ("readinessProbe", None)):
                        self.assertEqual(container[probe]["grpc"]["port"], ports["health"])
                        self.assertEqual(container[probe]["grpc"].get("service"), asks)
                    host = settings["grpc_address"].rsplit(":", 1)[0]
                    self.assertEqual(host, "[::]" if case == "ipv6" else "0.0.0.0")

    def test_a_start_waits_for_its_database_and_less_than_its_probe_does(self):
        """Whoever enforces NetworkPolicies may know a new pod's address only after it has begun: each waits, in the same pod."""
        for case in MATRIX:
            for name, workload in services_of(case).items():
                wait = config_of(case, workload).get("start_wait")
                with self.subTest(case, service=name):
                    self.assertEqual(wait is None, name == "banksim")
                    probe = containers(workload)[0]["startupProbe"]
                    self.assertLess(int((wait or "0s").removesuffix("s")) + 10, probe["periodSeconds"] * probe["failureThreshold"])
            for job in of_kind(case, "Job"):
                with self.subTest(case, job=job["metadata"]["name"]):
                    self.assertEqual(config_of(case, job)["start_wait"], "30s")
                    for provision in containers(job)[:-1]:
                        self.assertEqual(provision["args"][-2:], ["--wait-seconds", "30"])

    def test_an_address_is_of_a_service_whose_pods_listen_there(self):
        checked = 0
        for case in MATRIX:
            workloads = of_kind(case, "Deployment", "StatefulSet")
            for name, workload in services_of(case).items():
                settings = config_of(case, workload)
                addresses = [(key, value) for key, value in settings.items() if value.startswith("dns:///")]
                if "trial" in MATRIX[case][0] and "database_conninfo" in settings:
                    database = dict(pair.split("=", 1) for pair in settings["database_conninfo"].split())
                    addresses += [("database", f"{database['host']}:{database['port']}"), ("redis", settings["redis_address"])]
                for key, value in addresses:
                    host, port = value.removeprefix("dns:///").rsplit(":", 1)
                    if case == "few-services" and key.removesuffix("_address") not in services_of(case):
                        continue
                    with self.subTest(case, service=name, key=key):
                        service = chart.named(case, "Service", host)
                        (listed,) = [one for one in service["spec"]["ports"] if one["port"] == int(port)]
                        (target,) = [one for one in workloads if selected({"matchLabels": service["spec"]["selector"]}, pod_labels(one))]
                        targets = {one["name"]: one["containerPort"] for one in containers(target)[0]["ports"]}
                        self.assertEqual(targets[listed["targetPort"]], int(port))
                        checked += 1
        self.assertGreater(checked, 80)

    def test_each_port_of_a_service_is_one_of_its_pods(self):
        for case in MATRIX:
            workloads = of_kind(case, "Deployment", "StatefulSet")
            for service in of_kind(case, "Service"):
                (target,) = [one for one in workloads if selected({"matchLabels": service["spec"]["selector"]}, pod_labels(one))]
                ports = {one["name"]: one["containerPort"] for one in containers(target)[0]["ports"]}
                for listed in service["spec"]["ports"]:
                    with self.subTest(case, service=service["metadata"]["name"], port=listed["name"]):
                        self.assertEqual(listed["targetPort"], listed["name"])
                        if not service["metadata"]["name"].endswith("-callers"):
                            self.assertEqual(listed["port"], ports[listed["targetPort"]])

    def test_services_for_peers_name_every_pod_and_go_round(self):
        for case in MATRIX:
            for name in services_of(case):
                settings = config_of(case, services_of(case)[name])
                for key, value in settings.items():
                    if key.removesuffix("_address") in services_of(case) and value.startswith("dns:///"):
                        spec = chart.named(case, "Service", value.removeprefix("dns:///").split(":")[0])["spec"]
                        self.assertEqual(spec["clusterIP"], "None")

    def test_the_tests_of_the_release_ask_each_service_on_its_health_port(self):
        for case in MATRIX:
            (pod,) = of_kind(case, "Pod")
            asked = {one["name"]: one["args"][-1] for one in containers(pod)}
            self.assertEqual(set(asked), set(services_of(case)))
            for name, address in asked.items():
                host, port = address.rsplit(":", 1)
                ports = {one["name"]: one["port"] for one in chart.named(case, "Service", host)["spec"]["ports"]}
                self.assertEqual(ports["health"], int(port), name)


class Selectors(unittest.TestCase):
    def test_each_selects_the_pods_that_it_is_named_after_and_no_others(self):
        for case in MATRIX:
            workloads = of_kind(case, *WORKLOADS)
            for one in of_kind(case, "Service", "PodDisruptionBudget", "Deployment", "StatefulSet"):
                selector = one["spec"]["selector"]
                if one["kind"] == "Service":
                    selector = {"matchLabels": selector}
                found = {component(workload) for workload in workloads if selected(selector, pod_labels(workload))}
                with self.subTest(case, kind=one["kind"], name=one["metadata"]["name"]):
                    self.assertEqual(found, {one["metadata"]["labels"]["app.kubernetes.io/component"]})

    def test_an_autoscaler_scales_what_is_there_and_leaves_its_number_alone(self):
        seen = set()
        for case in MATRIX:
            for one in of_kind(case, "HorizontalPodAutoscaler"):
                target = one["spec"]["scaleTargetRef"]
                workload = chart.named(case, target["kind"], target["name"])
                self.assertNotIn("replicas", workload["spec"])
                self.assertIn("cpu", containers(workload)[0]["resources"]["requests"])
                seen.add(target["kind"])
            scaled = {one["metadata"]["name"] for one in of_kind(case, "HorizontalPodAutoscaler")}
            for workload in services_of(case).values():
                self.assertEqual("replicas" in workload["spec"], workload["metadata"]["name"] not in scaled)
        self.assertEqual(seen, {"Deployment", "StatefulSet"})

    def test_a_pod_monitor_reads_the_services_and_nothing_else(self):
        (monitor,) = of_kind("cloudnative-pg", "PodMonitor")
        found = {component(one) for one in of_kind("cloudnative-pg", *WORKLOADS)
                 if selected(monitor["spec"]["selector"], pod_labels(one))}
        self.assertEqual(found, set(services_of("cloudnative-pg")))

    def test_a_prometheus_rule_holds_every_alert_as_its_file_has_it(self):
        (rule,) = of_kind("cloudnative-pg", "PrometheusRule")
        files = {}
        for path in sorted((chart.CHART / "alerts").glob("*.yaml")):
            for group in chart.read_all(path.read_text(encoding="utf-8"))[0]["groups"]:
                files[group["name"]] = group["rules"]
        found = {group["name"]: group["rules"] for group in rule["spec"]["groups"]}
        for rules in found.values():
            for one in rules:
                self.assertEqual(one["annotations"].pop("runbook_url"), f"https://docs.example.gov.cn/yikatong/runbooks/{one['alert']}.md")
        self.assertGreater(len(files), 20)
        self.assertEqual(found, files)

    def test_the_sidecar_finds_every_dashboard(self):
        dashboards = chart.named("cloudnative-pg", "ConfigMap", "yikatong-dashboards")
        self.assertEqual(dashboards["metadata"]["labels"]["grafana_dashboard"], "1")
        files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (chart.CHART / "dashboards").glob("*.json")}
        self.assertEqual(len(files), 4)
        self.assertEqual({name: json.loads(text) for name, text in dashboards["data"].items()}, files)

    def test_labels_that_select_do_not_change_with_the_release(self):
        for one in of_kind("trial", "Deployment", "StatefulSet"):
            self.assertEqual(set(one["spec"]["selector"]["matchLabels"]),
                             {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component")})


class Network(unittest.TestCase):
    """What may call what, reckoned from the policies as the cluster does."""

    def allowed(self, case: str, source: dict, target: dict, port: int) -> bool:
        def side(workload, kind, other):
            policies = [one["spec"] for one in of_kind(case, "NetworkPolicy")
                        if selected(one["spec"]["podSelector"], pod_labels(workload)) and kind in one["spec"]["policyTypes"]]
            if not policies:
                return True
            key, places = ("ingress", "from") if kind == "Ingress" else ("egress", "to")
            for policy in policies:
                for rule in policy.get(key, []):
                    if not any(one["port"] == port for one in rule["ports"]):
                        continue
                    if places not in rule:
                        return True
                    if any("ipBlock" not in place and "namespaceSelector" not in place
                           and selected(place["podSelector"], pod_labels(other)) for place in rule[places]):
                        return True
            return False
        return side(source, "Egress", target) and side(target, "Ingress", source)

    def expected(self, case: str) -> set:
        """(component, component, port) that settings and probes say are called."""
        pairs = set()
        services = services_of(case)
        trial = "trial" in MATRIX[case][0]
        for name, workload in services.items():
            settings = config_of(case, workload)
            for key, value in settings.items():
                peer = key.removesuffix("_address")
                if value.startswith("dns:///") and peer in services:
                    pairs.add((name, peer, int(value.rsplit(":", 1)[1])))
            if name == "bankgateway" and "banksim" in services:
                pairs.add((name, "banksim", containers(services["banksim"])[0]["ports"][0]["containerPort"]))
            if trial and "database_conninfo" in settings:
                pairs |= {(name, "postgresql", 5432), (name, "redis", 6379)}
            ports = {one["name"]: one["containerPort"] for one in containers(workload)[0]["ports"]}
            pairs.add(("test", name, ports["health"]))
        if trial:
            pairs.add(("migrate", "postgresql", 5432))
        return pairs

    def test_exactly_what_is_called_may_be_called(self):
        for case in MATRIX:
            if case == "bare":
                self.assertEqual(of_kind(case, "NetworkPolicy"), [])
                continue
            workloads = {component(one): one for one in of_kind(case, *WORKLOADS)}
            found = set()
            for source, one in workloads.items():
                for target, other in workloads.items():
                    for port in {p["containerPort"] for c in containers(other) for p in c.get("ports", [])}:
                        if source != target and self.allowed(case, one, other, port):
                            found.add((source, target, port))
            expected = self.expected(case)
            exposed = {(source, "dispatch", port) for source, _, port in found
                       if case in ("external-database", "ipv6", "each-its-own")}
            with self.subTest(case):
                self.assertEqual(expected - found, set(), "is called, and may not")
                self.assertEqual(found - expected - exposed, set(), "may be called, and is not")

    def test_everything_is_behind_a_policy_that_allows_nothing(self):
        for case in MATRIX:
            if case == "bare":
                continue
            fullname = "subsidies" if case == "renamed" else "yikatong"
            nothing = chart.named(case, "NetworkPolicy", f"{fullname}-nothing")["spec"]
            self.assertNotIn("ingress", nothing)
            self.assertNotIn("egress", nothing)
            for workload in of_kind(case, *WORKLOADS):
                self.assertTrue(selected(nothing["podSelector"], pod_labels(workload)))


class Pods(unittest.TestCase):
    def test_every_container_is_confined(self):
        for case in MATRIX:
            for workload in of_kind(case, *WORKLOADS):
                pod = pod_of(workload)
                security = pod["securityContext"]
                with self.subTest(case, name=workload["metadata"]["name"]):
                    self.assertTrue(security["runAsNonRoot"])
                    self.assertGreaterEqual(security["runAsUser"], 1000)
                    self.assertEqual(security["seccompProfile"]["type"], "RuntimeDefault")
                    self.assertFalse(pod["automountServiceAccountToken"])
                    for container in containers(workload):
                        confined = container["securityContext"]
                        self.assertTrue(confined["readOnlyRootFilesystem"])
                        self.assertFalse(confined["allowPrivilegeEscalation"])
                        self.assertEqual(confined["capabilities"], {"drop": ["ALL"]})
                        self.assertIn("memory", container["resources"]["limits"])
                        self.assertTrue(container["command"][0].startswith("/"))

    def test_the_cluster_puts_no_variable_into_a_pod(self):
        # A release named ykt would otherwise give YKT_DISPATCH_SERVICE_HOST, which dispatch refuses as an unknown setting.
        for one in rendered("trial", "ykt"):
            if one["kind"] in WORKLOADS:
                self.assertIs(pod_of(one)["enableServiceLinks"], False)

    def test_a_pod_has_the_time_that_its_draining_may_take(self):
        for case in MATRIX:
            for workload in services_of(case).values():
                settings = config_of(case, workload)
                needs = sum(int(settings[key].removesuffix("s")) for key in ("drain_notice", "drain_deadline"))
                self.assertGreater(pod_of(workload)["terminationGracePeriodSeconds"], needs + 5)

    def test_a_pod_answers_for_as_long_as_dns_may_name_it_and_the_next_waits_for_that(self):
        for case in MATRIX:
            for name, workload in services_of(case).items():
                notice_s = int(config_of(case, workload)["drain_notice"].removesuffix("s"))
                with self.subTest(case, service=name):
                    self.assertGreater(notice_s, DNS_CACHE_S)
                    if workload["kind"] == "Deployment":  # of a StatefulSet a pod is gone before the next one's turn
                        self.assertGreaterEqual(workload["spec"]["minReadySeconds"], notice_s)

    def test_no_secret_is_in_a_manifest(self):
        for case in MATRIX:
            self.assertEqual(of_kind(case, "Secret"), [])

    def test_images_have_a_registry_and_a_tag_of_their_own(self):
        images = {one["image"] for workload in of_kind("trial", *WORKLOADS) for one in containers(workload)}
        self.assertEqual(images, {f"localhost/yikatong/{name}:0.1.0" for name in [*chart.SETTINGS, "tools", "trial"]})
        renamed = {one["image"] for workload in of_kind("renamed", *WORKLOADS) for one in containers(workload)}
        self.assertIn("yikatong/dispatch:7", renamed)


class Migrations(unittest.TestCase):
    def test_they_come_before_the_release_and_stay_out_of_a_rollback(self):
        for case in ("defaults", "external-database", "cloudnative-pg"):
            jobs = of_kind(case, "Job")
            self.assertEqual(len(jobs), len(chart.DATABASES))
            config = {pod_of(job)["volumes"][0]["configMap"]["name"] for job in jobs}
            before = [one for one in rendered(case) if "helm.sh/hook" in one["metadata"].get("annotations", {}) and one["kind"] != "Pod"]
            for one in before:
                self.assertEqual(one["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
            weights = {one["kind"]: int(one["metadata"]["annotations"]["helm.sh/hook-weight"]) for one in before}
            self.assertEqual({one["metadata"]["name"] for one in before if one["kind"] == "ConfigMap"}, config)
            self.assertLess(weights["ConfigMap"], weights["Job"])
            self.assertLess(weights["NetworkPolicy"], weights["Job"])

    def test_those_of_a_trial_run_beside_its_database(self):
        for job in of_kind("trial", "Job"):
            self.assertNotIn("annotations", job["metadata"])
            self.assertTrue(job["metadata"]["name"].endswith("-1"), "a Job cannot be changed: the revision is in its name")

    def test_they_are_told_of_a_restore_and_nobody_else_is(self):
        for case, restored in (("defaults", ""), ("restored", "2026-11-26")):
            for one in of_kind(case, "ConfigMap"):
                said = re.findall(r"^restore_id = (.*)$", one["data"].get("service.conf", ""), re.M)
                name = one["metadata"]["name"]
                wanted = restored and "-migrate-" in name and not name.endswith("-auditlog")
                with self.subTest(case, name=name):
                    self.assertEqual(said, [restored] if wanted else [])

    def test_only_they_have_the_owners_password(self):
        for case in MATRIX:
            for workload in of_kind(case, *WORKLOADS):
                has = any("/owner" in path for container in containers(workload) for path in mounted(case, workload, container))
                with self.subTest(case, name=workload["metadata"]["name"]):
                    self.assertEqual(has, workload["kind"] == "Job")


class Secrets(unittest.TestCase):
    """deploy/kubernetes-secrets writes what a trial refers to."""

    @functools.lru_cache(None)
    def written(self) -> tuple:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([chart.ROOT / "deploy" / "kubernetes-secrets", pathlib.Path(folder) / "trial"],
                                  capture_output=True, text=True, check=True)
            return tuple(chart.read_all(done.stdout))

    def test_everything_that_a_trial_refers_to_is_written_with_its_keys(self):
        there = {(one["kind"], one["metadata"]["name"]): set(one["data"]) for one in self.written()}
        wanted = set()
        for workload in of_kind("trial", *WORKLOADS):
            for volume in pod_of(workload).get("volumes", []):
                wanted |= {(kind, name, file) for file, kind, name in files_of(volume, "trial")}
            for container in containers(workload):
                for variable in container.get("env", []):
                    reference = variable["valueFrom"]["secretKeyRef"]
                    wanted.add(("Secret", reference["name"], reference["key"]))
        own = {one["metadata"]["name"] for one in of_kind("trial", "ConfigMap")}
        wanted = {one for one in wanted if one[1] not in own}
        self.assertGreater(len(wanted), 30)
        for kind, name, key in wanted:
            with self.subTest(f"{kind} {name} {key}"):
                self.assertTrue(any(one.endswith(".pem") for one in there[kind, name]) if key == "*.pem" else key in there[kind, name])
        unused = set(there) - {(kind, name) for kind, name, _ in wanted}
        self.assertEqual(unused, set(), "written, and nothing refers to it")

    def test_they_are_what_the_cluster_takes(self):
        for one in self.written():
            self.assertEqual(chart.schemas(chart.NEWEST).faults(one), [])


if __name__ == "__main__":
    unittest.main()
