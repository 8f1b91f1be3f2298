"""Scenario 3 on a real Kubernetes of one node: clients write through a proxy Deployment behind its Service
into a real Kafka, a snapshot of Elasticsearch 7.10 is migrated to OpenSearch 2.19, two replayers send
on what was written since; pods of proxies, replayers and the engine are deleted meanwhile. Both ends
hold the same documents.

Needs what test_kubernetes needs. SHARDLIFT_POD_KILLS: how many; SHARDLIFT_SEED."""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest
import test_kubernetes as kubernetes
from test_kubernetes import IMAGE, NODE, NODES, RELAY, S3, TARGET, UPLOAD, pytestmark, wait_until

from support import OK, ROOT

KILLS = int(os.environ.get("SHARDLIFT_POD_KILLS", "8"))
SEED = int(os.environ.get("SHARDLIFT_SEED") or random.SystemRandom().randrange(1 << 30))
SOURCE, KAFKA = 9220, 9092
FRONT = 9200
INDICES = "load-0,load-1"
SMALL = '{requests: {cpu: 10m, memory: 64Mi}, limits: {cpu: 2000m, memory: 512Mi}}'
CLUSTERS = f"""
kafkaClusterConfiguration:
  default: {{existing: {{kafkaConnection: "{NODE}:{KAFKA}"}}}}
sourceClusters:
  source:
    endpoint: http://{NODE}:{SOURCE}
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "s3://backups/repo", awsRegion: us-east-1, endpoint: "http://{NODE}:{S3}"}}
      snapshots:
        first: {{repoName: backups, config: {{externallyManagedSnapshotName: all}}}}
targetClusters:
  target:
    endpoint: http://{NODE}:{TARGET}
    authConfig: {{basic: {{secretName: target-credentials}}}}
"""
CAPTURE = """
snapshotMigrationConfigs: []
"""
MIGRATION = """
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {}
          documentBackfillConfig: {podReplicas: 1}
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
THEN = CLUSTERS + MIGRATION + PROXIES + REPLAYERS


class Servers:
    """What runs beside the pods, in the node's network: both clusters, Kafka and S3."""

    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder
        self.nodes = [("es-node", "7.10", SOURCE), ("os-node", "2.19", TARGET),
                      ("kafka-node", "4.1", KAFKA), ("s3-node", "5", S3)]

    def start(self):
        for node, version, port in self.nodes:
            # Brokers tell clients where they are.
            more = ("--setting", f"advertised.listeners=CLIENT://{NODE}:{KAFKA}") \
                if node == "kafka-node" else ()
            if node == "kafka-node":
                self.cluster.background(sys.executable, "-c", RELAY, NODE,
                                        *(port for _, _, port in self.nodes))
            self.cluster.run(NODES / node, version, "--data", self.folder / node, "--port", port, *more)

    def stop(self):
        for node, *_ in self.nodes:
            self.cluster.run(NODES / node, "stop", "--data", self.folder / node, check=False)

    def tool(self, name, *words):
        return self.cluster.run(NODES / "kafka-node", "tool", "4.1", f"org.apache.kafka.tools.{name}",
                                "--bootstrap-server", f"127.0.0.1:{KAFKA}", *words).stdout

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
        self.cluster.run(sys.executable, "-c", UPLOAD, f"http://127.0.0.1:{S3}", folder)

    def documents(self, port):
        self.call(port, "POST", "/load-*/_refresh")
        hits = self.call(port, "GET", "/load-*/_search?size=10000&version=true")["hits"]["hits"]
        return {(hit["_index"], hit["_id"]): (hit["_version"], hit["_source"]) for hit in hits}


