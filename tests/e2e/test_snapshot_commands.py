"""The commands of clusters' own snapshot API, between a real Elasticsearch 7.10 and OpenSearch 1.3."""

import shutil

import pytest

from recording_proxy import RecordingProxy
from support import BLOCKED, OK, SOURCE, USAGE, assert_same

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


@pytest.fixture
def target(pool):
    node = pool.get("os-node", "1.3")
    node.clear()
    shutil.rmtree(node.repositories / "backups", ignore_errors=True)
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
