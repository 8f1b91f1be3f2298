"""Lifecycle policies on their way from ILM to ISM. No node in the registries has either: both ends
are stubs (lifecycle_stub.py) that answer, and refuse, as the real ones do."""

import pytest

import lifecycle_stub
import support
from lifecycle_stub import ARRIVED, DAY

PRODUCT = {"phases": {
    "hot": {"min_age": "0ms", "actions": {"rollover": {"max_size": "1GB", "max_age": "1d",
                                                       "max_docs": 1000}}},
    "delete": {"min_age": "2h", "actions": {"delete": {}}}}}
LOGS = {"phases": {
    "hot": {"actions": {"rollover": {"max_age": "1d"}, "set_priority": {"priority": 100}}},
    "warm": {"min_age": "7d", "actions": {"forcemerge": {"max_num_segments": 1},
                                          "shrink": {"number_of_shards": 1},
                                          "allocate": {"require": {"data": "warm"}}}},
    "delete": {"min_age": "30d", "actions": {"delete": {}}}}}
AUDIT = {"phases": {"delete": {"min_age": "90d", "actions": {"delete": {}}}}}


@pytest.fixture(params=["6.8.23", "7.10.1", "8.15.0"])
def source(request):
    stub = lifecycle_stub.IlmSource(request.param)
    fill(stub)
    yield stub
    stub.stop()


@pytest.fixture
def target():
    stub = lifecycle_stub.IsmTarget()
    yield stub
    stub.stop()


def fill(stub):
    stub.policies = {"product": PRODUCT, "logs-policy": LOGS, "audit": AUDIT,
                     "7-days-default": AUDIT}
    logs = {"name": "logs-policy", "rollover_alias": "logs"}
    settings = {"settings": {"index": {"lifecycle": logs}}}
    stub.legacy = {"old-logs": {"order": 5, "index_patterns": ["app-*"], "mappings": {},
                                "aliases": {}, **settings}}
    stub.components = {"policy": {"template": {"settings": {"index": {"lifecycle": {
        "name": "product"}}}}}}
    stub.composable = {"products": {"index_patterns": ["app-products-*"], "priority": 5,
                                    "composed_of": ["policy"], "template": {}}}
    stub.slm = {"nightly": {"name": "<nightly-{now/d}>", "schedule": "0 30 1 * * ?",
                            "repository": "backups", "config": {"indices": ["*"]},
                            "retention": {"expire_after": "30d"}}}
    stub.add_index("app-000001", logs, {"logs": {"is_write_index": False}},
                   since=ARRIVED - 10 * DAY - 5)
    stub.add_index("app-000002", logs, {"logs": {"is_write_index": True}}, since=ARRIVED - DAY)
    stub.add_index("app-000000", {**logs, "indexing_complete": "true"}, since=ARRIVED - 40 * DAY)
    stub.add_index("audit-1", {"name": "audit"}, since=ARRIVED - 40 * DAY, created=1)
    stub.add_index("audit-2", {"name": "audit"}, since=ARRIVED)
    stub.add_index("free", None)


def run(shardlift, command, source, target, *options):
    return shardlift(*command.split(), "--from", source.url, "--to", target.url, "--json", *options)


def steps(result):
    return {(s["kind"], s["name"]): (s.get("policy"), s["outcome"])
            for s in result.json()["steps"]}


def states(target, policy):
    return {s["name"]: s for s in target.policies[policy]["policy"]["states"]}


def condition(state):
    return state["transitions"][0].get("conditions")


ATTACHED = {"app-000000": "logs-policy-rolled-40d", "app-000001": "logs-policy-rolled-10d",
            "app-000002": "logs-policy", "audit-1": "audit-rolled-40d", "audit-2": "audit"}


def migrated(shardlift, source, target):
    result = run(shardlift, "metadata migrate", source, target)
    assert result.code == support.OK, result
    return result


def test_policies_become_isms_and_nothing_is_managed_before_attach(shardlift, source, target):
    migrated(shardlift, source, target)
    assert set(target.policies) == {"product", "logs-policy", "audit"}
    product = target.policies["product"]["policy"]
    assert product["default_state"] == "hot"
    assert product["states"] == [
        {"name": "hot", "actions": [{"rollover": {"min_size": "1gb", "min_index_age": "1d",
                                                  "min_doc_count": 1000}}],
         "transitions": [{"state_name": "delete", "conditions": {"min_rollover_age": "2h"}}]},
        {"name": "delete", "actions": [{"delete": {}}], "transitions": []}]
    alias = "index.plugins.index_state_management.rollover_alias"
    assert target.indices["app-000001"]["settings"][alias] == "logs"
    # A policy that caught indices as they are created would delete what is being loaded.
    assert target.managed == {}


def test_snapshot_policies_become_opensearchs(shardlift, source, target):
    migrated(shardlift, source, target)
    if source.number < (7, 8):
        assert target.snapshots == {}
        return
    nightly = target.snapshots["nightly"]
    assert nightly["creation"]["schedule"]["cron"]["expression"] == "30 1 * * *"
    assert nightly["deletion"]["condition"] == {"max_age": "30d"}
    assert nightly["snapshot_config"]["repository"] == "backups"


def test_evaluate_changes_nothing(shardlift, source, target):
    result = run(shardlift, "metadata evaluate", source, target)
    assert result.code == support.OK, result
    assert target.changes() == []


