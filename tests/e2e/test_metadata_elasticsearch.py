"""From Elasticsearch to Elasticsearch with ILM (no node of the registries has it), and how
`metadata` tells what it did."""

import socket

import pytest

import elasticsearch_stub
import lifecycle_stub
from support import BLOCKED, ERRORS, OK, SOURCE, UNREACHABLE, USAGE

LOGS = {"phases": {
    "hot": {"actions": {"rollover": {"max_age": "1d"}}},
    "delete": {"min_age": "30d", "actions": {"wait_for_snapshot": {"policy": "nightly"},
                                             "delete": {}}}}}


@pytest.fixture
def start():
    stubs = []

    def start(stub):
        stubs.append(stub)
        return stub
    yield start
    for stub in stubs:
        stub.stop()


@pytest.fixture
def source(start):
    stub = start(lifecycle_stub.IlmSource("7.10.2"))
    stub.policies = {"logs-policy": LOGS}
    stub.slm = {"nightly": {"name": "<nightly-{now/d}>", "schedule": "0 30 1 * * ?",
                            "repository": "backups"}}
    lifecycle = {"settings": {"index": {"lifecycle": {"name": "logs-policy"}}}}
    stub.components = {"policy": {"template": lifecycle}}
    stub.composable = {"app": {"index_patterns": ["app-*"], "composed_of": ["policy"],
                               "template": lifecycle}}
    stub.legacy = {"old": {"order": 1, "index_patterns": ["old-*"], "mappings": {}, "aliases": {},
                           **lifecycle}}
    stub.add_index("app-000001", {"name": "logs-policy"})
    return stub


@pytest.fixture
def target(start):
    return start(elasticsearch_stub.Target())


def run(shardlift, command, source, target, *more):
    return shardlift(*command.split(), "--from", source.url, "--to", target.url, *more)


def test_policies_go_before_what_names_them_without_the_keys_of_answers(shardlift, source, target):
    """The target refuses what names something that is not there yet."""
    result = run(shardlift, "metadata migrate", source, target)
    assert result.code == OK, result
    assert target.kept["/_ilm/policy/logs-policy"] == {"policy": LOGS}
    assert [path for method, path in target.requests if method == "PUT"] == [
        "/_slm/policy/nightly", "/_ilm/policy/logs-policy", "/_component_template/policy",
        "/_index_template/app", "/_template/old", "/app-000001"]
    settings = target.kept["/app-000001"]["settings"]
    assert settings["index.lifecycle.name"] == "logs-policy"


def test_a_policy_of_elasticsearch_8_loses_what_uses_it(shardlift, start, target):
    source = start(lifecycle_stub.IlmSource("8.15.0"))
    policy = {"phases": {"hot": {"actions": {"rollover": {"max_age": "1d"}}}}, "_meta": {"by": "us"}}
    source.policies = {"ours": policy}
    assert run(shardlift, "metadata migrate", source, target).code == OK
    assert target.kept["/_ilm/policy/ours"] == {"policy": policy}


def test_composable_templates_are_legacy_ones_where_there_are_no_others(shardlift, source, start):
    target = start(elasticsearch_stub.Target("7.7.1"))
    source.components["policy"]["template"]["mappings"] = {"properties": {"a": {"type": "ip"}}}
    result = run(shardlift, "metadata migrate", source, target)
    assert result.code == OK, result
    assert target.kept["/_template/app"] == {
        "index_patterns": ["app-*"], "order": 0, "settings": {"index.lifecycle.name": "logs-policy"},
        "mappings": {"properties": {"a": {"type": "ip"}}}}
    assert not any("component" in path or "index_template" in path for path in target.kept)
    assert "the target has no composable ones" in result.out


@pytest.mark.parametrize("version, outcome", [("8.15.0", "blocked"), ("7.17.0", "written")])
def test_too_many_contexts_are_told_before_anything_is_created(shardlift, start, source, version,
                                                               outcome):
    target = start(elasticsearch_stub.Target(version))
    contexts = [{"name": f"c{i}", "type": "category"} for i in range(11)]
    source.add_index("full", None)
    source.indices["full"]["mappings"]["properties"]["s"] = {"type": "completion",
                                                             "contexts": contexts}
    result = run(shardlift, "metadata migrate", source, target, "--json")
    ends = {item["name"]: item["outcome"] for item in result.json()["items"]["indexes"]}
    assert ends == {"full": outcome, "app-000001": "written"}
    assert result.code == (ERRORS if outcome == "blocked" else OK), result
    assert ("/full" in target.kept) == (outcome == "written")


def head(result):
    return result.out.split("   Component Templates:")[0].splitlines()


