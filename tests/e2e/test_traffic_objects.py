"""Captured records out of an object store: traffic show and import, replay."""

import gzip
import json
import os
import random
import re

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


def test_tuples_go_to_a_bucket_under_the_java_replayers_names(call, node, tmp_path, target):  # noqa: F811
    bucket = f"tuples-{random.randrange(1 << 30)}"
    node.client.create_bucket(Bucket=bucket)
    log = tmp_path / "log"
    assert call("traffic", "import", "s3://captured/files", log).code == OK
    flags = ("replay", "--input", log, "--group", "r", "--target-uri", target.url, "--speedup-factor",
             "1000000", "--name", "blue", "--tuple-s3-bucket", bucket, "--tuple-s3-region",
             s3_support.REGION, "--tuple-s3-endpoint", node.url, "--tuple-max-per-file", "3")
    result = call(*flags)
    assert result.code == OK, result.err
    listed = node.client.list_objects_v2(Bucket=bucket)["Contents"]
    names = sorted((blob["Key"] for blob in listed),
                   key=lambda name: int(name.split("-")[-1].split(".")[0]))
    found = []
    for number, name in enumerate(names):
        assert re.fullmatch(r"tuples/blue/\d{4}/\d\d/\d\d/\d\d/tuples-0-\d{8}T\d{6}Z-"
                            f"{number}" r"\.log\.gz", name), name
        body = node.client.get_object(Bucket=bucket, Key=name)["Body"].read()
        found.append([json.loads(line) for line in gzip.decompress(body).splitlines()])
    assert [len(lines) for lines in found] == [3, 2]
    assert len({line["connectionId"] for lines in found for line in lines}) == 5
    # What is uploaded is committed.
    assert "0 records" in call(*flags).out
