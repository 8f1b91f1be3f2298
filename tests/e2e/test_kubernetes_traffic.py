"""Scenario 3 on a real Kubernetes of one node: clients write through a proxy Deployment behind its Service
into a real Kafka, a snapshot of Elasticsearch 7.10 is migrated to OpenSearch 2.19, two replayers send
on what was written since; pods of proxies, replayers and the engine are deleted meanwhile. Both ends
hold the same documents.

The same pods with TLS and SASL everywhere: certificates and passwords come out of Secrets.

Needs what kubernetes_support needs. SHARDLIFT_POD_KILLS: how many; SHARDLIFT_SEED."""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import pytest

from kubernetes_support import (CEILING, KAFKA, NODE, NODES, OBJECTS, OPENSEARCH, SOURCE, TARGET, install,
                                image_name, make_secret, needs_kubernetes, node, plan_clusters,
                                plan_migration, pods_of, servers, status, submit, upload, wait_until)
from support import OK, PROGRAM, ROOT

pytestmark = needs_kubernetes

KILLS = int(os.environ.get("SHARDLIFT_POD_KILLS", "8"))
SEED = int(os.environ.get("SHARDLIFT_SEED") or random.SystemRandom().randrange(1 << 30))
FRONT = 9200
INDICES = "load-0,load-1"
SMALL = '{requests: {cpu: 10m, memory: 64Mi}, limits: {cpu: 2000m, memory: 512Mi}}'
ELASTICSEARCH = ("es-node", "7.10", SOURCE)
# Brokers tell clients where they are.
BROKER = ("kafka-node", "4.1", KAFKA, "--setting", f"advertised.listeners=CLIENT://{NODE}:{KAFKA}")
CLUSTERS = f"""
kafkaClusterConfiguration:
  default: {{existing: {{kafkaConnection: "{NODE}:{KAFKA}"}}}}
""" + plan_clusters("all", f"endpoint: http://{NODE}:{SOURCE}")
CAPTURE = """
snapshotMigrationConfigs: []
"""
PROXIES = f"""
traffic:
  proxies:
    front:
      source: source
      skipApproval: true
      proxyConfig:
        listenPort: {FRONT}
        podReplicas: 2
        serviceType: ClusterIP
        tls: {{mode: plaintext}}
        resources: {SMALL}
  replayers:"""
REPLAYERS = f"""
    mirror:
      fromCapturedTraffic: front
      toTarget: target
      dependsOnSnapshotMigrations: [{{source: source, snapshot: first}}]
      replayerConfig: {{podReplicas: 2, speedupFactor: 1000, tupleMaxBufferSeconds: 1, resources: {SMALL}}}
"""
FIRST = CLUSTERS + CAPTURE + PROXIES + " {}\n"
THEN = CLUSTERS + plan_migration() + PROXIES + REPLAYERS


class Beside:
    """What runs beside the pods. `properties`: a file of what a client of Kafka needs to be let in."""

    def __init__(self, cluster, folder, properties=None):
        self.cluster = cluster
        self.folder = folder
        self.secured = ["--command-config", properties] if properties else []

    def tool(self, name, *words):
        return self.cluster.run(NODES / "kafka-node", "tool", "4.1", f"org.apache.kafka.tools.{name}",
                                "--bootstrap-server", f"127.0.0.1:{KAFKA}", *self.secured,
                                *words).stdout

    def make_topic(self, partitions):
        self.tool("TopicCommand", "--create", "--topic", "front", "--partitions", partitions,
                  "--replication-factor", 1)

    def records(self):
        """Of the topic, over all partitions."""
        said = self.tool("GetOffsetShell", "--topic", "front")
        return sum(int(line.rsplit(":", 1)[1]) for line in said.split() if line.startswith("front:"))

    def call(self, port, method, path, body=None):
        words = [] if body is None else ["-H", "content-type: application/json", "-d", json.dumps(body)]
        return json.loads(self.cluster.run("curl", "-sS", "-X", method, *words,
                                           f"http://127.0.0.1:{port}{path}").stdout)

    def snapshot(self):
        """By the source into a folder, and from there to S3."""
        folder = self.folder / "es-node" / "repo" / "all"
        self.call(SOURCE, "PUT", "/_snapshot/all",
                  {"type": "fs", "settings": {"location": str(folder)}})
        taken = self.call(SOURCE, "PUT", "/_snapshot/all/all?wait_for_completion=true",
                          {"indices": "load-*"})
        assert taken["snapshot"]["state"] == "SUCCESS", taken
        upload(self.cluster, folder)

    def documents(self, port, indices="load-*"):
        self.call(port, "POST", f"/{indices}/_refresh")
        hits = self.call(port, "GET", f"/{indices}/_search?size=10000&version=true")["hits"]["hits"]
        return {(hit["_index"], hit["_id"]): (hit["_version"], hit["_source"]) for hit in hits}


