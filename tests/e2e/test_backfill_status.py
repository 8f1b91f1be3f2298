"""A backfill seen from outside while it runs: `backfill status`, its metrics, its log in JSON."""

import json
import re
import subprocess
import urllib.request

from support import OK, PROGRAM, expected_documents


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
