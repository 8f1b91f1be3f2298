"""A workflow on a real Kubernetes of one node: the chart installed by helm, commands in the console's
pod, a snapshot of Elasticsearch 7.10 on an S3 server, to OpenSearch 2.19; workers are scaled and pods
deleted at random meanwhile.

Needs root, the programs of `tests/nodes/k8s-node prepare`, and SHARDLIFT_IMAGE, a docker archive of
deploy/image/build; `make check-long` gives it one. SHARDLIFT_POD_KILLS: how many (30)."""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

from support import ROOT

CACHE = pathlib.Path(os.environ.get("SHARDLIFT_CACHE", pathlib.Path.home() / ".cache/shardlift"))
NODES = ROOT / "tests" / "nodes"
IMAGE = os.environ.get("SHARDLIFT_IMAGE", "")
KILLS = int(os.environ.get("SHARDLIFT_POD_KILLS", "30"))
DOCUMENTS = 60000
TARGET, S3 = 9210, 9300
NODE = "10.200.0.1"
CEILING = 900

pytestmark = pytest.mark.skipif(
    not IMAGE or os.getuid() != 0 or
    not (CACHE / "nodes" / "k8s-node-1.34.1" / "bin" / "kubelet").exists(),
    reason="a real Kubernetes: only in make check-long, with its programs and an image")

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {{name: state}}
spec:
  capacity: {{storage: 20Gi}}
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  claimRef: {{namespace: ma, name: state-migration-console-0}}
  hostPath: {{path: {folder}}}
"""
VALUES = """
image: {{repository: "{repository}", tag: "{tag}", pullPolicy: Never}}
engine:
  resources: {{requests: {{cpu: 10m, memory: 64Mi}}, limits: {{memory: 1Gi}}}}
  environment: {{AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: a, AWS_EC2_METADATA_DISABLED: "true"}}
"""
CONFIGURATION = f"""
sourceClusters:
  source:
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "s3://backups/repo", awsRegion: us-east-1, endpoint: "http://{NODE}:{S3}"}}
      snapshots:
        first: {{repoName: backups, config: {{externallyManagedSnapshotName: big}}}}
