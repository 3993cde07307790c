"""The values of the chart: what each is called, what it means, what it may be, and what holds where nobody says.

`helm/generate` makes values.schema.json, values.yaml and the tables of the README out of this, so that the three agree.
"""

SERVICES = ("auditlog", "catalogue", "registry", "bankgateway", "dispatch", "banksim")

ADDRESS = "^([^\\s]+:[0-9]{1,5})?$"
NAME = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"
QUANTITY = "^[0-9]+(\\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$"


def table(description: str, properties: dict, **more) -> dict:
    """A closed object: what is not named here is refused before anything is installed."""
    return {"type": "object", "description": description, "additionalProperties": False, "properties": properties, **more}


def text(description: str, default: str = "", **more) -> dict:
    return {"type": "string", "description": description, "default": default, **more}


def name(description: str) -> dict:
    return text(description, pattern=NAME)


def amount(description: str, default: str) -> dict:
    return text(description, default, pattern=QUANTITY)


def flag(description: str, default: bool) -> dict:
    return {"type": "boolean", "description": description, "default": default}


def number(description: str, default: int, least: int, most: int) -> dict:
    return {"type": "integer", "description": description, "default": default, "minimum": least, "maximum": most}


def choice(description: str, default: str, *others: str) -> dict:
    return {"enum": [default, *others], "description": description, "default": default}


def listing(description: str, items: dict, **more) -> dict:
    return {"type": "array", "description": description, "items": items, "default": [], **more}


def texts(description: str) -> dict:
    """Names of somebody else's choice, such as labels."""
    return {"type": "object", "description": description, "additionalProperties": {"type": "string"}, "default": {}}


def resources(cpu: str, memory: str, limit: str) -> dict:
    return table("What a container asks for and may use; no limit of CPU, since being throttled would cost it its leases.", {
        "requests": table("What a node keeps free for it.", {"cpu": amount("Processors.", cpu), "memory": amount("Memory.", memory)}),
        "limits": table("What ends it.", {"memory": amount("Memory.", limit)})})


PORT = {"type": "integer", "minimum": 1, "maximum": 65535, "description": "TCP port."}
CIDR = {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]{1,3}$", "description": "Addresses, such as 10.20.0.0/16."}
PEER = {
    "cidr": CIDR,
    "namespaceLabels": {"type": "object", "additionalProperties": {"type": "string"},
                        "description": "Labels of the namespace; without them this one."},
    "podLabels": {"type": "object", "additionalProperties": {"type": "string"},
                  "description": "Labels of the pods; without them all of the namespace."}}


def peer(description: str, default: dict) -> dict:
    return table(description, PEER, default=default)


def peers(description: str) -> dict:
    return listing(description, table("A CIDR, or pods by labels.", PEER))


TOLERATION = table("One toleration, as Kubernetes writes it.", {
    "key": {"type": "string", "description": "Key of the taint."},
    "operator": {"enum": ["Exists", "Equal"], "description": "How the value is compared."},
    "value": {"type": "string", "description": "Value of the taint."},
    "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"], "description": "Effect of the taint."},
    "tolerationSeconds": {"type": "integer", "description": "How long NoExecute is borne."}})

