"""Work items in an index of a cluster: what every coordinator promises, on every generation that can
hold them, and beside workers of the Java tool, whose steps are played here with scripts like theirs."""

import base64
import os
import subprocess
import time
import uuid

import opensearchpy
import pytest

import support

TESTS = support.PROGRAM.parent / "tests" / "unit" / "backfill"
SANITIZER = {**os.environ, "ASAN_OPTIONS": f"exitcode={support.SANITIZER_EXIT}",
             "UBSAN_OPTIONS": f"exitcode={support.SANITIZER_EXIT}:halt_on_error=1"}
CEILING = 120  # seconds


def node_of(pool, kind, version):
    try:
        return pool.get(kind, version)
    except support.NodeError as error:
        if "no Java 21" in str(error):
            pytest.skip(str(error).strip())
        raise


def assert_every_promise(node, brief):
    """`brief`: only a test of each operation, but all in make check-long."""
    node.clear()
    brief = brief and "SHARDLIFT_EVERY_NODE" not in os.environ
    run = subprocess.run(
        [TESTS / "coordinator_cluster_suite", node.url] + (["brief"] if brief else []),
        capture_output=True, text=True, timeout=600, env=SANITIZER)
    node.clear()
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-5000:]


# By version, and by sequence number; the rest are in test_targets_coordinate.py.
@pytest.mark.parametrize("kind,version,brief", [
    ("es-node", "5.6", False), ("es-node", "6.8", True), ("os-node", "2.19", False)])
def test_every_promise_of_a_coordinator(pool, kind, version, brief):
    assert_every_promise(node_of(pool, kind, version), brief)


