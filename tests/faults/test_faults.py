"""Faults of networks and targets: each alone before a store that keeps what it gets, and all of them
before a real node. The run completes with the exact set."""

import os
import re
import subprocess
import time
import urllib.request

import pytest

import support
from corpus import INDICES
from fault_proxy import MOST_DOCUMENTS, Store
from support import OK, UNREACHABLE, Document, assert_same, canonical, parse

PER_BULK, CONNECTIONS = 25, 8
FEW_CONNECTIONS = 4  # so few that the growing ends before the storm does
SHARE = 0.05   # of the bulks meet a fault
OUTAGE = float(os.environ.get("SHARDLIFT_OUTAGE", 3))  # seconds of 503
CEILING = 300  # seconds
ALONE = ["latency", "reset before", "reset after", "reset in the answer", "cut answer",
         "closed when idle", "half-closed", "413", "busy items", "HTML 502", "429", "503"]


def command(corpus, target, *more, indices=("few",), per_bulk=PER_BULK, connections=CONNECTIONS):
    return corpus.arguments(indices, target.url, "--documents-per-bulk-request", per_bulk,
                            "--max-connections", connections, "--tune-target", "false", *more)


def stored(store, index):
    return [Document("_doc", key[1], routing, canonical(parse(source)))
            for key, (routing, source) in store.documents.items() if key[0] == index]


def assert_stored(store, corpus, seed, index="few"):
    assert_same(stored(store, index), corpus.documents[index], f"{index}, seed {seed}")


def again(target):
    return target.times.total() - len(target.times)


@pytest.mark.parametrize("fault", ALONE)
def test_a_fault_alone(shardlift, corpus, proxy, seed, survived, fault):
    store = Store()
    target = proxy(store)
    target.fault_at_random(SHARE, [fault])
    result = shardlift(*command(corpus, target), timeout=CEILING)
    assert result.code == OK, result
    assert_stored(store, corpus, seed)
    assert target.met[fault] > 0
    survived(fault, target.met[fault], f"exact, {again(target)} documents sent again")


def test_a_target_that_never_answers(shardlift, corpus, proxy, seed, survived):
    store = Store()
    target = proxy(store)
    target.fault_at_random(0, ["stall"] * 3)
    result = shardlift(*command(corpus, target, "--target-request-timeout", "4s"), timeout=CEILING)
    assert result.code == OK, result
    assert_stored(store, corpus, seed)
    assert target.met["stall"] == 3
    survived("stall", 3, f"exact, {again(target)} documents sent again")


def test_every_bulk_is_too_large(shardlift, corpus, proxy, seed, survived):
    store = Store()
    target = proxy(store)
    target.set_for_all("413")
    result = shardlift(*command(corpus, target), timeout=CEILING)
    assert result.code == OK, result
    assert_stored(store, corpus, seed)
    survived(f"413 above {MOST_DOCUMENTS} documents", target.number, "exact")


def test_an_answer_that_says_nothing_ends_the_run_and_the_next_goes_on(shardlift, corpus, proxy,
                                                                      seed, survived):
    store = Store()
    target = proxy(store)
    target.fault_at_random(0, ["HTML 200"], start=20)
    result = shardlift(*command(corpus, target), timeout=CEILING)
    assert result.code == UNREACHABLE and "_bulk" in result.err, result
    result = shardlift(*command(corpus, target), timeout=CEILING)
    assert result.code == OK, result
    assert_stored(store, corpus, seed)
    assert again(target) <= CONNECTIONS * PER_BULK
    survived("HTML 200", 1, f"ends; the same command goes on, {again(target)} documents sent again")


