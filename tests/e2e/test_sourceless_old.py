"""Documents of indices that Elasticsearch 1 and 2 made without a source, rebuilt, against what was sent to real nodes:
every type, with and without doc values, several and missing values, nested documents, two mapping types, deletes and
updates. The seed is printed."""

import datetime
import ipaddress
import json
import math
import os
import random

import pytest

from support import ERRORS, OK
from test_sourceless_nodes import (DOCUMENTS, FLAG, Type, as_list, date, node_of, rebuilt, single,
                                   snapshot_of, word)

# Versions of Elasticsearch, and as which the index says to have been created: before 1.4 doc values of numbers were
# binary; geo_points are text, since 2.2 numbers, since 2.3 other terms.
MADE = [("1.7", None), ("2.4", None)]
if os.environ.get("SHARDLIFT_EVERY_NODE"):
    # Of Lucene 4.7, with terms in files of another name, and no doc values of binary fields.
    MADE += [("1.1.2", None), ("1.7", 1030499), ("2.4", 1070699), ("2.4", 2010199), ("2.4", 2020199)]
LAT, LON = 180 / 2**31, 360 / 2**31
PATIENCE = 300  # seconds, for requests of many fields to nodes on a machine under load


def instant(text):
    """As `date` and a format without milliseconds write it, or as a number of milliseconds."""
    if isinstance(text, int):
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=text)
        text = moment.isoformat(timespec="milliseconds")
    return text.replace("/", "-").replace(" ", "T").removesuffix("Z").removesuffix(".000")


def slashed(rng):
    return f"{rng.randint(1950, 2090)}/{rng.randint(1, 12):02}/{rng.randint(1, 28):02} 0{rng.randint(0, 9)}:05:59"


def spot(rng):
    """In the middle of one of the spots that numbers tell apart."""
    return {"lat": (rng.randint(-2**29, 2**29) + 0.5) * LAT, "lon": (rng.randint(-2**29, 2**29) + 0.5) * LON}


def same_spot(value):
    return math.floor(value["lat"] / LAT + 0.25), math.floor(value["lon"] / LON + 0.25)


def same_place(value):
    return value["lat"], value["lon"]


def tokens(rng):
    return " ".join(rng.choice(("ab", "b", "cäö", "x1", "long")) for _ in range(rng.randint(1, 30)))


NUMBERS = {
    "l": Type({"type": "long"}, lambda rng: rng.randint(-2**63, 2**63 - 1)),
    "i": Type({"type": "integer"}, lambda rng: rng.randint(-2**31, 2**31 - 1)),
    "s": Type({"type": "short"}, lambda rng: rng.randint(-9, 9)),
    "by": Type({"type": "byte"}, lambda rng: rng.randint(-128, 127)),
    "d": Type({"type": "double"}, lambda rng: rng.choice((rng.uniform(-1e9, 1e9), -0.0, 1e300))),
    "f": Type({"type": "float"}, lambda rng: rng.uniform(-1e3, 1e3), single),
    "da": Type({"type": "date"}, date, instant),
    "sl": Type({"type": "date", "format": "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd"}, slashed, instant),
    "ip": Type({"type": "ip"}, lambda rng: str(ipaddress.IPv4Address(rng.getrandbits(32)))),
    "ps": Type({"type": "long", "precision_step": 4}, lambda rng: rng.randint(-2**40, 2**40)),
    "bo": Type({"type": "boolean"}, lambda rng: rng.random() < 0.5),
    "k": Type({"type": "string", "index": "not_analyzed"}, word, unique=True),
}
RAW = {"raw": {"type": "string", "index": "not_analyzed"}}
TEXTS = {
    "ks": Type({"type": "string", "index": "not_analyzed", "store": True}, word),
    "t": Type({"type": "string", "position_offset_gap": 100}, tokens),
    "ta": Type({"type": "string"}, tokens),
    "tr": Type({"type": "string", "fields": RAW}, word, unique=True),
    "ts": Type({"type": "string", "index": "no", "store": True}, word),
    "bi": Type({"type": "binary", "doc_values": True}, lambda rng: rng.choice(("AAEC", "/w==", "c2hhcmQ=")),
               unique=True),
    "bs": Type({"type": "binary", "store": True}, lambda rng: rng.choice(("AAEC", "/w==", "c2hhcmQ="))),
    "ls": Type({"type": "long", "store": True, "index": "no"}, lambda rng: rng.randint(-2**63, 2**63 - 1)),
    "fs": Type({"type": "float", "store": True}, lambda rng: rng.uniform(-1e3, 1e3), single),
    "bos": Type({"type": "boolean", "store": True}, lambda rng: rng.random() < 0.5),
}


