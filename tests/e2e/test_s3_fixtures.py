"""Fixture repositories in S3 give the documents that they give from disk: all of them with
SHARDLIFT_EVERY_FIXTURE=1 (tests/check-long), else the last snapshots of three."""

import os

import pytest

import s3_support
from s3_support import PREFIX, Caller
from support import FIXTURES, assert_same, written_documents

# The folder of a repository that does not lie at the root of its fixture.
BASES = {"os-2.19.6.hashed-infix": "team/backups/", "os-3.8.0.hashed-prefix": "team/backups/"}
ALL = "SHARDLIFT_EVERY_FIXTURE" in os.environ
SOME = ["es-5.6.16", "es-8.19.21", "os-3.8.0.hashed-prefix"]
EVERY = sorted(path.name.removesuffix(".tar.gz") for path in FIXTURES.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    yield node
    node.stop()


def backfill(run, uri, snapshot, out):
    result = run("backfill", "--repo-uri", uri, "--snapshot-name", snapshot, "--target-host",
                 f"dir:{out}", "--index-allowlist", "regex:.*")
    return result, written_documents(out)


@pytest.mark.parametrize("fixture", EVERY if ALL else SOME)
def test_gives_the_documents_that_the_disk_gives(shardlift, node, repository, tmp_path, fixture):
    bucket, base = fixture.replace(".", "-"), BASES.get(fixture, "")
    node.upload(repository(fixture), bucket, PREFIX)
    disk, there = repository(fixture) / base, f"s3://{bucket}/{PREFIX}{base}"
    call = Caller(shardlift, node, tmp_path)

    snapshots = shardlift("snapshot", "list", "--repo-uri", disk, "--json").json()["snapshots"]
    assert snapshots
    for name in [snapshot["name"] for snapshot in snapshots][0 if ALL else -1:]:
        near, expected = backfill(shardlift, disk, name, tmp_path / name / "near")
        far, got = backfill(call, there, name, tmp_path / name / "far")
        assert far.code == near.code, (near, far)
        assert sorted(got) == sorted(expected), far
        for index, documents in expected.items():
            assert_same(got[index], documents, f"{fixture} {name} {index}", types=True)
