"""copy --mode remote-reindex: the target reads the source itself, in tasks that survive our end."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

import support
from copy_support import INDICES, assert_copied, fill
from recording_proxy import RecordingProxy

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
LOOPBACK = "127.0.0.1:*"
# Enough for a kill to come before the end, on any machine: 290 documents take three seconds.
SLOWLY = ["--size", "20", "--requests-per-second", "100"]


@pytest.fixture
def target(reindexing):
    return reindexing


def command(source, target, *more):
    return ["copy", "--mode", "remote-reindex", "--from", source.url, "--to", target.url,
            "--include", ",".join(INDICES), *more]


def tasks_of(shardlift):
    """What the only session keeps of its tasks: {} before it does."""
    files = list(pathlib.Path(shardlift.environment["SHARDLIFT_HOME"]).glob("work/*.reindex"))
    return json.loads(files[0].read_text())["indices"] if files else {}


def kill_once_tasks_run(shardlift, arguments):
    """SIGKILL when both tasks are known: they go on without anybody."""
    run = subprocess.Popen([str(support.PROGRAM), *arguments], env=shardlift.environment,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while sum("task" in row for row in tasks_of(shardlift).values()) < len(INDICES):
        assert run.poll() is None, run.stderr.read()
        assert time.monotonic() < deadline, "no tasks"
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)


def test_tasks_of_a_killed_run_are_found_again_and_lost_ones_begun_anew(
        shardlift, source, target):
    documents = fill(source)
    arguments = command(source, target, *SLOWLY)
    kill_once_tasks_run(shardlift, arguments)
    result = shardlift(*arguments, "--json")
    assert result.code == support.OK, result
    assert result.err.count("of an earlier run is found again") == 2, result
    assert result.json()["totals"]["sent"] == documents, result
    assert result.json()["resumed"] is True
    assert "may be taken out of the target's reindex.remote.allowlist again" in result.err
    assert_copied(source, target, "found again")

    again = shardlift(*arguments)
    assert again.code == support.OK and "finished before" in again.err, again

    path, = pathlib.Path(shardlift.environment["SHARDLIFT_HOME"]).glob("work/*.reindex")
    state = json.loads(path.read_text())
    state["indices"] = {"books": {"task": "GoneGoneGoneGoneGoneGo:17"}, "logs-a": {"begun": True}}
    path.write_text(json.dumps(state))
    result = shardlift(*arguments)
    assert result.code == support.OK, result
    assert "knows nothing of task GoneGoneGoneGoneGoneGo:17 any more" in result.err, result
    assert_copied(source, target, "lost")


def test_what_the_allowlist_wants_is_told_exactly_and_nothing_is_written(
        shardlift, source, opensearch):
    fill(source)
    proxy = RecordingProxy(opensearch.url)
    address = source.url.removeprefix("http://")
    result = shardlift("copy", "--mode", "remote-reindex", "--from", source.url, "--to", proxy.url,
                       "--include", "books")
    assert result.code == support.BLOCKED, result
    for line in (f'in opensearch.yml: reindex.remote.allowlist: ["{address}"]',
                 f"avn service update SERVICE -c opensearch.reindex_remote_whitelist={address}"):
        assert line in result.err, result
    written = [r for r in proxy.requests if r[0] not in ("GET", "HEAD")]
    assert written == [("POST", "/_reindex")], written  # the probe, which asks for no document
    indices = opensearch.api("GET", "/_cat/indices?format=json&h=index")
    assert "books" not in {row["index"] for row in indices}
    proxy.shutdown()
    proxy.server_close()


def test_failed_documents_are_counted_and_listed(shardlift, source, target):
    fill(source)
    target.api("PUT", "/books", {"mappings": {"properties": {"text": {"type": "date"}}}})
    result = shardlift(*command(source, target), "--allow-existing-indexes", "--json")
    assert result.code == support.ERRORS, result
    books, logs = result.json()["indices"]
    assert books["failed"] > 0 and not books["agrees"] and logs["agrees"], result
    assert "mapper_parsing_exception" in result.err, result


@pytest.mark.parametrize("arguments, message", [
    (("--slices", "2"), "no server slices what it reindexes from another cluster"),
    (("--op-type", "create"), "does not go with transforms, --op-type create"),
    (("--remote-host", "http://127.0.0.1:1"), "the target cannot reach '127.0.0.1:1'"),
])
def test_what_cannot_work_is_refused_before_anything_is_written(
        shardlift, source, target, arguments, message):
    fill(source)
    result = shardlift(*command(source, target, *arguments))
    assert result.code in (support.USAGE, support.UNREACHABLE), result
    assert message in result.err, result
    indices = target.api("GET", "/_cat/indices?format=json&h=index")
    assert "books" not in {row["index"] for row in indices}


def test_within_one_cluster_tasks_are_sliced(shardlift, target):
    fill(target)
    result = shardlift("copy", "--mode", "remote-reindex", "--from", target.url, "--to", target.url,
                       "--include", "books", "--rename", "books=volumes", "--slices", "2", "--json")
    assert result.code == support.OK, result
    support.assert_same(target.documents("volumes"), target.documents("books"), "volumes")


@pytest.mark.skipif(not EVERY, reason="three more nodes: in the long run")
@pytest.mark.parametrize("version", ["7.10", "7.17"])
def test_out_of_opensearch_1_that_answers_as_7_10(shardlift, pool, version):
    source = pool.get("os-node", "1.3", "--setting",
                      "compatibility.override_main_response_version=true")
    target = pool.get("es-node", version, "--setting", f"reindex.remote.whitelist={LOOPBACK}")
    source.clear()
    target.clear()
    fill(source)
    arguments = command(source, target, *SLOWLY)
    kill_once_tasks_run(shardlift, arguments)
    result = shardlift(*arguments)
    assert result.code == support.OK, result
    assert_copied(source, target, version)


@pytest.mark.skipif(not EVERY, reason="two more nodes: in the long run")
@pytest.mark.parametrize("source_version, reason", [
    ("1.3", "compatibility.override_main_response_version"), ("2.19", "_type in each hit")])
def test_out_of_opensearch_that_elasticsearch_7_does_not_understand(
        shardlift, pool, source_version, reason):
    source = pool.get("os-node", source_version)
    target = pool.get("es-node", "7.10", "--setting", f"reindex.remote.whitelist={LOOPBACK}")
    source.clear()
    target.clear()
    fill(source)
    result = shardlift(*command(source, target))
    assert result.code == support.SOURCE and reason in result.err, result
    assert "--mode pull" in result.err, result


@pytest.mark.skipif(not EVERY, reason="a restart: in the long run")
@pytest.mark.parametrize("kind, version, setting", [
    ("os-node", "2.19", "allowlist"), ("os-node", "3.8", "allowlist"),
    ("es-node", "7.10", "whitelist")])
def test_the_wait_for_the_allowlist_lasts_through_a_restart(
        shardlift, source, tmp_path, kind, version, setting):
    fill(source)
    first = support.Node(kind, version, tmp_path / "node")
    port = first.url.rsplit(":", 1)[1]
    run = subprocess.Popen([str(support.PROGRAM), *command(source, first), "--wait-for-allowlist",
                            "9m"], env=shardlift.environment, stderr=subprocess.PIPE, text=True)
    try:
        seen = ""
        while "waiting for the target to accept" not in seen:
            line = run.stderr.readline()
            assert line, seen
            seen += line
        first.stop()
        second = support.Node(kind, version, tmp_path / "node", "--port", port, "--setting",
                              f"reindex.remote.{setting}={LOOPBACK}")
        _, rest = run.communicate(timeout=300)
        assert run.returncode == support.OK, seen + rest
        assert f"reindex.remote.{setting}" in seen + rest
        assert_copied(source, second, "after the restart")
        second.stop()
    finally:
        run.kill()
        run.communicate()