def made_before(node, made, version):
    return (made or {"1.1.2": 1010299, "1.7": 1070699, "2.4": 2040699}[node.version]) < version


def is_first(node):
    return node.version.startswith("1.")


def types_of(node, made):
    """By name: as they are, with doc values and without; these are out of terms, and so each once."""
    types = dict(TEXTS)
    before_2, packed = made_before(node, made, 2000001), made_before(node, made, 1040001)
    for name, kind in NUMBERS.items():
        def with_columns(columns, kind=kind, name=name):
            binary = packed and columns and name != "k"
            return Type({**kind.mapping, "doc_values": columns}, kind.make, kind.same,
                        unique=kind.unique or binary or not columns)
        columns = not before_2
        types[name] = Type(kind.mapping, kind.make, kind.same, unique=kind.unique or not columns)
        types[f"{name}p"] = with_columns(False)
        if name != "bo" or not before_2:
            types[f"{name}c"] = with_columns(True)
    if node.version == "1.1.2":
        del types["bi"]
    number = not made_before(node, made, 2020099)
    same = same_spot if number else same_place
    types["gp"] = Type({"type": "geo_point"}, spot, same, unique=before_2 or not number)
    types["gl"] = Type({"type": "geo_point", "lat_lon": True, "geohash": True}, spot, same,
                       unique=before_2 or not number)
    types["gc"] = Type({"type": "geo_point", "doc_values": True}, spot, same, unique=not number)
    if made_before(node, made, 2030099):
        types["gt"] = Type({"type": "geo_point", "doc_values": False}, spot, same, unique=True)
    types["gs"] = Type({"type": "geo_point", "store": True}, spot, same)
    if before_2:  # whose values have no gap
        types["ta"] = Type(TEXTS["ta"].mapping, tokens, one=True)
    else:
        types["t"] = Type({"type": "string", "position_increment_gap": 100}, tokens)
    if is_first(node):
        types["xn"] = Type({"type": "integer", "index_name": "elsewhere"}, NUMBERS["i"].make, unique=True)
    return types


def mapping_of(node, types):
    names = list(types)
    inner = {"properties": {name: types[name].mapping for name in names[:6]}}
    if is_first(node):
        inner["path"] = "just_name"
        inner["properties"] = {f"z{name}": mapping for name, mapping in inner["properties"].items()}
    properties = {name: kind.mapping for name, kind in types.items()}
    properties["o"] = {"properties": {"p": inner}}
    properties["n"] = {"type": "nested", "properties": {
        "k": {"type": "string", "index": "not_analyzed"}, "l": {"type": "long"},
        "m": {"type": "nested", "properties": {"i": {"type": "integer"}}}}}
    return {"dynamic": "strict", "_source": {"enabled": False}, "properties": properties}


def values_of(rng, types, names):
    out = {}
    for name in names:
        if rng.random() < 0.5:
            several = not types[name].one and rng.random() < 0.4
            out[name] = ([types[name].make(rng) for _ in range(rng.randint(1, 4))] if several
                         else types[name].make(rng))
    return out


def document_of(rng, node, types):
    names = list(types)
    document = values_of(rng, types, names)
    mark = "z" if is_first(node) else ""
    document["o"] = {"p": {mark + name: value for name, value in values_of(rng, types, names[:6]).items()}}
    if rng.random() < 0.5:
        document["n"] = [{"k": word(rng), "l": rng.randint(0, 9),
                          "m": [{"i": rng.randint(0, 99)} for _ in range(rng.randint(0, 3))]}
                         for _ in range(rng.randint(1, 4))]
    return document


