"""Deltas between snapshots of a real node, applied to a copy of the first: it becomes the last."""

import json
import random
import subprocess

import pytest

import support

DELTA = support.PROGRAM.parent / "tests" / "e2e" / "delta" / "delta_lines"
INDEX, COPY = "journal", "copy-of-journal"


class Journal:
    """An index that changes at random, and its snapshots."""

    def __init__(self, node, seed):
        self.node, self.random = node, random.Random(seed)
        self.repository = f"delta-{seed}"
        self.serial, self.ids = 0, []
        for name in (INDEX, COPY):
            node.api("PUT", f"/{name}", {"settings": {
                "number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1",
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

    def delta(self, previous, current, versions, again=False):
        """Sends it to the copy; the numbers of documents indexed and deleted.

        What is sent again may be older than what is there: that is a 409, and fine."""
        ran = subprocess.run([str(DELTA), str(self.node.repositories / self.repository), previous,
                              current, INDEX, COPY, versions],
                             capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0 and not ran.stderr, ran.stderr
        lines = ran.stdout.splitlines()
        actions = [line for line in lines if line.startswith(('{"index":{"_index"', '{"delete":'))]
        answer = self.node.client.bulk(ran.stdout) if lines else {}
        refused = {int(item["status"]) for items in answer.get("items", [])
                   for item in items.values() if "error" in item}
        assert refused <= ({409} if again and versions == "versions" else set()), answer
        self.node.api("POST", f"/{COPY}/_refresh")
        return (sum(line.startswith('{"index"') for line in actions),
                sum(line.startswith('{"delete"') for line in actions))

    def documents(self, index):
        page = self.node.client.search(index=index, size=10000, body={
            "query": {"match_all": {}}, "version": True})
        assert len(page["hits"]["hits"]) < 10000
        return {(h["_id"], h.get("_routing"), support.canonical(h["_source"]), str(h["_version"]))
                for h in page["hits"]["hits"]}

    def assert_same(self, versions):
        expected, got = self.documents(INDEX), self.documents(COPY)
        if versions == "plain":
            expected, got = ({row[:3] for row in rows} for rows in (expected, got))
        assert got == expected, (list(expected - got)[:3], list(got - expected)[:3])


@pytest.mark.parametrize("kind, version", [("es-node", "7.10"), ("os-node", "2.19")])
@pytest.mark.parametrize("versions", ["versions", "plain"])
def test_deltas_lead_from_snapshot_to_snapshot(pool, kind, version, versions):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    node = pool.get(kind, version)
    node.clear()
    journal = Journal(node, seed)
    journal.add(1500)
    journal.update(200)
    journal.delete(50)
    journal.snapshot("one")
    # Versions as the segments have them are those that the node's search tells of.
    journal.delta("-", "one", versions)
    journal.assert_same(versions)

    # New segments beside old ones that lose documents.
    journal.add(100)
    journal.update(60)
    journal.delete(40)
    journal.snapshot("two")
    indexed, deleted = journal.delta("one", "two", versions)
    assert 50 < indexed < 1000 and 0 < deleted <= 40
    journal.assert_same(versions)

    # Everything in one new segment.
    journal.update(30)
    journal.delete(30)
    journal.merge()
    journal.snapshot("three")
    indexed, deleted = journal.delta("two", "three", versions)
    assert indexed > 1000 and deleted <= 30
    journal.assert_same(versions)

    # Nothing but deletes, then nothing at all.
    journal.delete(20)
    journal.snapshot("four")
    indexed, deleted = journal.delta("three", "four", versions)
    assert indexed == 0 and 0 < deleted <= 20
    journal.assert_same(versions)
    journal.snapshot("five")
    assert journal.delta("four", "five", versions) == (0, 0)
    # From the first to the last in one step: what was already there does no harm.
    journal.delta("one", "five", versions, again=True)
    journal.assert_same(versions)