def test_attach_gives_each_index_what_fits_it(shardlift, source, target):
    migrated(shardlift, source, target)
    result = run(shardlift, "lifecycle attach", source, target)
    assert result.code == support.OK, result
    assert target.managed == ATTACHED
    done = steps(result)
    assert done["index", "app-000001"] == ("logs-policy-rolled-10d", "done")
    rolled = states(target, "logs-policy-rolled-10d")
    assert [list(a) for a in rolled["hot"]["actions"]] == [["index_priority"]]
    assert condition(rolled["hot"]) is None
    assert condition(rolled["warm"]) == {"min_index_age": "20d"}
    assert condition(states(target, "audit-rolled-40d")["start"]) == {"min_index_age": "50d"}
    late = [s for s in result.json()["steps"] if s["name"] == "app-000000"]
    assert "deletes it" in late[0]["remark"]


def test_attach_gives_policies_the_patterns_of_templates(shardlift, source, target):
    migrated(shardlift, source, target)
    result = run(shardlift, "lifecycle attach", source, target)
    assert result.code == support.OK, result
    given = {name: [(t["index_patterns"], t["priority"])
                    for t in entry["policy"]["ism_template"] or []]
             for name, entry in target.policies.items()}
    assert given["logs-policy"] == [(["app-*"], 5)]
    # Both templates had 5; ISM refuses patterns that overlap with one priority.
    assert given["product"] == ([(["app-products-*"], 6)] if source.number >= (7, 8) else [])
    assert given["logs-policy-rolled-10d"] == []


def test_a_plan_changes_nothing_and_says_what_attach_does(shardlift, source, target):
    migrated(shardlift, source, target)
    target.requests.clear()
    result = run(shardlift, "lifecycle attach", source, target, "--plan")
    assert result.code == support.OK, result
    assert target.changes() == [] and target.managed == {}
    planned = steps(result)
    assert {n: p for (kind, n), (p, _) in planned.items() if kind == "index"} == ATTACHED
    assert {outcome for _, outcome in planned.values()} == {"planned"}
    assert planned["policy", "audit-rolled-40d"] == (None, "planned")


def test_attach_again_changes_nothing(shardlift, source, target):
    migrated(shardlift, source, target)
    assert run(shardlift, "lifecycle attach", source, target).code == support.OK
    target.requests.clear()
    again = run(shardlift, "lifecycle attach", source, target)
    assert again.code == support.OK, again
    assert target.changes() == []
    assert {n: outcome for (_, n), (_, outcome) in steps(again).items()} == {
        index: "already" for index in ATTACHED}


def test_data_streams_get_the_policy_for_the_index_they_write_to(shardlift, source_7, target):
    backing = [".ds-events-000001", ".ds-events-000002"]
    for name in backing:
        source_7.add_index(name, {"name": "logs-policy"}, since=ARRIVED - 20 * DAY)
    source_7.composable["events"] = {"index_patterns": ["events*"], "data_stream": {},
                                     "priority": 9, "template": {}}
    source_7.streams = [{"name": "events", "template": "events", "ilm_policy": "logs-policy",
                         "indices": [{"index_name": n, "index_uuid": n} for n in backing]}]
    migrated(shardlift, source_7, target)
    result = run(shardlift, "lifecycle attach", source_7, target)
    assert result.code == support.OK, result
    assert target.managed[target.streams["events"]] == "logs-policy"


@pytest.fixture
def source_7():
    stub = lifecycle_stub.IlmSource("7.10.1")
    fill(stub)
    yield stub
    stub.stop()


def test_attach_leaves_what_another_policy_manages(shardlift, source_7, target):
    migrated(shardlift, source_7, target)
    target.managed["audit-2"] = "mine"
    result = run(shardlift, "lifecycle attach", source_7, target)
    assert result.code == support.OK, result
    assert target.managed["audit-2"] == "mine"
    assert steps(result)["index", "audit-2"] == ("mine", "kept")


def test_attach_names_what_the_target_lacks(shardlift, source_7, target):
    migrated(shardlift, source_7, target)
    del target.policies["product"], target.indices["audit-1"]
    result = run(shardlift, "lifecycle attach", source_7, target)
    assert result.code == support.ERRORS, result
    failed = steps(result)
    assert failed["policy", "product"][1] == "failed"
    assert failed["index", "audit-1"][1] == "failed"
    assert target.managed["app-000002"] == "logs-policy"


def test_without_explanations_no_age_is_guessed(shardlift, source_7, target):
    source_7.explains = False
    migrated(shardlift, source_7, target)
    assert run(shardlift, "lifecycle attach", source_7, target).code == support.OK
    # What rolls over starts anew; what does not counts from its creation.
    assert target.managed["app-000001"] == "logs-policy-rolled"
    assert condition(states(target, "logs-policy-rolled")["warm"]) == {"min_index_age": "30d"}
    assert target.managed["audit-1"].startswith("audit-rolled-")


def test_attach_shows_a_table(shardlift, source_7, target):
    migrated(shardlift, source_7, target)
    result = shardlift("lifecycle", "attach", "--from", source_7.url, "--to", target.url)
    assert result.code == support.OK, result
    assert [line for line in result.out.splitlines()
            if line.split()[:4] == ["index", "app-000002", "logs-policy", "done"]], result


def test_attach_wants_an_opensearch(shardlift, source_7):
    result = run(shardlift, "lifecycle attach", source_7, source_7)
    assert result.code == support.BLOCKED, result
    assert "has no ISM" in result.err


def test_attach_tells_what_cannot_be_rolled_over(shardlift, source_7, target):
    source_7.add_index("unnumbered", {"name": "logs-policy", "rollover_alias": "u"},
                       {"u": {"is_write_index": True}}, since=ARRIVED)
    migrated(shardlift, source_7, target)
    result = run(shardlift, "lifecycle attach", source_7, target, "--plan")
    remarks = {s["name"]: s.get("remark", "") for s in result.json()["steps"]}
    assert "does not end with - and a number" in remarks["unnumbered"]
    assert "roll it over" not in remarks["app-000002"]
