"""`metadata dashboards`: saved objects from Kibana 6.8, 7.10 and 8 to OpenSearch Dashboards 2."""

import json

import pytest

import dashboards_stub
from support import ERRORS, OK, SOURCE, UNREACHABLE, USAGE


@pytest.fixture
def start():
    servers = []

    def start(server):
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def dashboards(start):
    return start(dashboards_stub.Dashboards())


def saved(kind, name, attributes, references=(), version=None, **more):
    thing = {"type": kind, "id": name, "attributes": {"title": name, **attributes},
             "references": [{"type": t, "id": i, "name": n} for t, i, n in references], **more}
    if version:
        thing["migrationVersion"] = {kind: version}
    return thing


def panels(thing):
    return json.loads(thing["attributes"]["panelsJSON"])


def kibana_7(version="7.9.3"):
    pattern = ("index-pattern", "p", "kibanaSavedObjectMeta.searchSourceJSON.index")
    return [
        saved("dashboard", "board", {"panelsJSON": json.dumps([
            {"panelIndex": "1", "panelRefName": "panel_0", "title": "seen", "embeddableConfig": {}}])},
            [("visualization", "vis", "panel_0")], version),
        saved("visualization", "vis", {"visState": json.dumps(
            {"type": "metrics", "params": {"index_pattern": "logs-*", "series": [
                {"series_index_pattern": "other-*"}]}})}, [pattern], "7.10.0"),
        saved("search", "found", {"columns": ["a"]}, [pattern], "7.9.3"),
        saved("index-pattern", "p", {"title": "logs-*,metrics-*"}, version="7.6.0"),
        saved("config", "7.10.2", {"buildNum": 1}),
    ]


KIBANA_8 = [
    saved("index-pattern", "p", {"title": "logs-*", "allowNoIndex": True,
                                 "runtimeFieldMap": '{"r":{"type":"long"}}'},
          typeMigrationVersion="8.0.0", coreMigrationVersion="8.8.0", managed=False,
          version="WzEsMV0=", created_at="2026-01-01T00:00:00Z", namespaces=["default"]),
    saved("search", "found", {"columns": [], "grid": {}, "hideChart": False},
          [("index-pattern", "p", "i"), ("tag", "t", "tag-t")], "8.0.0"),
    saved("lens", "lensed", {}, [("index-pattern", "p", "i")], "8.9.0"),
    saved("visualization", "pie", {"visState": json.dumps(
        {"type": "pie", "params": {"legendDisplay": "show", "legendSize": "large"}})},
        [("index-pattern", "p", "i")], "8.5.0", coreMigrationVersion="8.8.0"),
    saved("url", "short", {"locatorJSON": json.dumps({"state": {"url": "/app/discover"}}),
                           "slug": "s", "url": ""}, version="8.8.0"),
    saved("query", "q", {"query": {"query": "a:1", "language": "kuery"}}, version="7.16.0"),
    saved("dashboard", "board", {"controlGroupInput": {}, "panelsJSON": json.dumps([
        {"panelIndex": "a", "type": "visualization", "title": "kept", "panelRefName": "panel_a",
         "embeddableConfig": {"hidePanelTitles": True}},
        {"panelIndex": "b", "type": "lens", "panelRefName": "panel_b", "embeddableConfig": {}},
        {"panelIndex": "c", "type": "visualization", "title": "by value", "embeddableConfig": {
            "savedVis": {"title": "", "type": "metric", "params": {"x": 1}, "data": {
                "aggs": [{"id": "1"}], "searchSource": {"indexRefName": "ref"}}}}},
        {"panelIndex": "d", "type": "map", "embeddableConfig": {"attributes": {}}},
    ])}, [("visualization", "pie", "a:panel_a"), ("lens", "lensed", "b:panel_b"),
          ("index-pattern", "p", "c:ref"), ("tag", "t", "tag-t")], "8.9.0"),
]


def items(result):
    return {(i["type"], i["id"]): i for i in result.json()["items"]}


def outcomes(result):
    return {key: item["outcome"] for key, item in items(result).items()}


def test_kibana_7_goes_over_as_it_is(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("7.10.2", kibana_7()))
    result = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                       "--json")
    assert result.code == OK, result
    here = dashboards.tenants[""]
    assert {("dashboard", "board"), ("visualization", "vis"), ("search", "found"),
            ("index-pattern", "p")} == here.keys()
    given = {(o["type"], o["id"]): o for o in kibana_7()}
    assert all(here[key] == given[key] for key in here)
    report = result.json()
    assert report["skipped"] == {"count": 1, "details": {"config": 1}}
    assert (report["total"], report["processed"]) == (5, 4)
    assert report["clusters"]["source"] == {"type": "Kibana 7.10.2", "uri": kibana.url}
    assert outcomes(result)["config", "7.10.2"] == "dropped"


