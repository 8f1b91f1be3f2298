"""Numeric doc values that the real Lucene of each generation wrote, held against what it was given."""

import os
import subprocess

import pytest

import support

WRITER = support.ROOT / "tests" / "e2e" / "lucene" / "write-indices"
NO_JAVA = 77

# One of each family: Lucene45, 50, 80, 90. With SHARDLIFT_ALL_VERSIONS (make check-long) also 49, 410,
# 54, 70, 80 before its mode, 90 before its skippers.
VERSIONS = ["4.6.1", "5.2.1", "8.11.3", "10.5.0"]
if os.environ.get("SHARDLIFT_ALL_VERSIONS"):
    VERSIONS += ["4.9.1", "4.10.4", "6.6.6", "7.7.3", "8.6.3", "9.12.1"]
FIELDS = ["constant", "bit", "byte", "wide", "extreme", "times", "table", "blocks", "steps",
          "updated", "sparse", "dense", "late", "never"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_number_is_read_as_it_was_written(shardlift, tmp_path, version):
    written = subprocess.run([str(WRITER), version, str(tmp_path), "--numbers"],
                             capture_output=True, text=True, timeout=300)
    if written.returncode == NO_JAVA:
        pytest.skip(f"no Java on this machine that Lucene {version} runs on")
    assert written.returncode == 0, written.stderr
    # A generation of its own for the field that was updated.
    assert any(path.name.count("_") == 4 for path in tmp_path.glob("_*.dvd"))
    for field in FIELDS:
        result = shardlift("inspect", "lucene", tmp_path, "--numbers", field)
        assert result.code == support.OK, result
        expected = (tmp_path / f"{field}.ndjson").read_text(encoding="utf-8")
        assert result.out == expected, f"{field}: {len(result.out)} and {len(expected)} bytes"