@pytest.fixture
def beside(tmp_path):
    with node(tmp_path) as cluster, \
            servers(cluster, tmp_path, ELASTICSEARCH, OPENSEARCH, BROKER, OBJECTS):
        install(cluster, tmp_path)
        yield Beside(cluster, tmp_path)


@contextlib.contextmanager
def writing(cluster, url, journal, *options):
    """The load generator; ends with the block, after the request under way."""
    journal.touch()
    stop = pathlib.Path(f"{journal}.stop")
    process = subprocess.Popen(
        [str(word) for word in (
            NODES / "k8s-node", "exec", "--data", cluster.folder, sys.executable,
            ROOT / "tests" / "load" / "load", "--connections", "6", "--ids", "400", "--padding", "60",
            "--url", url, "--journal", journal, "--stop-file", stop, *options)],
        stdout=subprocess.PIPE, text=True)
    try:
        yield process
        stop.touch()
        print("load:", process.communicate(timeout=CEILING)[0])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def service_url(cluster):
    found = json.loads(cluster.kubectl("get", "service", "front", "-o", "json").stdout)["spec"]
    assert found["type"] == "ClusterIP" and found["ports"][0]["port"] == FRONT
    return f"http://{found['clusterIP']}:{FRONT}"


def delete(cluster, pods, chosen, *options):
    if pods:
        cluster.kubectl("delete", "pod", chosen.choice(pods), "--wait=false", *options, check=False)


def kill_pods(cluster, chosen):
    """Proxies may come to their end; replayers and the engine may not."""
    for number in range(KILLS):
        if number % 2 == 0:
            delete(cluster, pods_of(cluster, "captureproxy-"), chosen)
        elif number % 4 == 1:
            delete(cluster, pods_of(cluster, "trafficreplay-"), chosen, "--grace-period=1")
        else:
            delete(cluster, ["migration-console-0"], chosen, "--grace-period=1")
        time.sleep(chosen.uniform(2, 8))  # any moment is as good as another


def replay(cluster):
    told = cluster.console("cat", "/var/lib/shardlift/run/front-target-mirror.status", check=False)
    return json.loads(told.stdout) if told.returncode == 0 and told.stdout else {}


def deployments(cluster):
    listed = json.loads(cluster.kubectl("get", "deployments", "-o", "json").stdout)["items"]
    return {one["metadata"]["name"]: one["status"].get("readyReplicas", 0) for one in listed}


def progress_of(told, kind):
    (found,) = [one for one in told["resources"] if one["kind"] == kind]
    return found["progress"]


def creation(cluster, name):
    """Of which making and editing a Deployment is."""
    found = json.loads(cluster.kubectl("get", "deployment", name, "-o", "json").stdout)["metadata"]
    return found["uid"], found["generation"]


