"""Repositories in S3 give the documents that the same ones on disk give, and what S3 refuses is told
in one line with the next step."""

import os

import pytest

import s3_support
from support import (ERRORS, OK, assert_same, expected_documents, written_documents)

FIXTURES = [("es-7.10.2", "snap2", None), ("os-2.19.6.chunked", "snap-2", ["books"])]
PREFIX = "team a+b=ü/repo/"


@pytest.fixture(scope="module")
def node(tmp_path_factory, repository):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    for fixture, _, _ in FIXTURES:
        node.upload(repository(fixture), fixture.replace(".", "-"), PREFIX)
    yield node
    node.stop()


class Caller:
    def __init__(self, shardlift, node, tmp_path):
        self.shardlift, self.node, self.out = shardlift, node, tmp_path / "out"
        self.env = {"AWS_ACCESS_KEY_ID": node.access, "AWS_SECRET_ACCESS_KEY": node.secret,
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
                    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "no_proxy": "*"}

    def __call__(self, *arguments, endpoint=None, **env):
        return self.shardlift(*arguments, "--s3-endpoint", endpoint or self.node.url,
                              "--s3-region", s3_support.REGION, env={**self.env, **env})

    def list(self, uri="s3://es-7-10-2/" + PREFIX, *more, **options):
        return self("snapshot", "list", "--repo-uri", uri, *more, **options)

    def backfill(self, fixture, snapshot, indices="regex:.*", **options):
        uri = f"s3://{fixture.replace('.', '-')}/{PREFIX}"
        return self("backfill", "--repo-uri", uri, "--snapshot-name", snapshot, "--to",
                    f"dir:{self.out}", "--index-allowlist", indices, "--json", **options)


@pytest.fixture
def call(shardlift, node, tmp_path):
    return Caller(shardlift, node, tmp_path)


def assert_documents(call, result, fixture, snapshot, indices=None):
    expected = expected_documents(fixture.removesuffix(".chunked"), snapshot)
    expected = {name: expected[name] for name in indices or expected}
    refused = [name for name, found in expected.items() if found is None]
    assert result.code == (ERRORS if refused else OK), result
    got = written_documents(call.out)
    assert sorted(got) == sorted(name for name, found in expected.items() if found), result
    for name, found in got.items():
        assert_same(found, expected[name], f"{fixture} {snapshot} {name}", types=True)


def assert_refused(result, *words):
    assert result.code not in (OK, ERRORS), result
    last = result.err.strip().splitlines()[-1]
    for word in words:
        assert word in last, result


@pytest.mark.parametrize("fixture,snapshot,indices", FIXTURES)
def test_gives_the_documents_that_the_disk_gives(call, fixture, snapshot, indices):
    result = call.backfill(fixture, snapshot, ",".join(indices or ["regex:.*"]))
    assert_documents(call, result, fixture, snapshot, indices)


def test_survives_throttling_and_connections_cut_in_the_middle(call, node):
    def decide(method, _path, number):
        if number % 6 == 1:
            return s3_support.SLOW_DOWN
        return 100 if number % 6 == 3 and method == "GET" else None

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.backfill("es-7.10.2", "snap2", "books", endpoint=proxy.url)
    assert_documents(call, result, "es-7.10.2", "snap2", ["books"])


def test_asks_for_no_size_of_what_it_reads(call, node):
    with s3_support.Proxy(node.url, lambda *_: None) as proxy:
        result = call.backfill("es-7.10.2", "snap2", "books", endpoint=proxy.url)
        heads = [path for method, path in proxy.requests if method == "HEAD"]
    assert_documents(call, result, "es-7.10.2", "snap2", ["books"])
    assert not heads, heads


def test_gives_up_on_a_server_that_stays_busy(call, node):
    with s3_support.Proxy(node.url, lambda *_: s3_support.SLOW_DOWN) as proxy:
        result = call.list("s3://es-7-10-2/" + PREFIX, "--s3-retry-time", "1s", endpoint=proxy.url)
    assert_refused(result, "gave up after", "503 SlowDown", "try again later")


def test_lists_a_folder_of_more_objects_than_one_answer_holds(call, node):
    with s3_support.Proxy(node.url, lambda *_: None) as proxy:
        result = call.list(endpoint=proxy.url)
        pages = [path for _, path in proxy.requests if "list-type=2" in path]
    assert result.code == OK and "snap1" in result.out, result
    assert len(pages) > 1 and "continuation-token=" in pages[1], pages


def test_names_an_object_that_was_replaced_while_it_was_read(call, node):
    replaced = []

    def decide(method, path, _number):
        if method == "GET" and "/index-" in path and not replaced:
            replaced.append(path)
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>", {}
        return None

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "was replaced or deleted while it was read", "/index-")


def test_names_the_region_that_the_bucket_is_in(call, node):
    def decide(*_):
        return 301, b"<Error><Code>PermanentRedirect</Code></Error>", {
            "x-amz-bucket-region": "eu-central-1"}

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "is in region eu-central-1", "--s3-region eu-central-1")


def test_names_the_time_of_a_server_whose_clock_differs(call, node):
    def decide(*_):
        return 403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>", {
            "Date": "Sun, 22 Nov 2026 03:00:00 GMT"}

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "Sun, 22 Nov 2026 03:00:00 GMT", "set the clock")


def test_tells_that_a_session_has_expired(call, node):
    expired = 400, b"<Error><Code>ExpiredToken</Code></Error>", {}
    with s3_support.Proxy(node.url, lambda *_: expired) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "session token has expired", "fetch new credentials")


def test_tells_why_where_only_the_answer_to_head_is_empty(call, node):
    def decide(method, path, _number):
        if method == "HEAD":
            return 400, b"", {}
        return expired if "list-type" not in path else None

    expired = 400, b"<Error><Code>ExpiredToken</Code></Error>", {}
    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "session token has expired")


def test_tells_a_wrong_secret_from_an_unknown_key(call):
    assert_refused(call.list(AWS_SECRET_ACCESS_KEY="wrong"), "secret access key is wrong")
    assert_refused(call.list(AWS_ACCESS_KEY_ID="AKIAUNKNOWN"), "does not know the access key")


def test_tells_where_credentials_were_looked_for(call):
    result = call.list(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert_refused(result, "no AWS credentials found", "AWS_ACCESS_KEY_ID", "--s3-profile")


def test_tells_a_missing_bucket(call):
    assert_refused(call.list("s3://nowhere/repo"), "there is no such bucket", "--repo-uri")


def test_tells_the_permission_that_is_missing(call, node):
    may_list, may_get = node.lister, node.getter
    result = call.list(AWS_ACCESS_KEY_ID=may_list[0], AWS_SECRET_ACCESS_KEY=may_list[1])
    assert_refused(result, "access denied", "s3:GetObject")
    result = call.list(AWS_ACCESS_KEY_ID=may_get[0], AWS_SECRET_ACCESS_KEY=may_get[1])
    assert_refused(result, "access denied", "s3:ListBucket")


def test_takes_credentials_from_a_profile(call, node, tmp_path):
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
                    f"[team]\naws_access_key_id = {node.access}\n"
                    f"aws_secret_access_key={node.secret}\n")
    result = call.list("s3://es-7-10-2/" + PREFIX, "--s3-profile", "team",
                       AWS_SHARED_CREDENTIALS_FILE=str(file), AWS_ACCESS_KEY_ID="other")
    assert result.code == OK and "snap1" in result.out, result