def normal(document, types):
    """Paths to what all spellings of their values have in common."""
    out = {}
    for name, value in document.items():
        if name == "o":
            for inner, one in normal(value.get("p", {}), types).items():
                out[f"o.p.{inner}"] = one
        elif name in ("n", "m"):
            if value:
                out[name] = [normal(one, {"k": TEXTS["ks"], "l": NUMBERS["l"], "i": NUMBERS["i"]})
                             for one in as_list(value)]
        else:
            kind = types[name.removeprefix("z")]
            same = [kind.same(one) for one in as_list(value)]
            out[name] = sorted(set(same) if kind.unique else same)
    return out


def fill(node, rng, index, types):
    """In several segments, some of whose documents are deleted or replaced later; of two mapping types, whose field x
    is not the same in both on Elasticsearch 1."""
    sent = {}
    for _ in range(4):
        lines = []
        for number in rng.sample(range(DOCUMENTS), DOCUMENTS // 2):
            kind = "doc" if number % 10 else "other"
            identity = {"_index": index, "_id": str(number), "_type": kind, "_routing": "1"}
            if str(number) in sent and rng.random() < 0.3:
                lines.append({"delete": identity})
                del sent[str(number)]
                continue
            sent[str(number)] = document_of(rng, node, types) if kind == "doc" else {"k": word(rng), "x": word(rng)}
            lines += [{"index": identity}, sent[str(number)]]
        result = node.client.bulk(body="".join(json.dumps(line) + "\n" for line in lines), refresh=True,
                                  request_timeout=PATIENCE)
        assert not result["errors"], [item for item in result["items"] if "error" in str(item)][:3]
    return sent


@pytest.mark.parametrize("version,made", MADE)
def test_what_old_indices_hold_comes_back_as_it_was_sent(pool, shardlift, tmp_path, version, made):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng, node = random.Random(seed), node_of(pool, "es-node", version)
    types = types_of(node, made)
    text = {"type": "string", "index": "not_analyzed"}
    doc = mapping_of(node, types)
    doc["properties"]["x"] = {"type": "long"} if version == "1.7" else text
    other = {"dynamic": "strict", "_source": {"enabled": False}, "properties": {"k": NUMBERS["k"].mapping, "x": text}}
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    if made:
        settings["index.version.created"] = made
    node.client.indices.create(index=f"old-{seed}", request_timeout=PATIENCE,
                               body={"settings": settings, "mappings": {"doc": doc, "other": other}})
    types["x"] = Type(text, word)
    sent = fill(node, rng, f"old-{seed}", {name: kind for name, kind in types.items() if name != "x"})
    got = rebuilt(shardlift, tmp_path, snapshot_of(node, f"old-{seed}", seed))
    assert sent and set(got) == set(sent)
    for number, document in sent.items():
        mine, theirs = normal(got[number], types), normal(document, types)
        different = {name: (mine.get(name), theirs.get(name)) for name in mine | theirs
                     if mine.get(name) != theirs.get(name)}
        assert not different, number


def test_a_migrated_index_is_verified_through_the_same_rebuilding(pool, repository, shardlift):
    target = node_of(pool, "os-node", "2.19")
    source = f"{repository('es-2.4.6')}#snap2"
    # Into an index that stores sources: one made of the old mapping would store none either.
    moved = shardlift("backfill", "--repo-uri", repository("es-2.4.6"), "--snapshot-name", "snap2", "--target-host",
                      target.url, "--index-allowlist", "metrics", "--allow-missing-indexes", "true", FLAG)
    assert moved.code == OK, moved
    compare = ("verify", "--from", source, "--to", target.url, "--index-allowlist", "metrics", "--only", "documents",
               "--json")
    same = shardlift(*compare, FLAG)
    assert same.code == OK, same
    for row in same.json()["indices"]:
        assert row["verdict"] == "equal" and "as rebuilt from" in row["reason"], same
    target.client.update(index="metrics", id="m1", body={"doc": {"count": -7}}, refresh=True)
    different = shardlift(*compare, FLAG, "--restart")
    assert different.code == ERRORS, different
    assert [row["verdict"] for row in different.json()["indices"]] != ["equal"], different