def test_clients_write_through_a_service_while_their_cluster_moves(beside, tmp_path):
    print(f"SHARDLIFT_SEED={SEED}")
    cluster, chosen = beside.cluster, random.Random(SEED)
    with writing(cluster, f"http://127.0.0.1:{SOURCE}", tmp_path / "before", "--requests", "500",
                 "--seed", SEED + 1, "--only", "index,bulk,update,delete") as before:
        before.wait(CEILING)
    beside.call(SOURCE, "PUT", "/load-*/_settings", {"index.gc_deletes": "1d"})
    beside.make_topic(4)
    make_secret(cluster, "target-credentials", username="u", password="p")
    submit(cluster, FIRST)
    wait_until(lambda: status(cluster).get("phase") == "Succeeded", "the proxies")
    assert deployments(cluster) == {"captureproxy-front": 2}
    journal = tmp_path / "journal"
    with writing(cluster, service_url(cluster), journal, "--rate", "60", "--seed", SEED):
        wait_until(lambda: journal.read_bytes().count(b"\n") > 100, "writes")
        delete(cluster, pods_of(cluster, "captureproxy-"), chosen)
        beside.snapshot()
        made = creation(cluster, "captureproxy-front")
        submit(cluster, THEN)
        wait_until(lambda: replay(cluster).get("answered", 0) > 0, "a replayer that sends")
        kill_pods(cluster, chosen)
    records = beside.records()
    wait_until(lambda: (now := replay(cluster)).get("caught_up") and now["next_offset"] >= records,
               f"the replay of {records} records")
    told = status(cluster)
    assert told["phase"] == "Succeeded", told
    assert creation(cluster, "captureproxy-front") == made
    assert [progress_of(told, kind)["ready"] for kind in ("captureproxy", "trafficreplay")] == [2, 2]
    here, there = beside.documents(SOURCE), beside.documents(TARGET)
    different = [[*key, here.get(key), there.get(key)] for key in sorted(here.keys() | there.keys())
                 if here.get(key) != there.get(key)]
    assert not different and len(here) > 100, (len(different), different[:5])
    verified = cluster.console("shardlift", "verify", "--from", f"http://{NODE}:{SOURCE}", "--to",
                               f"http://{NODE}:{TARGET}", "--index-allowlist", INDICES, "--only",
                               "documents", "--json", check=False)
    assert verified.returncode == OK, verified
    assert "info capture listening" in cluster.console("workflow", "log", "all").stdout
    cluster.console("workflow", "reset", "--all", "--include-proxies", "--cascade")
    left = cluster.kubectl("get", "jobs,deployments,services", "-o", "name").stdout.split()
    assert left == ["service/migration-console"]


# --- TLS and SASL, out of Secrets ---

USER, PASSWORD = "we", "of-kafka"
SOURCE_TLS, TARGET_TLS = 9443, 9444
POD_SECRETS = "/var/lib/shardlift/secrets"
BOTH_WAYS = f"authConfig: {{{{mtls: {{{{caCert: {POD_SECRETS}/{{0}}/ca.crt, clientSecretName: {{0}}}}}}}}}}"
SECURED = f"""
kafkaClusterConfiguration:
  default:
    existing:
      kafkaConnection: "{NODE}:{KAFKA}"
      auth: {{type: scram-sha-512, secretName: kafka-login, caSecretName: kafka-ca, kafkaUserName: {USER}}}
sourceClusters:
  source:
    version: ES 7.10.2
    endpoint: https://{NODE}:{SOURCE_TLS}
    {BOTH_WAYS.format("source-tls")}
targetClusters:
  target:
    endpoint: https://{NODE}:{TARGET_TLS}
    {BOTH_WAYS.format("target-tls")}
snapshotMigrationConfigs: []
traffic:
  proxies:
    front:
      source: source
      skipApproval: true
      proxyConfig:
        listenPort: {FRONT}
        podReplicas: 2
        serviceType: ClusterIP
        tls:
          mode: existingSecret
          secretName: front-tls
          clientAuth:
            trustedClientCaPem: |
%s
        resources: {SMALL}
  replayers:
    mirror:
      fromCapturedTraffic: front
      toTarget: target
      replayerConfig: {{podReplicas: 2, speedupFactor: 1000, tupleMaxTotalSizeMb: %d, resources: {SMALL}}}
"""
CLIENT_OF_KAFKA = f"""
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="{USER}" password="{PASSWORD}";
ssl.truststore.type=PEM
ssl.truststore.location={{}}
"""