# What may be said of a service. `serviceDefaults` says it of all, `services.<name>` of one.
SERVICE = {
    "enabled": flag("Whether it is installed.", True),
    "replicas": number("Pods, where it does not scale by itself.", 2, 1, 50),
    "ports": table("What the container listens on.", {
        "grpc": number("gRPC under mutual TLS.", 8443, 1024, 65535),
        "health": number("grpc.health.v1 in plaintext, and nothing else: for probes.", 8081, 1024, 65535),
        "metrics": number("HTTP, /metrics and nothing else.", 9090, 1024, 65535)}),
    "calls": listing("Services that it calls. Each gives the setting <peer>_address and a pair in the NetworkPolicy.",
                     {"enum": list(SERVICES)}, uniqueItems=True),
    "reaches": listing("Services that it calls at addresses which its own database holds: a pair in the NetworkPolicy only.",
                       {"enum": list(SERVICES)}, uniqueItems=True),
    "egress": listing("Where else it calls; of the gateway, the agent banks.",
                      table("Addresses and a port.", {"cidr": CIDR, "port": PORT}, required=["cidr", "port"])),
    "database": flag("Whether it owns a database.", True),
    "databaseHost": text("Host of its database, where that is another than database.host."),
    "redis": flag("Whether it uses Redis, where there is one.", True),
    "redisAddress": text("host:port of its Redis, where that is another than redis.address.", pattern=ADDRESS),
    "keys": texts("Settings that name a key, and the file in the Secret secrets.keys."),
    "storage": table("A disk for each pod, for what is remembered apart from the database; the pods are then of a StatefulSet.", {
        "setting": text("The setting that names the file on it; empty for no disk."),
        "file": text("Name of the file."),
        "size": amount("Size of the disk.", "1Gi"),
        "class": text("StorageClass; empty for the cluster's own choice.")}),
    "settings": {"type": "object", "description": "More settings, named as `<service> --help` does.", "default": {}},
    "secrets": table("Secrets that whoever installs has made; see Secrets.", {
        "tls": name("ca.crt, tls.crt, tls.key; empty for <fullname>-<service>-tls."),
        "keys": name("The files of `keys`; empty for <fullname>-<service>-keys."),
        "database": name("owner and runtime, the passwords of <service>_owner and <service>_app; empty for <fullname>-<service>-database."),
        "redis": name("password; empty for redis.secret.")}),
    "expose": table("A Service for callers from outside; TLS ends in the service itself.", {
        "type": choice("Kind of the Service; None makes none.", "None", "ClusterIP", "NodePort", "LoadBalancer"),
        "port": number("Port that callers use.", 8443, 1, 65535),
        "nodePort": number("Port of the nodes; 0 leaves it to the cluster.", 0, 0, 32767),
        "annotations": texts("Annotations, for a load balancer."),
        "dnsNames": listing("Names by which callers know it, for its certificate.", {"type": "string"}),
        "from": peers("Who may call, by network; empty: whoever has a certificate.")}),
    "resources": resources("100m", "128Mi", "512Mi"),
    "autoscaling": table("A HorizontalPodAutoscaler by CPU.", {
        "enabled": flag("Whether there is one.", False),
        "minReplicas": number("Pods at least.", 2, 1, 50),
        "maxReplicas": number("Pods at most; each opens connections of its own to the database.", 6, 1, 50),
        "cpuPercent": number("How much of the requested CPU is aimed at.", 70, 10, 100),
        "scaleDownSeconds": number("How long fewer must have sufficed before a pod goes.", 600, 0, 3600)}),
    "maxUnavailable": number("Pods that the draining of nodes may take at one time (PodDisruptionBudget).", 1, 1, 10),
    "nodeSelector": texts("Labels of the nodes that may run it."),
    "tolerations": listing("Taints that it bears.", TOLERATION)}


def large(cpu: str, memory: str, limit: str) -> dict:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}}


SCALES = {"autoscaling": {"enabled": True}}

# What a service says that is not as of all: (description, values).
EACH_SERVICE = {
    "auditlog": ("The audit log.", {
        "keys": {"signing_key": "audit-log.key"}, "storage": {"setting": "checkpoint_file", "file": "checkpoint"},
        **large("200m", "256Mi", "1Gi")}),
    "catalogue": ("Policies and their versions.", {"calls": ["auditlog"]}),
    "registry": ("People, cards and accounts.", {
        "calls": ["auditlog", "catalogue"],
        "keys": {"column_keys": "registry-columns.ring", "index_key": "registry-index.ring",
                 "signing_key": "registry-signing.key", "gateway_key": "gateway-wrapping.pub"},
        **large("250m", "256Mi", "1Gi"), **SCALES}),
    "bankgateway": ("Banks, files, results and reconciliation.", {
        "calls": ["auditlog", "catalogue"], "reaches": ["banksim"],
        "keys": {"column_keys": "bankgateway-columns.ring", "wrapping_key": "gateway-wrapping.key",
                 "registry_key": "registry-signing.pub", "file_key": "gateway-files.key"},
        **large("250m", "256Mi", "1Gi"), **SCALES}),
    "dispatch": ("Batches, items, reviews, budget and outcomes.", {
        "calls": ["auditlog", "catalogue", "registry", "bankgateway"], **large("500m", "512Mi", "2Gi"), **SCALES}),
    "banksim": ("A stand-in agent bank, for trials.", {
        "enabled": False, "replicas": 1, "calls": ["catalogue"], "database": False, "redis": False,
        "keys": {"signer_key": "gateway-files.pub"}, "storage": {"setting": "journal", "file": "journal"}})}

