"""One repository that every release from Elasticsearch 1.1 to 5.6 wrote on: each goes on with the
index of the one before, so that snapshots, metadata and segments of all of them lie side by side."""

import os
import random
import subprocess

import pytest

import support
from support import OK, Document, assert_same, canonical, parse, written_documents

SWEEP = support.PROGRAM.parent / "tests" / "sweep" / "flip_sweep"
SEED = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**31)))
RELEASES = ["1.1.2", "1.7", "2.4", "5.6"]
# Elasticsearch 5 does not take what 1.x made, and starts anew.
INDEX = {"1.1.2": "old", "1.7": "old", "2.4": "old", "5.6": "newer"}
MAPPINGS = {"child": {"_parent": {"type": "parent"}}, "parent": {}}


class Writer:
    """A node, and the documents its index should hold."""

    def __init__(self, release, folder, repository, documents):
        self.node = support.Node("es-node", release, folder, "--repo", str(repository))
        self.release, self.repository = release, repository
        self.index, self.documents = INDEX[release], documents

    def send(self, actions):
        """actions: (type, id, {routing or parent}, source); a source of None deletes."""
        body = []
        for type_, id_, place, source in actions:
            action = {"_index": self.index, "_type": type_, "_id": id_, **place}
            body += [{"delete": action}] if source is None else [{"index": action}, source]
            routing = place.get("routing", place.get("parent"))
            self.documents.pop((type_, id_), None)
            if source is not None:
                self.documents[type_, id_] = Document(
                    type_, id_, routing, canonical(parse(support.json.dumps(source))))
        answer = self.node.client.bulk(body=body)
        assert answer["errors"] is False, answer
        self.node.api("POST", f"/{self.index}/_flush?force=true")

    def write(self):
        """Segments large and small, deletes in segments of this release and of those before."""
        def parents(numbers, text):
            return [("parent", f"é{n}", {"routing": f"r {n % 5}"} if n % 2 else {},
                     {"n": n, "half": n / 2, "text": f"{text} {self.release}"}) for n in numbers]

        def children(numbers):
            return [("child", f"c{n}", {"parent": f"é{n * 2}"}, {"n": n}) for n in numbers]

        start = 100 * RELEASES.index(self.release)
        self.send(parents(range(start, start + 60), "large"))
        self.send(children(range(start, start + 40)))
        self.send([("parent", f"é{start}", {}, {"text": "y" * 100_000})])
        self.send(parents(range(start + 60, start + 63), "small"))
        if start and INDEX[RELEASES[RELEASES.index(self.release) - 1]] == self.index:
            self.send(parents(range(start - 100, start - 80), "changed"))
            self.send([(t, i, p, None) for t, i, p, _ in children(range(start - 100, start - 90))])

    def snapshot(self):
        name = f"on-{self.release}"
        self.node.api("PUT", "/_snapshot/r", {"type": "fs", "settings": {
            "location": str(self.repository / "r"), "compress": True, "chunk_size": "16kb"}})
        # At the first look 5.6 turns the repository into one of its own, which must come first.
        self.node.api("GET", "/_snapshot/r/_all")
        taken = self.node.api("PUT", f"/_snapshot/r/{name}?wait_for_completion=true",
                              {"indices": self.index})
        assert taken["snapshot"]["state"] == "SUCCESS", taken

    def make_index(self, before):
        if before and INDEX[before] == self.index:
            self.node.api("PUT", "/_snapshot/r", {"type": "fs", "settings": {
                "location": str(self.repository / "r")}})
            self.node.api("POST", f"/_snapshot/r/on-{before}/_restore?wait_for_completion=true",
                          {"indices": self.index})
        else:
            self.documents.clear()
            self.node.api("PUT", f"/{self.index}", {"mappings": MAPPINGS, "settings": {
                "number_of_shards": 2, "number_of_replicas": 0}})


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The folder, and by release the documents in its snapshot."""
    folder = tmp_path_factory.mktemp("old-repository")
    documents, snapshots = {}, {}
    for release, before in zip(RELEASES, [None, *RELEASES]):
        writer = Writer(release, folder / release, folder / "repositories", documents)
        try:
            writer.make_index(before)
            writer.write()
            writer.snapshot()
        finally:
            writer.node.stop()
        snapshots[release] = list(documents.values())
    return folder / "repositories" / "r", snapshots


def test_all_snapshots_are_listed_in_the_order_they_were_taken(shardlift, repository):
    result = shardlift("snapshot", "list", "--repo-uri", repository[0], "--json")
    assert result.code == OK, result
    told = [(row["name"], row["state"]) for row in result.json()["snapshots"]]
    assert told == [(f"on-{release}", "SUCCESS") for release in RELEASES], result


@pytest.mark.parametrize("release", RELEASES)
def test_each_snapshot_is_exact(shardlift, repository, tmp_path, release):
    uri, snapshots = repository
    result = shardlift("backfill", "--repo-uri", uri, "--snapshot-name", f"on-{release}",
                       "--target-host", f"dir:{tmp_path / 'out'}")
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    assert list(written) == [INDEX[release]]
    assert_same(written[INDEX[release]], snapshots[release], release, types=True)


@pytest.mark.parametrize("release", RELEASES)
def test_damage_to_any_of_its_blobs_is_noticed(repository, release):
    command = [str(SWEEP), str(repository[0]), f"on-{release}", "2", str(SEED)]
    swept = subprocess.run(command, capture_output=True, text=True, timeout=600,
                           env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
    assert swept.returncode == 0, f"{command}\n{swept.stdout[-3000:]}\n{swept.stderr[-6000:]}"
