"""Documents of every type that a real node takes, of an index that stores no source or a synthetic one,
rebuilt: against what was sent to it, and against what it makes of them itself. With several and missing
values, nested documents, deletes and updates; the seed is printed."""

import ipaddress
import json
import math
import os
import random
import struct

import pytest

import support
from support import OK, written_documents

FLAG = "--enable-sourceless-migrations"
NODES = [("os-node", "2.19")]
SYNTHETIC = [("es-node", "8.19")]
if os.environ.get("SHARDLIFT_EVERY_NODE"):
    NODES += [("es-node", version) for version in ("5.6", "6.8", "7.10", "7.17", "8.19")]
    NODES += [("os-node", version) for version in ("1.3", "3.8")]
DOCUMENTS = 400


def single(value):
    return struct.pack("f", value)


def bounds(value):
    return json.dumps([value["gte"], value["lte"]])


class Type:
    """`mapping`; `make` gives a value; `same`: what two spellings of one value have in common; `unique`:
    of equal values one is left; `one`: never several."""

    def __init__(self, mapping, make, same=lambda value: value, unique=False, one=False):
        self.mapping, self.make, self.same, self.unique, self.one = mapping, make, same, unique, one


def word(rng):
    return "".join(rng.choice("abcäöü€😀 ") for _ in range(rng.randint(1, 9)))


def range_of(low, high):
    def make(rng):
        ends = sorted((low + (high - low) * rng.random(), low + (high - low) * rng.random()))
        return {"gte": ends[0], "lte": ends[1]}
    return make


def whole_range(low, high):
    def make(rng):
        ends = sorted((rng.randint(low, high), rng.randint(low, high)))
        return {"gte": ends[0], "lte": ends[1]}
    return make


def date(rng):
    day = f"{rng.randint(1950, 2090)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return f"{day}T0{rng.randint(0, 9)}:00:00.{rng.randint(0, 999):03}Z"


def date_range(rng):
    ends = sorted((date(rng), date(rng)))
    return {"gte": ends[0], "lte": ends[1]}


def address(rng):
    bits = rng.choice((32, 128))
    return str((ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address)(rng.getrandbits(bits)))


def address_range(rng):
    ends = sorted((rng.getrandbits(32), rng.getrandbits(32)))
    return {name: str(ipaddress.IPv4Address(end)) for name, end in zip(("gte", "lte"), ends)}


LAT, LON = 180 / 2**32, 360 / 2**32


def spot(rng):
    """In the middle of one of the spots that doc values tell apart."""
    return {"lat": (rng.randint(-2**30, 2**30) + 0.5) * LAT, "lon": (rng.randint(-2**30, 2**30) + 0.5) * LON}


def point(value):
    return math.floor(value["lat"] / LAT + 0.25), math.floor(value["lon"] / LON + 0.25)


