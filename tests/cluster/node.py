"""A Kubernetes of one node: the programs of build/cluster/bin and Debian's containerd, started and ended by the process that wants it.

It lives in namespaces of its own for network, mounts and processes (`run` makes them): nothing of it is reachable from the machine,
its rules for packets are nobody else's, and whatever it started ends with its first process.
"""
import json
import os
import pathlib
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ROOT / "build" / "cluster" / "bin"
NAME = "node"
ADDRESS = "10.77.0.1"  # of the node, in a network that has only the node
PODS = "10.78.0.0/16"
SERVICES = "10.79.0.0/16"
API = "10.79.0.1"
DNS = "10.79.0.10"
DISKS = 8
PATIENCE_S = 180
OWN = ("/var/log/pods", "/var/log/containers", "/var/lib/cni", "/run/netns", "/run/containerd")
CGROUPS = pathlib.Path("/sys/fs/cgroup")

# A sandbox of a machine may lack CAP_SYS_RESOURCE and AppArmor: neither is asked for.
CONTAINERD = """
version = 2
root = "{state}/containerd"
state = "{state}/containerd-run"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"
"""

NETWORK = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "pods0", "isGateway": True, "hairpinMode": True, "ipMasq": True,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}

KUBELET = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs", "cgroupRoot": "/yikatong-node",
           "failSwapOn": False, "clusterDomain": "cluster.local", "clusterDNS": [DNS], "authorization": {"mode": "AlwaysAllow"},
           "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}}, "resolvConf": "",
           "volumePluginDir": "/run/containerd/plugins",
           # The machine's disk is nobody's business here.
           "evictionHard": {"memory.available": "100Mi"}, "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99}

COREFILE = """.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig /etc/coredns/kubeconfig
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    cache 30
    reload
    loadbalance
}
"""


