"""index move: killed at each step, taken up again, taken back, and planned without a trace."""

import os
import signal
import subprocess

import pytest

import support
from copy_support import fill
from holding_proxy import HoldingProxy

# Where a run is killed: before the request reaches the node, and after it did its work.
def steps(copying):
    return [("source", "PUT", r"^/books/_block/write"), ("target", "PUT", r"^/books"),
            ("target", "POST", copying), ("target", "POST", r"^/_aliases"),
            ("source", "DELETE", r"^/books")]


STEPS = {"pull": steps(r"^/_bulk"), "remote-reindex": steps(r"^/_reindex")}
EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))


@pytest.fixture
def proxies(source, opensearch):
    both = {"source": HoldingProxy(source.url), "target": HoldingProxy(opensearch.url)}
    yield both
    for proxy in both.values():
        proxy.stop()


def move(proxies, *more):
    return ["index", "move", "books", "logs-*", "--from", proxies["source"].url,
            "--to", proxies["target"].url, *more]


def kill_at(shardlift, command, proxy, held):
    proxy.hold(*held)
    run = subprocess.Popen([str(support.PROGRAM), *command], env=shardlift.environment,
                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        run.stdin.write(b"books\nlogs-a\n")
        run.stdin.flush()
        proxy.wait_until_seen()
    finally:
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=120)
        proxy.release()


def steps_of(result):
    return {row["index"]: row["step"] for row in result.json()["indices"]}


def mutating(requests):
    """What is not a question: searches and counts are asked by POST too."""
    return [(method, path) for method, path in requests if method in ("PUT", "DELETE") or
            method == "POST" and not any(word in path for word in ("_search", "_count", "_pit"))]


def test_a_move_that_is_killed_at_each_step_ends_with_the_exact_documents(
        shardlift, opensearch, source, proxies, tmp_path):
    kill_at_each_step(shardlift, source, opensearch, proxies, tmp_path, "pull")


@pytest.mark.skipif(not EVERY, reason="of the long run")
def test_the_same_when_the_target_reads_the_source(shardlift, source, reindexing, tmp_path):
    both = {"source": HoldingProxy(source.url), "target": HoldingProxy(reindexing.url)}
    try:
        kill_at_each_step(shardlift, source, reindexing, both, tmp_path, "remote-reindex")
    finally:
        for proxy in both.values():
            proxy.stop()


def kill_at_each_step(shardlift, source, target, proxies, tmp_path, mode):
    fill(source)
    expected = {name: source.documents(name) for name in ("books", "logs-a")}
    target.api("PUT", "/older/_doc/1?refresh=true", {"n": 1})
    target.api("POST", "/_aliases", {"actions": [{"add": {"index": "older",
                                                              "alias": "shelf"}}]})
    once = tmp_path / "killed"
    command = move(proxies, "--mode", mode, "--block-writes", "--verify", "count,hash",
                   "--swap-alias", "shelf", "--delete-source", "--parallel", "2", "--on-cutover",
                   f"[ -e {once} ] || {{ touch {once}; kill -9 $PPID; }}")
    cut_over = False
    for side, method, pattern in STEPS[mode]:
        if method == "DELETE" and not cut_over:
            killed = subprocess.run([str(support.PROGRAM), *command], env=shardlift.environment,
                                    input=b"books\nlogs-a\n", capture_output=True, timeout=300)
            assert killed.returncode == -signal.SIGKILL, killed
            cut_over = True
        for acted in (False, True):
            kill_at(shardlift, command, proxies[side], (method, pattern, acted))
    result = shardlift(*command, "--json", input=b"books\nlogs-a\n")
    assert result.code == support.OK, result
    assert steps_of(result) == {"books": "deleted", "logs-a": "deleted"}, result
    for name, documents in expected.items():
        support.assert_same(target.documents(name), documents, name)
    holders = target.api("GET", "/_alias/shelf")
    assert sorted(holders) == ["books", "logs-a"], holders
    assert "books" not in source.api("GET", "/_alias")
    refused = shardlift(*command, "--back-out")
    assert refused.code == support.BLOCKED and "deleted on the source" in refused.err, refused


