"""What the tests of copy fill their sources with, and how they read it back."""

import json

import support

INDICES = ("books", "logs-a")


def is_typed(source):
    return source.kind == "es-node" and int(source.version.split(".")[0]) < 7


def document_type(source):
    """What stands before an id in a path."""
    return "doc" if is_typed(source) else "_doc"


def fill(source):
    """Documents of two indices, some of them written again or deleted. How many there are."""
    typed = is_typed(source)
    lines = []

    def act(verb, index, number, source_of=None):
        action = {"_index": index, "_id": f"id-{number}"}
        if typed:
            action["_type"] = "doc"
        if number % 7 == 0:
            action["routing" if not typed else "_routing"] = f"r{number % 5}"
        lines.append(json.dumps({verb: action}))
        if source_of is not None:
            lines.append(json.dumps(source_of))

    for index, shards in (("books", 3), ("logs-a", 1)):
        source.api("PUT", f"/{index}", {"settings": {"number_of_shards": shards,
                                                      "number_of_replicas": 0}})
        for number in range(300):
            act("index", index, number, {"n": number, "text": f"it is {number} ü \"q\""})
        for number in range(0, 300, 10):
            act("index", index, number, {"n": number, "text": "written again"})
        for number in range(0, 300, 30):
            act("delete", index, number)
    answer = source.api("POST", "/_bulk", "\n".join(lines) + "\n")
    assert not answer["errors"], answer
    return 2 * (300 - 10)


def documents_of(node, index):
    """As node.documents, of Elasticsearch 1 too: its scrolls and routings are asked for otherwise."""
    if node.kind != "es-node" or not node.version.startswith("1."):
        return node.documents(index)
    node.client.indices.refresh(index=index)
    page = node.api("GET", f"/{index}/_search?size=10000&fields=_source,_routing")
    return [support.Document(h["_type"], h["_id"], h.get("fields", {}).get("_routing"),
                             support.canonical(h["_source"])) for h in page["hits"]["hits"]]


def assert_copied(source, target, what, names=INDICES):
    """The target holds what the source does, document for document."""
    for name in names:
        expected = documents_of(source, name)
        assert expected, f"{what}: the source has no documents in {name}"
        support.assert_same(target.documents(name), expected, f"{what}: {name}")
