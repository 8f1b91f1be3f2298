"""copy: out of a live cluster into another one, killed and taken up again."""

import json
import os
import signal
import subprocess

import pytest

import support
from answering_proxy import AnsweringProxy
from copy_support import INDICES, document_type, fill, is_typed
from gated_target import GatedTarget
from recording_proxy import RecordingProxy

# By sequence numbers where there are some; older ones, by scroll, are of the long run.
VERSIONS = ["7.10", "6.8", "5.6", "1.7"]
EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
PER_BULK, CONNECTIONS = 20, 2


@pytest.fixture(params=VERSIONS if EVERY else VERSIONS[:1])
def source(request, pool):
    node = pool.get("es-node", request.param)
    node.clear()
    yield node
    node.clear()


def test_a_copy_that_is_killed_goes_on_and_ends_with_the_exact_documents(
        shardlift, opensearch, source):
    documents = fill(source)
    target = GatedTarget(opensearch.url)
    command = ["copy", "--from", source.url, "--to", target.url, "--include", "books,logs-*",
               "--documents-per-bulk-request", str(PER_BULK),
               "--max-connections", str(CONNECTIONS)]
    kills = 0
    try:
        for held_after in (100, 260):
            target.hold_after(held_after)
            run = subprocess.Popen([str(support.PROGRAM), *command], env=shardlift.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                target.wait_until_held()
            finally:
                run.send_signal(signal.SIGKILL)
                run.communicate(timeout=120)
            target.drop()
            kills += 1
        result = shardlift(*command, "--json")
        assert result.code == support.OK, result
        report = result.json()
        assert report["resumed"] is True and report["agrees"] is True, result
        assert report["totals"]["sent"] == report["totals"]["documents"] == documents, result
        if int(source.version.split(".")[0]) >= 6:
            assert target.sent_again() <= kills * CONNECTIONS * PER_BULK
    finally:
        target.drop()
        target.shutdown()
        target.server_close()
    for index in ("books", "logs-a"):
        result = shardlift("verify", "--from", source.url, "--to", opensearch.url,
                           "--index-allowlist", index, "--json")
        assert result.code == support.OK, result
        assert [i["verdict"] for i in result.json()["indices"]] == ["equal"]


def test_a_query_and_a_name_that_is_not_there(shardlift, source):
    fill(source)
    result = shardlift("copy", "--from", source.url, "--to", "null:", "--include", "books",
                       "--query", '{"range": {"n": {"lt": 100}}}', "--json")
    assert result.code == support.OK, result
    assert result.json()["totals"]["sent"] == 100 - 4, result

    result = shardlift("copy", "--from", source.url, "--to", "null:", "--include", "nothing-*")
    assert result.code == support.USAGE and "no index that matches" in result.err, result


def test_indices_are_renamed_and_verified_under_their_new_names(shardlift, opensearch, source):
    documents = fill(source)
    renames = ["--rename", "books=volumes", "--rename", r"regex:logs-(.*)=old-logs-$1"]
    command = ["copy", "--from", source.url, "--to", opensearch.url, "--include", "books,logs-*",
               *renames, "--json"]
    result = shardlift(*command)
    assert result.code == support.OK, result
    assert result.json()["totals"]["sent"] == documents, result
    counts = {row["index"]: row["docs.count"] for row in
              opensearch.api("GET", "/_cat/indices?format=json&h=index,docs.count")}
    assert counts == {"volumes": "290", "old-logs-a": "290"}
    assert shardlift(*command).json()["resumed"] is True

    verified = shardlift("verify", "--from", source.url, "--to", opensearch.url,
                         "--index-allowlist", "books,logs-a", *renames, "--json")
    assert verified.code == support.OK, verified
    assert [i["verdict"] for i in verified.json()["indices"]] == ["equal", "equal"]


def test_names_that_clash_are_refused_before_anything_is_written(shardlift, opensearch, source):
    fill(source)
    proxy = RecordingProxy(opensearch.url)
    for renames, message in ((["regex:.*=one"], "would both be 'one'"),
                             (["books=logs-a"], "would both be 'logs-a'"),
                             (["boks=volumes"], "none of the 2 selected indices")):
        for command in ("copy", "metadata migrate"):
            result = shardlift(*command.split(), "--from", source.url, "--to", proxy.url,
                               "--index-allowlist", "books,logs-a", "--rename", *renames)
            assert result.code == support.USAGE and message in result.err, result
    assert {method for method, _ in proxy.requests} <= {"GET", "HEAD"}
    proxy.shutdown()
    proxy.server_close()


def test_writes_to_the_source_meanwhile_are_found_and_named(shardlift, opensearch, source):
    fill(source)
    target = GatedTarget(opensearch.url)
    command = ["copy", "--from", source.url, "--to", target.url, "--include", "books,logs-*",
               "--documents-per-bulk-request", str(PER_BULK), "--json"]
    path = "/books/doc/id-1" if int(source.version.split(".")[0]) < 7 else "/books/_doc/id-1"
    target.hold_after(100)
    run = subprocess.Popen([str(support.PROGRAM), *command], env=shardlift.environment,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        target.wait_until_held()
        source.api("PUT", path, {"n": 1, "text": "written meanwhile"})  # the count stays
        target.let_pass()
        out, err = run.communicate(timeout=120)
    finally:
        target.drop()
        target.shutdown()
        target.server_close()
    indices = {i["index"]: i for i in json.loads(out)["indices"]}
    assert run.returncode == support.ERRORS, (out, err)
    assert indices["logs-a"]["agrees"] is True
    assert indices["books"]["agrees"] is False
    assert "written to on the source meanwhile (1 operations" in indices["books"]["note"]
    assert "--restart" in indices["books"]["note"]

    command[4] = opensearch.url
    command += ["--allow-existing-indexes"]
    assert shardlift(*command, "--session-name", "a").code == support.OK
    source.api("PUT", path, {"n": 1, "text": "written later"})
    result = shardlift(*command, "--session-name", "a")  # the session is of before
    assert result.code == support.ERRORS, result
    result = shardlift(*command, "--session-name", "a", "--allow-writes")
    assert result.code == support.OK, result
    result = shardlift(*command, "--session-name", "a", "--restart")
    assert result.code == support.OK, result


def test_internal_indices_are_copied_only_when_they_are_named(shardlift, opensearch, source):
    for name in (".kibana_1", ".security-7", ".tool", "books"):
        source.api("PUT", f"/{name}/{document_type(source)}/1?refresh=true", {"n": 1})
    command = ["copy", "--from", source.url, "--to", opensearch.url]

    result = shardlift(*command, "--include", "*", "--json")  # as if they were hidden
    assert result.code == support.OK, result
    assert [i["index"] for i in result.json()["indices"]] == ["books"]
    for include in (".tool", ".to*"):
        result = shardlift(*command, "--include", include)
        assert result.code == support.USAGE and "--include-system .tool" in result.err, result
    result = shardlift(*command, "--include-system", ".tool", "--json")
    assert result.code == support.OK, result
    assert [i["index"] for i in result.json()["indices"]] == [".tool"]
    assert int(opensearch.api("GET", "/.tool/_count")["count"]) == 1

    for name, way in ((".security-7", "metadata evaluate --kind security"),
                      (".kibana_1", "metadata dashboards")):
        result = shardlift(*command, "--include-system", name)
        assert result.code == support.BLOCKED and way in result.err, result
    # Under another name it is an index like any other.
    result = shardlift(*command, "--include-system", ".kibana_1", "--rename", ".kibana_1=old-kibana")
    assert result.code == support.OK, result
    assert int(opensearch.api("GET", "/old-kibana/_count")["count"]) == 1


def test_one_line_for_each_thing_that_cannot_be(shardlift, opensearch, source):
    fill(source)
    mapping = {"_source": {"enabled": False}}
    source.api("PUT", "/nothing-stored",
               {"mappings": {"doc": mapping} if is_typed(source) else mapping})
    source.api("PUT", f"/nothing-stored/{document_type(source)}/1?refresh=true", {"n": 1})
    command = ["copy", "--from", source.url, "--to", opensearch.url, "--json"]

    result = shardlift(*command, "--include", "books,book*,b*s")  # overlapping: once
    assert result.code == support.OK, result
    assert result.json()["totals"]["sent"] == 290

    result = shardlift(*command, "--include", "nothing-stored,logs-a")
    assert result.code == support.ERRORS, result
    stored, logs = sorted(result.json()["indices"], key=lambda i: i["result"], reverse=True)
    assert stored["result"] == "refused" and "disables _source" in stored["note"], result
    assert logs["result"] == "ok" and logs["target_documents"] == 290

    opensearch.api("PUT", "/other", {"mappings": {"properties": {"n": {"type": "long"}}}})
    result = shardlift(*command, "--include", "books", "--rename", "books=other",
                       "--allow-existing-indexes")
    assert result.code == support.OK, result
    assert "no mapping for 1 of its fields on the target: text (" in result.err, result


@pytest.mark.parametrize("mode", ["pull", "remote-reindex"])
def test_a_plan_sends_no_request_that_changes_anything(shardlift, opensearch, source, mode):
    fill(source)
    ends = RecordingProxy(source.url), RecordingProxy(opensearch.url)
    result = shardlift("copy", "--mode", mode, "--from", ends[0].url, "--to", ends[1].url,
                       "--include", "books,logs-*", "--query", '{"range": {"n": {"lt": 100}}}',
                       "--plan", "--json")
    for end in ends:
        assert end.requests and {method for method, _ in end.requests} <= {"GET", "HEAD"}
        end.shutdown()
        end.server_close()
    if mode == "remote-reindex":  # the target's allowlist is empty
        assert result.code == support.BLOCKED and "--wait-for-allowlist" in result.err, result
        return
    assert result.code == support.OK, result
    assert {(i["index"], i["documents"], i["creation"], i["result"])
            for i in result.json()["indices"]} == {("books", 96, "ready", "planned"),
                                                   ("logs-a", 96, "ready", "planned")}
    assert not list(shardlift.state_dir.glob("**/*")), "a plan keeps nothing"


def is_page(kind, method, path, body):
    """Whether it asks for what a point in time (OpenSearch) or a scroll (Elasticsearch 5) holds."""
    if kind == "os-node":
        return path == "/_search" and b'"pit"' in body
    return path.startswith("/_search/scroll") and method != "DELETE"


@pytest.mark.parametrize("kind, version", [("os-node", "2.19")] + EVERY * [("es-node", "5.6")])
def test_what_the_source_forgets_meanwhile_is_read_all_the_same(
        shardlift, pool, opensearch, kind, version):
    node = pool.get(kind, version)
    node.clear()
    fill(node)
    forgotten = []

    def answer(method, path, body):
        if not is_page(kind, method, path, body) or len(forgotten) >= 2:
            return None
        forgotten.append(path)
        return 404, {"error": {"type": "search_context_missing_exception",
                               "reason": "No search context found"}, "status": 404}

    proxy = AnsweringProxy(node.url, answer)
    result = shardlift("copy", "--from", proxy.url, "--to", opensearch.url, "--include",
                       ",".join(INDICES), "--rename", "regex:(.*)=copy-$1", "--json")
    proxy.close()
    assert len(forgotten) == 2
    assert result.code == support.OK, result
    for name in INDICES:
        support.assert_same(opensearch.documents(f"copy-{name}"), node.documents(name), name)


def test_a_user_who_may_not_read_is_told_so_in_one_line(shardlift, opensearch, source):
    fill(source)
    denied = {"error": {"type": "security_exception", "reason":
                        "no permissions for [indices:data/read/search]"}, "status": 403}
    proxy = AnsweringProxy(source.url, lambda method, path, body: (403, denied)
                           if "_search" in path or "_pit" in path else None)
    result = shardlift("copy", "--from", proxy.url, "--to", opensearch.url, "--include", "books")
    proxy.close()
    assert result.code in (support.UNREACHABLE, support.SOURCE), result
    assert "no permissions for [indices:data/read/search]" in result.err + result.out, result