def test_a_move_waits_for_its_clients_and_can_be_taken_back(
        shardlift, opensearch, source, proxies):
    fill(source)
    opensearch.api("PUT", "/older/_doc/1?refresh=true", {"n": 1})
    opensearch.api("POST", "/_aliases", {"actions": [{"add": {"index": "older",
                                                              "alias": "shelf"}}]})
    command = move(proxies, "--block-writes", "--verify", "hash", "--swap-alias", "shelf",
                   "--rename", "books=volumes", "--parallel", "1")
    waits = shardlift(*command, "--json")
    assert waits.code == support.BLOCKED, waits
    assert "Clients must change from" in waits.err and proxies["target"].url in waits.err, waits
    assert steps_of(waits) == {"books": "swapped", "logs-a": "none"} or \
        steps_of(waits) == {"books": "swapped", "logs-a": "begun"}, waits
    assert sorted(opensearch.api("GET", "/_alias/shelf")) == ["volumes"]
    settings = source.api("GET", "/books/_settings")
    assert settings["books"]["settings"]["index"]["blocks"]["write"] == "true", settings

    kill_at(shardlift, [*command, "--back-out"], proxies["source"], ("PUT", "_settings", True))
    goes_on = shardlift(*command)
    assert goes_on.code == support.BLOCKED and "being taken back" in goes_on.err, goes_on
    back = shardlift(*command, "--back-out", "--json")
    assert back.code == support.OK, back
    assert sorted(opensearch.api("GET", "/_alias/shelf")) == ["older"]
    assert sorted(opensearch.api("GET", "/_alias")) == ["older"]
    for name in ("books", "logs-a"):
        source.api("PUT", f"/{name}/_doc/new?refresh=true", {"n": -1})

    again = shardlift(*command, "--json", input=b"yes\nyes\n")
    assert again.code == support.OK, again
    assert steps_of(again) == {"books": "cut over", "logs-a": "cut over"}, again
    support.assert_same(opensearch.documents("volumes"), source.documents("books"), "books")
    kept = shardlift(*command, "--back-out", "--json")
    assert kept.code == support.OK and "clients were changed" in kept.err, kept
    assert opensearch.documents("volumes")
    source.api("PUT", "/books/_doc/new", {"n": -2})
    refused = shardlift(*command)
    assert refused.code == support.BLOCKED and "already" in refused.err, refused


def test_nothing_is_cut_over_that_was_written_to_or_does_not_agree(
        shardlift, opensearch, source, proxies, tmp_path):
    fill(source)
    command = move(proxies, "--on-cutover", f"touch {tmp_path}/clients", "--verify", "hash",
                   "--json")
    kill_at(shardlift, command, proxies["target"], ("POST", "^/_bulk", True))
    source.api("PUT", "/books/_doc/late?refresh=true", {"n": -1})
    source.api("DELETE", "/books/_doc/id-1?refresh=true")
    result = shardlift(*command)
    assert result.code == support.ERRORS, result
    assert not (tmp_path / "clients").exists()
    assert steps_of(result)["books"] == "begun", result


def test_a_plan_asks_and_changes_nothing(shardlift, opensearch, source, proxies, tmp_path):
    fill(source)
    command = move(proxies, "--block-writes", "--swap-alias", "shelf", "--delete-source",
                   "--on-cutover", f"touch {tmp_path}/clients")
    for more in ([], ["--back-out"]):
        planned = shardlift(*command, "--plan", *more)
        if more:
            assert planned.code == support.USAGE and "is recorded" in planned.err, planned
        else:
            assert planned.code == support.OK, planned
            assert "block writes, create, copy, verify count, alias 'shelf'" in planned.out
    for proxy in proxies.values():
        assert mutating(proxy.requests) == [], proxy.requests
    assert not (tmp_path / "clients").exists()
    opensearch.api("PUT", "/books")
    refused = shardlift(*command)
    assert refused.code == support.BLOCKED and "'books' already" in refused.err, refused
    assert mutating(proxies["source"].requests) == []
    for wrong, message in ((["--verify", "size"], "count and hash"),
                           (["--restart"], "of `shardlift copy`"),
                           (["--index-allowlist", "nothing"], "no index that matches 'nothing'")):
        result = shardlift(*command, *wrong)
        assert result.code == support.USAGE and message in result.err, result
