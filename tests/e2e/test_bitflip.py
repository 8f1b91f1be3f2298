"""A damaged repository is a failed run or the same documents: never a crash, never a hang, never
other documents reported as a success."""

import os
import random
import subprocess

import pytest

import support
from support import OK, written_documents

SWEEP = support.PROGRAM.parent / "tests" / "sweep" / "flip_sweep"
FLIPS = int(os.environ.get("SHARDLIFT_FLIPS", "3"))
SEED = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))


@pytest.mark.parametrize("fixture,snapshot", [
    ("es-1.7.6", "snap1"), ("es-1.7.6", "snap2"), ("es-2.4.6", "snap2"),
    ("es-5.6.16", "snap2"), ("es-6.8.23", "snap1"), ("es-7.10.2", "snap2"), ("es-8.19.21", "snap2"),
    ("os-1.3.14.chunked", "snap-2"), ("os-2.19.6", "snap-2"), ("os-3.8.0", "snap-1"),
    ("os-2.19.6.hashed-prefix", "snap-2"), ("os-3.8.0.hashed-infix", "snap-2"),
    ("es-7.10.2.source-only", "snap-1")])
def test_every_blob_flipped_at_sampled_bits(repository, fixture, snapshot):
    command = [str(SWEEP), str(repository(fixture)), snapshot, str(FLIPS), str(SEED)]
    print(" ".join(command))
    swept = subprocess.run(command, capture_output=True, text=True, timeout=3600,
                           env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
    assert swept.returncode == 0, f"seed {SEED}\n{swept.stdout[-3000:]}\n{swept.stderr[-6000:]}"


# Indices without a source, rebuilt: their columns, points, terms, field infos, each KiB of them several times.
# All with SHARDLIFT_FLIPS (make check-long).
REBUILT = [("es-1.7.6", "snap2", "metrics partial"), ("es-5.6.16", "snap1", "metrics"),
           ("es-8.19.21", "snap1", "metrics synthetic"), ("os-2.19.6", "snap-1", "nosource")]
if "SHARDLIFT_FLIPS" in os.environ:
    REBUILT = [(fixture, snapshot, "metrics partial synthetic")
               for fixture in ("es-1.7.6", "es-2.4.6", "es-5.6.16", "es-6.8.23", "es-7.10.2", "es-8.19.21")
               for snapshot in ("snap1", "snap2")]
    REBUILT += [(fixture, "snap-2", "nosource") for fixture in ("os-1.3.14", "os-2.19.6", "os-3.8.0")]


@pytest.mark.parametrize("fixture,snapshot,indices", REBUILT)
def test_every_blob_of_documents_without_a_source_flipped(repository, fixture, snapshot, indices):
    command = [str(SWEEP), str(repository(fixture)), snapshot, str(FLIPS), str(SEED), *indices.split()]
    print(" ".join(command))
    swept = subprocess.run(command, capture_output=True, text=True, timeout=3600,
                           env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
    print(swept.stdout)
    assert swept.returncode == 0, f"seed {SEED}\n{swept.stdout[-3000:]}\n{swept.stderr[-6000:]}"


def test_the_program_itself_refuses_what_is_flipped(shardlift, repository, tmp_path):
    """As above through the whole program, for fewer blobs."""
    chance = random.Random(SEED)
    intact = repository("es-7.10.2")
    arguments = ("backfill", "--repo-uri", "{}", "--snapshot-name", "snap1", "--index-allowlist",
                 "books,family,logs-2020.01")
    run = lambda uri, out: shardlift(*(a.format(uri) for a in arguments),
                                     "--target-host", f"dir:{out}", timeout=300)
    assert run(intact, tmp_path / "intact").code == OK
    expected = {k: sorted(v) for k, v in in_no_order(written_documents(tmp_path / "intact")).items()}

    blobs = [path for path in sorted(intact.rglob("*")) if path.is_file() and path.stat().st_size]
    refused = 0
    for number, blob in enumerate(chance.sample(blobs, min(len(blobs), 12 * FLIPS))):
        copy = tmp_path / f"copy{number}"
        subprocess.run(["cp", "-r", intact, copy], check=True)
        offset, bit = chance.randrange(blob.stat().st_size), chance.randrange(8)
        flip(copy / blob.relative_to(intact), offset, bit)
        result = run(copy, tmp_path / f"out{number}")
        where = f"seed {SEED}: {blob.relative_to(intact)} at {offset} bit {bit}\n{result}"
        if result.code == OK:
            got = in_no_order(written_documents(tmp_path / f"out{number}"))
            assert {k: sorted(v) for k, v in got.items()} == expected, where
        else:
            refused += 1
            assert result.err.strip() or "unreadable" in result.out, where
        subprocess.run(["rm", "-r", copy], check=True)
    assert refused, f"seed {SEED}: no damage was ever noticed"


def in_no_order(indices):
    return {name: [tuple(map(str, d)) for d in found] for name, found in indices.items()}


def flip(path, offset, bit):
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))