class Node:
    """Started by `with`. Needs to be the first process of its own namespaces, as root. Not to be shared between threads."""

    def __init__(self, state: pathlib.Path):
        self.state = state
        self.socket = state / "containerd.sock"
        self.kubeconfig = state / "kubeconfig"
        self.processes = []

    def __enter__(self):
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        self._folders()
        self._network()
        self._certificates()
        self._containerd()
        self._control_plane()
        self._kubelet()
        self._policies()
        self._dns()
        self._disks()
        return self

    def __exit__(self, *_):
        for name, process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # What its users call.

    def kubectl(self, *words: str, said: str = None, check: bool = True) -> str:
        done = subprocess.run([BINARIES / "kubectl", "--kubeconfig", self.kubeconfig, *words], input=said, capture_output=True, text=True,
                              check=False)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def environment(self) -> dict:
        """For helm, kubectl and what calls them."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": f"{BINARIES}:{ROOT / 'build' / 'tools'}:{os.environ['PATH']}"}

    def import_image(self, archive: pathlib.Path) -> None:
        subprocess.run(["ctr", "--address", self.socket, "-n", "k8s.io", "images", "import", archive], check=True, stdout=subprocess.DEVNULL)

    # How it comes up.

    def _start(self, name: str, *command) -> None:
        with (self.state / f"{name}.log").open("wb") as log:
            self.processes.append((name, subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)))

    def _until(self, what: str, holds) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            for name, process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended: {(self.state / f'{name}.log').read_text(errors='replace')[-3000:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not within {PATIENCE_S} s; see {self.state}")
            time.sleep(0.2)

    def _folders(self) -> None:
        """What its programs write outside of its state at fixed places, they write into memory, and nobody else sees it."""
        for folder in OWN:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)

    def _network(self) -> None:
        for words in ("link set lo up", "link add node0 type veth peer name other0", f"address add {ADDRESS}/24 dev node0", "link set node0 up",
                      "link set other0 up", "route add default dev node0"):
            subprocess.run(["ip", *words.split()], check=True)
        for name in ("ipv4/ip_forward", "ipv4/conf/all/route_localnet", "bridge/bridge-nf-call-iptables"):
            pathlib.Path("/proc/sys/net", name).write_text("1")
        (self.state / "cni").mkdir()
        (self.state / "cni" / "10-pods.conflist").write_text(json.dumps(NETWORK))

    def _certificates(self) -> None:
        self.pki = self.state / "pki"
        self.pki.mkdir()
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=node-ca",
                      "-keyout", "ca.key", "-out", "ca.crt")
        self._openssl("genrsa", "-out", "accounts.key", "2048")
        self._openssl("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
        self.certificate("server", "/CN=kube-apiserver", f"IP:127.0.0.1,IP:{ADDRESS},IP:{API},DNS:localhost,DNS:kubernetes.default.svc")
        self.certificate("admin", "/O=system:masters/CN=admin", "DNS:admin")
        self._kubeconfig(self.kubeconfig, "https://127.0.0.1:6443")

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.pki, check=True, capture_output=True)

    def certificate(self, name: str, subject: str, names: str) -> None:
        (self.pki / "extensions").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", f"{name}.key",
                      "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                      "extensions", "-out", f"{name}.crt")

    def _kubeconfig(self, path: pathlib.Path, server: str) -> None:
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "node",
            "clusters": [{"name": "node", "cluster": {"server": server, "certificate-authority": str(self.pki / "ca.crt")}}],
            "users": [{"name": "admin", "user": {"client-certificate": str(self.pki / "admin.crt"),
                                                 "client-key": str(self.pki / "admin.key")}}],
            "contexts": [{"name": "node", "context": {"cluster": "node", "user": "admin"}}]}))

    def _containerd(self) -> None:
        config = self.state / "containerd.toml"
        config.write_text(CONTAINERD.format(state=self.state, socket=self.socket))
        self._start("containerd", "containerd", "--config", config)
        self._until("containerd", self.socket.is_socket)
        for name in ("pause", "coredns"):
            self.import_image(ROOT / "build" / "cluster" / f"{name}.tar")

    def _control_plane(self) -> None:
        pki = self.pki
        self._start("etcd", BINARIES / "etcd", "--data-dir", self.state / "etcd", "--unsafe-no-fsync", "--listen-client-urls", "http://127.0.0.1:2379",
                    "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380")
        self._start("kube-apiserver", BINARIES / "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", f"--advertise-address={ADDRESS}",
                    f"--service-cluster-ip-range={SERVICES}", "--authorization-mode=Node,RBAC", f"--client-ca-file={pki}/ca.crt",
                    f"--tls-cert-file={pki}/server.crt", f"--tls-private-key-file={pki}/server.key", f"--kubelet-client-certificate={pki}/admin.crt",
                    f"--kubelet-client-key={pki}/admin.key", f"--service-account-key-file={pki}/accounts.pub", "--allow-privileged=true",
                    f"--service-account-signing-key-file={pki}/accounts.key", "--service-account-issuer=https://kubernetes.default.svc",
                    "--kubelet-preferred-address-types=InternalIP")
        self._until("kube-apiserver", lambda: self.kubectl("get", "--raw", "/readyz", check=False) == "ok")
        self._start("kube-controller-manager", BINARIES / "kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                    f"--service-account-private-key-file={pki}/accounts.key", f"--root-ca-file={pki}/ca.crt", f"--cluster-cidr={PODS}",
                    "--use-service-account-credentials=false")
        self._start("kube-scheduler", BINARIES / "kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false")
        self._start("kube-proxy", BINARIES / "kube-proxy", f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NAME}", f"--cluster-cidr={PODS}",
                    "--proxy-mode=iptables", "--conntrack-max-per-core=0")

    def _kubelet(self) -> None:
        for controller in CGROUPS.iterdir():
            if controller.is_dir() and not controller.is_symlink():
                (controller / KUBELET["cgroupRoot"].strip("/")).mkdir(exist_ok=True)
        config = self.state / "kubelet.json"
        config.write_text(json.dumps({**KUBELET, "containerRuntimeEndpoint": f"unix://{self.socket}",
                                      "authentication": {**KUBELET["authentication"], "x509": {"clientCAFile": str(self.pki / "ca.crt")}}}))
        self._start("kubelet", BINARIES / "kubelet", f"--config={config}", f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NAME}",
                    f"--node-ip={ADDRESS}", f"--root-dir={self.state}/kubelet", f"--cert-dir={self.state}/kubelet-pki")
        self._until("the node", lambda: "True" in self.kubectl(
            "get", "node", NAME, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}", check=False))

    def _policies(self) -> None:
        """Whoever enforces NetworkPolicies."""
        self._start("kube-router", BINARIES / "kube-router", f"--kubeconfig={self.kubeconfig}", f"--hostname-override={NAME}", "--run-firewall=true",
                    "--run-router=false", "--run-service-proxy=false", f"--service-cluster-ip-range={SERVICES}", "--enable-cni=false")

    def _dns(self) -> None:
        """As kubeadm installs it: a Deployment in kube-system behind a Service, answers kept for 30 seconds."""
        label = {"k8s-app": "kube-dns"}
        inside = self.pki / "inside"
        self._kubeconfig(inside, f"https://{API}:443")
        text = inside.read_text().replace(f"{self.pki}/", "/etc/coredns/")
        files = {"Corefile": COREFILE, "kubeconfig": text,
                 **{name: (self.pki / name).read_text() for name in ("ca.crt", "admin.crt", "admin.key")}}
        pod = {"containers": [{"name": "coredns", "image": "localhost/coredns:1", "imagePullPolicy": "Never",
                               "args": ["-conf", "/etc/coredns/Corefile"], "volumeMounts": [{"name": "files", "mountPath": "/etc/coredns"}],
                               "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}}}],
               "dnsPolicy": "Default", "volumes": [{"name": "files", "configMap": {"name": "coredns"}}]}
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}, "data": files},
                   {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"},
                    "spec": {"selector": {"matchLabels": label}, "template": {"metadata": {"labels": label}, "spec": pod}}},
                   {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"},
                    "spec": {"clusterIP": DNS, "selector": label, "ports": [{"name": "dns", "port": 53, "protocol": "UDP"},
                                                                           {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]}})
        self.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", f"--timeout={PATIENCE_S}s")

    def _disks(self) -> None:
        """A default StorageClass with folders of the node that everybody may write to, as local-path makes them for its claims."""
        self.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner",
                    "metadata": {"name": "local-path", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                    "volumeBindingMode": "WaitForFirstConsumer"})
        for number in range(DISKS):
            folder = self.state / "disks" / str(number)
            folder.mkdir(parents=True)
            folder.chmod(0o777)
            self.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"disk-{number}"},
                        "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path",
                                 "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": str(folder), "type": "Directory"}}})

    def apply(self, *objects: dict) -> None:
        self.kubectl("apply", "-f", "-", said=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