TYPES = {
    "k": Type({"type": "keyword"}, word, unique=True),
    "ks": Type({"type": "keyword", "doc_values": False, "store": True}, word),
    "t": Type({"type": "text", "fields": {"raw": {"type": "keyword"}}}, word, unique=True),
    "ts": Type({"type": "text", "store": True}, word),
    "l": Type({"type": "long"}, lambda rng: rng.randint(-2**63, 2**63 - 1)),
    "i": Type({"type": "integer"}, lambda rng: rng.randint(-2**31, 2**31 - 1)),
    "s": Type({"type": "short"}, lambda rng: rng.randint(-9, 9)),
    "by": Type({"type": "byte"}, lambda rng: rng.randint(-128, 127)),
    "d": Type({"type": "double"}, lambda rng: rng.uniform(-1e9, 1e9)),
    "f": Type({"type": "float"}, lambda rng: rng.uniform(-1e3, 1e3), single),
    "h": Type({"type": "half_float"}, lambda rng: rng.randint(-2048, 2048) / 8, lambda v: struct.pack("e", v)),
    "sf": Type({"type": "scaled_float", "scaling_factor": 100}, lambda rng: rng.randint(-99999, 99999) / 100),
    "ul": Type({"type": "unsigned_long"}, lambda rng: rng.getrandbits(64)),
    "da": Type({"type": "date"}, date),
    "em": Type({"type": "date", "format": "epoch_millis"}, lambda rng: rng.randint(0, 2**41)),
    "dn": Type({"type": "date_nanos"}, lambda rng: "2020-01-02T03:04:05.%09dZ" % rng.randint(1, 999_999_999),
               lambda value: value.rstrip("Z").rstrip("0")),
    "bo": Type({"type": "boolean"}, lambda rng: rng.random() < 0.5),
    "ip": Type({"type": "ip"}, address, unique=True),
    "gp": Type({"type": "geo_point"}, spot, point),
    "bi": Type({"type": "binary", "doc_values": True}, lambda rng: rng.choice(("AAEC", "/w==", "c2hhcmQ=")),
               unique=True),
    "ir": Type({"type": "integer_range"}, whole_range(-70000, 70000), bounds, unique=True),
    "lr": Type({"type": "long_range"}, whole_range(-2**62, 2**62), bounds, unique=True),
    "fr": Type({"type": "float_range"}, range_of(-100, 100),
               lambda v: single(v["gte"]) + single(v["lte"]), unique=True),
    "dr": Type({"type": "double_range"}, range_of(-1e100, 1e100), bounds, unique=True),
    "tr": Type({"type": "date_range"}, date_range, bounds, unique=True),
    "ar": Type({"type": "ip_range"}, address_range, bounds, unique=True),
    "fl": Type({"type": "flattened"}, lambda rng: {"a": str(rng.randint(0, 9)), "b": {"c": ["x", "y"]}},
               one=True),
    "fo": Type({"type": "flat_object"}, lambda rng: {"a": str(rng.randint(0, 9)), "b": {"c": ["x", "y"]}},
               one=True),
    "wi": Type({"type": "wildcard", "doc_values": True}, word, unique=True),
    "dv": Type({"type": "dense_vector", "dims": 3, "index": False},
               lambda rng: [rng.randint(-4096, 4096) / 8 for _ in range(3)], one=True),
    "db": Type({"type": "dense_vector", "dims": 3, "index": False, "element_type": "byte"},
               lambda rng: [rng.randint(-128, 127) for _ in range(3)], one=True),
}


def without_columns(name, **more):
    kind = TYPES[name]
    return Type({**kind.mapping, "doc_values": False, **more}, kind.make, kind.same, one=kind.one)


# What is then read out of points: duplicates too.
TYPES |= {f"{name}p": without_columns(name) for name in
          ("l", "i", "s", "by", "d", "f", "h", "sf", "ul", "da", "dn", "ip", "gp")}
# Out of terms: each once; of texts the words, which the analyzer leaves as they are.
TYPES |= {"kp": Type({"type": "keyword", "doc_values": False}, word, unique=True),
          "bop": Type({"type": "boolean", "doc_values": False}, TYPES["bo"].make, unique=True),
          "tp": Type({"type": "text"}, lambda rng: " ".join(rng.choice(("ab", "b", "cäö", "x1", "long"))
                                                            for _ in range(rng.randint(1, 30))))}
NOT_BEFORE_6 = ("ir", "lr", "fr", "dr", "tr", "ar")


def node_of(pool, kind, version):
    node = pool.get(kind, version)
    node.clear()
    return node


def body_of(node, properties, synthetic=False):
    root = {"dynamic": "strict", "properties": properties}
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    if synthetic:
        settings["index.mapping.source.mode"] = "synthetic"
    else:
        root["_source"] = {"enabled": False}
    old = node.kind == "es-node" and node.version in ("5.6", "6.8")
    return {"settings": settings, "mappings": {"doc": root} if old else root}


