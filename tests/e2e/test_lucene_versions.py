"""Indices that the real Lucene of each generation wrote, held against what that Lucene reads."""

import collections
import functools
import subprocess

import pytest

import support
from test_ranges import sweep

WRITER = support.ROOT / "tests" / "e2e" / "lucene" / "write-indices"
NO_JAVA = 77

# What a version's segments are called: segment info, field infos, stored fields (fast, best), and
# the version whose index it goes on writing.
Version = collections.namedtuple("Version", "info fields fast best older")
VERSIONS = {
    "4.0.0": Version("40", "40", "Lucene40StoredFields", None, None),
    "4.1.0": Version("40", "40", "Lucene41StoredFields", None, "4.0.0"),
    "4.3.1": Version("40", "42", "Lucene41StoredFields", None, "4.1.0"),
    "4.6.1": Version("46", "46", "Lucene41StoredFields", None, None),
    "4.8.1": Version("46", "46", "Lucene41StoredFields", None, "4.6.1"),
    "4.10.4": Version("46", "46", "Lucene41StoredFields", None, "4.6.1"),
    "5.0.0": Version("50", "50", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "4.10.4"),
    "5.2.1": Version("50", "50", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "4.10.4"),
    "5.5.5": Version("50", "50", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "4.10.4"),
    "6.6.6": Version("62", "60", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "5.5.5"),
    "7.7.3": Version("70", "60", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "6.6.6"),
    "8.6.3": Version("86", "60", "Lucene50StoredFieldsFast", "Lucene50StoredFieldsHigh", "7.7.3"),
    "8.11.3": Version("86", "60", "Lucene87StoredFieldsFast", "Lucene87StoredFieldsHigh", "8.6.3"),
    "9.4.2": Version("90", "94", "Lucene90StoredFieldsFast", "Lucene90StoredFieldsHigh", "8.11.3"),
    "9.12.1": Version("90", "94", "Lucene90StoredFieldsFast", "Lucene90StoredFieldsHigh", "9.4.2"),
    "10.5.0": Version("90", "94", "Lucene90StoredFieldsFast", "Lucene90StoredFieldsHigh", "9.12.1"),
}


@pytest.fixture(scope="module")
def indices(tmp_path_factory):
    """indices("9.12.1"): the folder below which that version wrote an index of each shape."""
    @functools.cache
    def write(version):
        folder = tmp_path_factory.mktemp(f"lucene-{version}")
        older = VERSIONS[version].older
        command = [str(WRITER), version, str(folder)]
        if older:
            command.append(str(write(older) / "compound"))
        written = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if written.returncode == NO_JAVA:
            pytest.skip(f"no Java on this machine that Lucene {version} runs on")
        assert written.returncode == 0, written.stderr
        return folder
    return write


def first_difference(got, expected):
    """The place and the two lines there, each up to what can be read at a glance."""
    if len(got) != len(expected):
        return f"{len(got)} lines instead of {len(expected)}"
    number = next(i for i, (g, e) in enumerate(zip(got, expected)) if g != e)
    return f"line {number + 1}\ngot      {got[number][:500]}\nexpected {expected[number][:500]}"


def assert_read(shardlift, folder):
    """Every document of the index, in order and byte for byte; returns the lines."""
    result = shardlift("inspect", "lucene", folder, "--all")
    assert result.code == support.OK, result
    got = result.out.splitlines()
    expected = (folder / "expected.ndjson").read_text(encoding="utf-8").splitlines()
    assert got == expected, f"{folder.name}: {first_difference(got, expected)}"
    return got


def segments_of(shardlift, folder):
    result = shardlift("inspect", "lucene", folder, "--segments", "--json")
    assert result.code == support.OK, result
    return result.json()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_read_as_lucene_reads_it(shardlift, indices, version):
    names = VERSIONS[version]
    shapes = [path for path in indices(version).iterdir() if path.name not in ("upgraded", "small")]
    assert len(shapes) == (5 if names.best else 3)
    for folder in shapes:
        lines = assert_read(shardlift, folder)
        # That both kinds are there is the generator's duty: without them this would prove less.
        live = sum('"live":true' in line for line in lines)
        assert 2000 < live < len(lines)
        segments = segments_of(shardlift, folder)
        stored = names.best if folder.name.startswith("best") else names.fast
        assert {s["stored_fields"] for s in segments} == {stored + "Data"}
        assert {s["segment_info"] for s in segments} == {f"Lucene{names.info}SegmentInfo"}
        assert {s["field_infos"] for s in segments} == {f"Lucene{names.fields}FieldInfos"}
        assert len(segments) == (1 if "merged" in folder.name else 5)
        assert any(s["deleted"] for s in segments)
        assert {s["compound"] for s in segments} == {folder.name in ("compound", "best-merged")}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_handful_of_documents_in_segments_of_either_kind_is_read(shardlift, indices, version):
    folder = indices(version) / "small"
    assert len(assert_read(shardlift, folder)) == 13
    assert [s["compound"] for s in segments_of(shardlift, folder)] == [True, False]


@pytest.mark.parametrize("version", [v for v in VERSIONS if VERSIONS[v].older])
def test_segments_of_two_generations_in_one_index_are_read(shardlift, indices, version):
    folder = indices(version) / "upgraded"
    lines = assert_read(shardlift, folder)
    assert sum('"live":false' in line for line in lines) > 200
    versions = {s["lucene"].split(".")[0] for s in segments_of(shardlift, folder)}
    assert versions == {version.split(".")[0], VERSIONS[version].older.split(".")[0]}


@pytest.mark.parametrize("version", ["7.7.3", "8.11.3", "9.4.2", "10.5.0"])
def test_soft_deletes_and_doc_value_updates_are_in_what_was_read(shardlift, indices, version):
    segments = segments_of(shardlift, indices(version) / "plain")
    assert any(s["deleted"] and s["soft_deleted"] for s in segments)
    generations = [p.name for p in (indices(version) / "plain").glob("_*_*.dvd")]
    # _0_3_Lucene90_0.dvd is of a generation of its own, _0_Lucene90_0.dvd is not.
    assert any(name.count("_") == 4 for name in generations), generations


@pytest.mark.parametrize("version", VERSIONS)
def test_ranges_by_workers_that_stop_anywhere_give_what_one_pass_gives(indices, version):
    assert sweep(3, *(path for path in indices(version).iterdir() if path.is_dir())) > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_pieces_of_a_shard_are_the_shard(shardlift, indices, version):
    folder = indices(version) / "plain"
    documents = sum(segment["documents"] for segment in segments_of(shardlift, folder))
    cuts = [0, documents // 10, documents // 2, documents]
    lines = []
    for first, end in zip(cuts, cuts[1:]):
        result = shardlift("inspect", "lucene", folder, "--all", "--first-doc", str(first),
                           "--end-doc", str(end))
        assert result.code == support.OK, result
        assert result.out
        lines += result.out.splitlines()
    expected = (folder / "expected.ndjson").read_text(encoding="utf-8").splitlines()
    assert lines == expected, first_difference(lines, expected)
