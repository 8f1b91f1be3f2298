"""Workers that share a session and are killed at random moments: the target ends with exactly the
documents of the snapshot, and little is sent twice."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest

import support
from corpus import INDICES as ALL_INDICES
from support import OK, assert_same

KILLS = int(os.environ.get("SHARDLIFT_KILLS", 12))
WORKERS, CONNECTIONS, PER_BULK = 3, 2, 500
INDICES = ["parts", "whole"]
AHEAD = 1500      # documents that may pass beyond the moment of the next kill
LONGEST_LATER = 0.3  # seconds from there to the kill, at most
CEILING = 900     # seconds, for one step


class Pace:
    """Lets bulks pass up to a number of documents, so that there is work left for every kill."""

    def __init__(self):
        self.changed = threading.Condition()
        self.passed = set()
        self.limit = 0  # None: no more

    def __call__(self, documents):
        with self.changed:
            self.changed.wait_for(lambda: self.limit is None or len(self.passed) < self.limit)
            self.passed.update(documents)
            self.changed.notify_all()

    def let_pass(self, limit):
        with self.changed:
            self.limit = limit
            self.changed.notify_all()

    def wait_until_passed(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.passed) >= count, CEILING), (
                f"{len(self.passed)} documents passed, {count} did not within {CEILING} s")


class Workers:
    """Those that are running, each under a name that the proxy learns."""

    def __init__(self, shardlift, folder, command):
        self.environment, self.folder, self.command = shardlift.environment, folder, command
        self.running, self.killed = [], []

    def start(self):
        name = f"worker-{len(self.running) + len(self.killed)}"
        log = self.folder / name
        with open(log, "wb") as err:
            process = subprocess.Popen(
                [str(support.PROGRAM), *map(str, self.command), "--target-username", name],
                env={**self.environment, "TARGET_PASSWORD": "none"}, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err)
        self.running.append((name, process, log))

    def kill(self, chance):
        name, process, log = self.running.pop(chance.randrange(len(self.running)))
        assert process.poll() is None, f"{name} ended by itself: {log.read_text()}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.killed.append(name)

    def wait(self):
        for name, process, log in self.running:
            code = process.wait(CEILING)
            said = log.read_text()
            assert code == OK and not support.SANITIZER_REPORT.search(said), (name, code, said)

    def end(self):
        for _, process, _ in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def resent_by_kill(proxy, killed):
    """Killed worker -> documents of it that were sent again. The bulk of a worker may arrive after
    that of its heir: of two, the one that was killed first is meant."""
    order = {name: number for number, name in enumerate(killed)}
    found, others = {name: 0 for name in killed}, {}
    for (before, after), count in proxy.resent.items():
        dead = min((name for name in (before, after) if name in order), key=order.get, default=None)
        if before == after and proxy.refusals:
            continue
        if dead is None or before == after:
            others[before, after] = count
        else:
            found[dead] += count
    return found, others


@pytest.mark.parametrize("coordinator", ["local", "target"])
def test_workers_that_are_killed_lose_only_time(shardlift, corpus, opensearch, proxy, tmp_path, seed,
                                                survived, coordinator):
    chance = random.Random(seed)
    target, pace = proxy(opensearch.url), Pace()
    target.gate = pace
    for index in INDICES:
        opensearch.api("PUT", f"/{index}", ALL_INDICES[index])
    command = corpus.arguments(
        INDICES, target.url, "--session-name", "killed", "--coordinator-host", coordinator,
        "--documents-per-bulk-request", PER_BULK, "--max-connections", CONNECTIONS,
        "--max-range-size", "256KiB", "--initial-lease-duration", "30m",
        "--target-request-timeout", "30m")
    total = sum(len(corpus.documents[index]) for index in INDICES)
    # Whoever is at work has work left: what may pass before the last kill is not all.
    moments = sorted(chance.randrange(total - 2 * AHEAD) for _ in range(KILLS))
    workers = Workers(shardlift, tmp_path, command)
    try:
        for _ in range(WORKERS):
            workers.start()
        for moment in moments:
            pace.let_pass(moment + AHEAD)
            pace.wait_until_passed(moment)
            time.sleep(chance.uniform(0, LONGEST_LATER))
            workers.kill(chance)
            workers.start()
        pace.let_pass(None)
        workers.wait()
    finally:
        pace.let_pass(None)
        workers.end()

    for index in INDICES:
        assert_same(opensearch.documents(index), corpus.documents[index], f"{index}, seed {seed}")
        settings = opensearch.api("GET", f"/{index}/_settings")[index]["settings"]["index"]
        assert settings["refresh_interval"] == "7s", settings
    resent, others = resent_by_kill(target, workers.killed)
    assert not others, f"sent twice though nobody was killed: {others}, seed {seed}"
    assert max(resent.values()) <= CONNECTIONS * PER_BULK, f"seed {seed}: {resent}"
    survived(f"SIGKILL, coordinator {coordinator}", KILLS,
             f"{total} documents exact, {sum(resent.values())} sent again, at most "
             f"{max(resent.values())} a kill")
