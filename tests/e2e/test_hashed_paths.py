"""Repositories whose shards lie at hashed paths (OpenSearch 2.17 on), made by real nodes: with and
without a base path, a prefix of the cluster's, and the list that says where the shards are."""

import shutil

import pytest

from support import OK, SOURCE, assert_same, expected_documents, written_documents

# fixture, the repository's base path
REPOSITORIES = [("os-2.19.6.hashed-prefix", ""), ("os-2.19.6.hashed-infix", "team/backups"),
                ("os-3.8.0.hashed-prefix", "team/backups"), ("os-3.8.0.hashed-infix", "")]


def backfill(shardlift, uri, snapshot, out):
    return shardlift("backfill", "--repo-uri", uri, "--snapshot-name", snapshot,
                     "--target-host", f"dir:{out}")


def assert_whole(shardlift, fixture, uri, snapshot, out):
    result = backfill(shardlift, uri, snapshot, out)
    assert result.code == OK, result
    got, expected = written_documents(out), expected_documents(fixture, snapshot)
    assert got.keys() == expected.keys()
    for index, documents in expected.items():
        assert_same(got[index], documents, f"{fixture} {snapshot} {index}")


@pytest.fixture
def copy(repository, tmp_path):
    """copy("os-2.19.6.hashed-prefix"): a repository that may be written to."""
    return lambda fixture: shutil.copytree(repository(fixture), tmp_path / "copy")


@pytest.mark.parametrize("snapshot", ["snap-1", "snap-2"])
@pytest.mark.parametrize("fixture,base", REPOSITORIES)
def test_extracts_exactly_the_expected_documents(shardlift, repository, tmp_path, fixture, base,
                                                 snapshot):
    assert_whole(shardlift, fixture, repository(fixture) / base, snapshot, tmp_path / "out")


@pytest.mark.parametrize("fixture,base", REPOSITORIES)
def test_a_trailing_slash_and_a_scheme_change_nothing(shardlift, repository, tmp_path, fixture,
                                                      base):
    uri = f"file://{repository(fixture) / base}/"
    assert_whole(shardlift, fixture, uri, "snap-1", tmp_path / "out")


@pytest.mark.parametrize("fixture,base", REPOSITORIES[:2])
def test_paths_are_worked_out_when_their_list_is_missing(shardlift, copy, tmp_path, fixture, base):
    folder = copy(fixture) / base
    shutil.rmtree(folder / "snapshot_shard_paths")
    assert_whole(shardlift, fixture, folder, "snap-2", tmp_path / "out")


def test_a_base_path_is_found_when_the_list_is_missing(shardlift, repository, tmp_path):
    """The prefix of 3.8.0's paths is renamed away, so that only the base path is unknown."""
    folder = shutil.copytree(repository("os-3.8.0.hashed-prefix"), tmp_path / "copy")
    shutil.rmtree(folder / "team" / "backups" / "snapshot_shard_paths")
    for path in folder.glob("fix-*"):
        path.rename(folder / path.name.removeprefix("fix-"))
    assert_whole(shardlift, "os-3.8.0.hashed-prefix", folder / "team" / "backups", "snap-2",
                 tmp_path / "out")


@pytest.mark.parametrize("fixture,base", REPOSITORIES[2:])
def test_a_prefix_that_nothing_tells_is_an_error_with_what_to_do(shardlift, copy, tmp_path, fixture,
                                                                 base):
    folder = copy(fixture) / base
    shutil.rmtree(folder / "snapshot_shard_paths")
    result = backfill(shardlift, folder, "snap-2", tmp_path / "out")
    assert result.code == SOURCE, result
    assert "snapshot_shard_paths" in result.out + result.err and "copy that folder" in result.out + result.err, result
    assert "shard 0 of index 'books'" in result.out + result.err, result


def test_a_list_of_2_17_0_is_found_by_its_shorter_name(shardlift, copy, tmp_path):
    folder = copy("os-3.8.0.hashed-infix")
    for path in (folder / "snapshot_shard_paths").iterdir():
        path.rename(path.with_name(path.name.removeprefix("snapshot_path_")))
    assert_whole(shardlift, "os-3.8.0.hashed-infix", folder, "snap-2", tmp_path / "out")


def test_a_moved_repository_whose_shards_are_outside_of_it_is_an_error_that_says_so(
        shardlift, copy, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(copy("os-3.8.0.hashed-prefix") / "team" / "backups", moved)
    result = backfill(shardlift, moved, "snap-1", tmp_path / "out")
    assert result.code == SOURCE, result
    assert "base path 'team/backups'" in result.out + result.err and "--repo-uri must end" in result.out + result.err, result