def test_kibana_8_goes_back_to_what_dashboards_knows(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("8.11.0", KIBANA_8))
    result = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                       "--json")
    assert result.code == OK, result
    here = dashboards.tenants[""]
    assert outcomes(result)["lens", "lensed"] == "dropped"
    assert here["index-pattern", "p"]["attributes"] == {"title": "logs-*"}
    assert here["index-pattern", "p"]["migrationVersion"] == {"index-pattern": "7.6.0"}
    assert here["search", "found"]["references"] == [
        {"type": "index-pattern", "id": "p", "name": "i"}]
    state = json.loads(here["visualization", "pie"]["attributes"]["visState"])
    assert state["params"]["legendSize"] == 180 and state["params"]["addLegend"] is True
    assert here["url", "short"]["attributes"]["url"] == "/app/discover"
    assert "migrationVersion" not in here["query", "q"]
    board = here["dashboard", "board"]
    first, second = panels(board)
    assert first["panelRefName"] == "a:panel_a" and first["embeddableConfig"]["title"] == ""
    assert second["panelRefName"] == "panel_c" and "savedVis" not in second["embeddableConfig"]
    assert {"type": "visualization", "id": "board-c", "name": "panel_c"} in board["references"]
    assert not any(r["type"] in ("lens", "tag") for r in board["references"])
    made = here["visualization", "board-c"]
    assert made["attributes"]["title"] == "by value"
    assert made["references"] == [{"type": "index-pattern", "id": "p", "name": "c:ref"}]
    meta = json.loads(made["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert meta == {"indexRefName": "c:ref"}
    notes = [note["text"] for note in items(result)["dashboard", "board"]["notes"]]
    assert any("shows no lens" in note for note in notes)
    assert any("shows no map" in note for note in notes)
    assert any("controlGroupInput" in note for note in notes)
    again = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                      "--json")
    assert again.code == OK, again
    assert set(outcomes(again).values()) == {"existed", "dropped"}


def test_kibana_6_is_read_page_by_page(shardlift, start, dashboards):
    objects = [{"type": "index-pattern", "id": f"p{i}", "attributes": {"title": f"logs-{i}"},
                "version": i} for i in range(1203)]
    kibana = start(dashboards_stub.Kibana("6.8.23", objects))
    result = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                       "--json")
    assert result.code == OK, result
    assert len(dashboards.tenants[""]) == 1203
    assert all("migrationVersion" not in o for o in dashboards.tenants[""].values())


def test_a_conflict_keeps_no_other_object_out(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("7.10.2", [
        *kibana_7(), saved("search", "lost", {}, [("index-pattern", "gone", "i")], "7.9.3")]))
    there = {"type": "index-pattern", "id": "p", "attributes": {"title": "mine"}}
    dashboards.tenants[""]["index-pattern", "p"] = there
    arguments = ["metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url, "--json"]
    plan = shardlift(*arguments, "--plan")
    assert plan.code == OK and dashboards.imports == [], plan
    assert outcomes(plan)["index-pattern", "p"] == "existed"
    assert "which does not go along" in items(plan)["search", "lost"]["notes"][-1]["text"]
    assert dashboards.tenants[""] == {("index-pattern", "p"): there}
    result = shardlift(*arguments)
    assert result.code == ERRORS, result
    assert outcomes(result) == {
        ("index-pattern", "p"): "existed", ("search", "lost"): "failed",
        ("search", "found"): "written", ("visualization", "vis"): "written",
        ("dashboard", "board"): "written", ("config", "7.10.2"): "dropped"}
    assert "index-pattern 'gone'" in items(result)["search", "lost"]["reason"]
    assert dashboards.tenants[""]["index-pattern", "p"] == there
    result = shardlift(*arguments, "--overwrite")
    assert outcomes(result)["index-pattern", "p"] == "written", result
    assert dashboards.tenants[""]["index-pattern", "p"]["attributes"]["title"] == "logs-*,metrics-*"
    assert result.json()["errorCount"] == 1


def test_one_object_that_is_refused_keeps_no_other_out(shardlift, start, dashboards):
    """A source that is Dashboards itself is not changed, so the target has something to refuse."""
    older = start(dashboards_stub.Dashboards("3.1.0"))
    older.tenants[""] = {(o["type"], o["id"]): o for o in kibana_7("9.9.9")}
    result = shardlift("metadata", "dashboards", "--from", older.url, "--to", dashboards.url,
                       "--json")
    assert result.code == ERRORS, result
    assert [key for key, end in outcomes(result).items() if end == "failed"] == [
        ("dashboard", "board")]
    assert "more recent version" in items(result)["dashboard", "board"]["reason"]


def test_patterns_are_renamed_wherever_they_stand(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("7.10.2", kibana_7()))
    result = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                       "--rename", "logs-*=old-logs-*", "--rename", "regex:oth(.*)=o-$1")
    assert result.code == OK, result
    here = dashboards.tenants[""]
    assert here["index-pattern", "p"]["attributes"]["title"] == "old-logs-*,metrics-*"
    state = json.loads(here["visualization", "vis"]["attributes"]["visState"])
    assert state["params"] == {"index_pattern": "old-logs-*",
                               "series": [{"series_index_pattern": "o-er-*"}]}
    assert "title: old-logs-*,metrics-*, was logs-*,metrics-*" in result.out


