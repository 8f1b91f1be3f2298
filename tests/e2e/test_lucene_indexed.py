"""Points and terms that the real Lucene of each generation wrote, turned round to documents and held
against what it was given: with and without positions, offsets and payloads, rare and dense values."""

import itertools
import json
import os
import random
import subprocess

import pytest

import support

WRITER = support.ROOT / "tests" / "e2e" / "lucene" / "write-indices"
NO_JAVA = 77

# An old and a new generation with few documents; with SHARDLIFT_ALL_VERSIONS (make check-long) all of
# them, with more documents than blocks of postings are skipped over by.
CASES, DOCUMENTS = [("--points", "8.11.3"), ("--terms", "10.5.0")], "1500"
if os.environ.get("SHARDLIFT_ALL_VERSIONS"):
    CASES += [("--points", version) for version in ("6.6.6", "7.7.3", "8.4.1", "9.12.1", "10.5.0")]
    CASES += [("--terms", version) for version in
              ("4.1.0", "4.3.1", "4.6.1", "4.8.1", "4.9.1", "4.10.4", "5.2.1", "5.5.5", "6.6.6", "7.7.3",
               "8.4.1", "8.6.3", "8.11.3", "9.4.2", "9.12.1")]
    DOCUMENTS = "20000"
SEED = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))


def write(version, path, kind, documents):
    written = subprocess.run([str(WRITER), version, str(path), kind, documents],
                             capture_output=True, text=True, timeout=600)
    if written.returncode == NO_JAVA:
        pytest.skip(f"no Java on this machine that Lucene {version} runs on")
    assert written.returncode == 0, written.stderr


def plain(line, points):
    """Points are hexadecimal there, and here where they are no text."""
    found = json.loads(line)
    if points:
        found["values"] = [value["hex"] if isinstance(value, dict) else value.encode().hex()
                           for value in found["values"]]
    return found


def compare(shardlift, path, field, points):
    result = shardlift("inspect", "lucene", path, "--indexed", field, timeout=300)
    assert result.code == support.OK, result.err
    expected = (path / f"{field}.ndjson").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert expected
    for got, line in itertools.zip_longest(result.out.removesuffix("\n").split("\n"), expected):
        assert plain(got, points) == json.loads(line)


@pytest.mark.parametrize("kind,version", CASES)
def test_each_document_has_what_was_indexed_of_it(shardlift, tmp_path, kind, version):
    write(version, tmp_path, kind, DOCUMENTS)
    fields = sorted(file.stem for file in tmp_path.glob("*.ndjson"))
    assert len(fields) > 5
    for field in fields:
        compare(shardlift, tmp_path, field, kind == "--points")


@pytest.mark.parametrize("kind,field,endings", [("--points", "p_two", ("kdm", "kdd")),
                                                ("--terms", "x_text", ("tim", "tmd", "tip", "doc", "pos"))])
def test_flipped_bits_are_refused_and_named(shardlift, tmp_path, kind, field, endings):
    write("10.5.0", tmp_path, kind, "60")
    chance = random.Random(SEED)
    files = [file for ending in endings for file in sorted(tmp_path.glob(f"*.{ending}"))]
    assert len(files) >= len(endings)
    for file, _ in itertools.product(files, range(3)):
        intact = file.read_bytes()
        at, bit = chance.randrange(len(intact)), chance.randrange(8)
        file.write_bytes(intact[:at] + bytes([intact[at] ^ 1 << bit]) + intact[at + 1:])
        result = shardlift("inspect", "lucene", tmp_path, "--indexed", field)
        where = f"seed {SEED}: {file.name} at {at} bit {bit}: {result}"
        assert result.code == 5 and file.name in result.err, where
        file.write_bytes(intact)
    compare(shardlift, tmp_path, field, kind == "--points")
