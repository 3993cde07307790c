"""Every manifest is what Kubernetes takes, over a matrix of values; what is not a value is refused before that."""
import copy
import unittest

import chart
from chart import MATRIX, NEWEST, OLDEST, rendered, schemas


class Manifests(unittest.TestCase):
    def test_the_chart_passes_the_strict_lint(self):
        for case in MATRIX:
            words, values = chart.words_of(case)
            done = chart.helm("lint", "--strict", str(chart.CHART), *words, values=values)
            with self.subTest(case):
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_manifest_has_only_fields_that_kubernetes_knows(self):
        for case in MATRIX:
            for version in (OLDEST, NEWEST):
                faults = [fault for one in rendered(case) for fault in schemas(version).faults(one)]
                with self.subTest(case, version=version):
                    self.assertEqual(faults, [])

    def test_the_example_clusters_are_such_as_the_operator_knows(self):
        found = {}
        for name in ("cluster", "recovery"):
            for one in chart.read_all((chart.EXAMPLES / f"cloudnative-pg-{name}.yaml").read_text(encoding="utf-8")):
                self.assertEqual(schemas(NEWEST).faults(one), [])
                found[(one["kind"], one["metadata"]["name"])] = one["spec"]
        # What is put back comes from where it was archived.
        for cluster in ("yikatong-postgresql-2", "yikatong-audit-2"):
            spec = found[("Cluster", cluster)]
            (source,) = spec["externalClusters"]
            self.assertEqual(spec["bootstrap"]["recovery"]["source"], source["name"])
            wanted = source["plugin"]["parameters"]
            self.assertIn(("Cluster", wanted["serverName"]), found)
            self.assertIn(("ObjectStore", wanted["barmanObjectName"]), found)
        for cluster in ("yikatong-postgresql", "yikatong-postgresql-2"):
            self.assertGreaterEqual(found[("Cluster", cluster)]["instances"], 3)
        self.assertIn(("Cluster", found[("ScheduledBackup", "yikatong-nightly")]["cluster"]["name"]), found)

    def test_a_field_too_many_and_a_wrong_type_are_found(self):
        for kind, change in (("Deployment", lambda one: one["spec"]["template"]["spec"].update(priorityClas="x")),
                             ("Service", lambda one: one["spec"].update(ports="8443")),
                             ("NetworkPolicy", lambda one: one["spec"].update(policyType=["Ingress"])),
                             ("Job", lambda one: one["spec"].pop("template")),
                             ("HorizontalPodAutoscaler", lambda one: one["spec"].update(targetCPUUtilizationPercentage=70)),
                             ("Certificate", lambda one: one["spec"].update(uriSANs=[])),
                             ("PodMonitor", lambda one: one["spec"].pop("selector"))):
            broken = copy.deepcopy(chart.of_kind("cloudnative-pg", kind)[0])
            change(broken)
            with self.subTest(kind):
                self.assertNotEqual(schemas(NEWEST).faults(broken), [])

    def test_no_two_objects_have_one_name(self):
        for case in MATRIX:
            names = [(one["kind"], one["metadata"]["name"]) for one in rendered(case)]
            with self.subTest(case):
                self.assertEqual(sorted(set(names)), sorted(names))

    def test_names_are_short_enough_for_the_longest_release(self):
        for one in rendered("trial", "a" * 53):
            self.assertLessEqual(len(one["metadata"]["name"]), 63, one["metadata"]["name"])


class Values(unittest.TestCase):
    """values.schema.json is closed, and says of each value what it means and what holds."""

    def refused(self, values: dict) -> str:
        done = chart.helm("template", "yikatong", str(chart.CHART), values=values)
        self.assertNotEqual(done.returncode, 0, values)
        return done.stderr

    def test_an_unknown_value_is_refused_on_every_level(self):
        for values in ({"replicas": 3}, {"image": {"name": "x"}}, {"services": {"dispach": {}}},
                       {"services": {"dispatch": {"replica": 3}}}, {"serviceDefaults": {"ports": {"http": 80}}},
                       {"services": {"dispatch": {"settings": {"chunk_worker": 3}}}},
                       {"services": {"catalogue": {"settings": {"chunk_workers": 3}}}},
                       {"trial": {"postgresql": {"password": "x"}}}, {"networkPolicy": {"dns": {"port": 53}}}):
            with self.subTest(str(values)):
                self.assertIn("additional properties", self.refused(values))

    def test_what_the_chart_itself_sets_cannot_be_set(self):
        for setting in ("grpc_address", "tls_key", "database_conninfo", "database_password_file", "failpoints", "drain_notice"):
            with self.subTest(setting):
                self.refused({"services": {"dispatch": {"settings": {setting: "x"}}}})

    def test_a_value_of_the_wrong_kind_is_refused(self):
        for values in ({"services": {"dispatch": {"replicas": "many"}}}, {"businessClock": "mine"}, {"user": 0},
                       {"services": {"dispatch": {"calls": ["nobody"]}}}, {"database": {"sslMode": "prefer"}},
                       {"services": {"dispatch": {"settings": {"send_window": "08:00-17:00\nfailpoints = x"}}}},
                       {"services": {"bankgateway": {"egress": [{"cidr": "bank.example", "port": 443}]}}}):
            with self.subTest(str(values)):
                self.refused(values)

    def test_a_reference_that_is_needed_and_not_given_is_refused(self):
        self.assertIn("database.provision.secret", self.refused({"database": {"provision": {"enabled": True}}}))
        for values in ({"redis": {"address": "cache"}}, {"services": {"registry": {"redisAddress": "cache:"}}}):
            with self.subTest(str(values)):
                self.refused(values)

    def test_a_trial_runs_as_the_user_that_its_image_knows(self):
        self.assertIn("10001", self.refused({"trial": {"enabled": True}, "user": 20000}))

    def walk(self, node: dict, path: str):
        """(path, property) of every property below."""
        for key, one in node.get("properties", {}).items():
            yield f"{path}.{key}", one
            yield from self.walk(one, f"{path}.{key}")

    def test_every_value_has_a_description_and_a_default(self):
        roots = [("values", chart.SCHEMA), *(chart.SCHEMA["$defs"].items())]
        for name, root in roots:
            self.assertIs(root["additionalProperties"], False, name)
            for path, one in self.walk(root, name):
                if path.startswith("values.services.") and path.endswith(".settings"):
                    continue  # only points to the settings of one service
                with self.subTest(path):
                    self.assertTrue(one.get("description"), "no description")
                    inner = one.get("properties") or one.get("$ref")
                    required = path.split(".")[-1] == "origin"  # the chart gives it
                    in_default = "default" in root or ".dns." in path or ".monitoring." in path
                    self.assertTrue("default" in one or inner or required or in_default, "no default")

    def test_every_table_is_closed(self):
        def tables(node):
            if isinstance(node, dict):
                if "properties" in node and "$ref" not in node:
                    yield node
                for one in node.values():
                    yield from tables(one)
            elif isinstance(node, list):
                for one in node:
                    yield from tables(one)
        found = [one for one in tables(chart.SCHEMA) if one.get("type") == "object"]
        self.assertGreater(len(found), 30)
        for one in found:
            self.assertIs(one.get("additionalProperties"), False, one["description"])


if __name__ == "__main__":
    unittest.main()
