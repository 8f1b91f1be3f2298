"""Repositories in S3 give the documents that the same ones on disk give, and what S3 refuses is told
in one line with the next step."""

import os

import pytest

import s3_support
from s3_support import PREFIX, Caller, assert_documents, assert_refused
from support import OK, SOURCE, UNREACHABLE, USAGE

FIXTURES = [("es-7.10.2", "snap2", None), ("os-2.19.6.chunked", "snap-2", ["books"])]


@pytest.fixture(scope="module")
def node(tmp_path_factory, repository):
    node = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    for fixture, _, _ in FIXTURES:
        node.upload(repository(fixture), fixture.replace(".", "-"), PREFIX)
    yield node
    node.stop()


@pytest.fixture
def call(shardlift, node, tmp_path):
    return Caller(shardlift, node, tmp_path)


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
    assert_refused(result, "gave up after", "503 SlowDown", "try again later", code=UNREACHABLE)


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
    assert_refused(result, "was replaced or deleted while it was read", "/index-",
                   code=SOURCE)


def test_names_the_region_that_the_bucket_is_in(call, node):
    def decide(*_):
        return 301, b"<Error><Code>PermanentRedirect</Code></Error>", {
            "x-amz-bucket-region": "eu-central-1"}

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "is in region eu-central-1", "--s3-region eu-central-1",
                   code=USAGE)


def test_names_the_time_of_a_server_whose_clock_differs(call, node):
    def decide(*_):
        return 403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>", {
            "Date": "Sun, 22 Nov 2026 03:00:00 GMT"}

    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "Sun, 22 Nov 2026 03:00:00 GMT", "set the clock",
                   code=UNREACHABLE)


def test_tells_that_a_session_has_expired(call, node):
    expired = 400, b"<Error><Code>ExpiredToken</Code></Error>", {}
    with s3_support.Proxy(node.url, lambda *_: expired) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "session token has expired", "fetch new credentials",
                   code=UNREACHABLE)


def test_tells_why_where_only_the_answer_to_head_is_empty(call, node):
    def decide(method, path, _number):
        if method == "HEAD":
            return 400, b"", {}
        return expired if "list-type" not in path else None

    expired = 400, b"<Error><Code>ExpiredToken</Code></Error>", {}
    with s3_support.Proxy(node.url, decide) as proxy:
        result = call.list(endpoint=proxy.url)
    assert_refused(result, "session token has expired", code=UNREACHABLE)


def test_tells_a_wrong_secret_from_an_unknown_key(call):
    assert_refused(call.list(AWS_SECRET_ACCESS_KEY="wrong"), "secret access key is wrong",
                   code=UNREACHABLE)
    assert_refused(call.list(AWS_ACCESS_KEY_ID="AKIAUNKNOWN"), "does not know the access key",
                   code=UNREACHABLE)


def test_tells_where_credentials_were_looked_for(call):
    result = call.list(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert_refused(result, "no AWS credentials found", "AWS_ACCESS_KEY_ID", "--s3-profile",
                   code=UNREACHABLE)


def test_tells_a_missing_bucket(call):
    assert_refused(call.list("s3://nowhere/repo"), "there is no such bucket", "--repo-uri",
                   code=SOURCE)


def test_tells_the_permission_that_is_missing(call, node):
    may_list, may_get = node.lister, node.getter
    result = call.list(AWS_ACCESS_KEY_ID=may_list[0], AWS_SECRET_ACCESS_KEY=may_list[1])
    assert_refused(result, "access denied", "s3:GetObject", code=UNREACHABLE)
    result = call.list(AWS_ACCESS_KEY_ID=may_get[0], AWS_SECRET_ACCESS_KEY=may_get[1])
    assert_refused(result, "access denied", "s3:ListBucket", code=UNREACHABLE)


def test_takes_credentials_from_a_profile(call, node, tmp_path):
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
                    f"[team]\naws_access_key_id = {node.access}\n"
                    f"aws_secret_access_key={node.secret}\n")
    result = call.list("s3://es-7-10-2/" + PREFIX, "--s3-profile", "team",
                       AWS_SHARED_CREDENTIALS_FILE=str(file), AWS_ACCESS_KEY_ID="other")
    assert result.code == OK and "snap1" in result.out, result