class Certificates:
    """Of authorities of their own: NAME.pem, NAME.key."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def path(self, name):
        return self.folder / name

    def make(self, name, authority=None):
        by = ("-CA", self.path(f"{authority}.pem"), "-CAkey", self.path(f"{authority}.key")) \
            if authority else ()
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 30, "-subj", f"/CN={name}",
                     "-addext", f"subjectAltName=DNS:localhost,DNS:{name},IP:127.0.0.1,IP:{NODE}", *by,
                     "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem"))

    def secret(self, cluster, name, authority, certificate=None):
        files = {"ca.crt": f"{authority}.pem"}
        if certificate:
            files |= {"tls.crt": f"{certificate}.pem", "tls.key": f"{certificate}.key"}
        cluster.kubectl("create", "secret", "generic", name,
                        *(f"--from-file={key}={self.path(file)}" for key, file in files.items()))


def in_front(cluster, certificates, folder, name, port, cluster_port):
    """TLS before a cluster, which asks its clients for a certificate. `folder`: of a short name, for a socket."""
    cluster.background(
        PROGRAM, "capture", "--name", name, "--no-capture", "--listen-host", NODE, "--listen-port", port,
        "--destination-uri", f"http://127.0.0.1:{cluster_port}", "--state-dir", folder,
        "--ssl-cert-chain-file", certificates.path("clusters.pem"), "--ssl-key-file",
        certificates.path("clusters.key"), "--ssl-trust-cert-file", certificates.path("authority.pem"),
        "--require-client-auth")


@pytest.fixture
def certificates(tmp_path):
    found = Certificates(tmp_path / "certificates")
    found.make("authority")
    for name in "clusters", "front", "ours", "client":
        found.make(name, "authority")
    found.make("kafka")
    return found


@pytest.fixture
def secured(tmp_path, certificates):
    # Pods' network does not reach what it is made of.
    subprocess.run([NODES / "kafka-node", "prepare", "3.9"], check=True, timeout=CEILING)
    given = tmp_path / "kafka-node" / "config"
    given.mkdir(parents=True)
    for file, name in ("cert.pem", "kafka.pem"), ("key.pem", "kafka.key"), ("both.pem", "kafka.pem"):
        (given / file).write_text(certificates.path(name).read_text())
    properties = tmp_path / "client.properties"
    properties.write_text(CLIENT_OF_KAFKA.format(given / "cert.pem"))
    # SCRAM of librdkafka 2.0 never works with Kafka 4.
    broker = ("kafka-node", "3.9", *BROKER[2:], "--security", f"{USER}:{PASSWORD}", "--tls", "yes")
    with tempfile.TemporaryDirectory() as state, node(tmp_path) as cluster, \
            servers(cluster, tmp_path, ELASTICSEARCH, OPENSEARCH, broker):
        in_front(cluster, certificates, state, "before-source", SOURCE_TLS, SOURCE)
        in_front(cluster, certificates, state, "before-target", TARGET_TLS, TARGET)
        install(cluster, tmp_path)
        yield Beside(cluster, tmp_path, properties)


class Client:
    """Of the Service, with a certificate or without."""

    def __init__(self, cluster, certificates):
        address = service_url(cluster).removeprefix("http://").rsplit(":", 1)[0]
        self.cluster = cluster
        self.url = f"https://front:{FRONT}"
        self.words = ["curl", "-sS", "--fail-with-body", "--resolve", f"front:{FRONT}:{address}", "--cacert",
                      certificates.path("authority.pem")]
        self.known = ["--cert", certificates.path("client.pem"), "--key", certificates.path("client.key")]

    def refused(self):
        return self.cluster.run(*self.words, self.url, check=False).returncode != 0

    def write(self, index, number, text="", check=True):
        body = json.dumps({"number": number, "text": text})
        return self.cluster.run(*self.words, *self.known, "-X", "PUT", "-H", "content-type: application/json",
                                "-d", "@-", f"{self.url}/{index}/_doc/{number}", check=check, stdin=body)


def is_replayed(beside):
    records, now = beside.records(), replay(beside.cluster)
    return now.get("caught_up") and now["next_offset"] >= records


def assert_same(beside, count):
    wait_until(lambda: is_replayed(beside), "the replay")
    here, there = beside.documents(SOURCE, "tls"), beside.documents(TARGET, "tls")
    assert here == there and len(here) == count, (len(here), len(there))


def images(cluster):
    """Of the pods that are there, those that end among them."""
    listed = json.loads(cluster.kubectl("get", "pods", "-o", "json").stdout)["items"]
    return {container["image"] for pod in listed for container in pod["spec"]["containers"]}


def upgrade(cluster, client, first):
    """To the same image of another name: pods are replaced while clients write, each over a connection
    of its own. How many documents they have written, from the first on."""
    name = f"{image_name()}-next"
    parent = (cluster.folder / "run" / "pid").read_text().strip()
    subprocess.run(["nsenter", "-t", parent, "-n", "-m", "-p", "--", "ctr", "-a",
                    "/run/containerd/containerd.sock", "-n", "k8s.io", "images", "tag", image_name(), name],
                   check=True, capture_output=True, timeout=120)
    cluster.run("helm", "upgrade", "shardlift", ROOT / "deploy" / "helm" / "shardlift", "-n", "ma",
                "--reuse-values", "--set", f"image.tag={name.rpartition(':')[2]}", "--wait", "--timeout", "600s")
    number, until = first, time.monotonic() + CEILING
    while images(cluster) != {name}:
        assert time.monotonic() < until, f"pods of the image before are left: {images(cluster)}"
        client.write("tls", number)
        number += 1
    return number


def says(cluster, words):
    def look():
        lines = cluster.console("workflow", "status", check=False).stdout.splitlines()
        return next((line for line in lines if words in line), None)
    print(wait_until(look, words).strip())


def configuration(certificates, most_mb):
    pem = certificates.path("authority.pem").read_text()
    return SECURED % ("".join(f"              {line}\n" for line in pem.splitlines()), most_mb)


def test_certificates_and_passwords_come_out_of_secrets(secured, certificates):
    cluster, beside = secured.cluster, secured
    beside.make_topic(4)
    make_secret(cluster, "kafka-login", password=PASSWORD)
    certificates.secret(cluster, "kafka-ca", "kafka")
    certificates.secret(cluster, "source-tls", "authority", "ours")
    certificates.secret(cluster, "target-tls", "authority", "ours")
    certificates.secret(cluster, "front-tls", "authority", "front")
    submit(cluster, configuration(certificates, 1))
    wait_until(lambda: status(cluster).get("phase") == "Succeeded", "proxies and replayers")
    client = Client(cluster, certificates)
    assert client.refused()
    for number in range(20):
        client.write("tls", number)
    assert_same(beside, 20)
    count = upgrade(cluster, client, 20)
    assert_same(beside, count)
    # What does not compress fills the pods' folders of tuples.
    chosen = random.Random(SEED)
    for number in range(count, count + 12):
        client.write("tls", number, chosen.randbytes(300000).hex())
    says(cluster, "fill --tuple-max-total-size-mb")
    assert not is_replayed(beside)
    submit(cluster, configuration(certificates, 100))
    wait_until(lambda: cluster.console("workflow", "approve", "*", check=False).returncode == OK, "the gate")
    assert_same(beside, count + 12)
