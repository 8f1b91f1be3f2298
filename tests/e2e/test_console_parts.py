"""`console` drives what has its own program: a replayer, documents that were refused, a snapshot in
S3, a node that has users."""

import gzip
import json
import os
import re
import shutil

import pytest

import s3_support
import support
from support import ERRORS, OK, USAGE, assert_same, expected_documents
from test_console import both, console, source, wait_until  # noqa: F401
from traffic_writer import Conversation

LONG = pytest.mark.skipif(not os.environ.get("SHARDLIFT_LONG"), reason="only in make check-long")
AUTHORS = 20


# --- Replay ---

def captured(source, shardlift, folder, count, first=0):
    """Bulks and single writes to the source, in the segment log that the console looks for."""
    conversation = Conversation(source.url, 2)
    for n in range(first, first + count):
        conversation.request(n % 2, "POST", "/notes/_bulk", [
            {"index": {"_id": f"b{n}"}}, {"n": n}, {"index": {"_id": f"c{n}"}}, {"n": n}])
        conversation.request(n % 2, "PUT", f"/notes/_doc/d{n}", {"n": n})
    conversation.close()
    lines = conversation.write(folder / f"lines-{first}")
    imported = shardlift("traffic", "import", lines, shardlift.state_dir / "capture" / "default")
    assert imported.code == OK, imported


def test_a_replayer_is_started_watched_stopped_and_goes_on(console, source, opensearch, tmp_path):
    services = both(source, opensearch, """
kafka: {local: {}}
replay: {local: {arguments: ["--speedup-factor=1000", "--metrics-port=0"]}}
""")
    console.services(services)

    def status():
        return console("--json", "replay", "status").json()

    def behind():
        """In records; None until the group has read something."""
        answer = console("--json", "kafka", "describe-consumer-group")
        return sum(row["lag"] for row in answer.json()) if answer.code == OK else None

    for node in (source, opensearch):
        node.api("PUT", "/notes", {"settings": {"number_of_replicas": 0}})

    described = console("--json", "replay", "describe").json()
    assert described["platform"] == "local" and described["log"].endswith("capture/default"), described
    assert status()["status"] == "Pending"
    captured(source, console.program, tmp_path, 5)
    started = console("--json", "replay", "start")
    assert started.code == OK and started.json() == {"workers": 1, "before": 0}, started
    wait_until(lambda: behind() == 0, "what was captured")
    assert_same(opensearch.documents("notes"), source.documents("notes"), "notes")
    wait_until(lambda: status()["replayer"], "what the replayer tells of itself")
    seen = status()
    assert seen["status"] == "Running" and [w["state"] for w in seen["workers"]] == ["running"], seen
    text = console("replay", "status")
    assert text.code == OK and "Running" in text.out and "lag" in text.out, text

    log = (console.state_dir / "run" / "replay-console-1.log").read_text()
    metrics, = re.findall(r"http://127\.0\.0\.1:\d+/metrics", log)
    console.services(f'{services}metrics_source: {{local: {{replayer: "{metrics}"}}}}\n')
    names = console("--json", "metrics", "list").json()["replayer"]
    (_, value), = console("--json", "metrics", "get-data", "replayer",
                          "httpTransactionCount_total").json()
    assert "httpTransactionCount_total" in names and float(value) > 0, (names, value)

    assert console("replay", "scale", "2").code == ERRORS
    assert console("--json", "replay", "scale", "0").json() == {"workers": 0, "before": 1}
    assert status()["status"] == "Stopped"
    captured(source, console.program, tmp_path, 3, first=5)
    assert behind() == 6
    assert console("replay", "start").code == OK
    wait_until(lambda: behind() == 0, "what was captured meanwhile")
    assert console("--json", "replay", "stop").json() == {"workers": 0, "before": 1}
    assert_same(opensearch.documents("notes"), source.documents("notes"), "notes")

    topic, = console("--json", "kafka", "list-topics").json()
    assert topic["topic"] == "default", topic
    described = console("--json", "kafka", "describe-topic-records")
    assert described.code == OK, described
    dumped = console("kafka", "dump-topic-records", "--mode", "dump-http")
    assert "PUT /notes/_doc/d0" in dumped.out, dumped

    # What the replayer wrote of it.
    tuples = b"".join(gzip.decompress(path.read_bytes())
                      for path in sorted((console.state_dir / "tuples").rglob("*.gz")))
    shown = console("tuples", "show", input=tuples)
    assert shown.code == OK, shown
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(shown.out.rstrip()):
        value, at = decoder.raw_decode(shown.out, at)
        found.append(value)
        at += len(shown.out[at:]) - len(shown.out[at:].lstrip())
    bulks = [one for one in found if one["sourceRequest"]["Request-URI"] == "/notes/_bulk"]
    assert len(found) == 16 and len(bulks) == 8, shown
    assert bulks[0]["targetRequest"]["body"][1:2] == [{"n": bulks[0]["sourceRequest"]["body"][1]["n"]}]
    assert bulks[0]["targetResponses"][0]["body"]["errors"] is False, bulks[0]


