"""What the segment log says is durable survives power cuts, and kills: tests/faults/power_cut.c."""

import os
import random
import subprocess
import sys

import support

sys.path.insert(0, str(support.ROOT / "tests" / "faults"))
from power_cut import PowerCut  # noqa: E402

FAULTS = support.PROGRAM.parent / "tests" / "faults"
WORKER = FAULTS / "log_worker"
CUTS = int(os.environ.get("SHARDLIFT_LOG_CUTS", 20))
CEILING = 120  # seconds, for one step


def run_until_killed(environment, log, prefix, records):
    """The records that were told to be durable: key -> offset."""
    worker = subprocess.Popen([WORKER, log, prefix], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, env=environment)
    told = []
    for _ in range(records):
        told.append(worker.stdout.readline())
        assert told[-1], worker.stderr.read()
    worker.kill()
    told += worker.stdout.readlines()
    worker.stderr.close()
    worker.stdout.close()
    worker.wait(CEILING)
    # The last one may have been cut within its line.
    return {line.split()[0]: int(line.split()[1]) for line in told if line.endswith("\n")}


def listed(log):
    shown = subprocess.run([WORKER, log], capture_output=True, text=True, timeout=CEILING)
    assert shown.returncode == 0, shown.stderr
    return [line.split() for line in shown.stdout.splitlines()]


def tear(log, whole, rng):
    """Some of what was written after the last sync got to the disk as well, up to any byte."""
    for path in log.glob("*.segment"):
        synced, written = path.read_bytes(), whole.get(path.name, b"")
        cut = rng.randint(0, len(written))
        path.write_bytes(written[:cut] + synced[cut:])


def test_what_was_told_durable_survives_power_cuts(tmp_path):
    seed = int(os.environ.get("SHARDLIFT_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    rng = random.Random(seed)
    state, told = tmp_path / "state", {}
    log = state / "capture" / "log"
    state.mkdir()
    for cut in range(CUTS):
        power = PowerCut(FAULTS / "power_cut.so", state, tmp_path / f"memory-{cut}")
        if cut:
            power.remember_all()
        told |= run_until_killed(power.environment, log, f"run{cut}", rng.randint(1, 60))
        whole = {path.name: path.read_bytes() for path in log.glob("*.segment")}
        power.restore()
        if cut % 2:
            tear(log, whole, rng)
        there = listed(log)
        offsets = {key: int(offset) for offset, key, _ in there}
        assert [int(offset) for offset, _, _ in there] == sorted(offsets.values())
        assert len(offsets) == len(there), "an offset or a key is there twice"
        missing = {key: offset for key, offset in told.items() if offsets.get(key) != offset}
        assert not missing, f"after cut {cut}"
        for _, key, length in there:
            assert int(length) == int(key.split(".")[1]) * 131 % 3000


def test_what_was_told_durable_survives_kills(tmp_path):
    told = {}
    for kill in range(5):
        told |= run_until_killed(None, tmp_path / "log", f"run{kill}", 20 * kill + 1)
        offsets = {key: int(offset) for offset, key, _ in listed(tmp_path / "log")}
        assert {key: offsets.get(key) for key in told} == told
