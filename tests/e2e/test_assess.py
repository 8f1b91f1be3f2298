"""`assess`: what a move breaks, out of the snapshots of the fixtures; no node is asked."""

import json
import re
import xml.etree.ElementTree

import pytest

from support import BLOCKED, OK, USAGE

SNAPSHOT = {"es": "snap1", "os": "snap-1"}


def assess(shardlift, repository, fixture, target, *more):
    return shardlift("assess", "--from", f"{repository(fixture)}#{SNAPSHOT[fixture[:2]]}",
                     "--target-version", target, *more)


def findings(result):
    return {row["id"]: row for row in result.json()["findings"]}


def places(row):
    return {(touch.get("name"), touch["path"]) for touch in row["touches"]}


def test_types_and_parents_of_elasticsearch_5_are_found(shardlift, repository):
    result = assess(shardlift, repository, "es-5.6.16", "OS 2.19", "--json")
    assert result.code == BLOCKED, result
    found = findings(result)
    assert places(found["B605"]) == {("family", "mappings.child._parent")}
    assert found["B605"]["severity"] == "block"
    assert {name for name, _ in places(found["B601"])} == {"books", "family"}
    assert found["B601"]["severity"] == "fix"
    assert ("books", "mappings.book.properties.reviews") in places(found["B705"])
    assert {name for name, _ in places(found["BX08"])} == {"metrics", "partial"}
    assert not found.keys() & {"B201", "B501", "B801", "B803", "BF02", "BO33"}
    summary = result.json()["summary"]
    for severity in summary:
        assert summary[severity] == sum(row["severity"] == severity for row in found.values())


@pytest.mark.parametrize("fixture", ["es-1.7.6", "es-2.4.6"])
def test_strings_of_early_versions_are_found(shardlift, repository, fixture):
    result = assess(shardlift, repository, fixture, "OS 2.19", "--json")
    assert result.code == BLOCKED, result
    found = findings(result)
    assert any(name == "books" for name, _ in places(found["B501"]))
    assert any(name == "partial" for name, _ in places(found["B507"]))
    assert ("B706" in found) == (fixture == "es-1.7.6")  # dateOptionalTime
    assert any("text instead of string" in text for text in result.json()["clientChanges"])


def test_templates_that_are_asked_for_are_found(shardlift, repository):
    result = assess(shardlift, repository, "es-2.4.6", "OS 2.19", "--index-template-allowlist",
                    "logs", "--json")
    assert places(findings(result)["B603"]) == {("logs", "template")}
    assert ("logs", "mappings.event.properties.host") in places(findings(result)["B501"])


@pytest.mark.parametrize("fixture", ["es-6.8.23", "es-7.10.2", "es-8.19.21", "os-2.19.6"])
def test_what_blocks_nothing_succeeds(shardlift, repository, fixture):
    result = assess(shardlift, repository, fixture, "OS 2.19", "--json")
    assert result.code == OK, result
    assert result.json()["summary"]["block"] == 0


def test_only_changes_between_the_versions_are_told(shardlift, repository):
    to_opensearch = findings(assess(shardlift, repository, "es-7.10.2", "OS 2.19", "--json"))
    to_elasticsearch = findings(assess(shardlift, repository, "es-7.10.2", "ES 8.15", "--json"))
    assert not any(id.startswith("B8") for id in to_opensearch)
    assert not any(id.startswith(("BF", "BO")) for id in to_elasticsearch)
    for id in to_opensearch.keys() | to_elasticsearch.keys():
        assert not re.match(r"B[2-6]\d\d", id)


def test_text_ends_with_what_clients_must_change(shardlift, repository):
    result = assess(shardlift, repository, "es-5.6.16", "OS 2.19")
    assert result.code == BLOCKED, result
    before, clients = result.out.split("What clients must change:\n")
    assert "block B605" in before
    assert "index 'books': its 2 types are one" in clients
    assert "--traffic FILE" in clients


def test_requests_are_scanned_for_what_is_gone(shardlift, repository, tmp_path):
    traffic = tmp_path / "traffic.ndjson"
    requests = [
        {"method": "POST", "path": "/books/book/_search",
         "headers": {"User-Agent": "old-client/1.0", "Content-Type": "application/json"},
         "body": {"query": {"filtered": {"filter": {"or": [{"term": {"a": 1}}]}}}}},
        {"method": "GET", "path": "/_cluster/health", "headers": {"User-Agent": "old-client/1.0"}},
    ]
    traffic.write_text("".join(json.dumps(request) + "\n" for request in requests))
    queries = tmp_path / "queries.txt"
    queries.write_text('GET /books/_search\n{\n  "query": {"missing": {"field": "a"}}\n}\n')
    result = assess(shardlift, repository, "es-2.4.6", "OS 2.19", "--traffic", traffic,
                    "--queries", queries, "--json")
    assert result.code == BLOCKED, result
    found = findings(result)
    where = {id: {touch["where"] for touch in found[id]["touches"]} for id in found}
    assert where["BQ01"] == where["BQ02"] == where["BO21"] == {"request POST /books/book/_search"}
    assert where["BQ03"] == {"request GET /books/_search"}
    assert not found.keys() & {"BQ04", "BQ05", "B606", "BF04"}
    assert result.json()["requests"] == {
        "examined": True, "count": 3, "unreadLines": 0,
        "clients": [{"userAgent": "old-client/1.0", "requests": 2}]}


def test_page_is_well_formed_and_needs_nothing_else(shardlift, repository, tmp_path):
    page = tmp_path / "assessment.html"
    traffic = tmp_path / "traffic.txt"
    traffic.write_text('x "GET /<b>/_search?search_type=scan HTTP/1.1" 200 "-" "<script>&\'"\n')
    result = assess(shardlift, repository, "es-2.4.6", "OS 2.19", "--report", f"html={page}",
                    "--traffic", traffic, "--json")
    assert result.code == BLOCKED, result
    text = page.read_text()
    root = xml.etree.ElementTree.fromstring(text)
    names = {element.tag for element in root.iter()}
    assert "{http://www.w3.org/2000/svg}rect" in names
    assert not names & {"script", "link", "img", "iframe", "object", "base"}
    for element in root.iter():
        assert not element.attrib.keys() & {"src", "href", "data", "action"}
    assert "url(" not in text and "@import" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    told = {section.get("id"): section.get("class") for section in root.iter("section")}
    assert told == {id: row["severity"] for id, row in findings(result).items()}
    assert "request GET /<b>/_search" in "".join(root.itertext())


@pytest.mark.parametrize("arguments, complaint", [
    (["--target-version", "2.19"], "OS 2.19"),
    ([], "--target-version"),
    (["--target-version", "OS 2.19", "--to", "http://127.0.0.1:1"], "either"),
    (["--target-version", "OS 2.19", "--report", "pdf=x"], "html=FILE"),
])
def test_wrong_usage_is_told(shardlift, repository, arguments, complaint):
    result = shardlift("assess", "--from", f"{repository('es-7.10.2')}#snap1", *arguments)
    assert result.code == USAGE, result
    assert complaint in result.err
