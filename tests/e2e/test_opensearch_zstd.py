"""Indices with OpenSearch's `index.codec` zstd and zstd_no_dict.

The custom-codecs plugin is in no registry, so no node here can make them: lucene/ZstdWriter.java
writes them with Lucene 9.12.1 and zstd-jni in the plugin's published layout."""

import functools
import os
import subprocess

import pytest

import support
from repository_writer import write_repository
from support import OK, Document, assert_same, canonical, parse, written_documents
from test_bitflip import FLIPS, SEED, SWEEP

WRITER = support.ROOT / "tests" / "e2e" / "lucene" / "write-zstd"
NO_JAVA = 77
VARIANTS = [(codec, layout) for codec in ("ZSTD", "ZSTDNODICT") for layout in ("compound", "plain")]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """written("ZSTD", "compound"): a folder with index/ and expected.ndjson."""
    @functools.cache
    def write(codec, layout):
        folder = tmp_path_factory.mktemp(f"{codec}-{layout}")
        process = subprocess.run([str(WRITER), str(folder), codec, layout], capture_output=True,
                                 text=True, timeout=590)
        if process.returncode == NO_JAVA:
            pytest.skip("no Java 17 to 21 on this machine")
        assert process.returncode == 0, process.stderr
        return folder
    return write


def documents(text):
    rows = map(parse, text.splitlines())
    return [Document("_doc", row["_id"], row.get("_routing"), canonical(row["_source"]))
            for row in rows]


def expected_of(folder):
    return documents((folder / "expected.ndjson").read_text())


@pytest.mark.parametrize("codec,layout", VARIANTS)
def test_inspect_prints_exactly_what_lucene_reads(shardlift, written, codec, layout):
    folder = written(codec, layout)
    result = shardlift("inspect", "lucene", folder / "index")
    assert result.code == OK, result.err
    expected = expected_of(folder)
    assert len(expected) == 3000 - 100 + 4
    assert_same(documents(result.out), expected, f"{codec} {layout}")
    segments = shardlift("inspect", "lucene", "--segments", folder / "index")
    name = "CustomStoredFieldsZstd" + ("NoDict" if codec == "ZSTDNODICT" else "")
    assert name in segments.out, segments


@pytest.mark.parametrize("part_size", [2**62, 100_000])
def test_extracts_them_from_a_snapshot_repository(shardlift, written, tmp_path, part_size):
    indices = {f"{codec}-{layout}".lower(): [written(codec, layout)] for codec, layout in VARIANTS}
    indices["both"] = [written("ZSTD", "plain"), written("ZSTDNODICT", "compound")]
    repository = write_repository(
        tmp_path / "repository", {name: [folder / "index" for folder in folders]
                                  for name, folders in indices.items()}, part_size)
    result = shardlift("backfill", "--repo-uri", repository, "--snapshot-name", "snap",
                       "--target-host", f"dir:{tmp_path / 'out'}")
    assert result.code == OK, result
    got = written_documents(tmp_path / "out")
    assert got.keys() == indices.keys()
    for name, folders in indices.items():
        assert_same(got[name], [d for folder in folders for d in expected_of(folder)], name)


@pytest.mark.parametrize("codec,layout", VARIANTS)
def test_damage_is_noticed_or_harmless(written, tmp_path, codec, layout):
    repository = write_repository(tmp_path / "repository",
                                  {"index": [written(codec, layout) / "index"]}, 1_000_000)
    command = [str(SWEEP), str(repository), "snap", str(FLIPS), str(SEED)]
    swept = subprocess.run(command, capture_output=True, text=True, timeout=3600,
                           env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
    assert swept.returncode == 0, f"seed {SEED}\n{swept.stdout[-3000:]}\n{swept.stderr[-6000:]}"
