"""Deltas between snapshots of a real node, sent to another that has the first: it comes to have the
last."""

import json
import random

import pytest

import support

INDEX = "journal"


class Journal:
    """An index that changes at random, and its snapshots."""

    def __init__(self, node, target, shardlift, seed):
        self.node, self.target, self.random = node, target, random.Random(seed)
        self.shardlift, self.folder = shardlift, shardlift.state_dir.parent
        self.repository = f"delta-{seed}"
        self.serial, self.ids = 0, []
        for place in (node, target):
            place.api("PUT", f"/{INDEX}", {"settings": {
                "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1",
                # Versions go on after a delete, however long the test takes.
                "gc_deletes": "1h",
                # No merges but those that are asked for.
                "merge.policy.segments_per_tier": 100, "merge.policy.max_merge_at_once": 50}})
        node.api("PUT", f"/_snapshot/{self.repository}", {"type": "fs", "settings": {
            "location": str(node.repositories / self.repository)}})

    def routing(self, identity):
        return {"routing": "r" + identity[-1]} if int(identity) % 5 == 0 else {}

    def bulk(self, actions):
        lines = "".join(json.dumps(line) + "\n" for action in actions for line in action)
        answer = self.node.client.bulk(lines)
        assert not answer["errors"], answer
        self.node.api("POST", f"/{INDEX}/_refresh")

    def write(self, identity):
        self.serial += 1
        source = {"serial": self.serial, "text": "x" * self.random.randrange(200)}
        return ({"index": {"_index": INDEX, "_id": identity, **self.routing(identity)}}, source)

    def add(self, count):
        new = [str(len(self.ids) + i) for i in range(count)]
        self.ids += new
        self.bulk(self.write(identity) for identity in new)

    def update(self, count):
        self.bulk(self.write(identity) for identity in self.random.sample(self.ids, count))

    def delete(self, count):
        # Some are deleted already: those count as new when they are written again.
        self.bulk(({"delete": {"_index": INDEX, "_id": identity, **self.routing(identity)}},)
                  for identity in self.random.sample(self.ids, count))

    def merge(self):
        self.node.api("POST", f"/{INDEX}/_forcemerge?max_num_segments=1")

    def snapshot(self, name):
        self.node.api("POST", f"/{INDEX}/_flush?force=true")
        taken = self.node.api("PUT", f"/_snapshot/{self.repository}/{name}?wait_for_completion=true",
                              {"indices": INDEX, "include_global_state": False})
        assert taken["snapshot"]["state"] == "SUCCESS", taken

    def backfill(self, snapshot, target, *more):
        ran = self.shardlift("backfill", "--repo-uri", self.node.repositories / self.repository,
                             "--snapshot-name", snapshot, "--target-host", target,
                             "--index-allowlist", INDEX, "--json", *more)
        assert ran.code == support.OK, ran
        row, = ran.json()["indices"]
        assert row["failed"] == 0 and row["sent"] == row["documents"], ran
        return row

    def delta(self, previous, current, *more):
        """Sends it to the target; the numbers of documents indexed and deleted."""
        since = ("--previous-snapshot-name", previous)
        files = self.folder / f"deletes-{previous}-{current}-{len(list(self.folder.iterdir()))}"
        deletes = self.backfill(current, f"dir:{files}", *since, "--delta-mode", "DELETES_ONLY")
        lines = [line for path in files.glob("*/*") for line in path.read_text().splitlines()]
        assert len(lines) == deletes["documents"]
        assert all(line.startswith('{"delete":{"_index":') for line in lines), lines[:2]
        changed = self.backfill(current, self.target.url, *since, *more)
        return changed["documents"] - len(lines), len(lines)

    @staticmethod
    def documents(node):
        node.api("POST", f"/{INDEX}/_refresh")
        page = node.client.search(index=INDEX, size=10000, body={
            "query": {"match_all": {}}, "version": True})
        assert len(page["hits"]["hits"]) < 10000
        return {(h["_id"], h.get("_routing"), support.canonical(h["_source"]), str(h["_version"]))
                for h in page["hits"]["hits"]}

    def assert_same(self, versions):
        expected, got = self.documents(self.node), self.documents(self.target)
        if not versions:
            expected, got = ({row[:3] for row in rows} for rows in (expected, got))
        assert got == expected, (list(expected - got)[:3], list(got - expected)[:3])


NODES = [("es-node", "7.10"), ("os-node", "2.19")]


@pytest.mark.parametrize("source, target", [NODES, NODES[::-1]], ids=["from-es", "from-os"])
@pytest.mark.parametrize("versions", [True, False], ids=["versions", "plain"])
def test_deltas_lead_from_snapshot_to_snapshot(pool, shardlift, source, target, versions):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    node, target = pool.get(*source), pool.get(*target)
    node.clear()
    target.clear()
    journal = Journal(node, target, shardlift, seed)
    send = ("--source-versions", "true") if versions else ()
    journal.add(1500)
    journal.update(200)
    journal.delete(50)
    journal.snapshot("one")
    # Versions as the segments have them are those that the node's search tells of.
    journal.backfill("one", target.url, *send)
    journal.assert_same(versions)

    # New segments beside old ones that lose documents.
    journal.add(100)
    journal.update(60)
    journal.delete(40)
    journal.snapshot("two")
    indexed, deleted = journal.delta("one", "two", *send)
    assert 50 < indexed < 1000 and 0 < deleted <= 40
    journal.assert_same(versions)

    # Everything in one new segment.
    journal.update(30)
    journal.delete(30)
    journal.merge()
    journal.snapshot("three")
    indexed, deleted = journal.delta("two", "three", *send)
    assert indexed > 1000 and deleted <= 30
    journal.assert_same(versions)

    # Nothing but deletes, then nothing at all.
    journal.delete(20)
    journal.snapshot("four")
    indexed, deleted = journal.delta("three", "four", *send)
    assert indexed == 0 and 0 < deleted <= 20
    journal.assert_same(versions)
    journal.snapshot("five")
    assert journal.delta("four", "five", *send) == (0, 0)
    # From the first to the last in one step: what was already there does no harm.
    journal.delta("one", "five", *send)
    journal.assert_same(versions)
