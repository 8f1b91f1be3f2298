"""Packs Lucene files into a snapshot repository as OpenSearch 2.19 lays it out, for files that no
node here can write."""

import json
import pathlib
import struct
import zlib

SNAPSHOT = "snapshot-uuid-00000001"


def smile(value, top=True):
    """SMILE without shared names or strings; binary for bytes."""
    head = b":)\n\x04" if top else b""
    if isinstance(value, dict):
        return head + b"\xfa" + b"".join(key(k) + smile(v, False) for k, v in value.items()) + b"\xfb"
    if isinstance(value, list):
        return head + b"\xf8" + b"".join(smile(v, False) for v in value) + b"\xf9"
    if isinstance(value, bool):
        return b"\x23" if value else b"\x22"
    if isinstance(value, int):
        return b"\x25" + vint(value << 1)
    if isinstance(value, bytes):
        return b"\xfd" + vint(len(value)) + value
    return b"\xe4" + value.encode() + b"\xfc"


def vint(number):
    """Groups of 7 bits, the highest first; the last one has 6 and the mark of the end."""
    groups = [0x80 | number & 0x3f]
    number >>= 6
    while number:
        groups.append(number & 0x7f)
        number >>= 7
    return bytes(reversed(groups))


def key(name):
    return b"\x34" + name.encode() + b"\xfc"


def dat(codec, value):
    body = (struct.pack(">IB", 0x3fd76c17, len(codec)) + codec.encode() + struct.pack(">I", 1)
            + smile(value) + struct.pack(">II", 0xc02893e8, 0))
    return body + struct.pack(">Q", zlib.crc32(body))


def base36(number):
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def write_shard(folder, lucene, part_size):
    files = []
    for number, path in enumerate(sorted(lucene.iterdir())):
        if path.name == "write.lock":
            continue
        content, blob = path.read_bytes(), f"__blob{number}"
        entry = {"name": blob, "physical_name": path.name, "length": len(content),
                 "checksum": base36(struct.unpack(">Q", content[-8:])[0]),
                 "part_size": part_size, "written_by": "9.12.1"}
        if path.suffix == ".si" or path.name.startswith("segments_"):
            entry |= {"name": f"v__{number}", "meta_hash": content}
        else:
            parts = range(0, max(len(content), 1), part_size)
            for part, start in enumerate(parts):
                name = f"{blob}.part{part}" if len(content) > part_size else blob
                (folder / name).write_bytes(content[start:start + part_size])
        files.append(entry)
    (folder / f"snap-{SNAPSHOT}.dat").write_bytes(dat("snapshot", {
        "name": "snap", "index_version": 1, "start_time": 1, "time": 1,
        "number_of_files": len(files), "total_size": 1, "files": files}))


def write_repository(repository, indices, part_size=2**62):
    """indices: name -> the folders of Lucene files of its shards."""
    repository = pathlib.Path(repository)
    entries, lookup, identifiers = {}, {}, {}
    for number, (name, shards) in enumerate(sorted(indices.items())):
        uuid = f"index-uuid-{number:010}"
        entries[name] = {"id": uuid, "shard_path_type": 0, "snapshots": [SNAPSHOT]}
        lookup[uuid] = f"key-{number}"
        identifiers[f"key-{number}"] = f"meta-{number}"
        folder = repository / "indices" / uuid
        folder.mkdir(parents=True)
        (folder / f"meta-meta-{number}.dat").write_bytes(dat("index-metadata", {name: {
            "version": 1, "routing_num_shards": len(shards), "state": "open",
            "settings": {"index.number_of_shards": str(len(shards)),
                         "index.number_of_replicas": "0", "index.version.created": "136408127",
                         "index.codec": "zstd"},
            "mappings": [{"_doc": {}}], "aliases": {}}}))
        for shard, lucene in enumerate(shards):
            (folder / str(shard)).mkdir()
            write_shard(folder / str(shard), lucene, part_size)
    (repository / "index-0").write_text(json.dumps({
        "snapshots": [{"name": "snap", "uuid": SNAPSHOT, "state": 1, "version": "2.19.6",
                       "index_metadata_lookup": lookup}],
        "indices": entries, "index_metadata_identifiers": identifiers}))
    (repository / "index.latest").write_bytes(struct.pack(">Q", 0))
    (repository / f"meta-{SNAPSHOT}.dat").write_bytes(dat("metadata", {"meta-data": {"version": 1}}))
    (repository / f"snap-{SNAPSHOT}.dat").write_bytes(dat("snapshot", {"snapshot": {
        "name": "snap", "uuid": SNAPSHOT, "version_id": 136408127, "indices": sorted(indices),
        "state": "SUCCESS", "include_global_state": True, "start_time": 1, "end_time": 2,
        "total_shards": 1, "successful_shards": 1, "failures": []}}))
    return repository