class Running:
    """A run whose metrics are looked at."""

    def __init__(self, shardlift, log, arguments):
        self.log = log
        with open(log, "wb") as err:
            self.process = subprocess.Popen(
                [str(support.PROGRAM), *map(str, arguments), "--metrics-port", "0"],
                env=shardlift.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=err)

    def wait_for(self, look, what):
        end = time.monotonic() + CEILING
        while not (found := look()):
            assert self.process.poll() is None, f"it ended before {what}:\n{self.log.read_text()}"
            assert time.monotonic() < end, f"{what}:\n{self.log.read_text()}"
            time.sleep(0.02)
        return found

    def find_metrics(self):
        url = self.wait_for(lambda: re.search(r"http://\S+/metrics", self.log.read_text()),
                            "metrics are served").group()

        def allowed():
            with urllib.request.urlopen(url, timeout=CEILING) as answer:
                found = re.search(r"^shardlift_bulks_allowed (\d+)", answer.read().decode(), re.M)
            return int(found.group(1))
        return allowed

    def end(self):
        code, said = self.process.wait(CEILING), self.log.read_text()
        assert code == OK and not support.SANITIZER_REPORT.search(said), said


@pytest.fixture
def start(shardlift, tmp_path):
    runs = []

    def begin(arguments):
        runs.append(Running(shardlift, tmp_path / "stderr", arguments))
        return runs[-1]
    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()


@pytest.mark.parametrize("fault", ["429", "503"])
def test_concurrency_falls_in_a_storm_and_recovers(corpus, proxy, start, seed, survived, fault):
    store = Store()
    target = proxy(store)
    # Slow enough for what the machine does meanwhile not to look like trouble of the target.
    target.plan = lambda number: "slow"
    run = start(command(corpus, target, per_bulk=2, connections=FEW_CONNECTIONS))
    allowed = run.find_metrics()
    run.wait_for(lambda: allowed() == FEW_CONNECTIONS, "concurrency has grown")
    target.set_for_all(fault)
    low = run.wait_for(lambda: (now := allowed()) < FEW_CONNECTIONS and now, "concurrency falls")
    if fault == "503":
        time.sleep(OUTAGE)
    target.set_for_all(None)
    run.wait_for(lambda: allowed() == FEW_CONNECTIONS, "concurrency recovers")
    target.plan = lambda number: None
    run.end()
    assert_stored(store, corpus, seed)
    what = "429 storm" if fault == "429" else f"503 for {OUTAGE:g} s"
    survived(what, target.met[fault], f"exact, bulks at once {FEW_CONNECTIONS}, then {low}, "
             f"then {FEW_CONNECTIONS}")


@pytest.mark.skipif("SHARDLIFT_EVERY_REQUEST" not in os.environ,
                    reason="in check-long, with SHARDLIFT_EVERY_REQUEST")
def test_faults_of_all_that_is_asked(corpus, proxy, start, opensearch, seed, survived):
    """Those of the coordinator among it, whose answers must not be lost for good."""
    target = proxy(opensearch.url)
    target.plans_all = True
    kinds = ["reset before", "reset after", "reset in the answer", "cut answer",
             "closed when idle", "half-closed", "503"]
    target.fault_at_random(SHARE, kinds)
    opensearch.api("PUT", "/few", INDICES["few"])
    run = start(command(corpus, target, "--coordinator-host", "target", "--max-range-size", "64KiB",
                        "--session-name", "faults", per_bulk=100))
    run.end()
    assert_same(opensearch.documents("few"), corpus.documents["few"], f"few, seed {seed}")
    assert set(target.met) == set(kinds)
    survived("in all requests, coordinator target", target.met.total(),
             f"exact, {again(target)} documents sent again")


def test_everything_before_a_real_node(corpus, proxy, start, opensearch, seed, survived):
    target = proxy(opensearch.url)
    kinds = ALONE + ["stall"]
    target.fault_at_random(SHARE, kinds)
    indices = ["few", "parts"]
    for index in indices:
        opensearch.api("PUT", f"/{index}", INDICES[index])
    run = start(command(corpus, target, "--target-request-timeout", "6s", "--max-range-size",
                        "256KiB", indices=indices, per_bulk=100))
    run.end()
    for index in indices:
        assert_same(opensearch.documents(index), corpus.documents[index], f"{index}, seed {seed}")
    assert set(target.met) == set(kinds)
    survived("all of these, OpenSearch 2.19", target.met.total(),
             f"exact, {again(target)} documents sent again")