@pytest.fixture
def servers(tmp_path):
    cluster = kubernetes.Cluster(tmp_path / "kubernetes")
    state = tmp_path / "volume"
    state.mkdir()
    os.chmod(tmp_path, 0o755)
    os.chown(state, 10001, 10001)
    found = Servers(cluster, tmp_path)
    try:
        cluster.launch("load", IMAGE)
        found.start()
        cluster.run("kubectl", "create", "namespace", "ma")
        cluster.run("kubectl", "apply", "-f", "-", stdin=kubernetes.VOLUME.format(folder=state))
        kubernetes.install(cluster, tmp_path)
        yield found
    finally:
        found.stop()
        cluster.stop()


@contextlib.contextmanager
def writing(servers, url, journal, *options):
    """The load generator; ends with the block, after the request under way."""
    journal.touch()
    stop = pathlib.Path(f"{journal}.stop")
    process = subprocess.Popen(
        [str(word) for word in (
            NODES / "k8s-node", "exec", "--data", servers.cluster.folder, sys.executable,
            ROOT / "tests" / "load" / "load", "--connections", "6", "--ids", "400", "--padding", "60",
            "--url", url, "--journal", journal, "--stop-file", stop, *options)],
        stdout=subprocess.PIPE, text=True)
    try:
        yield process
        stop.touch()
        print("load:", process.communicate(timeout=kubernetes.CEILING)[0])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def service_url(cluster):
    found = json.loads(cluster.kubectl("get", "service", "front", "-o", "json").stdout)["spec"]
    assert found["type"] == "ClusterIP" and found["ports"][0]["port"] == FRONT
    return f"http://{found['clusterIP']}:{FRONT}"


def pods_of(cluster, name):
    return sorted(pod for pod in cluster.pods() if pod.startswith(name))


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


def status(cluster):
    told = cluster.console("workflow", "status", "--json", check=False)
    return json.loads(told.stdout) if told.returncode == 0 else {}


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


def submit(cluster, configuration):
    cluster.console("workflow", "configure", "edit", "--stdin", stdin=configuration)
    cluster.console("workflow", "submit")


def test_clients_write_through_a_service_while_their_cluster_moves(servers, tmp_path):
    print(f"SHARDLIFT_SEED={SEED}")
    cluster, chosen = servers.cluster, random.Random(SEED)
    with writing(servers, f"http://127.0.0.1:{SOURCE}", tmp_path / "before", "--requests", "500",
                 "--seed", SEED + 1, "--only", "index,bulk,update,delete") as before:
        before.wait(kubernetes.CEILING)
    servers.call(SOURCE, "PUT", "/load-*/_settings", {"index.gc_deletes": "1d"})
    servers.tool("TopicCommand", "--create", "--topic", "front", "--partitions", "4",
                 "--replication-factor", "1")
    cluster.kubectl("create", "secret", "generic", "target-credentials",
                    "--from-literal=username=u", "--from-literal=password=p")
    submit(cluster, FIRST)
    wait_until(lambda: status(cluster).get("phase") == "Succeeded", "the proxies")
    assert deployments(cluster) == {"captureproxy-front": 2}
    journal = tmp_path / "journal"
    with writing(servers, service_url(cluster), journal, "--rate", "60", "--seed", SEED):
        wait_until(lambda: journal.read_bytes().count(b"\n") > 100, "writes")
        delete(cluster, pods_of(cluster, "captureproxy-"), chosen)
        servers.snapshot()
        made = creation(cluster, "captureproxy-front")
        submit(cluster, THEN)
        wait_until(lambda: replay(cluster).get("answered", 0) > 0, "a replayer that sends")
        kill_pods(cluster, chosen)
    records = servers.records()
    wait_until(lambda: (now := replay(cluster)).get("caught_up") and now["next_offset"] >= records,
               f"the replay of {records} records")
    told = status(cluster)
    assert told["phase"] == "Succeeded", told
    assert creation(cluster, "captureproxy-front") == made
    assert [progress_of(told, kind)["ready"] for kind in ("captureproxy", "trafficreplay")] == [2, 2]
    here, there = servers.documents(SOURCE), servers.documents(TARGET)
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
