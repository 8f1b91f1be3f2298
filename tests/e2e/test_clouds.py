"""Repositories in Google Cloud Storage and Azure give the documents that the same ones on disk give,
and what these refuse is told in one line with the next step."""

import datetime
import functools
import os
import subprocess
import urllib.parse

import azure.storage.blob
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import cloud_support
import s3_support
from cloud_support import ACCOUNT, EVERY_STORE, KEY
from support import ERRORS, OK, PROGRAM, assert_same, expected_documents, written_documents

FIXTURES = [("es-7.10.2", "snap2", None), ("os-2.19.6.chunked", "snap-2", ["books"])]
if EVERY_STORE:
    FIXTURES += [(f"es-{version}", snapshot, None) for snapshot in ("snap1", "snap2")
                 for version in ("1.7.6", "2.4.6", "5.6.16", "6.8.23", "8.19.21")]
    FIXTURES += [(f"os-{version}", snapshot, None) for snapshot in ("snap-1", "snap-2")
                 for version in ("1.3.14", "2.19.6", "3.8.0")]
PREFIX = "team a+b=ü/repo/"
PUT = PROGRAM.parent / "tests" / "unit" / "store" / "put_and_read"


def bucket_of(fixture):
    return fixture.replace(".", "-")


@pytest.fixture(scope="module")
def stores(tmp_path_factory, repository):
    """stores("gcs"), stores("azure"): started with the first test that asks for it."""
    @functools.cache
    def started(name):
        kind = cloud_support.Gcs if name == "gcs" else cloud_support.Azure
        store = kind(tmp_path_factory.mktemp(name))
        running.append(store)
        for fixture in sorted({fixture for fixture, _, _ in FIXTURES}):
            store.upload(repository(fixture), bucket_of(fixture), PREFIX)
        return store

    running = []
    yield started
    for store in running:
        store.stop()


@pytest.fixture(params=["gcs", "azure"])
def store(request, stores):
    return stores(request.param)


ON_GCS = pytest.mark.parametrize("store", ["gcs"], indirect=True)
ON_AZURE = pytest.mark.parametrize("store", ["azure"], indirect=True)


class Caller:
    def __init__(self, shardlift, store, tmp_path):
        self.shardlift, self.store, self.out = shardlift, store, tmp_path / "out"

    def __call__(self, *arguments, proxy=None, **env):
        return self.shardlift(*arguments, *self.store.flags(proxy and proxy.url),
                              env={**self.store.environment, "no_proxy": "*", **env})

    def list(self, *more, bucket="es-7-10-2", **options):
        return self("snapshot", "list", "--repo-uri", self.store.uri(bucket, PREFIX), *more,
                    **options)

    def backfill(self, fixture, snapshot, indices="regex:.*", **options):
        uri = self.store.uri(bucket_of(fixture), PREFIX)
        return self("backfill", "--repo-uri", uri, "--snapshot-name", snapshot, "--to",
                    f"dir:{self.out}", "--index-allowlist", indices, "--json", **options)


@pytest.fixture
def call(shardlift, store, tmp_path):
    return Caller(shardlift, store, tmp_path)


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


def test_metadata_and_snapshots_are_read_from_there(call, store):
    uri = store.uri("es-7-10-2", PREFIX)
    shown = call("snapshot", "show", "--repo-uri", uri, "--snapshot-name", "snap2")
    assert shown.code == OK and "books" in shown.out, shown
    assessed = call("assess", "--from", f"{uri}#snap2", "--target-version", "OS 2.19")
    assert assessed.code == OK and "Source: Snapshot" in assessed.out, assessed


def test_survives_a_busy_server_and_connections_cut_in_the_middle(call, store):
    def decide(method, _path, number):
        if number % 6 == 1:
            return store.busy
        return 100 if number % 6 == 3 and method == "GET" else None

    with s3_support.Proxy(store.url, decide) as proxy:
        result = call.backfill("es-7.10.2", "snap2", "books", proxy=proxy)
    assert_documents(call, result, "es-7.10.2", "snap2", ["books"])


def test_gives_up_on_a_server_that_stays_busy(call, store):
    with s3_support.Proxy(store.url, lambda *_: store.busy) as proxy:
        result = call.list("--s3-retry-time", "1s", proxy=proxy)
    assert_refused(result, "gave up after", store.busy_text, "try again later")


def test_names_an_object_that_was_replaced_while_it_was_read(call, store):
    replaced = []

    def decide(method, path, _number):
        if method == "GET" and "index-" in path and not replaced:
            replaced.append(path)
            return store.tag_of_replaced
        return None

    with s3_support.Proxy(store.url, decide) as proxy:
        result = call.list(proxy=proxy)
    assert_refused(result, "was replaced or deleted while it was read", "index-")


def test_names_the_time_of_a_server_whose_clock_differs(call, store):
    date = {"Date": "Sun, 22 Nov 2020 03:00:00 GMT"}
    status = 403 if isinstance(store, cloud_support.Azure) else 401
    refused = status, b"<Error><Code>AuthenticationFailed</Code></Error>", date
    with s3_support.Proxy(store.url, lambda *_: refused) as proxy:
        result = call.list(proxy=proxy)
    assert_refused(result, "Sun, 22 Nov 2020 03:00:00 GMT", "set the clock")


