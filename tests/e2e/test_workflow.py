"""`workflow`: a plan from YAML to the end, carried out by an engine that may be killed anywhere."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from support import BLOCKED, ERRORS, INTERRUPTED, OK, PROGRAM, SOURCE, TIMEOUT, assert_same

MIGRATION = "source-target-first-migration-0"

CONFIGURATION = """
sourceClusters:
  source:
    endpoint: {source}
    version: ES 7.10.2
    snapshotInfo:
      repos:
        backups: {{repoPathUri: "file://{repository}"}}
      snapshots:
        first: {{repoName: backups, config: {{createSnapshotConfig: {{}}}}}}
targetClusters:
  target: {{endpoint: {target}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    perSnapshotConfig:
      first:
        - metadataMigrationConfig: {{}}
          documentBackfillConfig: {{{backfill}}}
          verifyConfig: {{}}
"""

# Each ends in SIGKILL of the engine: between an effect and its mark, between mark and record,
# before a child may begin.
DEATHS = ("createsnapshot.source-first:created", "createsnapshot.source-first:effect",
          f"migratemetadata.{MIGRATION}:marked", f"documentbackfill.{MIGRATION}:started",
          f"verify.{MIGRATION}:effect")


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "workflow", ignore_errors=True)
    for index in ("books", "films"):
        node.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0}})
        for n in range(20):
            node.api("PUT", f"/{index}/_doc/{n}?refresh=true", {"n": n, "of": index})
    yield node
    node.clear()


@pytest.fixture
def workflow(shardlift):
    """workflow(...): the command; engines that it started are gone at the end."""
    def run(*arguments, **how):
        return shardlift("workflow", *arguments, **how)

    run.state_dir = shardlift.state_dir
    run.program = shardlift
    yield run
    stop_engine(shardlift.state_dir)


def engine_pid(state_dir):
    """Who holds the lock, from the kernel's list: 0 for nobody."""
    try:
        inode = os.stat(state_dir / "run" / "engine.lock").st_ino
    except FileNotFoundError:
        return 0
    with open("/proc/locks") as locks:
        for line in locks:
            fields = line.split()
            if "->" not in fields and int(fields[5].split(":")[2]) == inode:
                return int(fields[4])
    return 0


def wait_until(condition, what, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.1)


def stop_engine(state_dir):
    pid = engine_pid(state_dir)
    if pid:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: engine_pid(state_dir) == 0, "the end of the engine")


def configured(workflow, source, target, backfill="", extra=""):
    text = CONFIGURATION.format(source=source.url, target=target.url, backfill=backfill,
                                repository=source.repositories / "workflow") + extra
    result = workflow("configure", "edit", "--stdin", input=text.encode())
    assert result.code == OK, result


def gates(workflow):
    return {g["name"]: g["status"]
            for g in json.loads(workflow("approve", "--list", "--output", "json").out)}


def wait_for_gate(workflow, name):
    def there():
        status = workflow("status")
        assert "Phase: Failed" not in status.out, status
        return gates(workflow).get(name) == "waiting"
    wait_until(there, name)


def wait_for_end(workflow):
    def there():
        status = workflow("status")
        assert "Phase: Failed" not in status.out, status
        return "Phase: Succeeded" in status.out
    wait_until(there, "the end of the run")


def assert_moved(workflow, source, target):
    for index in ("books", "films"):
        assert_same(target.documents(index), source.documents(index), index)
    status = workflow("status")
    assert "Phase: Succeeded" in status.out, status


def test_a_backfill_passes_its_gates_and_ends_equal(workflow, source, opensearch):
    configured(workflow, source, opensearch)
    submitted = workflow("submit", "--wait", "--timeout", "0")
    assert submitted.code == TIMEOUT, submitted
    wait_for_gate(workflow, f"evaluatemetadata.{MIGRATION}")
    assert not opensearch.client.indices.exists("books")
    assert workflow("approve", "nothing*").code == ERRORS
    assert workflow("approve", "evaluatemetadata.*").code == OK
    wait_for_gate(workflow, f"migratemetadata.{MIGRATION}")
    assert opensearch.client.indices.exists("books")
    assert int(opensearch.client.count(index="books")["count"]) == 0
    assert workflow("approve", "step", "*.source-target-*", "--pre-approve").code == OK
    wait_for_end(workflow)
    assert_moved(workflow, source, opensearch)
    snapshots = source.api("GET", "/_snapshot/backups/_all")["snapshots"]
    assert len(snapshots) == 1
    number = submitted.out.split("-run-")[1].split(",")[0]
    reports = workflow("show", "--list", "--run", number)
    assert reports.code == OK and f"evaluatemetadata.{MIGRATION}" in reports.out, reports
    assert workflow("show", "--list", "--run", "1").code == SOURCE
    backfill = workflow("log", "filter", "--source", "source", "--task", "reindexFromSnapshot")
    assert backfill.code == OK and backfill.out, backfill
    assert workflow("log", "filter", "--target", "source").out == ""
    # A second submit finds nothing to do.
    again = workflow("submit", "--wait", "--timeout", "120", "--wait-interval", "1")
    assert again.code == OK, again
    assert "Skipped" in workflow("status").out
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1


def is_dead(workflow):
    status = workflow("status")
    assert "Phase: Succeeded" not in status.out and "Phase: Failed" not in status.out, status
    # A run is only Running once an engine has taken it up.
    return "Phase: Running" in status.out and engine_pid(workflow.state_dir) == 0


def test_an_engine_killed_at_any_point_goes_on(workflow, source, opensearch):
    configured(workflow, source, opensearch, extra="skipApprovals: true\n")
    for death in DEATHS:
        submitted = workflow.program("workflow", "submit", env={"SHARDLIFT_ENGINE_DIES_AT": death})
        assert submitted.code == OK, submitted
        wait_until(lambda: is_dead(workflow), f"death at {death}")
    ended = workflow("submit", "--wait", "--timeout", "300", "--wait-interval", "1")
    assert ended.code == OK, ended
    assert_moved(workflow, source, opensearch)
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1


def test_an_edit_is_applied_approved_or_needs_a_reset(workflow, source, opensearch):
    evaluate, resource = f"evaluatemetadata.{MIGRATION}", f"snapshotmigration.{MIGRATION}"

    def submitted(backfill):
        configured(workflow, source, opensearch, backfill)
        plan, result = workflow("plan"), workflow("submit")
        assert result.code == OK, result
        return plan.out

    submitted("")
    wait_for_gate(workflow, evaluate)

    assert "applied by submit" in submitted("documentsPerBulkRequest: 7")
    wait_for_gate(workflow, evaluate)
    assert resource not in gates(workflow)

    assert "approve change" in submitted("maxConnections: 3")
    wait_for_gate(workflow, f"{resource}.vapretry")
    assert workflow("approve", "change", resource).code == OK
    wait_for_gate(workflow, evaluate)

    assert "workflow reset" in submitted("indexAllowlist: [books]")
    wait_for_gate(workflow, f"{resource}.vapretry")
    refused = workflow("approve", "retry", resource)
    assert refused.code == BLOCKED and f"workflow reset --cascade {resource}" in refused.err, refused
    assert workflow("reset", resource).code == OK
    assert workflow("approve", "retry", resource).code == OK
    wait_for_gate(workflow, evaluate)
    # Nothing else was done again.
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 1


def test_a_pilot_moves_a_part_and_does_not_hinder_the_whole(workflow, source, opensearch):
    configured(workflow, source, opensearch, extra="skipApprovals: true\n")
    tried = workflow("submit", "--pilot", "boo*", "--wait", "--timeout", "300",
                     "--wait-interval", "1")
    assert tried.code == OK, tried
    assert "checkconnection.source-target: source: Elasticsearch 7.10.2" in tried.out, tried
    assert_same(opensearch.documents("books"), source.documents("books"), "books")
    assert not opensearch.client.indices.exists("films")
    whole = workflow("submit", "--wait", "--timeout", "300", "--wait-interval", "1")
    assert whole.code == OK, whole
    assert_moved(workflow, source, opensearch)
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 2


@pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
def test_a_widened_allowlist_is_new_work_and_the_rest_stays(workflow, source, opensearch):
    def configure(names):
        text = CONFIGURATION.format(
            source=source.url, target=opensearch.url, backfill=f"indexAllowlist: [{names}]",
            repository=source.repositories / "workflow") + "skipApprovals: true\n"
        for part in ("createSnapshotConfig", "metadataMigrationConfig"):
            text = text.replace(f"{part}: {{}}", f"{part}: {{indexAllowlist: [{names}]}}")
        text = text.replace("verifyConfig: {}", "")
        assert workflow("configure", "edit", "--stdin", input=text.encode()).code == OK

    def submit(*more):
        return workflow("submit", *more, "--wait", "--timeout", "300", "--wait-interval", "1")

    configure("books")
    first = submit()
    assert first.code == OK, first
    assert_same(opensearch.documents("books"), source.documents("books"), "books")
    assert not opensearch.client.indices.exists("films")
    # What is not sent again stays away.
    opensearch.client.delete(index="books", id="3", refresh=True)
    configure("books, films")
    refused = submit()
    assert refused.code == BLOCKED and "--new-snapshot" in refused.err, refused
    second = submit("--new-snapshot")
    assert second.code == OK, second
    assert_same(opensearch.documents("films"), source.documents("films"), "films")
    assert not opensearch.client.exists(index="books", id="3")
    assert len(source.api("GET", "/_snapshot/backups/_all")["snapshots"]) == 2


def test_a_cluster_that_is_not_there_ends_a_run_at_once(workflow, source, opensearch):
    configured(workflow, source, opensearch)
    text = workflow("configure", "view").out.replace(opensearch.url, "http://127.0.0.1:1")
    assert workflow("configure", "edit", "--stdin", input=text.encode()).code == OK
    submitted = workflow("submit")
    assert submitted.code == ERRORS, submitted
    assert "target: " in submitted.err and "Check --target-host" in submitted.err, submitted
    assert len(submitted.err.splitlines()) == 1, submitted
    wait_until(lambda: "Phase: Failed" in workflow("status").out, "the end of the run")
    assert "Create Snapshot: source-first (Pending)" in workflow("status").out


def test_a_state_of_a_newer_program_is_left_alone(workflow):
    text = b"sourceClusters: {}\ntargetClusters: {}\nsnapshotMigrationConfigs: []\n"
    assert workflow("configure", "edit", "--stdin", input=text).code == OK
    database = sqlite3.connect(workflow.state_dir / "state.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    for command in (("workflow", "status"), ("workflow", "submit"), ("engine",)):
        result = workflow.program(*command)
        assert result.code != OK and "newer Shardlift" in result.err, result
        assert len(result.err.splitlines()) == 1, result
    database = sqlite3.connect(workflow.state_dir / "state.db")
    assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.close()


def test_a_second_engine_is_refused_in_one_line(workflow):
    configured_text = b"sourceClusters: {}\ntargetClusters: {}\nsnapshotMigrationConfigs: []\n"
    assert workflow("configure", "edit", "--stdin", input=configured_text).code == OK
    first = subprocess.Popen([str(PROGRAM), "engine", "--stay"], stderr=subprocess.PIPE,
                             env=workflow.program.environment)
    wait_until(lambda: engine_pid(workflow.state_dir) == first.pid, "the first engine")
    second = workflow.program("engine")
    assert second.code == ERRORS, second
    assert f"process {first.pid} is the engine" in second.err, second
    assert len(second.err.splitlines()) == 1, second
    first.terminate()
    first.communicate(timeout=120)
    assert first.returncode == INTERRUPTED
