"""Documents that the target refuses: named, counted, and brought in once their cause is removed."""

import json
import os

import pytest

import s3_support
from test_workflow import wait_until, workflow  # noqa: F401
from support import ERRORS, OK, USAGE, assert_same, parse, Document, canonical

COUNT = 2000
PLANTED = {7: "seven", 1007: "a thousand and seven"}  # no numbers: 1 of 1,000


@pytest.fixture(scope="module")
def planted(pool):
    """A repository whose index `people` has texts in a field that the target takes for a number, and
    the documents in it."""
    node = pool.get("os-node", "2.19")
    node.clear()
    node.api("PUT", "/people", {"settings": {"number_of_shards": 2, "number_of_replicas": 0},
                                "mappings": {"properties": {"age": {"type": "keyword"},
                                                            "exact": {"type": "keyword"}}}})
    lines, documents = [], []
    for number in range(COUNT):
        age = PLANTED.get(number, str(number))
        # No JSON library would spell the number like this: it has to arrive as it is.
        text = json.dumps({"age": age})[:-1] + f', "exact":{number}.10}}'
        routing = {"routing": "r"} if number % 3 == 1 else {}
        lines += [json.dumps({"index": {"_id": str(number), **routing}}), text]
        documents.append(Document("_doc", str(number), routing.get("routing"),
                                  canonical(parse(text))))
    answer = node.client.transport.perform_request("POST", "/people/_bulk?refresh=true",
                                                   body="\n".join(lines) + "\n")
    assert not answer["errors"]
    location = node.repositories / "planted"
    node.api("PUT", "/_snapshot/planted", {"type": "fs", "settings": {"location": str(location)}})
    node.api("PUT", "/_snapshot/planted/all?wait_for_completion=true")
    node.clear()
    return location, documents


def numbers_only(node):
    node.api("PUT", "/people", {"settings": {"number_of_replicas": 0}, "mappings": {"properties": {
        "age": {"type": "integer"}, "exact": {"type": "keyword"}}}})


def migrate(shardlift, location, node, *more):
    return shardlift("migrate", "--repo-uri", location, "--snapshot-name", "all", "--target-host",
                     node.url, "--index-allowlist", "people", "--allow-existing-indexes",
                     "--session-name", "one", *more)


def failed(shardlift, command, *more):
    return shardlift("failed-documents", command, *more)


def listed(result):
    return sorted(json.loads(line)["id"] for line in result.out.splitlines())


def test_failed_documents_are_listed_and_come_in_once_their_cause_is_gone(shardlift, planted,
                                                                         opensearch):
    location, documents = planted
    numbers_only(opensearch)
    result = migrate(shardlift, location, opensearch, "--json")
    assert result.code == ERRORS, result
    row = result.json()["indices"][0]
    assert (row["sent"], row["failed"]) == (COUNT - len(PLANTED), len(PLANTED)), result
    others = [d for d in documents if int(d.id) not in PLANTED]
    assert_same(opensearch.documents("people"), others, "people")

    ids = sorted(str(number) for number in PLANTED)
    told = failed(shardlift, "list", "--json")
    assert told.code == OK and listed(told) == ids, told
    record = json.loads(told.out.splitlines()[0])
    assert record["index"] == "people" and record["type"] == "mapper_parsing_exception", told
    assert "[age]" in record["reason"] and record["operation"] == "index", told
    table = failed(shardlift, "list")
    assert all(id in table.out for id in ids) and "mapper_parsing_exception" in table.out, table
    assert "1 more" in failed(shardlift, "list", "--limit", "1").out
    assert failed(shardlift, "list", "--json", "--index", "nobody").out == ""
    assert failed(shardlift, "list", "--json", "--session-name", "two").out == ""
    assert listed(failed(shardlift, "list", "--json", "--type", "mapper_parsing_exception")) == ids
    counted = failed(shardlift, "count", "--json")
    assert counted.code == OK and counted.json()["documents"] == len(PLANTED), counted
    assert len(counted.json()["reasons"]) == 1, counted

    # Another session: the same documents fail again, and count once.
    assert migrate(shardlift, location, opensearch, "--session-name", "two").code == ERRORS
    assert listed(failed(shardlift, "list", "--json", "--session-name", "two")) == ids
    assert listed(failed(shardlift, "list", "--json")) == ids

    plan = failed(shardlift, "retry", "--plan")
    assert plan.code == OK and "2 documents would be sent" in plan.out, plan
    assert listed(failed(shardlift, "list", "--json")) == ids
    target = ("--target-host", opensearch.url)
    again = failed(shardlift, "retry", *target, "--json")
    assert again.code == ERRORS, again
    assert (again.json()["sent"], again.json()["failed"]) == (0, len(PLANTED)), again
    assert "[age]" in again.json()["indices"][0]["reason"], again

    # The user lets the index take what it did not.
    opensearch.api("PUT", "/people/_mapping", {"properties": {
        "age": {"type": "integer", "ignore_malformed": True}}})
    brought = failed(shardlift, "retry", *target, "--json")
    assert brought.code == OK, brought
    assert (brought.json()["sent"], brought.json()["failed"]) == (len(PLANTED), 0), brought
    assert_same(opensearch.documents("people"), documents, "people")

    assert failed(shardlift, "list", "--json").out == ""
    assert failed(shardlift, "count", "--json").json()["documents"] == 0
    opensearch.api("DELETE", "/people/_doc/7?refresh=true")
    nothing = failed(shardlift, "retry", *target, "--json")
    assert nothing.code == OK and nothing.json()["documents"] == 0, nothing
    assert len(opensearch.documents("people")) == COUNT - 1


