"""What the chart tells each service is what that service takes: its settings, its paths, its keys and certificates.

    binaries_check.py FOLDER-OF-THE-BINARIES
"""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import chart
from agreement_test import config_of, services_of
from chart import containers, of_kind, pod_of
from operation_test import commands, notes

BINARIES = pathlib.Path("build/release/bin")


def lay_out(case: str, workload: dict, objects: dict, root: pathlib.Path) -> None:
    """The files of a container under `root`, as a kubelet would mount them."""
    volumes = {one["name"]: one for one in pod_of(workload)["volumes"]}
    for mount in containers(workload)[-1]["volumeMounts"]:
        folder = root / mount["mountPath"].lstrip("/")
        folder.mkdir(parents=True)
        volume = volumes.get(mount["name"], {})
        for source in volume.get("projected", {}).get("sources", [volume]):
            if "configMap" in source:
                name, kind, items = source["configMap"]["name"], "ConfigMap", None
            elif "secret" in source:
                secret = source["secret"]
                name, kind, items = secret.get("secretName") or secret["name"], "Secret", secret.get("items")
            else:
                continue  # a disk
            data = objects[kind, name]
            for item in items or [{"key": key, "path": key} for key in data]:
                (folder / item["path"]).write_bytes(data[item["key"]])


class Binaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        written = subprocess.run([chart.ROOT / "deploy" / "kubernetes-secrets", cls.root / "made"], capture_output=True, text=True,
                                 check=True).stdout
        cls.secrets = {}
        for one in chart.read_all(written):
            cls.secrets[one["kind"], one["metadata"]["name"]] = {
                key: base64.b64decode(value) if one["kind"] == "Secret" else value.encode() for key, value in one["data"].items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_in(self, case: str, workload: dict, *more: str) -> subprocess.CompletedProcess:
        """The container's command with its paths under a folder of ours."""
        root = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        objects = dict(self.secrets)
        for one in of_kind(case, "ConfigMap"):
            objects["ConfigMap", one["metadata"]["name"]] = {key: value.encode() for key, value in one["data"].items()}
        lay_out(case, workload, objects, root)
        conf = root / "etc/yikatong/config/service.conf"
        conf.write_text(conf.read_text().replace("= /etc/", f"= {root}/etc/").replace("= /var/", f"= {root}/var/")
                        .replace("start_wait = 30s", "start_wait = 0s"))  # nobody comes here
        command = containers(workload)[-1]
        binary = BINARIES / pathlib.Path(command["command"][0]).name
        return subprocess.run([binary, "--config", conf, *more], capture_output=True, text=True, check=False, timeout=60)

    def test_the_list_of_settings_is_what_the_services_say(self):
        done = subprocess.run([chart.ROOT / "helm" / "generate", "--check", "--binaries", BINARIES], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr + "\nrun helm/generate --binaries build/release/bin")

    def test_each_service_takes_its_settings_keys_and_certificates(self):
        for name, workload in services_of("trial").items():
            with self.subTest(service=name):
                # The bank has no such command; it reads its keys when it starts.
                how = "--print-config" if name == "banksim" else "--check-config"
                done = self.run_in("trial", workload, how)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_wrong_key_is_found_so_the_check_reads_them(self):
        workload = services_of("trial")["registry"]
        good = self.secrets["Secret", "yikatong-registry-keys"]
        self.secrets["Secret", "yikatong-registry-keys"] = {**good, "registry-signing.key": b"not a key\n"}
        try:
            self.assertNotEqual(self.run_in("trial", workload, "--check-config").returncode, 0)
        finally:
            self.secrets["Secret", "yikatong-registry-keys"] = good

    def test_values_of_every_case_are_within_what_the_services_allow(self):
        for case in chart.MATRIX:
            for name, workload in services_of(case).items():
                settings = config_of(case, workload)
                with tempfile.TemporaryDirectory() as folder:
                    # Only the values: passwords are files that must be there.
                    conf = pathlib.Path(folder) / "service.conf"
                    conf.write_text("".join(f"{key} = {value}\n" for key, value in settings.items() if not key.endswith("password_file")))
                    done = subprocess.run([BINARIES / name, "--config", conf, "--print-config"], capture_output=True, text=True,
                                          check=False, timeout=60)
                with self.subTest(case, service=name):
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_migration_gets_as_far_as_its_database(self):
        for job in of_kind("trial", "Job"):
            done = self.run_in("trial", job, "--migrate")
            with self.subTest(job["metadata"]["name"]):
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn("yikatong-postgresql", done.stderr)

    def test_every_call_that_the_notes_name_is_one_that_yktctl_knows(self):
        calls = [words for words in commands(notes("trial")) if words[0] == "yktctl"]
        self.assertGreater(len(calls), 5)
        for _, said, person, *words in calls:
            at = next((number for number, word in enumerate(words) if word.startswith("--")), len(words))
            done = subprocess.run([BINARIES / "yktctl", *words[:at], "--help"], capture_output=True, text=True, check=False, timeout=60)
            with self.subTest(" ".join(words)):
                self.assertEqual((said, done.returncode), ("--as", 0), done.stderr)
                self.assertIn(f"Usage: yktctl {' '.join(words[:at])} [OPTIONS]\n", done.stdout)
                for option in (word for word in words if word.startswith("--")):
                    self.assertIn(f"{option} ", done.stdout)
                for path in (word for word in words if word.startswith("deploy/")):
                    self.assertTrue((chart.ROOT / path).is_file(), path)

    def test_the_people_of_a_trial_have_certificates_and_tokens(self):
        done = subprocess.run([chart.ROOT / "deploy" / "kubernetes-people", self.root / "made", "--binaries", BINARIES], capture_output=True,
                              text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        endpoints = json.loads((self.root / "made" / "endpoints.json").read_text(encoding="utf-8"))
        named = {words[2] for words in commands(notes("trial")) if words[:2] == ["yktctl", "--as"]}
        self.assertLessEqual(named, set(endpoints["people"]))
        for person in endpoints["people"].values():
            for key in ("token_file", "tls_ca", "tls_certificate", "tls_key"):
                self.assertGreater(pathlib.Path(person[key]).stat().st_size, 100, person[key])
        # Whoever made no Secrets there has nobody whom the cluster would know.
        done = subprocess.run([chart.ROOT / "deploy" / "kubernetes-people", self.root / "other", "--binaries", BINARIES], capture_output=True,
                              text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("deploy/kubernetes-secrets", done.stderr)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
