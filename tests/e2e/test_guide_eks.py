"""docs/guides/eks.md, run as it stands on a real Kubernetes of one node, `workflow manage` on a terminal.

Its snapshot is one that is there: the Elasticsearch of these tests has no plugin for S3. Needs what
kubernetes_support needs."""

import json
import os
import pathlib
import re

import pytest

from guide_support import GUIDES, asked_for, blocks
from kubernetes_support import (DOCUMENTS, NODE, NODES, OBJECTS, OPENSEARCH, S3, SOURCE, TARGET,
                                backfill_runs, needs_kubernetes, node, servers, snapshot, upload,
                                wait_until, write_values)  # noqa: F401
from support import ROOT
from terminal import Terminal

GUIDE = "eks.md"
KINDS = {"sh", "set", "aws", "meanwhile"}
MIGRATION = "source-target-snap1-migration-0"


def test_every_block_is_run_or_passed_over_by_name():
    text = (GUIDES / GUIDE).read_text()
    assert set(re.findall(r"^```(.+)$", text, re.MULTILINE)) == KINDS
    for block in blocks(GUIDE, "aws"):
        assert all(line.split()[0] in ("aws", "terraform", "deploy/image/build", "skopeo")
                   for line in block.splitlines() if line[0] != " "), block
    for kind in "sh", "meanwhile":
        assert not re.search(r"\b(aws|terraform|skopeo) ", "".join(blocks(GUIDE, kind)))


def test_paths_that_it_names_are_there():
    text = (GUIDES / GUIDE).read_text()
    for path in re.findall(r"deploy/[a-z/.-]+", text):
        assert (ROOT / path).exists(), path
    declared = (ROOT / "deploy/terraform/variables.tf").read_text()
    for name in re.findall(r'-var "?([a-z_]+)=', text):
        assert f'variable "{name}"' in declared, name


@pytest.fixture
def cluster(tmp_path, snapshot):  # noqa: F811
    # The source is the folder of the one that wrote the snapshot, restored in this network.
    elasticsearch = ("es-node", "7.10", SOURCE, "--repo", snapshot)
    with node(tmp_path) as found, servers(found, tmp_path, elasticsearch, OPENSEARCH, OBJECTS):
        restore(found, snapshot)
        upload(found, snapshot)
        yield found


def restore(cluster, repository):
    def put(path, body):
        cluster.run("curl", "-sfX", "PUT" if "restore" not in path else "POST",
                    f"http://127.0.0.1:{SOURCE}{path}", "-H", "Content-Type: application/json",
                    "-d", json.dumps(body))
    put("/_snapshot/big", {"type": "fs", "settings": {"location": str(repository), "readonly": True}})
    put("/_snapshot/big/big/_restore?wait_for_completion=true", {"indices": "logs-*"})


def at_gate(screen, title):
    screen.wait(lambda text: any(title in line and "waits for you" in line
                                 for line in text.splitlines()), title, 600)
    lines = screen.screen().splitlines()[2:]
    number = next(n for n, line in enumerate(lines) if f" {title} " in line)
    # kubectl makes every terminal an xterm, whose Home is another than that of tmux.
    screen.type(*["Up"] * len(lines), *["Down"] * number)


def approve(screen, title, gate):
    at_gate(screen, title)
    screen.type("a")
    screen.wait_for(f"Gate {gate}.{MIGRATION}", 600)
    screen.type("y")
    screen.wait_for(f"Approved {gate}.{MIGRATION}", 600)


def meanwhile(cluster):
    """The lines of the other terminal: what each said."""
    wait_until(lambda: backfill_runs(cluster), "a worker")
    lines = "".join(blocks(GUIDE, "meanwhile")).splitlines()
    said = []
    for line in lines:
        said.append(cluster.run("timeout", "120", "bash", "-c", line).stdout)
        scaled = re.search(r"scale (\d)", line)
        if scaled:
            wait_until(lambda: len(backfill_runs(cluster)) == int(scaled[1]), line)
    return dict(zip(lines, said))


@needs_kubernetes
def test_the_quick_start_runs_as_written(cluster, tmp_path):
    values = write_values(tmp_path, f', SHARDLIFT_S3_ENDPOINT: "http://{NODE}:{S3}"')
    given = {"VALUES": values, "SOURCE": f"http://{NODE}:{SOURCE}",
             "TARGET": f"http://{NODE}:{TARGET}", "PILOT": "logs-2", "REGION": "us-east-1",
             "REPOSITORY": "s3://backups/repo", "SNAPSHOT": "{externallyManagedSnapshotName: big}",
             "SNAPSHOT_ROLE": "arn:aws:iam::111122223333:role/shardlift-snapshot"}
    assert asked_for(GUIDE) == set(given)
    script = tmp_path / "guide.sh"
    script.write_text(f"cd {ROOT}\nset -x\n" + "".join(blocks(GUIDE)))
    screen = Terminal(tmp_path, [NODES / "k8s-node", "exec", "--data", cluster.folder, "bash", "-euo",
                                 "pipefail", script],
                      {"PATH": os.environ["PATH"], "SHARDLIFT_HOME": str(tmp_path), "ASAN_OPTIONS": "",
                       "UBSAN_OPTIONS": ""}, HOME=str(pathlib.Path.home()),
                      **{key: str(value) for key, value in given.items()})
    try:
        screen.wait_for("q quit", 1200)
        approve(screen, "Approve Evaluate Metadata", "evaluatemetadata")
        approve(screen, "Approve Migrate Metadata", "migratemetadata")
        told = meanwhile(cluster)
        approve(screen, "Approve Document Backfill", "documentbackfill")
        approve(screen, "Approve Verify", "verify")
        screen.wait_for("  Succeeded  (engine", 600)
        screen.type("q")
        wait_until(lambda: "ended with" in screen.said, "the end of the guide")
        said, wrong = screen.said, screen.errors.read_text()
    finally:
        screen.close()
    (tmp_path / "said").write_text(said)
    assert "ended with 0" in said, said[-4000:] + wrong[-4000:]
    assert said.count(f'"value":{2 * DOCUMENTS}') == 2, said
    assert re.search(r"Percent completed: +\d+%", "".join(told.values())), told
    assert re.search(r"Document Backfill.*\d+%", said + "".join(told.values())), said
    assert "Completed" in said
    assert cluster.run("kubectl", "get", "namespace", "ma", check=False).returncode != 0
