"""Kinds of fault over the four moves (kinds.py, scenarios.py, whole.py): each run ends equal, or stops with a named
error and the same command goes on afterwards to the same end.

SHARDLIFT_FAULT_ROUNDS=N makes each kind N times in each scenario, of a workflow a fifth (0: the quick ones once); a seed
settles the moment and the manner, SHARDLIFT_SEED=N gives that of one run again. SHARDLIFT_FAULT_JOURNAL=FILE keeps
the runs' results, so that several runs of pytest make one table."""

import os
import random
import zlib

import pytest

import scenarios
from kinds import KINDS, NotHere
from whole import Workflow

ROUNDS = int(os.environ.get("SHARDLIFT_FAULT_ROUNDS", 0))
SCENARIOS = {one.name: one for one in (scenarios.Backfill, scenarios.Capture, scenarios.Replay, Workflow)}
QUICK = {"kill", "connections reset", "half-closed connections", "clock jumps back"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """recorded(): traffic of the load generator, with what it made of the source."""
    made = []

    def get():
        if not made:
            folder = tmp_path_factory.mktemp("recorded")
            made.append(scenarios.record(scenarios.support.Program(folder / "state"), folder))
        return made[0]
    return get


def run_seed(kind, scenario, number):
    chosen = os.environ.get("SHARDLIFT_SEED")
    return int(chosen) if chosen else zlib.crc32(f"{BASE}/{kind}/{scenario}/{number}".encode())


BASE = int(os.environ.get("SHARDLIFT_FAULT_BASE", random.randrange(2**31)))


def rounds_of(kind, scenario):
    """A workflow takes half a minute, the others seconds."""
    if scenario == "workflow":
        return -(-ROUNDS // 5)
    return ROUNDS or (kind in QUICK)


RUNS = [(kind, scenario, number) for kind, (_, where) in KINDS.items() for scenario in where
        for number in range(rounds_of(kind, scenario))]


@pytest.mark.parametrize("kind,scenario,number", RUNS)
def test_ends_equal(kind, scenario, number, shardlift, repository, recorded, tmp_path, suite):
    seed = run_seed(kind, scenario, number)
    print(f"SHARDLIFT_SEED={seed}")
    one = SCENARIOS[scenario](shardlift, tmp_path, repository, recorded)
    one.seed = seed % 1000
    try:
        KINDS[kind][0](one, random.Random(seed))
        compared = one.result or one.check()
    except NotHere as why:
        pytest.skip(str(why))
    finally:
        one.end()
    suite(kind, scenario, seed, one.names(), compared)
