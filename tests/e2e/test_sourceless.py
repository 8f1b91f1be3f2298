"""Documents of indices that store no _source, a part of it or a synthetic one, rebuilt from what the
segments hold, against what the node's own search returned."""

import datetime
import gzip
import ipaddress
import json
import struct

import pytest

import support
from support import OK, written_documents

FLAG = "--enable-sourceless-migrations"
ELASTICSEARCH = [("es-1.7.6", "snap1"), ("es-1.7.6", "snap2"), ("es-2.4.6", "snap1"), ("es-2.4.6", "snap2"),
                 ("es-5.6.16", "snap1"), ("es-6.8.23", "snap2"), ("es-7.10.2", "snap1"),
                 ("es-7.10.2", "snap2"), ("es-8.19.21", "snap1"), ("es-8.19.21", "snap2")]
OPENSEARCH = [("os-1.3.14", "snap-1"), ("os-2.19.6", "snap-1"), ("os-2.19.6", "snap-2"),
              ("os-3.8.0", "snap-2")]


def rebuilt(shardlift, repository, tmp_path, fixture, snapshot, indices):
    result = shardlift("backfill", "--repo-uri", repository(fixture), "--snapshot-name", snapshot,
                       "--index-allowlist", ",".join(indices), "--target-host", f"dir:{tmp_path / 'out'}", FLAG)
    assert result.code == OK, result
    assert "rebuilt:" in result.out
    return {name: {document.id: json.loads(document.source) for document in documents}
            for name, documents in written_documents(tmp_path / "out").items()}


def expected_of(fixture, snapshot, index):
    with gzip.open(support.FIXTURES / f"{fixture}.expected.ndjson.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["snapshot"] == snapshot and row["index"] == index]


def instant(value):
    """Milliseconds: Elasticsearch 7.10 itself prints no more of nanoseconds."""
    if isinstance(value, int):
        return value
    whole, _, fraction = value.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return int(seconds) * 1000 + int(fraction[:3])


def point(value):
    lat, lon = (value["lat"], value["lon"]) if isinstance(value, dict) else map(float, value.split(","))
    return round(lat, 9), round(lon, 9)


def address(value):
    return int(ipaddress.IPv4Address(value))


# How two ways to spell a value of a field are told to be the same.
SAME = {"at": instant, "nanos": instant, "when": instant, "p": point,
        "ratio": lambda value: struct.pack("f", value), "f": lambda value: struct.pack("f", value)}


def normal(fields, same=None):
    same = SAME | (same or {})
    out = {}
    for name, values in fields.items():
        values = values if isinstance(values, list) else [values]
        out[name] = [same.get(name, lambda value: value)(value) for value in values]
    return out


@pytest.mark.parametrize("fixture,snapshot", ELASTICSEARCH)
def test_elasticsearch_documents_are_what_its_search_returned(shardlift, repository, tmp_path, fixture,
                                                              snapshot):
    indices = ["metrics", "partial"] + (["synthetic"] if fixture.startswith("es-8") else [])
    got = rebuilt(shardlift, repository, tmp_path, fixture, snapshot, indices)
    rows = expected_of(fixture, snapshot, "metrics")
    assert rows and set(got["metrics"]) == {row["id"] for row in rows}
    # Elasticsearch 2 gives addresses as numbers.
    numbers = {"host": address} if fixture == "es-2.4.6" else {}
    for row in rows:
        if fixture == "es-1.7.6":  # whose search gives no booleans
            assert isinstance(got["metrics"][row["id"]].pop("ok", True), bool)
        assert normal(got["metrics"][row["id"]], numbers) == normal(row["fields"]), row["id"]
    for row in expected_of(fixture, snapshot, "synthetic"):
        assert got["synthetic"][row["id"]] == row["source"]


@pytest.mark.parametrize("fixture,snapshot", ELASTICSEARCH)
def test_filtered_sources_are_completed_and_otherwise_left(shardlift, repository, tmp_path, fixture, snapshot):
    got = rebuilt(shardlift, repository, tmp_path, fixture, snapshot, ["partial"])["partial"]
    rows = expected_of(fixture, snapshot, "partial")
    assert rows and set(got) == {row["id"] for row in rows}
    for row in rows:
        pin = got[row["id"]]["secret"].pop("pin")
        assert pin, row
        assert got[row["id"]] == {**row["source"], "secret": row["source"].get("secret", {})}


@pytest.mark.parametrize("fixture,snapshot", OPENSEARCH)
def test_opensearch_documents_are_what_its_search_returned(shardlift, repository, tmp_path, fixture, snapshot):
    got = rebuilt(shardlift, repository, tmp_path, fixture, snapshot, ["nosource"])["nosource"]
    rows = expected_of(fixture, snapshot, "nosource")
    assert rows and set(got) == {row["id"] for row in rows}
    for row in rows:
        assert normal(got[row["id"]]) == normal(row["doc_values"]), row["id"]


def test_without_the_flag_it_is_refused_and_the_flag_named(shardlift, repository, tmp_path):
    result = shardlift("backfill", "--repo-uri", repository("es-8.19.21"), "--snapshot-name", "snap1",
                       "--index-allowlist", "metrics,synthetic", "--target-host", f"dir:{tmp_path / 'out'}")
    assert result.code == 1
    assert result.out.count(FLAG) == 2


def test_the_report_tells_of_each_field(shardlift, repository, tmp_path):
    result = shardlift("backfill", "--repo-uri", repository("es-8.19.21"), "--snapshot-name", "snap1",
                       "--index-allowlist", "partial,synthetic", "--target-host", f"dir:{tmp_path / 'out'}", FLAG)
    for text in ("'secret.pin' (keyword) exactly", "'n' (long) approximately", "'t' (text) exactly"):
        assert text in result.out, result


def test_changes_since_a_snapshot_are_not_rebuilt(shardlift, repository, tmp_path):
    result = shardlift("backfill", "--repo-uri", repository("es-8.19.21"), "--snapshot-name", "snap2",
                       "--previous-snapshot-name", "snap1", "--target-host", f"dir:{tmp_path / 'out'}", FLAG)
    assert result.code == 2 and FLAG in result.err


@pytest.mark.parametrize("fixture,snapshot,index", [("es-1.7.6", "snap2", "metrics"),
                                                    ("es-2.4.6", "snap2", "metrics"),
                                                    ("es-7.10.2", "snap1", "metrics"),
                                                    ("es-8.19.21", "snap1", "synthetic"),
                                                    ("os-2.19.6", "snap-1", "nosource")])
def test_what_was_rebuilt_is_compared_as_it_is_rebuilt(shardlift, repository, tmp_path, fixture, snapshot,
                                                       index):
    rebuilt(shardlift, repository, tmp_path, fixture, snapshot, [index])
    compare = ("verify", "--from", f"{repository(fixture)}#{snapshot}", "--to", f"dir:{tmp_path / 'out'}",
               "--index-allowlist", index, "--only", "documents", "--json")
    same = shardlift(*compare, FLAG)
    assert same.code == OK, same
    row, = same.json()["indices"]
    assert row["verdict"] == "equal" and "as rebuilt from" in row["reason"], same
    # Without the flag there is nothing to compare, and that is said, not called equal.
    blind = shardlift(*compare)
    assert blind.code != OK and "store no _source" in blind.out, blind

    path, = [file for file in (tmp_path / "out").rglob("*.ndjson") if file.stat().st_size]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[2:]))
    less = shardlift(*compare, FLAG, "--restart")
    assert less.code == support.ERRORS, less
    assert less.json()["indices"][0]["missing"] == 1, less
