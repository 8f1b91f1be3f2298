"""What `migrate` brings along beside indices and their documents."""

import pytest

from support import ERRORS, OK, USAGE

KNOWN = ("/_index_template/audit", "/_component_template/base", "/_ingest/pipeline/stamp",
         "/_scripts/add-one")


def knows(node, path):
    answer = node.client.transport.perform_request("GET", path, params={"ignore": (404,)})
    return bool(answer) and answer.get("found", True) and "error" not in answer


@pytest.fixture
def target(opensearch):
    """Without the pipelines and scripts of other tests, too."""
    for path in ("/_ingest/pipeline/*", "/_scripts/add-one"):
        opensearch.client.transport.perform_request("DELETE", path, params={"ignore": (404,)})
    return opensearch


@pytest.fixture
def migrate(shardlift, repository, target):
    def migrate(*more):
        return shardlift("migrate", "--from", f"{repository('es-7.10.2')}#snap1", "--to",
                         target.url, "--index-allowlist", "books", *more)
    return migrate


def test_templates_pipelines_and_scripts_come_along(migrate, target):
    result = migrate("--json")
    assert result.code == OK, result
    assert {path: knows(target, path) for path in KNOWN} == dict.fromkeys(KNOWN, True)
    assert result.json()["other_failures"] == []
    assert [row["creation"] for row in result.json()["indices"]] == ["created"]


def test_indices_can_come_alone(migrate, target):
    result = migrate("--indices-only")
    assert result.code == OK, result
    assert {path: knows(target, path) for path in KNOWN} == dict.fromkeys(KNOWN, False)
    assert target.api("GET", "/_cat/aliases?format=json&h=alias,index")


def test_other_items_that_fail_are_told_below_the_table(migrate, target):
    # Of equal rank, which a cluster refuses.
    target.api("PUT", "/_index_template/mine", {"index_patterns": ["audit-*"], "priority": 10})
    result = migrate()
    assert result.code == ERRORS, result
    assert "index-template 'audit' was not written: " in result.out, result
    assert "ok" in next(line for line in result.out.splitlines() if line.startswith("books"))


def test_types_are_split_by_other_commands(migrate, target):
    result = migrate("--multi-type-behavior", "SPLIT")
    assert result.code == USAGE, result
    assert "--doc-transformer-config" in result.err and "metadata migrate" in result.err, result
    assert not target.client.indices.exists(index="books")
