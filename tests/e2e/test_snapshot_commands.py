"""The commands of clusters' own snapshot API, between a real Elasticsearch 7.10 and OpenSearch 1.3."""

import json
import os
import shutil

import pytest

from recording_proxy import RecordingProxy
from support import BLOCKED, OK, SOURCE, USAGE, assert_same

EVERY = bool(os.environ.get("SHARDLIFT_EVERY_NODE"))
SNAPSHOT = ("--repo", "backups", "--snapshot", "move")
RENAME = ("--rename-pattern", "(.+)", "--rename-replacement", "old-$1")


@pytest.fixture
def source(pool):
    """An Elasticsearch with three indices, one of them internal."""
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "backups", ignore_errors=True)
    for index in ("books", "films", ".hidden"):
        node.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0},
                                      "aliases": {f"{index}-alias": {}}})
        for n in range(10):
            node.api("PUT", f"/{index}/_doc/{n}?refresh=true", {"n": n, "of": index})
    yield node
    node.clear()


def restored_on(pool, version):
    node = pool.get("os-node", version)
    node.clear()
    shutil.rmtree(node.repositories / "backups", ignore_errors=True)
    return node


@pytest.fixture
def target(pool):
    node = restored_on(pool, "1.3")
    yield node
    node.clear()


@pytest.fixture
def proxy():
    """proxy(node): a server that writes down what is sent to the node."""
    started = []

    def start(node):
        started.append(RecordingProxy(node.url))
        return started[-1].__enter__()

    yield start
    for server in started:
        server.__exit__(None, None, None)


def registered(shardlift, node, *more):
    result = shardlift("snapshot", "register", "--to", node.url, "--repo", "backups", "--type",
                       "fs", "--location", node.repositories / "backups", *more)
    assert result.code == OK, result
    return result


def created(shardlift, source, *more):
    result = shardlift("snapshot", "create", "--from", source.url, *SNAPSHOT, "--wait", *more)
    assert result.code == OK, result
    return result


def handed_over(shardlift, source, target):
    """The snapshot taken on the source and registered, read-only, on the target."""
    registered(shardlift, source)
    assert "SUCCESS" in created(shardlift, source).out
    shutil.copytree(source.repositories / "backups", target.repositories / "backups")
    registered(shardlift, target, "--from", source.url, "--read-only")


def test_a_snapshot_is_restored_on_another_cluster_under_other_names(shardlift, source, target):
    handed_over(shardlift, source, target)
    repos = shardlift("snapshot", "repos", "--from", target.url, "--json")
    assert repos.json()["repositories"] == [
        {"name": "backups", "type": "fs", "read_only": True,
         "place": str(target.repositories / "backups")}], repos
    status = shardlift("snapshot", "status", "--to", target.url, *SNAPSHOT, "--json")
    assert status.json()["state"] == "SUCCESS" and status.json()["shards_total"] == 2, status
    result = shardlift("snapshot", "restore", "--to", target.url, *SNAPSHOT, *RENAME, "--wait",
                       "--index-setting", "index.refresh_interval=17s", "--include-aliases",
                       "false")
    assert result.code == OK and "move: restored" in result.out, result
    for index in ("books", "films"):
        assert_same(target.documents(f"old-{index}"), source.documents(index), index)
        got = target.api("GET", f"/old-{index}")[f"old-{index}"]
        assert got["settings"]["index"]["refresh_interval"] == "17s" and got["aliases"] == {}
    assert not target.client.indices.exists(index="old-.hidden")


def test_a_repository_that_the_source_writes_to_is_registered_read_only(shardlift, source, target):
    registered(shardlift, source)
    arguments = ("snapshot", "register", "--from", source.url, "--to", target.url, "--repo",
                 "backups", "--type", "fs", "--location", source.repositories / "backups")
    refused = shardlift(*arguments)
    assert refused.code == BLOCKED and "--read-only" in refused.err, refused
    assert target.api("GET", "/_snapshot") == {}
    assert shardlift(*arguments, "--force", "--plan").code == OK


def test_deleting_asks_for_the_name_and_unregistering_keeps_the_files(shardlift, source):
    registered(shardlift, source)
    created(shardlift, source)
    delete = ("snapshot", "delete", "--from", source.url, *SNAPSHOT)
    refused = shardlift(*delete, input=b"mover\n")
    assert refused.code == BLOCKED and "not confirmed" in refused.err, refused
    assert source.api("GET", "/_snapshot/backups/move")["snapshots"]
    assert shardlift(*delete, input=b"move\n").code == OK
    assert source.api("GET", "/_snapshot/backups/_all")["snapshots"] == []
    unregister = ("snapshot", "unregister", "--from", source.url, "--repo", "backups")
    assert shardlift(*unregister).code == OK
    assert source.api("GET", "/_snapshot") == {} and any(source.repositories.glob("backups/*"))
    assert shardlift(*unregister).code == SOURCE