def test_tuples_of_the_java_replayer_are_shown(console):
    shown = console("tuples", "show", "--in", support.FIXTURES / "traffic" / "tuples-basic.jsonl")
    assert shown.code == OK and '"body": {' in shown.out, shown


# --- Documents that the target refuses ---

@pytest.fixture
def authors(source):
    """An index whose field holds a text in one document."""
    source.api("PUT", "/authors", {"settings": {"number_of_replicas": 0}, "mappings": {
        "properties": {"age": {"type": "keyword"}}}})
    lines = "".join(f'{{"index":{{"_id":"{n}"}}}}\n{{"age":"{"old" if n == 7 else n}"}}\n'
                    for n in range(AUTHORS))
    assert not source.api("POST", "/authors/_bulk?refresh=true", lines)["errors"]
    shutil.rmtree(source.repositories / "refused", ignore_errors=True)
    return source


def test_refused_documents_are_found_counted_named_and_sent_again(console, authors, opensearch):
    opensearch.api("PUT", "/authors", {"settings": {"number_of_replicas": 0}, "mappings": {
        "properties": {"age": {"type": "integer"}}}})
    console.services(both(authors, opensearch, f"""
snapshot: {{snapshot_name: all, snapshot_repo_name: refused, fs: {{repo_path: "{authors.repositories}/refused"}}}}
backfill:
  reindex_from_snapshot:
    scale: 1
    session_name: refused
    local: {{arguments: ["--index-allowlist=authors"]}}
"""))

    def failed(*words):
        return console("failed-document-stream", *words)

    assert console("snapshot", "create", "--wait").code == OK
    assert failed("count", "--json").json()["documents"] == 0
    assert console("backfill", "start").code == OK
    wait_until(lambda: console("--json", "backfill", "status").json()["status"]
               == "CompletedWithErrors", "the end of the backfill")
    assert console("--json", "backfill", "status").json()["failed_documents_present"] is True
    folder = failed("location", "--json").json()["location"]
    assert folder.endswith("session=refused") and os.listdir(folder), folder
    counted = failed("count", "--json").json()
    assert counted["documents"] == 1 and counted["reasons"][0]["index"] == "authors", counted
    listed = failed("list", "--json")
    assert json.loads(listed.out)["id"] == "7" and "[age]" in listed.out, listed
    assert "mapper_parsing_exception" in failed("list").out
    assert int(opensearch.client.count(index="authors")["count"]) == AUTHORS - 1

    again = failed("retry")
    assert again.code == ERRORS and "[age]" in again.out + again.err, again
    opensearch.api("PUT", "/authors/_mapping", {"properties": {
        "age": {"type": "integer", "ignore_malformed": True}}})
    sent = failed("retry", "--json")
    assert sent.code == OK and sent.json()["sent"] == 1, sent
    assert_same(opensearch.documents("authors"), authors.documents("authors"), "authors")
    assert failed("count", "--json").json()["documents"] == 0


# --- Work items in the target ---