VALUES = {
    "nameOverride": name("Instead of the chart's name in the names of objects."),
    "fullnameOverride": text("Instead of release and chart in the names of objects.", pattern=NAME, maxLength=40),
    "labels": texts("Labels on every object."),
    "image": table("Where the images are: one a service, named after it, with its program in /usr/local/bin; tools and trial.", {
        "registry": text("Registry. The default is a name under which nobody else can publish, for images loaded into the nodes.", "localhost"),
        "repository": text("Folder there: the image of a service is <registry>/<repository>/<service>.", "yikatong"),
        "tag": text("Tag; empty for the chart's appVersion."),
        "pullPolicy": choice("When images are pulled.", "IfNotPresent", "Always", "Never"),
        "pullSecrets": listing("Secrets for the registry.", {"type": "string"})}),
    "user": number("User and group of every container; the files of its volumes are that group's.", 10001, 1000, 65535),
    "listenHost": choice("Host that services listen on; [::] where pods have IPv6.", "0.0.0.0", "[::]"),
    "businessClock": choice("beijing: today's date; adjustable: one that a person moves, for demonstrations only.", "beijing", "adjustable"),
    # CoreDNS as kubeadm installs it gives an answer for 30 seconds again; 5 are for the cluster to notice that a pod ends.
    "drain": table("How a pod ends; its grace period is both and 15 seconds.", {
        "noticeSeconds": number("How long it says NOT_SERVING and still takes calls: longer than the cluster's DNS gives an answer again "
                                "(CoreDNS 30), so that no answer names only pods that are gone. A Deployment's next pod waits as long.",
                                35, 0, 120),
        "deadlineSeconds": number("How long calls that run may take to finish.", 20, 1, 600)}),
    "certificates": table("Certificates of the services: URI ykt://service/<service>, DNS name <service>.", {
        "issuer": table("The issuer of cert-manager that makes them.", {
            "name": text("Its name; empty: they are Secrets that are given."),
            "kind": choice("Its kind.", "Issuer", "ClusterIssuer"),
            "group": text("Its API group.", "cert-manager.io")}),
        "duration": text("How long a certificate is good.", "2160h", pattern="^[0-9]+h$"),
        "renewBefore": text("How long before its end it is renewed; services take the new one without a restart.", "720h", pattern="^[0-9]+h$")}),
    "tokenIssuers": name("ConfigMap with the public keys (*.pem) whose tokens are taken; empty for <fullname>-token-issuers."),
    "database": table("PostgreSQL, 15 or later. Each service has a database of its own name.", {
        "host": text("Host of all databases.", "postgresql"),
        "port": number("Port of all databases.", 5432, 1, 65535),
        "sslMode": choice("What is demanded of the server's certificate.", "verify-full", "verify-ca", "require", "disable"),
        "caSecret": name("Secret with ca.crt, the authority of the server's certificate; verify-ca and verify-full need it."),
        "startWaitSeconds": number("How long a pod that starts asks again where the database does not answer yet, or its schema is behind. A cluster that enforces NetworkPolicies refuses the first connections of a new pod.", 30, 0, 100),
        "provision": table("Making databases and roles before the migrations.", {
            "enabled": flag("Whether the chart does it; otherwise they are there.", False),
            "secret": name("Secret with username and password of a role that may create both; needed where the chart does it."),
            "database": text("Database that it connects to.", "postgres")})}),
    "redis": table("Redis 7, for caches and rate limits: with it only speed is lost.", {
        "address": text("host:port; empty for none: each pod then counts rates by itself.", pattern=ADDRESS),
        "secret": name("Secret with password; empty for none.")}),
    "migrations": table("A Job for each service that brings its schema up to date. A schema works with the release before, too.", {
        "enabled": flag("Whether the chart runs them.", True),
        "deadlineSeconds": number("How long one may take.", 1800, 60, 86400),
        "retries": number("How often a failed one is tried again, after 10, 20, 40 … seconds.", 3, 0, 20),
        "resources": resources("50m", "64Mi", "256Mi")}),
    "restore": table("After the databases were put back from a backup: see RESTORING.md.", {
        "id": text("Name of the restore, another one for each: the migrations' Jobs then raise the restore epochs, once. It may stay.", "",
                   pattern=r"^[A-Za-z0-9._-]{0,64}$")}),
    "priority": table("A PriorityClass for the services, and for the trial's PostgreSQL and Redis. Such a class is the whole cluster's.", {
        "create": flag("Whether the chart makes one.", True),
        "name": name("Its name; empty for <namespace>-<fullname>-<value> where the chart makes it, else for none."),
        "value": number("Its value. That of a class can never change: with a name of your own, name another one, too.", 100000, -1000000000, 1000000000)}),
    "topologySpread": table("What happens to a pod that cannot be spread.", {
        "nodes": choice("Over nodes.", "ScheduleAnyway", "DoNotSchedule"),
        "zones": choice("Over zones.", "ScheduleAnyway", "DoNotSchedule")}),
    "networkPolicy": table("Nobody calls, and nobody is called, but by `calls`, `reaches`, `egress`, `expose` and what stands here.", {
        "enabled": flag("Whether there are policies.", True),
        "dns": peer("Where names are resolved.", {"namespaceLabels": {"kubernetes.io/metadata.name": "kube-system"},
                                                   "podLabels": {"k8s-app": "kube-dns"}}),
        "monitoring": peer("Who reads /metrics.", {"namespaceLabels": {"kubernetes.io/metadata.name": "monitoring"}}),
        "database": peers("Where PostgreSQL is; empty: anywhere, on its port."),
        "redis": peers("Where Redis is; empty: anywhere, on its port.")}),
    "monitoring": table("Objects of the Prometheus operator.", {
        "podMonitor": flag("Whether there is a PodMonitor.", False),
        "rules": flag("Whether there is a PrometheusRule with the alerts.", False),
        "runbooks": text("Where the folder runbooks/ is published, for a link from each alert; empty for none."),
        "interval": text("How often metrics are read.", "15s", pattern="^[0-9]+(s|m)$"),
        "labels": texts("Labels by which the operator finds them."),
        "dashboards": flag("Whether there is a ConfigMap with the dashboards, for Grafana's sidecar.", False),
        "dashboardLabels": {**texts("Labels by which the sidecar finds it."), "default": {"grafana_dashboard": "1"}}}),
    "trial": table("A small PostgreSQL and Redis of the release's own. For a look, not for money: one pod, no backup, no TLS.", {
        "enabled": flag("Whether they are installed and used.", False),
        "postgresql": table("The PostgreSQL.", {
            "secret": name("Secret with username (postgres) and password; empty for <fullname>-postgresql."),
            "size": amount("Its disk.", "8Gi"),
            "class": text("StorageClass; empty for the cluster's own choice."),
            "resources": resources("250m", "512Mi", "2Gi")}),
        "redis": table("The Redis.", {
            "secret": name("Secret with password; empty for <fullname>-redis."),
            "memory": text("What it may hold.", "128mb", pattern="^[0-9]+mb$"),
            "resources": resources("20m", "32Mi", "256Mi")})}),
    "serviceDefaults": {"description": "What holds for every service; see Services.", "$ref": "#/$defs/service"},
    "services": table("What is said of one service.", {
        each: {"description": about, "$ref": "#/$defs/service", "default": values,
               "properties": {"settings": {"$ref": f"#/$defs/{each}Settings"}}}
        for each, (about, values) in EACH_SERVICE.items()})}
