"""Doc values of all kinds that the real Lucene of each generation wrote, held against what it was
given: missing and several values, duplicates, long ones, few and many documents, updates."""

import itertools
import json
import os
import random
import subprocess

import pytest

import support

WRITER = support.ROOT / "tests" / "e2e" / "lucene" / "write-indices"
NO_JAVA = 77

# An old format and the compressed one with few documents; with SHARDLIFT_ALL_VERSIONS (make
# check-long) all of them, with more documents than a block of a set has.
VERSIONS, DOCUMENTS = ["6.6.6", "8.11.3-best"], ["2000"]
if os.environ.get("SHARDLIFT_ALL_VERSIONS"):
    VERSIONS += ["4.6.1", "4.9.1", "4.10.4", "5.2.1", "7.7.3", "8.4.1", "8.6.3", "8.11.3", "9.12.1", "10.5.0"]
    DOCUMENTS = []
SEED = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))


def write(version, path, *arguments):
    number, _, mode = version.partition("-")
    flag = "--columns-best" if mode else "--columns"
    written = subprocess.run([str(WRITER), number, str(path), flag, *arguments],
                             capture_output=True, text=True, timeout=600)
    if written.returncode == NO_JAVA:
        pytest.skip(f"no Java on this machine that Lucene {number} runs on")
    assert written.returncode == 0, written.stderr


def compare(out, path):
    expected = (path / "columns.ndjson").read_text(encoding="utf-8").splitlines()
    for got, line in itertools.zip_longest(out.splitlines(), expected):
        assert json.loads(got) == json.loads(line)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_value_is_read_as_it_was_written(shardlift, tmp_path, version):
    write(version, tmp_path, *DOCUMENTS)
    result = shardlift("inspect", "lucene", tmp_path, "--columns", timeout=300)
    assert result.code == support.OK, result.err
    compare(result.out, tmp_path)


def test_flipped_bits_are_refused_and_named(shardlift, tmp_path):
    """Of metadata and data, base files and generations."""
    write("10.5.0", tmp_path, "60")
    chance = random.Random(SEED)
    files = sorted(tmp_path.glob("*.dvm")) + sorted(tmp_path.glob("*.dvd"))
    assert len(files) > 2
    for file, _ in itertools.product(files, range(5)):
        intact = file.read_bytes()
        at, bit = chance.randrange(len(intact)), chance.randrange(8)
        file.write_bytes(intact[:at] + bytes([intact[at] ^ 1 << bit]) + intact[at + 1:])
        result = shardlift("inspect", "lucene", tmp_path, "--columns")
        where = f"seed {SEED}: {file.name} at {at} bit {bit}: {result}"
        # Entries of a base file that a generation has replaced are read by nobody.
        if result.code == support.OK:
            compare(result.out, tmp_path)
        else:
            assert result.code == 5 and file.name in result.err, where
        file.write_bytes(intact)
    result = shardlift("inspect", "lucene", tmp_path, "--columns")
    assert result.code == support.OK
    compare(result.out, tmp_path)
