"""What goes wrong outside is one clear error: it names the thing and the next step, has its exit code,
and nothing half-written is claimed as done."""

import gzip
import http.server
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import urllib.request
import zlib

import pytest

from support import (ERRORS, LOCAL_IO, OK, SOURCE, UNREACHABLE, USAGE, assert_same,
                     expected_documents, written_documents)


@pytest.fixture
def damaged(repository, tmp_path):
    """damaged("es-7.10.2"): a copy of the repository that may be written to."""
    def copy(name):
        return pathlib.Path(shutil.copytree(repository(name), tmp_path / "repository"))
    return copy


def backfill(shardlift, uri, snapshot, target, *more, **how):
    return shardlift("backfill", "--repo-uri", uri, "--snapshot-name", snapshot, "--target-host",
                     target, *more, **how)


def one_error(result):
    """The error line; there is just one, and the usage is not poured out with it."""
    lines = [line for line in result.err.splitlines() if line.startswith("shardlift")
             or " error " in line]
    assert len(lines) == 1, result
    return lines[0]


def data_blobs(repository, at_least=0):
    return sorted((p for p in repository.glob("indices/*/*/__*") if p.stat().st_size > at_least),
                  key=lambda p: -p.stat().st_size)


# The source


@pytest.mark.parametrize("uri,code,words", [
    ("/nowhere/at/all", SOURCE, ["/nowhere/at/all"]),
    ("s4://bucket/path", USAGE, ["s4"]),
])
def test_a_repository_that_is_not_there(shardlift, tmp_path, uri, code, words):
    result = backfill(shardlift, uri, "snap1", f"dir:{tmp_path / 'out'}")
    assert result.code == code, result
    assert all(word in one_error(result) for word in words), result
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_folder_that_is_no_repository(shardlift, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.jpg").write_bytes(b"\xff\xd8")
    result = backfill(shardlift, tmp_path / "pictures", "snap1", "null:")
    assert result.code == SOURCE, result
    assert "pictures" in one_error(result), result


def test_an_index_file_of_an_unknown_layout(shardlift, damaged):
    repository = damaged("es-7.10.2")
    for blob in repository.glob("index-*"):
        blob.write_text('{"chapters": []}')
    result = backfill(shardlift, repository, "snap1", "null:")
    assert result.code == SOURCE, result
    assert "index-" in one_error(result), result


def test_a_snapshot_that_is_not_there(shardlift, repository):
    result = backfill(shardlift, repository("es-7.10.2"), "snap9", "null:")
    assert result.code == SOURCE, result
    assert "snap9" in one_error(result) and "snap1" in one_error(result), result


def test_a_blob_that_is_missing(shardlift, damaged, tmp_path):
    repository = damaged("os-2.19.6")
    blob = data_blobs(repository)[0]
    blob.unlink()
    result = backfill(shardlift, repository, "snap-1", f"dir:{tmp_path / 'out'}")
    assert result.code == SOURCE, result
    assert "unreadable" in result.out and blob.name in result.out, result


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_blob_that_is_cut_off(shardlift, damaged, tmp_path, keep):
    repository = damaged("os-2.19.6")
    blob = data_blobs(repository)[0]
    os.truncate(blob, keep if keep >= 0 else blob.stat().st_size - 1)
    result = backfill(shardlift, repository, "snap-1", f"dir:{tmp_path / 'out'}")
    assert result.code == SOURCE, result
    assert "unreadable" in result.out and blob.name in result.out, result


def test_one_damaged_document_does_not_take_other_indices_along(shardlift, damaged, tmp_path):
    """An address with another digit is JSON as good as before: only the checksum knows. That index
    fails by name, the rest is written."""
    repository = damaged("os-2.19.6")
    blob = next(p for p in data_blobs(repository) if b'"ip":"192.168.0.1"' in p.read_bytes())
    blob.write_bytes(blob.read_bytes().replace(b'"ip":"192.168.0.1"', b'"ip":"192.168.0.3"'))
    result = backfill(shardlift, repository, "snap-1", f"dir:{tmp_path / 'out'}",
                      "--index-allowlist", "books,types,qa", "--json")
    assert result.code == SOURCE, result
    told = {row["index"]: row for row in result.json()["indices"]}
    assert told["types"]["result"] == "unreadable", result
    assert blob.name in told["types"]["note"] and "checksum" in told["types"]["note"], result
    documents = expected_documents("os-2.19.6", "snap-1")
    got = written_documents(tmp_path / "out")
    for name in ("books", "qa"):
        assert told[name]["agrees"] is True, result
        assert_same(got[name], documents[name], name)


def test_a_format_nobody_knows(shardlift, pool, tmp_path):
    """A node's own index, its stored fields renamed to a format of a later Lucene."""
    node = pool.get("es-node", "7.10")
    node.clear()
    node.api("PUT", "/plain", {"settings": {"number_of_shards": 1, "number_of_replicas": 0,
                                            "index.compound_format": False}})
    for number in (1, 2):
        node.api("PUT", f"/plain/_doc/{number}?refresh=true", {"n": number})
    node.api("POST", "/plain/_forcemerge?max_num_segments=1")
    stored_fields = next((node.folder / "data").rglob("index/*.fdt"))
    folder = shutil.copytree(stored_fields.parent, tmp_path / "index")
    known, unknown = b"Lucene87StoredFieldsFastData", b"Lucene99StoredFieldsFastData"
    content = stored_fields.read_bytes()
    assert known in content
    content = content.replace(known, unknown)[:-8]
    (folder / stored_fields.name).write_bytes(content + zlib.crc32(content).to_bytes(8, "big"))
    result = shardlift("inspect", "lucene", folder)
    assert result.code == SOURCE, result
    assert unknown.decode() in one_error(result) and stored_fields.name in result.err, result


@pytest.fixture(scope="module")
def partial_snapshot(pool):
    """A repository with a snapshot in state PARTIAL, made by a real node: one of its indices had no
    shard to be taken."""
    node = pool.get("os-node", "2.19")
    node.clear()
    node.api("PUT", "/whole", {"settings": {"number_of_replicas": 0}})
    node.api("PUT", "/whole/_doc/1?refresh=true", {"n": 1})
    node.api("PUT", "/lost?wait_for_active_shards=0", {"settings": {
        "number_of_replicas": 0, "routing.allocation.require._name": "nobody"}})
    location = node.repositories / "partial"
    node.api("PUT", "/_snapshot/partial", {"type": "fs", "settings": {"location": str(location)}})
    answer = node.api("PUT", "/_snapshot/partial/half?wait_for_completion=true", {"partial": True})
    assert answer["snapshot"]["state"] == "PARTIAL"
    node.clear()
    return location


def test_a_partial_snapshot(shardlift, partial_snapshot, tmp_path):
    result = backfill(shardlift, partial_snapshot, "half", f"dir:{tmp_path / 'out'}")
    assert result.code == SOURCE, result
    assert "PARTIAL" in one_error(result) and "lost[0]" in result.err, result
    assert "--allow-partial-snapshot" in result.err, result
    taken = backfill(shardlift, partial_snapshot, "half", f"dir:{tmp_path / 'out'}",
                     "--allow-partial-snapshot")
    assert taken.code in (ERRORS, SOURCE) and "lost" in taken.out, taken
    assert [d.id for d in written_documents(tmp_path / "out")["whole"]] == ["1"]
    shown = shardlift("snapshot", "show", "--repo-uri", partial_snapshot, "--snapshot-name", "half")
    assert "PARTIAL" in shown.out, shown


def test_a_source_that_is_no_json_and_cannot_become_it(shardlift, pool, tmp_path):
    """Elasticsearch keeps a document that was sent as YAML or CBOR in that form. Some numbers in them
    mean different things to different versions of it."""
    node = pool.get("es-node", "7.10")
    node.clear()
    bodies = [("application/json", b'{"n": 1}'), ("application/yaml", b"---\nn: 010\n"),
              ("application/cbor", b"\xbf\x61n\xc4\x82\x02\x01\xff")]
    for number, (content_type, body) in enumerate(bodies, start=1):
        request = urllib.request.Request(f"{node.url}/mixed/_doc/{number}", body,
                                         {"Content-Type": content_type}, method="PUT")
        urllib.request.urlopen(request).close()
    location = node.repositories / "mixed"
    node.api("PUT", "/_snapshot/mixed", {"type": "fs", "settings": {"location": str(location)}})
    node.api("PUT", "/_snapshot/mixed/all?wait_for_completion=true")
    node.clear()
    result = backfill(shardlift, location, "all", f"dir:{tmp_path / 'out'}", "--json")
    assert result.code == ERRORS, result
    assert [d.id for d in written_documents(tmp_path / "out")["mixed"]] == ["1"]
    row = result.json()["indices"][0]
    assert (row["documents"], row["sent"], row["failed"]) == (3, 1, 2), result
    recorded = recorded_failures(shardlift)
    assert len(recorded) == 2 and all(
        "versions of Elasticsearch read" in line for line in recorded), recorded


def recorded_failures(shardlift):
    recorded = []
    for path in (shardlift.state_dir / "failed-documents").rglob("*.ndjson.gz"):
        with gzip.open(path, "rt") as lines:
            recorded += [line for line in lines]
    return recorded


# The target


def test_a_target_that_does_not_answer(shardlift, repository):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = backfill(shardlift, repository("os-2.19.6"), "snap-1", url)
    assert result.code == UNREACHABLE, result
    assert url.removeprefix("http://") in one_error(result), result


def test_a_name_that_does_not_resolve(shardlift, repository):
    """With an empty label no resolver is asked, whose network might keep it waiting."""
    result = backfill(shardlift, repository("os-2.19.6"), "snap-1", "http://nobody..invalid:9200")
    assert result.code == UNREACHABLE, result
    assert "nobody..invalid" in one_error(result), result


def test_a_target_that_is_no_cluster(shardlift, repository):
    server = http.server.HTTPServer(("127.0.0.1", 0), Teapot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        result = backfill(shardlift, repository("os-2.19.6"), "snap-1", url)
    finally:
        server.shutdown()
    assert result.code == UNREACHABLE, result
    assert str(server.server_port) in one_error(result), result


class Teapot(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>I am a teapot</html>")

    do_POST = do_HEAD = do_PUT = do_GET

    def log_message(self, *_):
        pass


PASSWORD = "secret-Pass1"


@pytest.fixture
def secured(pool):
    node = pool.get("os-node", "2.19.4", "--security", f"admin:{PASSWORD}")
    node.client = node.connect(http_auth=("admin", PASSWORD), use_ssl=True, verify_certs=True,
                               ca_certs=str(node.folder / "config" / "ca.pem"))
    return node


def into_secured(shardlift, repository, node, *more, **how):
    return shardlift("migrate", "--repo-uri", repository("os-1.3.14"), "--snapshot-name", "snap-1",
                     "--index-allowlist", "types", "--target-host", node.url, *more, **how)


def test_a_right_password_and_authority(shardlift, repository, secured, tmp_path):
    authority = ("--target-cacert", secured.folder / "config" / "ca.pem")
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    ways = [(("--target-password", PASSWORD), {}), (("--target-password-file", password), {}),
            ((), {"env": {"SHARDLIFT_TARGET_PASSWORD": PASSWORD}})]
    for flags, how in ways:
        secured.api("DELETE", "/types?ignore_unavailable=true")
        result = into_secured(shardlift, repository, secured, *authority, "--restart",
                              "--target-username", "admin", *flags, **how)
        assert result.code == OK, result
        assert PASSWORD not in result.out + result.err
        assert_same(secured.documents("types"), expected_documents("os-1.3.14", "snap-1")["types"],
                    "types")


def test_a_wrong_password(shardlift, repository, secured):
    result = into_secured(shardlift, repository, secured, "--target-insecure", "--target-username",
                          "admin", "--target-password", "wrong-Pass1")
    assert result.code == UNREACHABLE, result
    assert "admin" in one_error(result) and "--target-password" in one_error(result), result
    assert "wrong-Pass1" not in result.err


def test_no_password_at_all(shardlift, repository, secured):
    result = into_secured(shardlift, repository, secured, "--target-insecure")
    assert result.code == UNREACHABLE, result
    assert "--target-username" in one_error(result), result


def test_a_certificate_of_an_unknown_authority(shardlift, repository, secured):
    result = into_secured(shardlift, repository, secured, "--target-username", "admin",
                          "--target-password", PASSWORD)
    assert result.code == UNREACHABLE, result
    assert "--target-cacert" in one_error(result), result


def test_documents_that_the_target_refuses(shardlift, repository, opensearch, tmp_path):
    """A title is no number: books are refused one by one, with their reasons on disk, and the rest
    goes on."""
    documents = expected_documents("os-2.19.6", "snap-1")
    opensearch.api("PUT", "/books", {"mappings": {"dynamic": "false", "properties": {
        "title": {"type": "integer", "ignore_malformed": False}}}})
    result = shardlift("migrate", "--repo-uri", repository("os-2.19.6"), "--snapshot-name", "snap-1",
                       "--target-host", opensearch.url, "--index-allowlist", "books,qa",
                       "--allow-existing-indexes", "--json")
    assert result.code == ERRORS, result
    report = {row["index"]: row for row in result.json()["indices"]}
    assert report["books"]["failed"] == len(documents["books"]), result
    assert report["qa"]["failed"] == 0 and report["qa"]["agrees"] is True, result
    assert_same(opensearch.documents("qa"), documents["qa"], "qa")

    recorded = recorded_failures(shardlift)
    assert len(recorded) == len(documents["books"])
    assert all("mapper_parsing_exception" in line for line in recorded), recorded[0]
    assert "failed-documents" in result.err + result.out, result


# This machine


def test_a_folder_that_is_not_empty(shardlift, repository, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    result = backfill(shardlift, repository("os-2.19.6"), "snap-1", f"dir:{tmp_path / 'out'}")
    assert result.code == USAGE, result
    assert str(tmp_path / "out") in one_error(result), result
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(shardlift, repository, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", disk], check=True)
    try:
        result = backfill(shardlift, repository("os-2.19.6"), "snap-1", f"dir:{disk / 'out'}")
        assert result.code == LOCAL_IO, result
        assert "No space left" in result.err, result
        # A file with its final name is whole.
        for index, found in written_documents_leniently(disk / "out").items():
            whole = set(expected_documents("os-2.19.6", "snap-1")[index])
            assert set(found) <= whole
    finally:
        subprocess.run(["umount", disk], check=True)


def written_documents_leniently(folder):
    for unfinished in folder.rglob("*.tmp"):
        unfinished.unlink()
    return written_documents(folder)


def test_a_folder_that_cannot_be_made(shardlift, repository, tmp_path):
    (tmp_path / "file").write_text("")
    result = backfill(shardlift, repository("os-2.19.6"), "snap-1", f"dir:{tmp_path}/file/out")
    assert result.code == LOCAL_IO, result
    assert f"{tmp_path}/file" in one_error(result), result
