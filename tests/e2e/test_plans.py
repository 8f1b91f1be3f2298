"""--plan of every command that changes something on a cluster sends no request that does."""

import json
import shutil

import pytest

import lifecycle_stub
import test_lifecycle
from copy_support import fill
from recording_proxy import RecordingProxy
from support import ERRORS, OK

QUESTIONS = ("_search", "_count", "_pit", "_has_privileges", "_simulate", "_mget")

# {source} and {target} are the recorded clusters, {snapshot} is one of a repository.
COMMANDS = {
    "migrate": "--from {snapshot} --to {target}",
    "backfill": "--from {snapshot} --to {target}",
    "copy": "--from {source} --to {target} --include books,logs-*",
    "copy by remote reindex": "--from {source} --to {target} --include books --mode "
                              "remote-reindex --remote-host {source}",
    "index move": "books logs-* --from {source} --to {target} --block-writes --swap-alias shelf "
                  "--delete-source --on-cutover true --verify hash",
    "metadata migrate": "--from {source} --to {target}",
    "metadata migrate of a snapshot": "--from {snapshot} --to {target}",
    "snapshot register": "--to {target} --repo other --type fs --location {location}",
    "snapshot create": "--from {source} --repo backups --snapshot next --wait",
    "snapshot restore": "--to {source} --repo backups --snapshot move --wait "
                        "--rename-pattern (.+) --rename-replacement old-$1",
    "snapshot delete": "--from {source} --repo backups --snapshot move",
    "snapshot unregister": "--from {source} --repo backups",
    "failed-documents retry": "--target-host {target}",
    "restore-settings": "--target-host {target}",
}
# What is in the way of a plan is told by it; that, too, only by questions.
REFUSED = {"copy by remote reindex"}


# Plans change nothing, so one filling serves them all.
@pytest.fixture(scope="module")
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    shutil.rmtree(node.repositories / "backups", ignore_errors=True)
    fill(node)
    node.api("PUT", "/_snapshot/backups", {"type": "fs", "settings": {
        "location": str(node.repositories / "backups")}})
    node.api("PUT", "/_snapshot/backups/move?wait_for_completion=true")
    yield node
    node.clear()


@pytest.fixture(scope="module")
def target(pool):
    node = pool.get("os-node", "2.19")
    node.clear()
    node.api("PUT", "/snap", {"settings": {"refresh_interval": "-1"}})
    yield node
    node.clear()


def mutating(requests):
    return [(method, path) for method, path in requests if method in ("PUT", "DELETE") or
            method == "POST" and not any(word in path for word in QUESTIONS)]


def words_of(command):
    return command.split(" by ")[0].split(" of ")[0].split()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_sends_no_request_that_changes_anything(
        shardlift, repository, target, source, command):
    with RecordingProxy(source.url) as from_proxy, RecordingProxy(target.url) as to_proxy:
        (shardlift.state_dir / "tuning").mkdir(parents=True)
        kept = shardlift.state_dir / "tuning" / "s.json"
        kept.write_text(json.dumps({"target": to_proxy.url,
                                    "indices": {"snap": {"refresh_interval": "5s"}}}))
        before = sorted(shardlift.state_dir.glob("**/*"))
        places = {"source": from_proxy.url, "target": to_proxy.url,
                  "snapshot": f"{repository('es-7.10.2')}#snap1",
                  "location": source.repositories / "other"}
        arguments = [word.format(**places) for word in COMMANDS[command].split()]
        result = shardlift(*words_of(command), *arguments, "--plan")
        requests = from_proxy.requests + to_proxy.requests
        from_proxy.shutdown()
        to_proxy.shutdown()
    assert (result.code in (OK, ERRORS)) == (command not in REFUSED), result
    assert mutating(requests) == [], (result, requests)
    assert requests or command == "failed-documents retry", result
    assert sorted(shardlift.state_dir.glob("**/*")) == before, "a plan keeps nothing"


def test_a_plan_of_attaching_policies_sends_none_either(shardlift):
    source, target = lifecycle_stub.IlmSource("7.10.1"), lifecycle_stub.IsmTarget()
    try:
        test_lifecycle.fill(source)
        shardlift("lifecycle", "attach", "--from", source.url, "--to", target.url, "--plan")
        for stub in (source, target):
            assert stub.requests and mutating(stub.requests) == [], stub.requests
    finally:
        source.stop()
        target.stop()
