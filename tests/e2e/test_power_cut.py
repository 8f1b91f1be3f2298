"""What was acknowledged survives a power cut: tests/faults/power_cut.c."""

import subprocess
import sys

import support

sys.path.insert(0, str(support.ROOT / "tests" / "faults"))
from power_cut import PowerCut  # noqa: E402

FAULTS = support.PROGRAM.parent / "tests" / "faults"
WORKER = FAULTS / "coordinator_worker"


def test_checkpoints_survive_power_cuts(tmp_path):
    state, last = tmp_path / "state", 0
    state.mkdir()
    # The first cuts fall while the database is new; the last after SQLite has moved its log.
    for cut, checkpoints in enumerate((1, 2, 7, 40, 700)):
        power = PowerCut(FAULTS / "power_cut.so", state, tmp_path / f"memory-{cut}")
        if cut:
            power.remember_all()
        worker = subprocess.Popen([WORKER, state, "work"], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.PIPE, env=power.environment)
        for _ in range(checkpoints):
            line = worker.stdout.readline()
            assert line, worker.stderr.read()
            last = int(line)
        worker.kill()
        last = int(([last] + worker.stdout.read().split())[-1])
        worker.stderr.close()
        worker.wait()
        power.restore()
        shown = subprocess.run([WORKER, state, "show"], capture_output=True, text=True, timeout=120)
        assert shown.returncode == 0, shown.stderr
        # One more may have been written than was said.
        assert last <= int(shown.stdout) <= last + 1, (cut, last, shown.stdout)
        last = int(shown.stdout)
