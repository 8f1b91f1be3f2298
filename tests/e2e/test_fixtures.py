"""Every fixture repository, extracted into files with no cluster at all, gives exactly the documents
that the node that made it held."""

import subprocess

import pytest

from support import ERRORS, OK, assert_same, expected_documents, written_documents

ELASTICSEARCH = ["es-1.7.6", "es-2.4.6", "es-5.6.16", "es-6.8.23", "es-7.10.2", "es-8.19.21"]
OPENSEARCH = ["os-1.3.14", "os-2.19.6", "os-3.8.0"]
REPOSITORIES = ([(name, snapshot, name) for name in ELASTICSEARCH for snapshot in ("snap1", "snap2")]
                + [(name, snapshot, name) for name in OPENSEARCH for snapshot in ("snap-1", "snap-2")]
                + [(f"{name}.chunked", "snap-2", name) for name in OPENSEARCH])


def expected_in(fixture, snapshot, expected):
    documents = expected_documents(expected, snapshot)
    if fixture.endswith(".chunked"):
        documents = {name: documents[name] for name in ("books", "types", "qa")}
    return documents


def backfill(shardlift, uri, snapshot, out, *more):
    return shardlift("backfill", "--repo-uri", uri, "--snapshot-name", snapshot,
                     "--target-host", f"dir:{out}", "--index-allowlist", "regex:.*", "--json", *more)


@pytest.mark.parametrize("fixture,snapshot,expected", REPOSITORIES)
def test_extracts_exactly_the_expected_documents(shardlift, repository, tmp_path, fixture, snapshot,
                                                 expected):
    documents = expected_in(fixture, snapshot, expected)
    refused = sorted(name for name, found in documents.items() if found is None)
    result = backfill(shardlift, repository(fixture), snapshot, tmp_path / "out")

    assert result.code == (ERRORS if refused else OK), result
    got = written_documents(tmp_path / "out")
    assert sorted(got) == sorted(name for name, found in documents.items() if found), result
    for name, found in got.items():
        assert_same(found, documents[name], f"{fixture} {snapshot} {name}", types=True)

    told = {row["index"]: row for row in result.json()["indices"]}
    for name in refused:
        assert told[name]["result"] == "refused" and "_source" in told[name]["note"], result
    for name, found in got.items():
        assert told[name]["documents"] == told[name]["sent"] == len(found), result
        assert told[name]["agrees"] is True and told[name]["failed"] == 0, result
    if "partial" in documents:
        assert "secret" in told["partial"]["note"], result
        assert any("'partial'" in line and " warn " in line for line in result.err.splitlines()), result


@pytest.mark.parametrize("fixture,snapshot,index", [
    ("es-8.19.21", "snap1", "synthetic"), ("es-8.19.21", "snap2", "metrics"),
    ("es-1.7.6", "snap1", "metrics"), ("es-2.4.6", "snap2", "metrics"),
    ("es-5.6.16", "snap1", "metrics"), ("os-2.19.6", "snap-1", "nosource")])
def test_an_index_that_stores_no_source_is_refused_by_name(shardlift, repository, tmp_path, fixture,
                                                           snapshot, index):
    result = shardlift("backfill", "--repo-uri", repository(fixture), "--snapshot-name", snapshot,
                       "--target-host", f"dir:{tmp_path / 'out'}", "--index-allowlist", index)
    assert result.code == ERRORS, result
    row = next(line for line in result.out.splitlines() if line.startswith(index))
    assert "refused" in row and "_source" in row, result
    assert written_documents(tmp_path / "out") == {}


@pytest.mark.parametrize("compression,suffix", [("gzip", ".gz"), ("zstd", ".zst"), ("none", ".ndjson")])
def test_files_may_be_compressed(shardlift, repository, tmp_path, compression, suffix):
    out = tmp_path / "out"
    result = shardlift("backfill", "--repo-uri", repository("os-2.19.6.chunked"), "--snapshot-name",
                       "snap-2", "--target-host", f"dir:{out}", "--compress", compression)
    assert result.code == OK, result
    files = list(out.glob("*/*"))
    assert files and all(f.suffix == suffix for f in files), files
    if compression == "zstd":
        for file in files:
            subprocess.run(["zstd", "--quiet", "--decompress", "--rm", file], check=True)
    documents = expected_in("os-2.19.6.chunked", "snap-2", "os-2.19.6")
    got = written_documents(out)
    for name, found in documents.items():
        assert_same(found, got[name], name)


def test_one_index_can_be_chosen(shardlift, repository, tmp_path):
    result = shardlift("backfill", "--repo-uri", repository("es-7.10.2"), "--snapshot-name", "snap1",
                       "--target-host", f"dir:{tmp_path / 'out'}", "--index-allowlist", "books")
    assert result.code == OK, result
    assert list(written_documents(tmp_path / "out")) == ["books"]


def test_null_measures_without_writing(shardlift, repository):
    result = shardlift("backfill", "--repo-uri", repository("es-6.8.23"), "--snapshot-name", "snap2",
                       "--target-host", "null:", "--index-allowlist", "books,logs-2020.01", "--json")
    assert result.code == OK, result
    report = {row["index"]: row for row in result.json()["indices"]}
    assert report["books"]["documents"] == 40 and report["logs-2020.01"]["documents"] == 290