targetClusters:
  target:
    endpoint: http://{NODE}:{TARGET}
    authConfig: {{basic: {{secretName: target-credentials}}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {{}}
          documentBackfillConfig: {{podReplicas: 1}}
          verifyConfig: {{}}
"""
RELAY = """
import asyncio, sys
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
def to(port):
    async def handle(reader, writer):
        try:
            other = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return writer.close()
        await asyncio.gather(pump(reader, other[1]), pump(other[0], writer))
    return handle
async def main():
    for port in map(int, sys.argv[2:]):
        await asyncio.start_server(to(port), sys.argv[1], port)
    await asyncio.Event().wait()
asyncio.run(main())
"""
UPLOAD = """
import pathlib, sys, boto3, botocore.config
client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a",
                      aws_secret_access_key="a",
                      config=botocore.config.Config(s3={"addressing_style": "path"}))
client.create_bucket(Bucket="backups")
folder = pathlib.Path(sys.argv[2])
for path in sorted(folder.rglob("*")):
    if path.is_file():
        client.put_object(Bucket="backups", Key=f"repo/{path.relative_to(folder)}",
                          Body=path.read_bytes())
"""


class Cluster:
    """`run` is a command in its network; `console` one in the console's pod."""

    def __init__(self, folder):
        self.folder = folder
        self.ended = []
        self.launch("start")

    def launch(self, *words):
        return subprocess.run([NODES / "k8s-node", words[0], "--data", self.folder, *words[1:]],
                              capture_output=True, text=True, timeout=CEILING, check=True)

    def run(self, *command, check=True, stdin=None):
        ran = subprocess.run([NODES / "k8s-node", "exec", "--data", self.folder,
                              *map(str, command)], capture_output=True, text=True, input=stdin,
                             timeout=CEILING, check=False)
        assert ran.returncode == 0 or not check, f"{command}: {ran.stdout}{ran.stderr}"
        return ran

    def kubectl(self, *words, **options):
        return self.run("kubectl", "-n", "ma", *words, **options)

    def console(self, *words, **options):
        return self.run("timeout", "120", "kubectl", "-n", "ma", "exec", "-i", "migration-console-0",
                        "-c", "console", "--", *words, **options)

    def background(self, *command):
        self.ended.append(subprocess.Popen(
            [NODES / "k8s-node", "exec", "--data", self.folder, *map(str, command)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def pods(self):
        listed = self.kubectl("get", "pods", "-o", "json", check=False)
        return [] if listed.returncode else [
            pod["metadata"]["name"] for pod in json.loads(listed.stdout)["items"]
            if "deletionTimestamp" not in pod["metadata"]]

    def target(self, path):
        return json.loads(self.run("curl", "-sf", f"http://127.0.0.1:{TARGET}{path}").stdout)

    def stop(self):
        for process in self.ended:
            process.kill()
            process.wait()
        self.launch("stop")


def wait_until(condition, what):
    until = time.monotonic() + CEILING
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, f"waited for {what}"
        time.sleep(1)


@pytest.fixture(scope="module")
def snapshot(pool, tmp_path_factory):
    """A repository that Elasticsearch 7.10 wrote, with the snapshot `big`."""
    node = pool.get("es-node", "7.10")
    node.clear()
    for name, shards in (("logs-1", 4), ("logs-2", 3)):
        node.api("PUT", f"/{name}", {"settings": {"number_of_shards": shards,
                                                  "number_of_replicas": 0}})
        for first in range(0, DOCUMENTS, 5000):
            lines = []
            for number in range(first, first + 5000):
                lines += [{"index": {"_id": str(number)}},
                          {"n": number, "text": f"{name} {number} " + "lorem ipsum " * 30}]
            assert not node.client.bulk(index=name, body=lines)["errors"]
        node.client.indices.refresh(index=name)
    folder = node.repositories / f"big-{random.randrange(1 << 32)}"
    node.api("PUT", "/_snapshot/big", {"type": "fs", "settings": {"location": str(folder)}})
    taken = node.api("PUT", "/_snapshot/big/big?wait_for_completion=true", {"indices": "logs-*"})
    assert taken["snapshot"]["state"] == "SUCCESS"
    return folder


@contextlib.contextmanager
def servers(cluster, folder, more=()):
    for node, version, port in (("os-node", "2.19", TARGET), ("s3-node", "5", S3)):
        cluster.run(NODES / node, version, "--data", folder / node, "--port", port)
    cluster.background(sys.executable, "-c", RELAY, NODE, TARGET, S3, *more)
    try:
        yield
    finally:
        for node in ("os-node", "s3-node"):
            cluster.run(NODES / node, "stop", "--data", folder / node, check=False)


@pytest.fixture
def cluster(tmp_path, snapshot):
    found = Cluster(tmp_path / "kubernetes")
    state = tmp_path / "volume"
    state.mkdir()
    os.chmod(tmp_path, 0o755)
    os.chown(state, 10001, 10001)
    try:
        found.launch("load", IMAGE)
        with servers(found, tmp_path):
            found.run(sys.executable, "-c", UPLOAD, f"http://127.0.0.1:{S3}", snapshot)
            found.run("kubectl", "create", "namespace", "ma")
            found.run("kubectl", "apply", "-f", "-", stdin=VOLUME.format(folder=state))
            install(found, tmp_path)
            yield found
    finally:
        found.stop()


def install(cluster, folder):
    tag = subprocess.run(["tar", "-xOf", IMAGE, "manifest.json"], capture_output=True, text=True,
                         check=True).stdout
    repository, _, version = json.loads(tag)[0]["RepoTags"][0].rpartition(":")
    values = folder / "values.yaml"
    values.write_text(VALUES.format(repository=repository, tag=version))
    cluster.run("helm", "install", "shardlift", ROOT / "deploy" / "helm" / "shardlift", "-n", "ma",
                "--values", values, "--wait", "--timeout", "600s")


def phase(cluster):
    told = cluster.console("workflow", "status", "--json", check=False)
    return json.loads(told.stdout)["phase"] if told.returncode == 0 else ""


def backfill_runs(cluster):
    return [pod for pod in cluster.pods() if pod.startswith("documentbackfill-")]


def scale(cluster, number):
    cluster.console("console", "backfill", "scale", number)
    wait_until(lambda: len(backfill_runs(cluster)) == int(number), f"{number} workers")


def kill_pods(cluster, seed):
    chosen = random.Random(seed)
    for _ in range(KILLS):
        pods = cluster.pods()
        if pods:
            cluster.kubectl("delete", "pod", chosen.choice(sorted(pods)), "--wait=false", check=False)
        time.sleep(chosen.random() * 4)  # any moment is as good as another


def test_a_migration_in_pods_survives_their_deletion(cluster):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    cluster.kubectl("create", "secret", "generic", "target-credentials",
                    "--from-literal=username=u", "--from-literal=password=p")
    cluster.console("workflow", "configure", "edit", "--stdin", stdin=CONFIGURATION)
    cluster.console("workflow", "submit")
    wait_until(lambda: backfill_runs(cluster), "a worker")
    for number in "3", "0", "2":
        scale(cluster, number)
    kill_pods(cluster, seed)
    wait_until(lambda: phase(cluster) in ("Succeeded", "Failed", "CompletedWithErrors"), "the end")
    assert phase(cluster) == "Succeeded", cluster.console("workflow", "status").stdout
    for name in "logs-1", "logs-2":
        assert cluster.target(f"/{name}/_count")["count"] == DOCUMENTS
    log = cluster.console("workflow", "log", "all").stdout
    assert "info backfill session" in log
    assert cluster.kubectl("get", "jobs,deployments", "-o", "name").stdout == ""
