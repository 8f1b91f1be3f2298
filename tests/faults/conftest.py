"""What tests with faults share: a corpus, proxies, and the table of what was survived."""

import os
import random

import pytest

from corpus import make_corpus
from fault_proxy import FaultProxy

SURVIVED = []


@pytest.fixture(scope="session")
def corpus(pool):
    """Of SHARDLIFT_KILL_DOCUMENTS documents, and a few."""
    return make_corpus(pool.get("os-node", "2.19"),
                       int(os.environ.get("SHARDLIFT_KILL_DOCUMENTS", 20_000)))


@pytest.fixture
def seed():
    chosen = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))
    print(f"SHARDLIFT_SEED={chosen}")
    return chosen


@pytest.fixture
def proxy(seed):
    proxies = []

    def start(target):
        proxies.append(FaultProxy(target, seed))
        return proxies[-1]
    yield start
    for started in proxies:
        started.gate = lambda documents: None
        started.stop()


@pytest.fixture
def survived(seed):
    """survived(fault, how often, what came of it): a line in the table."""
    def note(fault, times, result):
        SURVIVED.append((fault, str(times), str(seed), result))
    return note


def pytest_terminal_summary(terminalreporter):
    if not SURVIVED:
        return
    rows = [("fault", "times", "seed", "result"), *SURVIVED]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    terminalreporter.section("faults survived")
    for fault, times, seed, result in rows:
        terminalreporter.write_line(
            f"{fault:<{widths[0]}}  {times:>{widths[1]}}  {seed:>{widths[2]}}  {result}")
