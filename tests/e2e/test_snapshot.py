"""`snapshot list`, `snapshot show` and `inspect lucene`, against what the nodes themselves said."""

import collections
import json
import re
import shutil

import pytest

from support import (FIXTURES, OK, SOURCE, USAGE, Document, assert_same, canonical,
                     expected_documents, parse)

ALL = ["es-1.7.6", "es-2.4.6", "es-5.6.16", "es-6.8.23", "es-7.10.2", "es-8.19.21", "os-1.3.14", "os-2.19.6", "os-3.8.0"]


def snapshots_of(fixture):
    """name -> what the node answered for GET /_snapshot/<repository>/<name>."""
    meta = json.loads((FIXTURES / f"{fixture}.meta.json").read_text())
    if "snapshots" in meta:
        return {name: body["info"] for name, body in meta["snapshots"].items()}
    return {name: body[f"/_snapshot/fixture/{name}"]["snapshots"][0] for name, body in meta.items()}


@pytest.mark.parametrize("fixture", ALL)
def test_list_names_every_snapshot_with_its_state(shardlift, repository, fixture):
    result = shardlift("snapshot", "list", "--repo-uri", repository(fixture), "--json")
    assert result.code == OK, result
    told = {row["name"]: row for row in result.json()["snapshots"]}
    known = snapshots_of(fixture)
    assert sorted(told) == sorted(known)
    for name, info in known.items():
        assert told[name]["state"] == info["state"]
        assert told[name]["uuid"] == info.get("uuid", name)
        assert told[name]["version"] in (info["version"], "8.11.0")  # of all from 8.11 on


def lucene_documents_of(fixture, snapshot):
    """index -> live Lucene documents of its primaries as the node counted them, nested ones too."""
    meta = json.loads((FIXTURES / f"{fixture}.meta.json").read_text())
    counts = collections.Counter()
    if "snapshots" in meta:
        for row in meta["snapshots"][snapshot]["segments"]:
            counts[row["index"]] += int(row["docs.count"])
    else:
        for index, body in meta[snapshot]["/_segments"]["indices"].items():
            for copies in body["shards"].values():
                for copy in copies:
                    if copy["routing"]["primary"]:
                        counts[index] += sum(s["num_docs"] for s in copy["segments"].values())
    return counts


@pytest.mark.parametrize("fixture", ALL)
def test_show_counts_shards_and_documents_of_each_index(shardlift, repository, fixture):
    for name, info in snapshots_of(fixture).items():
        result = shardlift("snapshot", "show", "--repo-uri", repository(fixture), "--snapshot-name",
                           name, "--json")
        assert result.code == OK, result
        told = {row["index"]: row for row in result.json()["indices"]}
        assert sorted(told) == sorted(info["indices"])
        assert sum(row["shards"] for row in told.values()) == info["shards"]["total"]
        counts = lucene_documents_of(fixture, name)
        assert {index: row["lucene_documents"] for index, row in told.items()} == {
            index: counts[index] for index in told}


def test_tables_are_for_people(shardlift, repository):
    listed = shardlift("snapshot", "list", "--repo-uri", repository("os-2.19.6"))
    shown = shardlift("snapshot", "show", "--repo-uri", repository("os-2.19.6"), "--snapshot-name",
                      "snap-1")
    assert listed.code == OK and "snap-1" in listed.out and "SUCCESS" in listed.out, listed
    assert shown.code == OK and "books" in shown.out and "LUCENE" in shown.out, shown


def test_an_unknown_snapshot_is_refused_with_the_names_there_are(shardlift, repository):
    result = shardlift("snapshot", "show", "--repo-uri", repository("os-2.19.6"), "--snapshot-name",
                       "snap-9")
    assert result.code == SOURCE, result
    assert "snap-9" in result.err and "snap-1" in result.err, result


def test_a_misspelt_flag_is_named_with_the_nearest(shardlift):
    result = shardlift("snapshot", "list", "--repo-url", "/nowhere")
    assert result.code == USAGE, result
    assert "--repo-url" in result.err and "--repo-uri" in result.err, result


# Those first that earlier tests left running.
NODES = [("os-node", "2.19", "os-2.19.6", "snap-1"), ("es-node", "7.10", "es-7.10.2", "snap1"),
         ("es-node", "5.6", "es-5.6.16", "snap1")]


@pytest.mark.parametrize("kind,version,fixture,snapshot", NODES)
def test_inspect_prints_a_shard_of_a_real_data_folder(shardlift, pool, repository, kind, version,
                                                      fixture, snapshot):
    node = pool.get(kind, version)
    node.clear()
    shutil.copytree(repository(fixture), node.repositories / fixture)
    node.api("PUT", "/_snapshot/fixture", {"type": "fs", "settings": {
        "location": str(node.repositories / fixture)}})
    node.api("POST", f"/_snapshot/fixture/{snapshot}/_restore?wait_for_completion=true",
             {"indices": "books", "include_global_state": False})
    node.api("POST", "/books/_flush?force=true")
    settings = node.api("GET", "/books/_settings")["books"]["settings"]["index"]
    got = []
    for shard in range(int(settings["number_of_shards"])):
        folder = (node.folder / "data" / "nodes" / "0" / "indices" / settings["uuid"] / str(shard)
                  / "index")
        result = shardlift("inspect", "lucene", folder)
        assert result.code == OK, result
        for line in result.out.splitlines():
            row = parse(line)
            assert "live" not in row
            got.append(Document(row.get("_type", "_doc"), row["_id"], row.get("_routing"),
                                canonical(row["_source"])))
        segments = shardlift("inspect", "lucene", "--segments", folder)
        assert segments.code == OK and re.search(r"^_\w+ .*Lucene", segments.out, re.M), segments
        everything = shardlift("inspect", "lucene", "--all", folder)
        live = [parse(line)["live"] for line in everything.out.splitlines()]
        assert live.count(True) == len(result.out.splitlines()), everything
    node.clear()
    assert_same(got, expected_documents(fixture, snapshot)["books"], fixture, types=True)


def test_inspect_of_a_folder_without_an_index_says_so(shardlift, tmp_path):
    result = shardlift("inspect", "lucene", tmp_path)
    assert result.code == SOURCE, result
    assert str(tmp_path) in result.err and "segments_" in result.err, result