def test_spaces_go_to_tenants(shardlift, start, dashboards):
    team = [saved("index-pattern", "p", {"title": "team-*"}, version="7.6.0")]
    kibana = start(dashboards_stub.Kibana("8.11.0", KIBANA_8[:1], {"team": team}))
    dashboards.tenants["team"] = {}
    dashboards.tenants["alpha"] = {}
    arguments = ["metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url]
    result = shardlift(*arguments, "--space", "*", "--json")
    assert result.code == OK, result
    titles = {tenant: [o["attributes"]["title"] for o in objects.values()]
              for tenant, objects in dashboards.tenants.items()}
    assert titles == {"": ["logs-*"], "team": ["team-*"], "alpha": []}
    result = shardlift(*arguments, "--space", "team=alpha")
    assert result.code == OK and len(dashboards.tenants["alpha"]) == 1, result
    result = shardlift(*arguments, "--space", "default", "--space", "team", "--overwrite")
    assert result.code == ERRORS and "give each space a tenant" in result.out, result
    result = shardlift(*arguments, "--space", "team=missing")
    assert result.code == UNREACHABLE and "403" in result.err, result


def test_files_are_cleaned_without_any_server(shardlift, tmp_path, dashboards):
    export, cleaned = tmp_path / "export.ndjson", tmp_path / "cleaned.ndjson"
    export.write_text("".join(json.dumps(o) + "\r\n" for o in [*KIBANA_8, {"exportedCount": 7}]))
    plan = shardlift("metadata", "dashboards", "--from", f"file:{export}", "--to",
                     f"file:{cleaned}", "--plan")
    assert plan.code == OK and not cleaned.exists(), plan
    result = shardlift("metadata", "dashboards", "--from", f"file:{export}", "--to",
                       f"file:{cleaned}")
    assert result.code == OK, result
    assert "8 objects: 7 written, 0 there already, 1 dropped, 0 failed" in result.out
    kinds = [json.loads(line)["type"] for line in cleaned.read_text().splitlines()]
    assert kinds == ["index-pattern", "search", "query", "visualization", "visualization",
                     "dashboard", "url"]
    result = shardlift("metadata", "dashboards", "--from", f"file:{cleaned}", "--to",
                       dashboards.url)
    assert result.code == OK and len(dashboards.tenants[""]) == 7, result


def test_only_the_types_that_are_asked_for_go(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("8.11.0", KIBANA_8))
    result = shardlift("metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url,
                       "--type", "index-pattern,dashboard")
    assert result.code == OK, result
    assert dashboards.tenants[""].keys() == {
        ("index-pattern", "p"), ("dashboard", "board"), ("visualization", "board-c")}


def test_what_is_wrong_is_said_before_anything_is_sent(shardlift, start, dashboards, tmp_path):
    kibana = start(dashboards_stub.Kibana("7.10.2", kibana_7()))
    damaged = tmp_path / "damaged.ndjson"
    damaged.write_text('{"type":"search","id":"a","attributes":{}}\n{"type":\n')
    cases = [
        ([], USAGE, "from where"),
        (["--from", "/backups#one"], USAGE, "the URL of Kibana"),
        (["--from", kibana.url, "--rename", "a"], USAGE, "FROM=TO"),
        (["--from", kibana.url, "--rename", "regex:(=b"], USAGE, "--rename"),
        (["--from", kibana.url, "--space", "=x"], USAGE, "SPACE=TENANT"),
        (["--from", f"file:{damaged}"], SOURCE, "line 2"),
        (["--from", f"file:{tmp_path}/none"], SOURCE, "no such file"),
        (["--from", start(dashboards_stub.Kibana("5.6.16")).url], SOURCE, "upgrade Kibana"),
    ]
    for arguments, code, text in cases:
        result = shardlift("metadata", "dashboards", *arguments, "--to", dashboards.url)
        assert result.code == code and text in result.err, result
    assert dashboards.imports == []


def test_kibana_that_wants_a_user_says_so(shardlift, start, dashboards):
    kibana = start(dashboards_stub.Kibana("7.10.2", kibana_7()))
    kibana.denied = True
    arguments = ["metadata", "dashboards", "--from", kibana.url, "--to", dashboards.url]
    result = shardlift(*arguments)
    assert result.code == UNREACHABLE and "--source-username" in result.err, result
    result = shardlift(*arguments, "--source-username", "u", "--source-password", "p")
    assert result.code == OK and len(dashboards.tenants[""]) == 4, result