def test_plans_send_nothing_that_changes_anything(shardlift, source, proxy):
    registered(shardlift, source)
    created(shardlift, source)
    recorded = proxy(source)
    plans = {
        "register": ("--type", "fs", "--location", source.repositories / "other"),
        "create": ("--snapshot", "next", "--max-snapshot-rate", "10mb", "--wait"),
        "restore": ("--snapshot", "move", *RENAME, "--wait"),
        "delete": ("--snapshot", "move"),
        "unregister": (),
    }
    for command, more in plans.items():
        result = shardlift("snapshot", command, "--to", recorded.url, "--repo", "backups",
                           "--plan", *more)
        assert result.code == OK and "would send" in result.out, result
    assert recorded.requests and {method for method, _ in recorded.requests} == {"GET"}


def test_internal_indices_are_left_out_unless_asked_for(shardlift, source):
    registered(shardlift, source)
    refused = shardlift("snapshot", "create", "--from", source.url, *SNAPSHOT, "--indices",
                        ".hidden")
    assert refused.code == USAGE and "--include-system" in refused.err, refused
    created(shardlift, source, "--indices", ".hidden,books", "--include-system")
    got = source.api("GET", "/_snapshot/backups/move")["snapshots"][0]
    assert sorted(got["indices"]) == [".hidden", "books"]
    nothing = shardlift("snapshot", "restore", "--to", source.url, *SNAPSHOT, "--indices",
                        ".hid*", *RENAME)
    assert nothing.code == SOURCE and "--include-system" in nothing.err, nothing


@pytest.mark.skipif(not EVERY, reason="of the long run")
def test_a_snapshot_of_opensearch_1_is_restored_on_2_under_other_names(shardlift, pool, target):
    newer = restored_on(pool, "2.19")
    for index in ("books", "films"):
        for n in range(20):
            target.api("PUT", f"/{index}/_doc/{n}?refresh=true&routing=r{n % 3}",
                       {"n": n, "of": index})
    handed_over(shardlift, target, newer)
    result = shardlift("snapshot", "restore", "--to", newer.url, *SNAPSHOT, *RENAME, "--wait")
    assert result.code == OK and "move: restored" in result.out, result
    for index in ("books", "films"):
        assert_same(newer.documents(f"old-{index}"), target.documents(index), index)
    for replacement, message in (("one", "one"), ("old-$1", "old-")):
        clash = shardlift("snapshot", "restore", "--to", newer.url, *SNAPSHOT, "--wait",
                          "--rename-pattern", "(.+)", "--rename-replacement", replacement)
        assert clash.code != OK and message in clash.err, clash
    newer.clear()


def test_all_snapshots_of_a_cluster_are_listed_and_looked_into(shardlift, source):
    registered(shardlift, source)
    names = [f"{'long-name-' * 12}{n}" for n in range(12)]
    for name in names:
        source.api("PUT", f"/_snapshot/backups/{name}?wait_for_completion=true",
                   {"indices": "books"})
    result = shardlift("snapshot", "list", "--from", source.url, "--repo", "backups", "--json")
    assert result.code == OK, result
    listed = result.json()["snapshots"]
    assert sorted(entry["name"] for entry in listed) == sorted(names), result
    assert {(entry["state"], entry["indices"]) for entry in listed} == {("SUCCESS", 1)}, result
    unnamed = shardlift("snapshot", "list", "--from", source.url)
    assert unnamed.code == USAGE and "--repo" in unnamed.err, unnamed
    deep = shardlift("snapshot", "status", "--from", source.url, "--repo", "backups",
                     "--snapshot", names[0], "--deep-check", "--json")
    assert deep.code == OK, deep
    assert [(row["index"], row["shards_total"], row["shards_failed"])
            for row in deep.json()["indices"]] == [("books", 1, 0)], deep


def test_feature_states_and_mounted_repositories_are_refused_where_they_cannot_work(
        shardlift, source):
    registered(shardlift, source)
    created(shardlift, source)
    refused = shardlift("snapshot", "restore", "--to", source.url, *SNAPSHOT, *RENAME,
                        "--feature-states", "kibana")
    assert refused.code != OK and "since 7.12" in refused.err, refused
    settings = {"mounted": {"settings": {"index.store.snapshot.repository_name": "backups"}}}

    class Mounting(RecordingProxy):
        def __init__(self, node_url):
            super().__init__(node_url)
            handler = self.RequestHandlerClass

            class Handler(handler):
                def handle_request(self):
                    if self.path.startswith("/_all/_settings"):
                        return self.answer(200, json.dumps(settings).encode())
                    return super().handle_request()

                do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

            self.RequestHandlerClass = Handler

    with Mounting(source.url) as mounting:
        result = shardlift("snapshot", "register", "--from", mounting.url, "--to", source.url,
                           "--repo", "others", "--type", "fs", "--location",
                           source.repositories / "backups", "--read-only")
        mounting.shutdown()
    assert result.code == BLOCKED and "--repo backups" in result.err, result
    assert "mounted" in result.err, result
