"""Captured records, out of files and logs and back: traffic import, export, show, groups."""

import base64
import gzip
import json
import re

import pytest

from support import FIXTURES, LOCAL_IO, OK, SOURCE, USAGE

SAMPLES = FIXTURES / "traffic"


def records():
    """Key and bytes of each sample of the Java tool, by connection and number."""
    names = sorted(SAMPLES.glob("*.protocap"),
                   key=lambda path: (path.stem.rsplit("_")[0], int(path.stem.rsplit("_")[1])))
    return [(path.stem.rsplit("_")[0], path.read_bytes()) for path in names]


def lines(keyed):
    return "".join((f"{key}|" if keyed else "") + base64.b64encode(value).decode() + "\n"
                   for key, value in records())


def test_an_import_exports_the_same_bytes(shardlift, tmp_path):
    exported = tmp_path / "in.proto.gz"
    exported.write_bytes(gzip.compress(lines(keyed=True).encode()))
    log = tmp_path / "log"
    result = shardlift("traffic", "import", exported, log)
    assert result.code == OK, result.err
    assert "6 records" in result.out

    assert shardlift("traffic", "export", log).out == lines(keyed=True)
    assert shardlift("traffic", "export", log, "--lines", "bare").out == lines(keyed=False)
    out = tmp_path / "out.proto.gz"
    assert shardlift("traffic", "export", log, "--output", out).code == OK
    assert gzip.decompress(out.read_bytes()).decode() == lines(keyed=True)
    # A second import goes behind the first.
    assert shardlift("traffic", "import", out, log).code == OK
    assert shardlift("traffic", "export", log, "--start-offset", "6").out == lines(keyed=True)
    assert shardlift("traffic", "export", log, "--end-offset", "6").out == lines(keyed=True)


@pytest.mark.parametrize("form", ["folder", "bare", "keyed"])
def test_every_form_shows_the_same_records(shardlift, tmp_path, form):
    path = SAMPLES
    if form != "folder":
        path = tmp_path / "lines"
        path.write_text(lines(form == "keyed"))
    result = shardlift("traffic", "show", path)
    assert result.code == OK, result.err
    shown = result.out.splitlines()
    assert len(shown) == 6
    assert " o:0 ncs:a30f9cb4-27a3-4dd3-b0e9-95d4bd388cb3.02fc00fffe000001-00007122-00000001-" \
        in shown[0]
    assert "R[91]: GET /_cat/indices HTTP/1.1..Host" in shown[0]
    assert shown[0].endswith(" CLOSE")
    assert re.match(r"2026-\d\d-\d\dT[\d:.]+Z/2026-\d\d-\d\dT[\d:.]+Z \+0.000s \d+ms p:0", shown[0])


def test_requests_and_responses_are_put_together(shardlift):
    result = shardlift("traffic", "show", SAMPLES, "--mode", "http", "--preview-bytes-read", "15")
    assert result.code == OK, result.err
    shown = result.out.splitlines()
    assert [line.split(": ", 1)[1] for line in shown if " REQ " in line] == [
        "GET /_cat/indic", "GET /a HTTP/1.1", "POST /idx/_doc ", "GET /b HTTP/1.1",
        "POST /expect/_b"]
    assert sum(" RSP " in line and " complete: HTTP/1.1 " in line for line in shown) == 5
    assert sum(" CLOSED " in line for line in shown) == 4


def test_lines_of_the_java_replayer_are_read(shardlift):
    for name, requests in (("in_A.txt", 3), ("in_B.txt", 2)):
        result = shardlift("traffic", "show", SAMPLES / name, "--mode", "http")
        assert result.code == OK, result.err
        assert result.out.count(" REQ ") == requests


def test_records_are_chosen_by_time(shardlift):
    everything = shardlift("traffic", "show", SAMPLES).out.splitlines()
    last = max(line.split(" ")[0].split("/")[1] for line in everything)
    assert shardlift("traffic", "show", SAMPLES, "--start-time", last).out.count("\n") == 1
    assert shardlift("traffic", "show", SAMPLES, "--end-time", last).out.count("\n") == 5


def test_what_cannot_be_read_is_told(shardlift, tmp_path):
    envelope = tmp_path / "envelope"
    value = records()[0][1]
    envelope.write_bytes(base64.b64encode(
        b"\x0a" + bytes([len(value) & 0x7F | 0x80, len(value) >> 7]) + value))
    result = shardlift("traffic", "show", envelope)
    assert result.code == SOURCE
    assert "CaptureRecord" in result.out
    result = shardlift("traffic", "import", envelope, tmp_path / "log")
    assert result.code != OK and "CaptureRecord" in result.err and "record 0" in result.err

    damaged = tmp_path / "damaged"
    damaged.write_text("not|base64!\n")
    result = shardlift("traffic", "show", damaged)
    assert result.code != OK and "record 0" in result.err

    result = shardlift("traffic", "show", tmp_path)
    assert result.code != OK and "no segment log" in result.err


def test_a_group_that_nobody_reads_with_is_found_and_removed(shardlift, tmp_path):
    file, log = tmp_path / "records", tmp_path / "log"
    file.write_text(lines(keyed=True))
    assert shardlift("traffic", "import", file, log).code == OK
    assert json.loads(shardlift("traffic", "groups", log, "--json").out) == {
        "first": 0, "end": 6, "groups": []}
    for name, content in (("left", "2\n"), ("done", "6\n"), ("torn", "x"), ("no group", "1\n")):
        (log / "groups" / name).write_text(content)

    rows = [line.split() for line in shardlift("traffic", "groups", log).out.splitlines()[2:]]
    assert rows == [["done", "6", "0"], ["left", "2", "4"], ["torn", "damaged", "-"]]
    result = shardlift("traffic", "groups", log, "--remove", "left")
    assert (result.code, result.out) == (OK, "group 'left' is removed; it was at offset 2 of 6\n")
    assert shardlift("traffic", "groups", log, "--remove", "torn", "--json").code == OK
    told = json.loads(shardlift("traffic", "groups", log, "--json").out)
    assert told["groups"] == [{"group": "done", "committed": 6, "behind": 0}]

    result = shardlift("traffic", "groups", log, "--remove", "left")
    assert result.code == SOURCE and "no group 'left'" in result.err
    assert shardlift("traffic", "groups", log, "--remove", "../lock").code == USAGE
    assert "no segment log" in shardlift("traffic", "groups", tmp_path).err


def test_a_full_disk_is_an_error(shardlift, tmp_path):
    result = shardlift("traffic", "export", SAMPLES, "--output", "/dev/full")
    assert result.code == LOCAL_IO, result.err
