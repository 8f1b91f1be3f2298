"""Exports into files with a session's name: killed, taken up again, and exact."""

import json
import shutil
import signal
import subprocess
import time

import pytest

import support

TOTAL, PER_FILE = 3000, 50


@pytest.fixture(scope="module")
def filled(pool):
    node = pool.get("os-node", "2.19")
    node.clear()
    node.api("PUT", "/books", {"settings": {"number_of_shards": 2, "number_of_replicas": 0}})
    for at in range(0, TOTAL, 1000):
        node.api("POST", "/_bulk?refresh=true", "".join(
            json.dumps(line) + "\n" for i in range(at, at + 1000) for line in (
                {"index": {"_index": "books", "_id": f"b{i}", "routing": str(i % 7)}},
                {"n": i, "text": "ü" * (i % 30)})))
    where = node.repositories / "exports"
    node.api("PUT", "/_snapshot/exports", {"type": "fs", "settings": {"location": str(where)}})
    node.api("PUT", "/_snapshot/exports/one?wait_for_completion=true", {"indices": "books"})
    return node, f"{where}#one"


def command(filled, origin, folder, *more):
    node, snapshot = filled
    source = (["copy", "--from", node.url, "--include", "books"] if origin == "cluster" else
              ["backfill", "--from", snapshot])
    return [*source, "--to", f"file:{folder}", "--session-name", f"export-{origin}",
            "--documents-per-bulk-request", str(PER_FILE), *more]


def files(folder):
    return sorted(path for path in folder.glob("books/*.ndjson*") if path.suffix != ".tmp")


def kill_at(shardlift, arguments, folder, count):
    """Once so many files are there, if it does not end before."""
    run = subprocess.Popen([str(support.PROGRAM), *arguments], env=shardlift.environment,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(files(folder)) < count and run.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=120)


@pytest.mark.parametrize("origin", ["cluster", "snapshot"])
def test_an_export_goes_on_where_it_was_killed(shardlift, filled, tmp_path, origin):
    folder = tmp_path / "out"
    arguments = command(filled, origin, folder)
    for count in (5, 15, 30):
        kill_at(shardlift, [*arguments, "--max-docs-per-second", "500"], folder, count)
    before = {path.name: path.stat().st_mtime_ns for path in files(folder)}
    assert before
    # Of what nobody acknowledged.
    for path in list(folder.glob("books/*"))[:1]:
        (path.parent / "0-2000000000-0.ndjson").write_text("{}\n{}\n")
    result = shardlift(*arguments, "--json")
    assert result.code == support.OK, result
    node, snapshot = filled
    support.assert_same(support.written_documents(folder)["books"], node.documents("books"),
                        "books")
    assert any(path.stat().st_mtime_ns == before.get(path.name) for path in files(folder))
    proven = shardlift("verify", "--from", node.url, "--to", f"file:{folder}", "--index-allowlist",
                       "books", "--json", "true")
    assert proven.code == support.OK, proven
    again = shardlift(*arguments)
    assert again.code == support.OK, again
    assert len(support.written_documents(folder)["books"]) == TOTAL


def test_a_folder_and_a_session_that_do_not_belong_together_are_refused(shardlift, filled,
                                                                        tmp_path):
    folder, other = tmp_path / "out", tmp_path / "other"
    arguments = command(filled, "snapshot", folder)
    assert shardlift(*arguments).code == support.OK
    for wrong, words in [
            ([*arguments, "--format", "elasticdump"], "holds another export"),
            ([*arguments, "--restart"], "empty"),
            (command(filled, "cluster", folder), "holds another export"),
            (arguments[:5] + arguments[7:], "is not empty")]:
        result = shardlift(*wrong)
        assert result.code == support.USAGE and words in result.err, (wrong, result)
    folder.rename(other)
    folder.mkdir()  # as emptied by hand, but for what begins with a dot
    shutil.copy(other / ".shardlift-export", folder)
    for _ in range(2):  # the refusal leaves nothing that would be taken for a begun export
        result = shardlift(*arguments)
        assert result.code == support.USAGE and "--restart" in result.err, result
    result = shardlift(*arguments, "--restart")
    assert result.code == support.OK, result
    assert len(support.written_documents(folder)["books"]) == TOTAL
