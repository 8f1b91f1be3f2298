"""The documents that tests with faults move: made on a real node, and put into a snapshot."""

import json
import random

from support import Document, canonical, parse

LOADED = 2000  # documents in a bulk
FEW = 3000     # documents in the index "few"


class Corpus:
    """A repository with the snapshot "all", and what is in it."""

    def __init__(self, location, documents):
        self.location, self.documents = location, documents

    def arguments(self, indices, target_url, *more):
        return ["backfill", "--repo-uri", self.location, "--snapshot-name", "all", "--target-host",
                target_url, "--index-allowlist", ",".join(indices), *more]


def settings_of(shards):
    return {"settings": {"number_of_shards": shards, "number_of_replicas": 0,
                         "refresh_interval": "7s"}, "mappings": {"dynamic": False}}


INDICES = {"few": settings_of(2), "parts": settings_of(3), "whole": settings_of(1)}


def make_line(chance, index, number):
    """The action and source of a document, and the document."""
    words = " ".join(f"{chance.randrange(10**6):x}" for _ in range(chance.randrange(4, 40)))
    text = json.dumps({"number": number, "words": words})[:-1] + f', "exact":{number}.10}}'
    routing = f"r{number % 50}" if index == "parts" and number % 3 == 0 else None
    action = {"_index": index, "_id": f"{index}-{number}"}
    if routing:
        action["routing"] = routing
    return (json.dumps({"index": action}), text,
            Document("_doc", action["_id"], routing, canonical(parse(text))))


def load(node, index, count, chance):
    node.api("PUT", f"/{index}", INDICES[index])
    documents = []
    for start in range(0, count, LOADED):
        made = [make_line(chance, index, n) for n in range(start, min(start + LOADED, count))]
        answer = node.client.transport.perform_request(
            "POST", "/_bulk?filter_path=errors",
            body="".join(f"{action}\n{source}\n" for action, source, _ in made))
        assert not answer["errors"]
        documents += [document for _, _, document in made]
    return documents


def make_corpus(node, count):
    """`count` documents in one shard ("whole") and three ("parts"), and FEW in two ("few")."""
    node.clear()
    chance = random.Random(5)
    documents = {"few": load(node, "few", FEW, chance),
                 "whole": load(node, "whole", count // 2, chance),
                 "parts": load(node, "parts", count - count // 2, chance)}
    location = node.repositories / "faults"
    node.api("PUT", "/_snapshot/faults", {"type": "fs", "settings": {"location": str(location)}})
    taken = node.api("PUT", "/_snapshot/faults/all?wait_for_completion=true")
    assert taken["snapshot"]["state"] == "SUCCESS"
    node.clear()
    return Corpus(location, documents)
