"""Captured records out of an object store: traffic show and import, replay."""

import gzip
import os

import pytest

import s3_support
from support import FIXTURES, OK, USAGE
from test_replay import target  # noqa: F401: a fixture
from test_traffic import lines

SAMPLES = FIXTURES / "traffic"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    node.client.create_bucket(Bucket="captured")
    for path in SAMPLES.glob("*.protocap"):
        node.client.put_object(Bucket="captured", Key=f"files/2026/{path.name}",
                               Body=path.read_bytes())
    node.client.put_object(Bucket="captured", Key="exports/one.proto.gz",
                           Body=gzip.compress(lines(keyed=True).encode()))
    yield node
    node.stop()


@pytest.fixture
def call(shardlift, node, tmp_path):
    return s3_support.Caller(shardlift, node, tmp_path)


def test_every_form_of_objects_shows_the_same_records(shardlift, call):
    shown = shardlift("traffic", "show", SAMPLES).out
    for place in ("files", "files/2026/", "exports", "exports/one.proto.gz"):
        result = call("traffic", "show", f"s3://captured/{place}")
        assert result.code == OK, result.err
        assert result.out == shown


def test_objects_are_imported(shardlift, call, tmp_path):
    log = tmp_path / "log"
    result = call("traffic", "import", "s3://captured/exports", log)
    assert result.code == OK, result.err
    assert shardlift("traffic", "export", log).out == lines(keyed=True)


def test_objects_are_replayed(call, tmp_path, target):  # noqa: F811
    result = call("replay", "--input", "s3://captured/files", "--target-uri", target.url,
                  "--speedup-factor", "1000", "--state-dir", tmp_path)
    assert result.code == OK, result.err
    assert len(target.requests) > 3, target.requests
    assert "6 records" in result.out


def test_a_group_is_refused_with_what_to_do(call, tmp_path, target):  # noqa: F811
    result = call("replay", "--input", "s3://captured/files", "--group", "g", "--target-uri",
                  target.url, "--state-dir", tmp_path)
    assert result.code == USAGE
    assert "traffic import" in result.err