def test_a_backfill_that_workers_agree_on_in_the_target_is_driven(console, source, opensearch,
                                                                 repository):
    console.services(both(source, opensearch, f"""
snapshot: {{snapshot_name: snap1, fs: {{repo_path: "{repository("es-7.10.2")}"}}}}
metadata_migration: {{from_snapshot: null, index_allowlist: [books]}}
backfill:
  reindex_from_snapshot:
    coordinator: target
    session_name: shared
    scale: 2
    local: {{arguments: ["--index-allowlist=books"]}}
"""))
    index = ".migrations_working_state_shared"

    def status():
        return console("--json", "backfill", "status").json()["status"]

    assert console("--json", "backfill", "describe").json()["coordinator"] == "target"
    assert status() == "Pending"
    assert not opensearch.client.indices.exists(index)
    assert console("metadata", "migrate").code == OK
    assert console("backfill", "start").code == OK
    wait_until(lambda: status() == "Completed", "the end of the backfill")
    assert_same(opensearch.documents("books"), expected_documents("es-7.10.2", "snap1")["books"],
                "books")
    assert opensearch.client.indices.exists(index)
    assert not (console.state_dir / "work" / "shared.db").exists()
    archive = console("--json", "backfill", "stop").json()["archive"]
    assert json.loads(open(archive).read())["work_items"], archive
    assert console("backfill", "reset", "--yes").code == OK
    assert not opensearch.client.indices.exists(index)
    assert status() == "Pending"


# --- S3 ---

def test_a_snapshot_in_s3_is_migrated(console, source, opensearch, repository, tmp_path):
    s3 = s3_support.S3Node(tmp_path / "s3", os.getpid())
    keys = {"AWS_ACCESS_KEY_ID": s3.access, "AWS_SECRET_ACCESS_KEY": s3.secret,
            "AWS_EC2_METADATA_DISABLED": "true"}
    text = both(source, opensearch, f"""
snapshot:
  snapshot_name: snap2
  s3: {{repo_uri: "s3://backups/repo", aws_region: {s3_support.REGION}, endpoint: "{s3.url}"}}
metadata_migration: {{from_snapshot: null, index_allowlist: [books]}}
backfill: {{reindex_from_snapshot: {{scale: 1, local: {{arguments: ["--index-allowlist=books"]}}}}}}
""")
    try:
        s3.upload(repository("es-7.10.2"), "backups", "repo/")
        console.services(text)
        for verb in ("evaluate", "migrate"):
            result = console("metadata", verb, env=keys)
            assert result.code == OK and "books" in result.out, result
        assert console("backfill", "start", env=keys).code == OK
        wait_until(lambda: console("--json", "backfill", "status").json()["status"] == "Completed",
                   "the end of the backfill")
        expected = expected_documents("es-7.10.2", "snap2")["books"]
        assert_same(opensearch.documents("books"), expected, "books")
        assert console("backfill", "stop").code == OK
        console.services(text.replace("snap2", "nothing"))
        missing = console("metadata", "evaluate", env=keys)
        assert missing.code == ERRORS and "nothing" in missing.err, missing
    finally:
        s3.stop()


# --- Users ---

@LONG
def test_a_cluster_with_users_lets_in_who_has_the_password(console, tmp_path):
    node = support.Node("os-node", "2.19.4", tmp_path / "node", "--security", "admin:Guide-1-Secret")
    try:
        text = (f'target: {{endpoint: "{node.url}", allow_insecure: true, '
                'basic_auth: {username: admin, password: "%s"}}\n')
        console.services(text % "Guide-1-Secret")
        let_in = console("clusters", "curl", "target", "/_search?size=5&pretty")
        assert let_in.code == OK and '"hits"' in let_in.out, let_in
        assert console("clusters", "connection-check").code == OK
        console.services(text % "not-this-one")
        refused = console("clusters", "curl", "target", "/_search?size=5&pretty")
        assert refused.code == ERRORS and "401" in refused.err, refused
        assert "not-this-one" not in refused.out + refused.err, refused
        checked = console("clusters", "connection-check")
        assert checked.code == ERRORS and "workflow configure credentials" in checked.out, checked
    finally:
        node.stop()