def supported(node, synthetic=False):
    """The names of the types that the node knows; of a request it names the first that it does not."""
    names = [name for name in TYPES if node.version != "5.6" or name not in NOT_BEFORE_6]
    while True:
        try:
            node.api("PUT", "/probe", body_of(node, {name: TYPES[name].mapping for name in names}, synthetic))
            node.api("DELETE", "/probe")
            return names
        except support.opensearchpy.exceptions.RequestError as error:
            unknown = [name for name in names if f"field [{name}]" in str(error)]
            assert unknown, error
            names = [name for name in names if name not in unknown]


def takes_joins(node):
    return node.kind == "os-node" or node.version in ("6.8", "7.10", "7.17")


def value_of(rng, kind):
    if kind.one or rng.random() < 0.6:
        return kind.make(rng)
    return [kind.make(rng) for _ in range(rng.randint(1, 4))]


def values_of(rng, names):
    return {name: value_of(rng, TYPES[name]) for name in names if rng.random() < 0.5}


def document_of(rng, names, joins):
    document = values_of(rng, names)
    document["o"] = {"p": values_of(rng, names[:4])}
    if rng.random() < 0.5:
        document["n"] = [{"k": word(rng), "l": rng.randint(0, 9),
                          "m": [{"i": rng.randint(0, 99)} for _ in range(rng.randint(0, 3))]}
                         for _ in range(rng.randint(1, 4))]
    if joins:
        document["j"] = rng.choice(("q", {"name": "q"}, {"name": "a", "parent": "7"}, {"name": "v", "parent": "x"}))
    return document


def properties_of(names, joins):
    properties = {name: TYPES[name].mapping for name in names}
    properties["o"] = {"properties": {"p": {"properties": {name: TYPES[name].mapping for name in names[:4]}}}}
    properties["n"] = {"type": "nested", "properties": {
        "k": {"type": "keyword"}, "l": {"type": "long"},
        "m": {"type": "nested", "properties": {"i": {"type": "integer"}}}}}
    if joins:
        properties["j"] = {"type": "join", "relations": {"q": ["a", "c"], "a": "v"}}
    return properties


def as_list(value):
    return value if isinstance(value, list) else [value]


def normal(document):
    """Paths to what all spellings of their values have in common."""
    out = {}
    for name, value in document.items():
        if name == "o":
            for inner, one in normal(value.get("p", {})).items():
                out[f"o.p.{inner}"] = one
        elif name in ("n", "m"):
            if value:
                out[name] = [normal(one) for one in as_list(value)]
        elif name == "j":
            out[name] = {"name": value} if isinstance(value, str) else value
        else:
            kind = TYPES[name]
            same = [kind.same(one) for one in as_list(value)]
            if not kind.one:
                same = sorted(set(same) if kind.unique else same)
            out[name] = same
    return out


def bulk(node, lines):
    result = node.client.bulk(body="".join(json.dumps(line) + "\n" for line in lines), refresh=True)
    assert not result["errors"], [item for item in result["items"] if "error" in str(item)][:3]