def test_the_text_is_laid_out_as_the_java_tools(shardlift, source, target):
    target.kept["/app-000001"] = {}
    source.composable["lost"] = {"index_patterns": ["l"], "composed_of": ["gone"], "template": {}}
    result = run(shardlift, "metadata evaluate", source, target)
    assert result.code == ERRORS, result
    assert head(result) == [
        "Starting Metadata Evaluation", "",
        "Clusters:",
        "   Source:",
        "      Type: Remote Cluster (ELASTICSEARCH 7.10.2)",
        f"      Uri: {source.url}",
        "      Protocol: HTTP",
        "      TLS Verification: Enabled", "",
        "   Target:",
        "      Type: Remote Cluster (ELASTICSEARCH 8.15.0)",
        f"      Uri: {target.url}",
        "      Protocol: HTTP",
        "      TLS Verification: Enabled", "",
        "Migration Candidates:",
        "   Index Templates:",
        "      - app",
        "      - old",
        "      ERROR - lost failed to transform to the target version: its component template "
        "'gone' is neither selected nor on the target; name it with --component-template-allowlist",
        ""]
    rest = result.out.splitlines()
    at = rest.index("   Indexes:")
    assert rest[at + 1].startswith("      ERROR - app-000001 already exists on the target")
    assert rest[at + 2:at + 5] == ["", "   Aliases:", "      <NONE FOUND>"]
    assert "Transformations:" in rest
    at = rest.index("Results:")
    assert rest[at + 1:at + 3] == ["   Issue(s) detected", "Issues:"]
    assert len(rest) == at + 5
    assert "Starting Metadata Migration" in run(shardlift, "metadata migrate", source, target).out


def test_the_json_has_the_java_tools_members(shardlift, source, target):
    target.kept["/app-000001"] = {}
    target.kept["/_index_template/app"] = {}
    source.composable["lost"] = {"index_patterns": ["l"], "composed_of": ["gone"], "template": {}}
    result = run(shardlift, "metadata evaluate", source, target, "--json", "--source-insecure",
                 "--disable-compression")
    report = result.json()
    assert report["clusters"] == {
        "source": {"type": "Remote Cluster", "version": "ELASTICSEARCH 7.10.2", "uri": source.url,
                   "protocol": "HTTP", "insecure": True, "awsSpecificAuthentication": False},
        "target": {"type": "Remote Cluster", "version": "ELASTICSEARCH 8.15.0", "uri": target.url,
                   "protocol": "HTTP", "insecure": False, "awsSpecificAuthentication": False,
                   "disableCompression": True}}
    items = report["items"]
    assert items["dryRun"] is True
    assert {"indexTemplates", "componentTemplates", "indexes", "aliases"} <= items.keys()
    failures = {(i["name"], i["failure"]["type"], i["failure"]["fatal"])
                for kind in ("indexTemplates", "indexes") for i in items[kind] if "failure" in i}
    assert failures == {("app", "METADATA_ALREADY_EXISTS", False),
                        ("lost", "UNABLE_TO_TRANSFORM_FAILURE", True),
                        ("app-000001", "INDEX_ALREADY_EXISTS", True)}
    assert [set(i) for i in items["componentTemplates"]] == [
        {"name", "successful", "outcome", "before", "after"}]
    assert isinstance(report["transformations"]["transformers"], list)
    assert len(report["errors"]) == report["errorCount"] == 2
    assert report["errorCode"] == result.code == ERRORS


def test_each_exit_code_says_what_happened(shardlift, source, start, target, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(shardlift, "metadata evaluate", source, target).code == OK
    target.kept["/app-000001"] = {}
    assert run(shardlift, "metadata migrate", source, target).code == ERRORS
    wrong = run(shardlift, "metadata migrate", source, target, "--index-allowlist", "regex:(")
    assert wrong.code == USAGE, wrong
    with socket.socket() as nobody:  # keeps the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        away = shardlift("metadata", "migrate", "--from", source.url, "--to",
                         f"http://127.0.0.1:{nobody.getsockname()[1]}", "--target-retry-time", "1ms")
    assert away.code == UNREACHABLE, away
    parents = start(lifecycle_stub.IlmSource("5.6.16"))
    parents.add_index("family", None)
    parents.indices["family"]["mappings"] = {"doc": {"_parent": {"type": "a"}}}
    assessed = run(shardlift, "assess", parents, target)
    assert assessed.code == BLOCKED, assessed
    unread = shardlift("metadata", "evaluate", "--from", f"{tmp_path}/empty#one", "--to", target.url)
    assert unread.code == SOURCE, unread