class Shardlift:
    """One of our workers, step by step."""

    def __init__(self, node, compat, session, worker, lease_ms=600000):
        self.process = subprocess.Popen(
            [TESTS / "coordinator_driver", node.url, compat, session, worker, str(lease_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=SANITIZER)
        self.opened = self.answer()

    def answer(self):
        return self.process.stdout.readline().strip()

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=CEILING) in (0, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


CHECK = """
    if (ctx._source.scriptVersion != params.scripts)
        throw new IllegalArgumentException('scriptVersion mismatch');
"""
ACQUIRE = CHECK + """
    long now = System.currentTimeMillis() / 1000;
    if (Math.abs(params.now - now) > 15) throw new IllegalArgumentException('clocks');
    long until = params.now + (((long) Math.pow(2, ctx._source.nextAcquisitionLeaseExponent)) * params.lease);
    if (ctx._source.expiration < now && ctx._source.expiration < until) {
        ctx._source.expiration = until;
        ctx._source.leaseHolderId = params.worker;
        ctx._source.nextAcquisitionLeaseExponent += 1;
    } else { ctx.op = 'noop'; }
"""
OWNED = CHECK + """
    if (ctx._source.leaseHolderId != params.worker) throw new IllegalArgumentException('not owned');
"""
COMPLETE = OWNED + "ctx._source.completedAt = System.currentTimeMillis() / 1000;"
SUCCEED = OWNED + "ctx._source.successor_items = params.successors;"
PENDING = {"bool": {"must": [{"exists": {"field": "expiration"}}],
                    "must_not": [{"exists": {"field": "completedAt"}}]}}


class JavaWorker:
    """A worker of the Java tool: its documents, ids and the semantics of its scripts."""

    def __init__(self, node, session, name):
        self.node, self.name = node, name
        self.index = f".migrations_working_state_{session}"
        self.typed = node.kind == "es-node" and int(node.version.split(".")[0]) < 7

    def params(self, **more):
        return {"scripts": "3.0", "worker": self.name, "now": int(time.time()), **more}

    def update(self, item, script, **params):
        path = f"/{self.index}/doc/{item}/_update" if self.typed else f"/{self.index}/_update/{item}"
        body = {"script": {"lang": "painless", "source": script, "params": self.params(**params)}}
        return self.node.api("POST", path + "?refresh=true", body)

    def setup(self, items):
        properties = {"expiration": {"type": "long"}, "completedAt": {"type": "long"},
                      "leaseHolderId": {"type": "keyword"}, "successor_items": {"type": "keyword"}}
        mapping = {"properties": properties}
        self.node.api("PUT", f"/{self.index}", {
            "settings": {"number_of_shards": 1, "number_of_replicas": 1, "refresh_interval": "30s"},
            "mappings": {"doc": mapping} if self.typed else mapping})
        done = {"leaseHolderId": self.name, "completedAt": int(time.time())}
        for item, more in [(item, {}) for item in items] + [("shard_setup", done)]:
            self.node.api("PUT", f"/{self.index}/{'doc' if self.typed else '_doc'}/{item}?refresh=true",
                          {"scriptVersion": "3.0", "expiration": 0, "creatorId": self.name,
                           "nextAcquisitionLeaseExponent": 0, **more})

    def acquire(self, lease=600):
        """The id of the item acquired; None if there is none."""
        query = {"bool": {"must": [{"range": {"expiration": {"lt": int(time.time())}}}],
                          "must_not": [{"exists": {"field": "completedAt"}}]}}
        limit = "size=1" if self.typed else "max_docs=1"
        result = self.node.api("POST", f"/{self.index}/_update_by_query?refresh=true&{limit}", {
            "query": {"function_score": {"query": query, "random_score": {}, "boost_mode": "replace"}},
            "script": {"source": ACQUIRE, "params": self.params(lease=lease)}})
        if int(result["updated"]) == 0:
            return None
        mine = {"bool": {"must": [{"term": {"leaseHolderId": self.name}}],
                         "must_not": [{"exists": {"field": "completedAt"}}]}}
        hits = self.node.api("POST", f"/{self.index}/_search", {"query": mine})["hits"]["hits"]
        assert len(hits) == 1
        return hits[0]["_id"]

    def pending(self):
        self.node.api("POST", f"/{self.index}/_refresh")
        return len(self.node.api("POST", f"/{self.index}/_search", {"query": PENDING})["hits"]["hits"])

    def source(self, item):
        return self.node.api(
            "GET", f"/{self.index}/{'doc' if self.typed else '_doc'}/{item}")["_source"]


def java_id(index, shard, start=0):
    name = base64.urlsafe_b64encode(index.encode()).decode().rstrip("=")
    return f"{name}__{shard}__{start}"


@pytest.fixture(params=[("os-node", "2.19"), ("es-node", "6.8")], ids=["os-2.19", "es-6.8"])
def node(request, pool):
    return node_of(pool, *request.param)


@pytest.fixture
def session():
    return f"e2e-{uuid.uuid4().hex[:12]}"


def refusal(call, *arguments):
    with pytest.raises(opensearchpy.exceptions.TransportError) as caught:
        call(*arguments)
    return str(caught.value.info)


def await_answer(worker, command, begin):
    deadline = time.monotonic() + CEILING
    while True:
        answer = worker(command)
        if answer.startswith(begin):
            return answer
        assert answer == "0 later" and time.monotonic() < deadline, answer
        time.sleep(0.2)


def test_a_java_worker_and_ours_share_a_session(node, session):
    java = JavaWorker(node, session, "java-1")
    with Shardlift(node, "java", session, "ours") as ours:
        assert ours.opened == "0 open"
        assert ours("create f logs:0:100 logs:1:300 ünicode?:0:200") == "0 created"
        assert java.pending() == 3
        assert ours("claim") == "0 taken logs 1 0 0 600000"
        assert java.source(java_id("logs", 1))["leaseHolderId"] == "ours"
        first = java.acquire()
        java.update(first, COMPLETE)
        second = java.acquire()
        assert {first, second} == {java_id("logs", 0), java_id("ünicode?", 0)}
        assert java.acquire() is None
        assert ours("checkpoint 70") == "0"
        assert ours("complete 90") == "0"
        assert ours("claim") == "0 later"
        assert java.source(java_id("logs", 1))["completedAt"]
        assert "not owned" in refusal(java.update, java_id("logs", 1), COMPLETE)
        java.update(second, COMPLETE)
        assert ours("claim") == "0 done"
        assert java.pending() == 0


def test_ours_joins_a_session_that_java_workers_began(node, session):
    java = JavaWorker(node, session, "java-1")
    java.setup([java_id("logs", 0), java_id("logs", 1)])
    held = java.acquire()
    with Shardlift(node, "java", session, "ours") as ours:
        assert ours("create f logs:0:100 logs:1:300") == "0 there"
        assert ours("claim").startswith("0 taken logs")
        assert ours("claim") == "0 later"
        assert f":leased:java-1" in ours("list")
    # It was given back.
    java.update(held, COMPLETE)
    assert java.acquire() is not None


def test_a_hand_over_that_a_java_worker_did_not_finish_is_finished(node, session):
    java = JavaWorker(node, session, "java-1")
    java.setup([java_id("logs", 0)])
    item, successor = java.acquire(lease=1), java_id("logs", 0, 5000)
    java.update(item, SUCCEED, successors=successor)
    with Shardlift(node, "java", session, "ours") as ours:
        # From its beginning: Java's order of segments is not ours.
        assert await_answer(ours, "claim", "0 taken") == "0 taken logs 0 0 0 600000"
        assert java.source(item)["completedAt"]
        assert java.source(successor)["leaseHolderId"] == "ours"
        assert ours("complete 9000") == "0"
        assert ours("claim") == "0 done"


def test_a_java_worker_takes_our_expired_lease_and_ours_learns_of_it(node, session):
    java = JavaWorker(node, session, "java-1")
    with Shardlift(node, "java", session, "ours", lease_ms=1) as ours:
        ours("create f logs:0:100")
        assert ours("claim").startswith("0 taken logs 0")
        assert ours("checkpoint 10") == "0"
        deadline = time.monotonic() + CEILING
        while not (taken := java.acquire()):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert taken == java_id("logs", 0)
        assert "was lost" in ours("checkpoint 20")
        java.update(taken, COMPLETE)
        assert ours("claim") == "0 done"


def test_sessions_of_another_kind_are_left_alone(node, session):
    java = JavaWorker(node, session, "java-1")
    with Shardlift(node, "own", session, "ours") as ours:
        assert ours("create f logs:0:100") == "0 created"
        assert "scriptVersion mismatch" in refusal(java.acquire)
        assert ours("claim").startswith("0 taken logs 0")
        with Shardlift(node, "java", session, "other") as other:
            answer = other("create f logs:0:100")
            assert "shardlift-1" in answer and "--coordinator-compat" in answer
        assert ours("complete 5") == "0"


def test_a_session_that_is_not_there_is_told(node, session):
    with Shardlift(node, "own", session, "ours") as ours:
        for command in ("claim", "list"):
            answer = ours(command)
            assert session in answer and "--session-name" in answer, answer


def test_capitals_in_a_session_are_told(node):
    with Shardlift(node, "own", "Nightly", "ours") as ours:
        assert "lower case" in ours.opened