def fill(node, rng, index, names, joins):
    """In several segments, some of whose documents are deleted or replaced later."""
    kind = {"_type": "doc"} if node.kind == "es-node" and node.version in ("5.6", "6.8") else {}
    sent = {}
    for _ in range(4):
        lines = []
        for number in rng.sample(range(DOCUMENTS), DOCUMENTS // 2):
            identity = {"_index": index, "_id": str(number), "routing": "1", **kind}
            if str(number) in sent and rng.random() < 0.3:
                lines.append({"delete": identity})
                del sent[str(number)]
                continue
            sent[str(number)] = document_of(rng, names, joins)
            lines += [{"index": identity}, sent[str(number)]]
        bulk(node, lines)
    return sent


def snapshot_of(node, index, seed):
    """In a folder of its own: those of a node outlive its tests."""
    location = str(node.repositories / f"sourceless-{seed}")
    node.api("PUT", "/_snapshot/repo", {"type": "fs", "settings": {"location": location}})
    node.api("PUT", "/_snapshot/repo/snap?wait_for_completion=true", {"indices": index})
    return location


def rebuilt(shardlift, tmp_path, repository, *options):
    out = tmp_path / f"out{len(options)}"
    result = shardlift("backfill", "--repo-uri", repository, "--snapshot-name", "snap",
                       "--target-host", f"dir:{out}", FLAG, *options)
    assert result.code == OK, result
    (_, documents), = written_documents(out).items()
    if options:
        assert f"{len(documents)} of {len(documents)} documents read came whole" in result.err, result
    return {document.id: json.loads(document.source) for document in documents}


def assert_all_same(got, want):
    assert want and set(got) == set(want)
    for number, document in want.items():
        mine, theirs = normal(got[number]), normal(document)
        different = {name: (mine.get(name), theirs.get(name)) for name in mine | theirs
                     if mine.get(name) != theirs.get(name)}
        assert not different, number


@pytest.mark.parametrize("kind,version", NODES)
def test_every_type_comes_back_as_it_was_sent(pool, shardlift, tmp_path, kind, version):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng, node = random.Random(seed), node_of(pool, kind, version)
    names, joins = supported(node), takes_joins(node)
    print("types", [TYPES[name].mapping["type"] for name in names], joins)
    node.api("PUT", f"/plain-{seed}", body_of(node, properties_of(names, joins)))
    sent = fill(node, rng, f"plain-{seed}", names, joins)
    location = snapshot_of(node, f"plain-{seed}", seed)
    assert_all_same(rebuilt(shardlift, tmp_path, location), sent)
    if version not in ("5.6", "6.8"):  # whose indices keep no soft deletes by default
        assert rebuilt(shardlift, tmp_path, location, "--use-recovery-source") == sent


def oddities(rng, document):
    """What a synthetic source keeps aside."""
    for name, value in (("off", {"a": [1, {"b": None}]}), ("arrays", ["z", "a", None, "z"]),
                        ("whole", {"y": [3, 1, 3]}),
                        ("loose", [1, "bad", 12345678901234567890, "1.x", True]), ("short", ["toolongforit", "b"]),
                        ("kept", rng.randint(0, 9)),
                        ("any", rng.choice((1, -1.5, True, 2**70, 1e300, "s", [1, [2]], {"q": 1}))),
                        ("suggest", ["one", "two"])):
        if rng.random() < 0.3:
            document[name] = value
    return document


ODD = {"off": {"type": "object", "enabled": False}, "arrays": {"type": "keyword", "synthetic_source_keep": "arrays"},
       "whole": {"synthetic_source_keep": "all", "properties": {"y": {"type": "long"}}},
       "loose": {"type": "integer", "ignore_malformed": True}, "short": {"type": "keyword", "ignore_above": 5},
       "kept": {"type": "long", "synthetic_source_keep": "all"}, "suggest": {"type": "completion"}}


@pytest.mark.parametrize("kind,version", SYNTHETIC)
def test_a_synthetic_source_is_what_the_node_makes_of_it(pool, shardlift, tmp_path, kind, version):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng, node = random.Random(seed), node_of(pool, kind, version)
    names = supported(node, synthetic=True)
    body = body_of(node, {**properties_of(names, False), **ODD}, synthetic=True)
    body["mappings"]["dynamic"] = False
    index = f"made-{seed}"
    node.api("PUT", f"/{index}", body)
    lines = []
    for number in range(DOCUMENTS):
        lines += [{"index": {"_index": index, "_id": str(number)}}, oddities(rng, document_of(rng, names, False))]
    bulk(node, lines)
    lines = [{"delete": {"_index": index, "_id": str(number)}} for number in range(0, DOCUMENTS, 9)]
    bulk(node, lines)
    found = node.client.search(index=index, size=DOCUMENTS)["hits"]["hits"]
    want = {hit["_id"]: json.loads(support.canonical(hit["_source"])) for hit in found}
    got = rebuilt(shardlift, tmp_path, snapshot_of(node, index, seed))
    assert len(want) > DOCUMENTS / 2 and set(got) == set(want)
    for number, document in want.items():
        if "em" in document:  # which the node writes as texts of digits
            several = isinstance(document["em"], list)
            document["em"] = [int(one) for one in document["em"]] if several else int(document["em"])
        assert got[number] == document, number
