"""Roles: written only when they are asked for, never more than they were."""

import pytest

import security_stub
from support import ERRORS, OK

ROLE = {"cluster": ["monitor", "manage_ml"], "indices": [
    {"names": ["logs-*"], "privileges": ["read", "view_index_metadata"],
     "field_security": {"grant": ["*"], "except": ["card"]}, "query": '{"term":{"team":"a"}}'},
    {"names": ["audit"], "privileges": ["read"], "query": '{"template":{"source":"{}"}}'}],
    "applications": [], "run_as": [], "metadata": {}, "transient_metadata": {"enabled": True}}
NOTHING = {**ROLE, "cluster": ["manage_ml"], "indices": []}
RESERVED = {**ROLE, "metadata": {"_reserved": True}}
OPENSEARCH = {"reserved": False, "hidden": False, "static": False,
              "cluster_permissions": ["cluster_monitor"], "tenant_permissions": [],
              "index_permissions": [{"index_patterns": ["logs-*"], "dls": "", "fls": [],
                                     "masked_fields": [], "allowed_actions": ["read"]}]}


@pytest.fixture
def start():
    stubs = []

    def start(*arguments):
        stubs.append(security_stub.Cluster(*arguments))
        return stubs[-1]
    yield start
    for stub in stubs:
        stub.stop()


def run(shardlift, command, source, target, *more):
    return shardlift("metadata", command, "--from", source.url, "--to", target.url, "--json", *more)


def roles(result):
    return {row["name"]: row["outcome"] for row in result.json()["items"]["security"]}


@pytest.mark.parametrize("version", ["6.8.23", "7.10.2", "8.19.21"])
def test_roles_are_written_to_opensearch_when_they_are_named(shardlift, start, version):
    source = start(version, False, {"reader": ROLE, "superuser": RESERVED, "idle": NOTHING})
    target = start("2.19.6", True)
    result = run(shardlift, "evaluate", source, target, "--kind", "security")
    assert result.code == OK and roles(result) == {"reader": "ready", "idle": "reported"}, result
    result = run(shardlift, "migrate", source, target)
    assert result.code == OK and roles(result) == {"reader": "reported", "idle": "reported"}, result
    assert target.changes() == []
    result = run(shardlift, "migrate", source, target, "--kind", "roles")
    assert result.code == OK and roles(result) == {"reader": "written", "idle": "reported"}, result
    [name] = target.roles
    role = target.roles[name]
    assert name == "reader" and role["cluster_permissions"] == [
        "cluster_monitor", "cluster_composite_ops_ro"]
    [entry] = role["index_permissions"]
    assert (entry["index_patterns"], entry["dls"], entry["fls"]) == (
        ["logs-*"], '{"term":{"team":"a"}}', ["~card"])
    assert "read" in entry["allowed_actions"] and len(entry["allowed_actions"]) == 8
    told = str(result.json()["items"]["security"])
    assert "manage_ml" in told and "audit" in told
    again = run(shardlift, "migrate", source, target, "--kind", "security")
    assert again.code == OK and roles(again)["reader"] == "existed", again


def test_roles_stay_what_they_are_between_clusters_of_one_kind(shardlift, start):
    source, target = start("1.3.20", True, {"mine": OPENSEARCH}), start("3.8.0", True)
    assert run(shardlift, "migrate", source, target, "--kind", "security").code == OK
    assert target.roles["mine"] == {key: OPENSEARCH[key] for key in (
        "cluster_permissions", "index_permissions", "tenant_permissions")}
    source, target = start("7.10.2", False, {"reader": ROLE}), start("8.19.21", False)
    assert run(shardlift, "migrate", source, target, "--kind", "security").code == OK
    assert target.roles["reader"] == {key: ROLE[key] for key in ROLE if key != "transient_metadata"}


def test_a_role_of_opensearch_becomes_one_of_elasticsearch(shardlift, start):
    source, target = start("2.19.6", True, {"mine": OPENSEARCH}), start("8.19.21", False)
    assert run(shardlift, "migrate", source, target, "--kind", "security").code == OK
    assert target.roles["mine"] == {"cluster": ["monitor"], "indices": [
        {"names": ["logs-*"], "privileges": ["read"]}]}


def test_who_may_not_see_or_write_roles_is_told_so(shardlift, start):
    source, target = start("7.10.2", False, {"reader": ROLE}), start("2.19.6", True)
    target.forbidden = True
    result = run(shardlift, "migrate", source, target, "--kind", "security")
    assert result.code == ERRORS and roles(result) == {"reader": "failed"}, result
    target.forbidden, source.forbidden = False, True
    result = run(shardlift, "migrate", source, target, "--kind", "security")
    [error] = result.json()["errors"]
    assert "/_security/role" in error and target.roles == {}, result
