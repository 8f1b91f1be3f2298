"""Shards read in ranges, by workers that stop anywhere: the documents of one pass, and a whole proof
of the checksums."""

import os
import random
import subprocess

import pytest

import support

SWEEP = support.PROGRAM.parent / "tests" / "sweep" / "range_sweep"
SEED = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))


def sweep(rounds, *sources):
    """Fails unless all rounds over all sources were right; returns how often workers stopped."""
    command = [str(SWEEP), str(rounds), str(SEED), *map(str, sources)]
    print(" ".join(command))
    swept = subprocess.run(command, capture_output=True, text=True, timeout=600,
                           env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
    assert swept.returncode == 0, f"seed {SEED}\n{swept.stdout[-3000:]}\n{swept.stderr[-6000:]}"
    return int(swept.stdout.split()[0])


@pytest.mark.parametrize("fixture,snapshot", [
    ("es-1.7.6", "snap2"), ("es-2.4.6", "snap2"), ("es-5.6.16", "snap2"), ("es-6.8.23", "snap2"),
    ("es-7.10.2", "snap2"), ("es-8.19.21", "snap2"), ("es-7.10.2.source-only", "snap-1"),
    ("os-1.3.14.chunked", "snap-2"), ("os-2.19.6", "snap-2"), ("os-3.8.0", "snap-1")])
def test_shards_of_real_snapshots(repository, fixture, snapshot):
    assert sweep(10, f"{repository(fixture)}#{snapshot}") > 0


def test_ranges_that_are_none_are_refused(shardlift, tmp_path):
    for arguments in (["--first-doc", "5", "--end-doc", "5"], ["--first-doc", "-1"],
                      ["--segments", "--first-doc", "5"]):
        result = shardlift("inspect", "lucene", tmp_path, *arguments)
        assert result.code == support.USAGE, result
