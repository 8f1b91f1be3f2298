"""index move: killed at each step, taken up again, taken back, and planned without a trace."""

import os
import signal
import subprocess

import pytest

import support
from copy_support import fill
from holding_proxy import HoldingProxy

# Where a run is killed: before the request reaches the node, and after it did its work.
STEPS = [("source", "PUT", r"^/books/_block/write"), ("target", "PUT", r"^/books"),
         ("target", "POST", r"^/_bulk"), ("target", "POST", r"^/_aliases"),
         ("source", "DELETE", r"^/books")]


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    yield node
    node.clear()


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


@pytest.mark.parametrize("mode", ["pull"])
def test_a_move_that_is_killed_at_each_step_ends_with_the_exact_documents(
        shardlift, opensearch, source, proxies, tmp_path, mode):
    fill(source)
    expected = {name: source.documents(name) for name in ("books", "logs-a")}
    opensearch.api("PUT", "/older/_doc/1?refresh=true", {"n": 1})
    opensearch.api("POST", "/_aliases", {"actions": [{"add": {"index": "older",
                                                              "alias": "shelf"}}]})
    once = tmp_path / "killed"
    command = move(proxies, "--mode", mode, "--block-writes", "--verify", "count,hash",
                   "--swap-alias", "shelf", "--delete-source", "--parallel", "2", "--on-cutover",
                   f"[ -e {once} ] || {{ touch {once}; kill -9 $PPID; }}")
    cut_over = False
    for side, method, pattern in STEPS:
        if method == "DELETE" and not cut_over:
            killed = subprocess.run([str(support.PROGRAM), *command], env=shardlift.environment,
                                    input=b"books\nlogs-a\n", capture_output=True, timeout=300)
            assert killed.returncode == -signal.SIGKILL, killed
            cut_over = True
        for acted in (False, True):
            kill_at(shardlift, command, proxies[side], (method, pattern, acted))
    result = shardlift(*command, "--json", stdin="logs-a\n")
    if result.code != support.OK:
        result = shardlift(*command, "--json", stdin="books\nlogs-a\n")
    assert result.code == support.OK, result
    assert steps_of(result) == {"books": "deleted", "logs-a": "deleted"}, result
    for name, documents in expected.items():
        support.assert_same(opensearch.documents(name), documents, name)
    holders = opensearch.api("GET", "/_alias/shelf")
    assert sorted(holders) == ["books", "logs-a"], holders
    assert "books" not in source.api("GET", "/_alias")
    refused = shardlift(*command, "--back-out")
    assert refused.code == support.BLOCKED and "deleted on the source" in refused.err, refused