def test_failed_documents_are_kept_in_a_store_and_read_back_from_it(shardlift, planted, opensearch,
                                                                    tmp_path):
    location, documents = planted
    numbers_only(opensearch)
    store = tmp_path / "a store"
    store.mkdir()
    keep_in(shardlift, opensearch, location, documents, (f"--failed-documents-uri=file://{store}",))
    # Another stream's place is another's, and of one that is not there the run does not begin.
    result = migrate(shardlift, location, opensearch, "--failed-documents-uri", tmp_path / "none")
    assert result.code not in (OK, ERRORS) and "the place for failed documents" in result.err, result


def keep_in(shardlift, node, location, documents, store):
    """Documents that failed are in the store and nowhere else; a retry brings them in."""
    result = migrate(shardlift, location, node, "--json", *store)
    assert result.code == ERRORS, result
    assert "/session=one" in result.json()["failed_documents"], result
    assert failed(shardlift, "list", "--json").out == ""
    ids = sorted(str(number) for number in PLANTED)
    assert listed(failed(shardlift, "list", "--json", *store)) == ids
    assert failed(shardlift, "count", "--json", *store).json()["documents"] == len(PLANTED)
    node.api("PUT", "/people/_mapping", {"properties": {
        "age": {"type": "integer", "ignore_malformed": True}}})
    brought = failed(shardlift, "retry", "--target-host", node.url, "--json", *store)
    assert brought.code == OK, brought
    assert (brought.json()["sent"], brought.json()["failed"]) == (len(PLANTED), 0), brought
    assert_same(node.documents("people"), documents, "people")
    assert failed(shardlift, "list", "--json", *store).out == ""


def test_failed_documents_are_kept_in_s3_by_the_names_of_the_java_tool(shardlift, planted, opensearch,
                                                                       tmp_path_factory):
    location, documents = planted
    numbers_only(opensearch)
    s3 = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    try:
        s3.client.create_bucket(Bucket="failures")
        keep = ("--failed-document-stream-s3-bucket=failures",
                f"--failed-document-stream-s3-endpoint={s3.url}",
                f"--failed-document-stream-s3-region={s3_support.REGION}")
        env = {"AWS_ACCESS_KEY_ID": s3.access, "AWS_SECRET_ACCESS_KEY": s3.secret, "no_proxy": "*"}
        keep_in(lambda *a, **k: shardlift(*a, **k, env=env), opensearch, location, documents, keep)
        keys = [one["Key"] for one in s3.client.list_objects_v2(Bucket="failures")["Contents"]]
        assert keys and all(key.startswith("rfs-failed-document-stream/session=one/index=people/worker=")
                            and key.endswith(".ndjson.gz") for key in keys), keys
    finally:
        s3.stop()


