"""What tests with faults share: a corpus, proxies, and the table of what was survived."""

import os
import random

import pytest

from corpus import make_corpus
from fault_proxy import FaultProxy

SURVIVED = []
SUITE = []  # kind, scenario, seed, named errors, how many documents were compared


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


@pytest.fixture
def suite():
    """suite(kind, scenario, seed, errors, compared): a run of test_suite.py that ended equal."""
    return lambda *run: SUITE.append(run)


def summary_of_suite(terminalreporter):
    terminalreporter.section("faults survived, over scenarios")
    groups = {}
    for kind, scenario, seed, errors, compared in SUITE:
        groups.setdefault((kind, scenario), []).append((seed, errors, compared))
    terminalreporter.write_line(
        f"{'fault':<28} {'scenario':<9} {'runs':>4} {'stopped':>7} {'compared':>8}  seeds")
    for (kind, scenario), runs in groups.items():
        terminalreporter.write_line(
            f"{kind:<28} {scenario:<9} {len(runs):>4} {sum(bool(r[1]) for r in runs):>7} "
            f"{sum(r[2] for r in runs):>8}  {' '.join(str(r[0]) for r in runs)}")
    terminalreporter.write_line(f"{len(SUITE)} runs over {len({run[0] for run in SUITE})} kinds of fault")


def pytest_terminal_summary(terminalreporter):
    if SUITE:
        summary_of_suite(terminalreporter)
    if not SURVIVED:
        return
    rows = [("fault", "times", "seed", "result"), *SURVIVED]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    terminalreporter.section("faults survived")
    for fault, times, seed, result in rows:
        terminalreporter.write_line(
            f"{fault:<{widths[0]}}  {times:>{widths[1]}}  {seed:>{widths[2]}}  {result}")
