"""A backfill seen from outside while it runs: `backfill status`, its metrics, its log in JSON."""

import json
import re
import subprocess
import urllib.request

import support
from support import OK, PROGRAM, USAGE, expected_documents


def start(shardlift, *arguments):
    return subprocess.Popen([str(PROGRAM), *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=shardlift.environment)


def status(shardlift, *more):
    result = shardlift("backfill", "status", "--session-name", "seen", "--pace", "0", "--json",
                       *more)
    assert result.code == OK, result
    return result.json()["sessions"][0]


def metrics_of(process, lines):
    """What the run serves, at the address that its log tells."""
    for line in process.stderr:
        lines.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+/metrics", line)
        if found:
            with urllib.request.urlopen(found[0], timeout=60) as answer:
                text = answer.read().decode()
            return dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    raise AssertionError("".join(lines))


def test_a_run_is_seen_from_another_terminal(shardlift, repository, opensearch):
    """It is paused before it begins: so there is time to look."""
    documents = expected_documents("os-2.19.6", "snap-1")["books"]
    assert shardlift("backfill", "pause", "--session-name", "seen").code == OK
    process = start(shardlift, "migrate", "--repo-uri", repository("os-2.19.6"), "--snapshot-name",
                    "snap-1", "--target-host", opensearch.url, "--index-allowlist", "books",
                    "--session-name", "seen", "--metrics-port", "0", "--log-format", "json")
    lines = []
    try:
        metrics = metrics_of(process, lines)
        assert metrics["pipelineDocsMigrated_total"] == "0", metrics
        assert {"bytesRead_total", "shardlift_bulks_allowed", "nextWorkAssigned_total"} <= set(metrics)
        assert shardlift("backfill", "resume", "--session-name", "seen").code == OK
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == OK, out + err
    for line in lines + err.splitlines():
        assert {"time", "level", "module", "message"} <= set(json.loads(line)), line
    seen = status(shardlift, "--deep-check", "--target-host", opensearch.url)
    assert seen["finished"] is True and seen["seconds_left"] == 0, seen
    assert seen["total"]["sent"] == len(documents) and seen["parked"] == [], seen
    assert seen["indices"][0]["target_documents"] == len(documents), seen


def test_a_session_in_a_cluster_is_seen_from_another_host(shardlift, repository, opensearch, tmp_path):
    """Nothing of it is in the state directory of the one who looks; a pause there is told to be
    that host's own."""
    documents = expected_documents("os-2.19.6", "snap-1")["books"]
    there = ("--coordinator-host", "target", "--target-host", opensearch.url)
    other = support.Program(tmp_path / "another host")
    unknown = other("backfill", "status", "--session-name", "shared", *there)
    assert unknown.code == 5 and "shared" in unknown.err, unknown
    done = shardlift("migrate", "--repo-uri", repository("os-2.19.6"), "--snapshot-name", "snap-1",
                     "--index-allowlist", "books", "--session-name", "shared", *there)
    assert done.code == OK, done
    told = other("backfill", "status", "--session-name", "shared", "--pace", "0", "--json",
                 "--deep-check", *there)
    assert told.code == OK, told
    seen, = told.json()["sessions"]
    assert seen["finished"] is True and seen["total"]["sent"] == len(documents), told
    assert seen["indices"][0]["target_has_all"] is True, told
    by_url = other("backfill", "status", "--session-name", "shared", "--coordinator-host",
                   opensearch.url)
    assert by_url.code == OK and "100" in by_url.out, by_url
    nameless = other("backfill", "status", *there)
    assert nameless.code == USAGE and "--session-name" in nameless.err, nameless
    paused = other("backfill", "pause", "--session-name", "shared")
    assert paused.code == OK and "other hosts are not told" in paused.out, paused