WORKFLOW = """
sourceClusters:
  source:
    version: ES 7.10.2
    snapshotInfo:
      repos: {{backups: {{repoPathUri: "file://{location}"}}}}
      snapshots: {{first: {{repoName: backups, config: {{externallyManagedSnapshotName: all}}}}}}
targetClusters: {{target: {{endpoint: {target}}}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    skipApprovals: true
    perSnapshotConfig:
      first:
        - documentBackfillConfig:
            indexAllowlist: [people]
            failedDocumentStreamS3Bucket: failures
            failedDocumentStreamS3Region: {region}
            failedDocumentStreamS3Endpoint: {s3}
"""


@pytest.mark.skipif("SHARDLIFT_LONG" not in os.environ, reason="only in make check-long")
def test_a_workflow_keeps_them_in_the_bucket_it_names_and_the_console_finds_them(
        workflow, planted, opensearch, tmp_path_factory):  # noqa: F811
    location, documents = planted
    numbers_only(opensearch)
    s3 = s3_support.S3Node(tmp_path_factory.mktemp("s3"), os.getpid())
    try:
        s3.client.create_bucket(Bucket="failures")
        env = {"AWS_ACCESS_KEY_ID": s3.access, "AWS_SECRET_ACCESS_KEY": s3.secret, "no_proxy": "*"}
        text = WORKFLOW.format(location=location, target=opensearch.url, region=s3_support.REGION,
                               s3=s3.url)
        assert workflow("configure", "edit", "--stdin", input=text.encode()).code == OK
        assert workflow("submit", env=env).code == OK
        wait_until(lambda: "Phase: Running" not in workflow("status").out, "the end")
        assert "Phase: CompletedWithErrors" in workflow("status").out, workflow("status")
        assert not (workflow.state_dir / "failed-documents").exists()

        def console(*words):
            return workflow.program("console", "failed-document-stream", *words, env=env)
        counted = console("count", "--json")
        assert counted.code == OK and counted.json()["documents"] == len(PLANTED), counted
        assert console("location").out == "s3://failures/rfs-failed-document-stream\n"
        opensearch.api("DELETE", "/people")
        opensearch.api("PUT", "/people", {"settings": {"number_of_replicas": 0}})
        brought = console("retry", "--json")
        assert brought.code == OK and brought.json()["sent"] == len(PLANTED), brought
        assert {one.id for one in opensearch.documents("people")} == {str(n) for n in PLANTED}
    finally:
        s3.stop()


def test_status_tells_how_a_backfill_ended(shardlift, planted, opensearch):
    location, _ = planted
    numbers_only(opensearch)
    assert migrate(shardlift, location, opensearch).code == ERRORS
    status = ("backfill", "status", "--pace", "0", "--json", "--session-name", "one")
    told = shardlift(*status, "--deep-check", "--target-host", opensearch.url)
    assert told.code == OK, told
    session, = told.json()["sessions"]
    assert session["finished"] is True and session["total"]["percent"] == 100, told
    people, = session["indices"]
    assert people["index"] == "people" and people["target_has_all"] is True, told
    assert (people["sent"], people["failed"]) == (COUNT - len(PLANTED), len(PLANTED)), told
    assert people["target_documents"] == COUNT - len(PLANTED), told

    opensearch.api("DELETE", "/people/_doc/8?refresh=true")
    missing = shardlift(*status, "--deep-check", "--target-host", opensearch.url)
    assert missing.code == ERRORS, missing
    assert missing.json()["sessions"][0]["indices"][0]["target_has_all"] is False, missing
    assert shardlift(*status).code == OK


def test_error_types_that_are_allowed_count_as_success(shardlift, planted, opensearch):
    location, _ = planted
    numbers_only(opensearch)
    result = migrate(shardlift, location, opensearch, "--json", "--allowed-doc-exception-types",
                     "mapper_parsing_exception,another_exception")
    row = result.json()["indices"][0]
    assert (row["sent"], row["failed"]) == (COUNT, 0), result
    assert failed(shardlift, "list", "--json").out == ""


def test_retry_needs_a_cluster(shardlift, tmp_path):
    result = failed(shardlift, "retry", "--target-host", f"dir:{tmp_path / 'out'}")
    assert result.code == USAGE and "--plan" in result.err, result
    assert failed(shardlift, "retry", "--plan").code == OK
