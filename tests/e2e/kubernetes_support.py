"""A real Kubernetes of one node for tests: the chart installed by helm, clusters, Kafka and S3 beside the
pods, and what plans of workflows have in common.

Needs root, the programs of `tests/nodes/k8s-node prepare`, and SHARDLIFT_IMAGE, a docker archive of
deploy/image/build; `make check-long` gives it one."""

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
DOCUMENTS = 60000
TARGET, SOURCE, S3, KAFKA = 9210, 9220, 9300, 9092
NODE = "10.200.0.1"
CEILING = 900

needs_kubernetes = pytest.mark.skipif(
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
  environment: {{AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: a, AWS_EC2_METADATA_DISABLED: "true"{environment}}}
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
OPENSEARCH = ("os-node", "2.19", TARGET)
OBJECTS = ("s3-node", "5", S3)


def plan_clusters(snapshot, source=""):
    """Of a plan: the snapshot of that name on S3, and the target. `source`: more members of the source."""
    return f"""
sourceClusters:
  source:
    version: ES 7.10.2
    {source}
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "s3://backups/repo", awsRegion: us-east-1, endpoint: "http://{NODE}:{S3}"}}
      snapshots:
        first: {{repoName: backups, config: {{externallyManagedSnapshotName: {snapshot}}}}}
targetClusters:
  target:
    endpoint: http://{NODE}:{TARGET}
    authConfig: {{basic: {{secretName: target-credentials}}}}
"""


def plan_migration(more=""):
    """Of a plan: that snapshot to the target. `more`: a line of its configuration."""
    return f"""
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {{}}
          documentBackfillConfig: {{podReplicas: 1}}
          {more}
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
def node(folder):
    """With our image, and a volume for the state of the release that install makes."""
    found = Cluster(folder / "kubernetes")
    state = folder / "volume"
    state.mkdir()
    os.chmod(folder, 0o755)
    os.chown(state, 10001, 10001)
    try:
        found.launch("load", IMAGE)
        found.run("kubectl", "apply", "-f", "-", stdin=VOLUME.format(folder=state))
        yield found
    finally:
        found.stop()


@contextlib.contextmanager
def servers(cluster, folder, *nodes):
    """Beside the pods, in the node's network: each a launcher, a version, a port and options."""
    cluster.background(sys.executable, "-c", RELAY, NODE, *(port for _, _, port, *_ in nodes))
    started = []
    try:
        for name, version, port, *options in nodes:
            cluster.run(NODES / name, version, "--data", folder / name, "--port", port, *options)
            started.append(name)
        yield
    finally:
        for name in started:
            cluster.run(NODES / name, "stop", "--data", folder / name, check=False)


def upload(cluster, repository):
    """A repository's files, to where plans have it."""
    cluster.run(sys.executable, "-c", UPLOAD, f"http://127.0.0.1:{S3}", repository)


def image_name():
    manifest = subprocess.run(["tar", "-xOf", IMAGE, "manifest.json"], capture_output=True, text=True,
                              check=True).stdout
    return json.loads(manifest)[0]["RepoTags"][0]


def write_values(folder, environment=""):
    repository, _, tag = image_name().rpartition(":")
    path = folder / "values.yaml"
    path.write_text(VALUES.format(repository=repository, tag=tag, environment=environment))
    return path


def install(cluster, folder):
    cluster.run("helm", "install", "shardlift", ROOT / "deploy" / "helm" / "shardlift", "-n", "ma",
                "--create-namespace", "--values", write_values(folder), "--wait", "--timeout", "600s")


def make_secret(cluster, name, **values):
    cluster.kubectl("create", "secret", "generic", name,
                    *(f"--from-literal={key}={value}" for key, value in values.items()))


def submit(cluster, configuration):
    cluster.console("workflow", "configure", "edit", "--stdin", stdin=configuration)
    cluster.console("workflow", "submit")


def status(cluster):
    told = cluster.console("workflow", "status", "--json", check=False)
    return json.loads(told.stdout) if told.returncode == 0 else {}


def phase(cluster):
    return status(cluster).get("phase", "")


def pods_of(cluster, name):
    return sorted(pod for pod in cluster.pods() if pod.startswith(name))


def backfill_runs(cluster):
    return pods_of(cluster, "documentbackfill-")