def test_tells_a_missing_bucket(call):
    assert_refused(call.list(bucket="nowhere"), "there is no such", "--repo-uri")


def test_tells_the_permission_that_is_missing(call, store):
    with s3_support.Proxy(store.url, lambda *_: (403, b"", {})) as proxy:
        result = call.list(proxy=proxy)
    assert_refused(result, "access denied", store.permission)


@pytest.mark.parametrize("size", [5, 8 << 20, (17 << 20) + 3])
def test_writes_blobs_whole_or_in_parts(store, size):
    assert_written(store, size)


# gcp-storage-emulator drops the connection of an upload without a body.
@ON_AZURE
def test_writes_a_blob_without_a_byte(store):
    assert_written(store, 0)


def assert_written(store, size):
    content = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000 + 1)
    store.ready = getattr(store, "ready", False) or not store.make_bucket("outputs")
    done = subprocess.run([str(PUT), store.uri("outputs", "a b"), store.endpoint(), f"folder/in it/blob+{size}"],
                          input=content[:size], capture_output=True, timeout=300,
                          env={**os.environ, **store.environment, "no_proxy": "*"})
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode() == f"folder/in it/blob+{size} {size} same\n"


@ON_GCS
def test_sends_the_token_of_the_service_account(call, store, tmp_path):
    seen = []

    class Watching(s3_support.Proxy):
        def handler(self):
            class Handler(super().handler()):
                def pass_on(self):
                    seen.append(self.headers["Authorization"])
                    super().pass_on()
                do_GET = pass_on
            return Handler

    with cloud_support.TokenServer(tmp_path) as tokens, Watching(
            store.url, lambda _m, _p, number: (401, b"", {}) if number == 2 else None) as proxy:
        result = call.list("--gcs-credentials", tokens.file, proxy=proxy)
    assert result.code == OK and "snap1" in result.out, result
    assert "devstorage" in tokens.claims[0]["scope"], tokens.claims
    assert tokens.tokens == ["ya29.0", "ya29.1"], "one token, and one more after it was refused"
    assert seen[:4] == ["Bearer ya29.0"] * 3 + ["Bearer ya29.1"], seen


@ON_GCS
def test_tells_a_wrong_key_of_the_service_account(call, store, tmp_path):
    with cloud_support.TokenServer(tmp_path) as tokens:
        tokens.write(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        assert_refused(call.list("--gcs-credentials", tokens.file), tokens.email,
                       "Invalid JWT Signature")
        tokens.date = "Sun, 22 Nov 2020 03:00:00 GMT"
        assert_refused(call.list("--gcs-credentials", tokens.file), tokens.date, "set the clock")


def sas(permission, hours, bucket="es-7-10-2"):
    now = datetime.datetime.now(datetime.timezone.utc)
    return azure.storage.blob.generate_container_sas(
        ACCOUNT, bucket, account_key=KEY, permission=permission,
        start=now - datetime.timedelta(days=3), expiry=now + datetime.timedelta(hours=hours))


@ON_AZURE
def test_takes_a_shared_access_signature(call, store):
    result = call.list("--azure-sas", "?" + sas("rl", 24))
    assert result.code == OK and "snap1" in result.out, result
    result = call.list(AZURE_STORAGE_KEY="", AZURE_STORAGE_SAS_TOKEN=sas("rl", 24))
    assert result.code == OK and "snap1" in result.out, result


@ON_AZURE
def test_tells_what_is_wrong_with_a_shared_access_signature(call, store):
    expired = sas("rl", -24)
    result = call.list("--azure-sas", expired)
    end = urllib.parse.parse_qs(expired)["se"][0]
    assert_refused(result, "the SAS ended at " + end, "create a new one")
    assert urllib.parse.parse_qs(expired)["sig"][0] not in result.err, "a secret was shown"
    assert_refused(call.list("--azure-sas", sas("r", 24)), "access denied", "l (list)")
    assert_refused(call.list("--azure-sas", sas("l", 24)), "access denied", "r (read)")


@ON_AZURE
def test_takes_a_connection_string(call, store):
    text = (f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={store.endpoint()};")
    result = call.shardlift("snapshot", "list", "--repo-uri", store.uri("es-7-10-2", PREFIX),
                            env={"AZURE_STORAGE_CONNECTION_STRING": text, "no_proxy": "*",
                                 "AZURE_STORAGE_KEY": "", "AZURE_STORAGE_SAS_TOKEN": ""})
    assert result.code == OK and "snap1" in result.out, result


@ON_AZURE
def test_tells_a_wrong_account_key(call, store):
    assert_refused(call.list(AZURE_STORAGE_KEY="YWJj"), ACCOUNT, "is wrong")
    assert_refused(call.list(AZURE_STORAGE_KEY="no base64"), "is no base64")
