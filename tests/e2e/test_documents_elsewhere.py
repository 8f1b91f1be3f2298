"""Repositories of real nodes that do not hold the documents: the error says where they are and what
to do, and what does lie in the repository is read."""

import pytest

from support import SOURCE, written_documents


def backfill(shardlift, uri, out):
    return shardlift("backfill", "--repo-uri", uri, "--snapshot-name", "snap-1",
                     "--target-host", f"dir:{out}")


@pytest.mark.parametrize("fixture,where", [
    ("os-2.19.6.shallow", "remote store (repository 'remote')"),
    ("os-2.19.6.shallow-v2", "remote store")])
def test_a_shallow_copy_is_refused_by_name(shardlift, repository, tmp_path, fixture, where):
    result = backfill(shardlift, repository(fixture), tmp_path / "out")
    assert result.code == SOURCE, result
    said = result.out + result.err
    assert "shard 0 of index 'books'" in said and where in said, result
    assert "remote_store_index_shallow_copy false" in said, result
    assert not written_documents(tmp_path / "out")


def test_a_searchable_snapshot_is_refused_by_name_and_the_other_index_read(shardlift, repository,
                                                                           tmp_path):
    result = backfill(shardlift, repository("os-2.19.6.searchable"), tmp_path / "out")
    assert result.code == SOURCE, result
    said = result.out + result.err
    assert "snapshot 'snap-1' of the cluster's repository 'archive'" in said, result
    got = written_documents(tmp_path / "out")
    assert {name: len(found) for name, found in got.items()} == {"whole": 5}
