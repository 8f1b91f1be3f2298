"""What tests with faults share: a corpus, proxies, and the table of what was survived."""

import json
import os
import pathlib
import random

import pytest

from corpus import make_corpus
from fault_proxy import FaultProxy
from kinds import EVERYWHERE, KINDS

SURVIVED = []
SUITE = []  # kind, scenario, seed, named errors, how many documents were compared
# A file that keeps them over several runs of pytest, beside and after each other; the table is of all.
JOURNAL = os.environ.get("SHARDLIFT_FAULT_JOURNAL")


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
    def note(*run):
        SUITE.append(run)
        if JOURNAL:
            with open(JOURNAL, "a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
    return note


def summary_of_suite(write):
    runs = [json.loads(line) for line in pathlib.Path(JOURNAL).read_text().splitlines()] if JOURNAL else SUITE
    groups = {}
    for kind, scenario, seed, errors, compared in runs:
        groups.setdefault((kind, scenario), []).append((seed, errors, compared))
    write(f"{'fault':<26} {'move':<8} {'runs':>5} {'stopped':>7} {'documents':>9}  seeds")
    for kind, scenario in sorted(groups, key=lambda row: (list(KINDS).index(row[0]), EVERYWHERE.index(row[1]))):
        group = groups[kind, scenario]
        write(f"{kind:<26} {scenario:<8} {len(group):>5} {sum(bool(r[1]) for r in group):>7} "
              f"{sum(r[2] for r in group):>9}  {' '.join(str(r[0]) for r in group)}")
    write(f"{len(runs)} runs over {len({run[0] for run in runs})} kinds, {sum(bool(r[3]) for r in runs)} of them "
          f"stopped and went on, {sum(run[4] for run in runs)} documents compared")


def pytest_terminal_summary(terminalreporter):
    if SUITE:
        terminalreporter.section("faults survived, over scenarios")
        summary_of_suite(terminalreporter.write_line)
    if not SURVIVED:
        return
    rows = [("fault", "times", "seed", "result"), *SURVIVED]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    terminalreporter.section("faults survived")
    for fault, times, seed, result in rows:
        terminalreporter.write_line(
            f"{fault:<{widths[0]}}  {times:>{widths[1]}}  {seed:>{widths[2]}}  {result}")
