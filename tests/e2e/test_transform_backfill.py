"""Documents of a snapshot through user scripts on their way, into files: no node is needed."""

import gzip
import json

import pytest

from support import (ERRORS, OK, USAGE, Document, assert_same, canonical, expected_documents, parse,
                     written_documents)

IDENTITY = "b => d => d"
TOUCH = "b => d => { for (const one of d) one.document.set('touched', true); return d; }"


def config(script, **configuration):
    return json.dumps([{"JsonJSTransformerProvider": {"initializationScript": script,
                                                      **configuration}}])


@pytest.fixture
def backfill(shardlift, repository, tmp_path):
    def run(*flags, fixture="es-7.10.2", snapshot="snap2"):
        return shardlift("backfill", "--repo-uri", repository(fixture), "--snapshot-name", snapshot,
                         "--to", f"dir:{tmp_path / 'out'}", *flags)
    return run


def failed_documents(shardlift):
    records = []
    for path in sorted((shardlift.state_dir / "failed-documents").rglob("*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            records += [json.loads(line) for line in lines]
    return records


def kept(fixture="es-7.10.2", snapshot="snap2"):
    return {name: documents for name, documents in expected_documents(fixture, snapshot).items()
            if documents is not None and not name.startswith(".")}


def test_documents_that_a_script_leaves_alone_are_the_same(backfill, tmp_path):
    result = backfill("--doc-transformer-config", config(IDENTITY),
                      "--index-allowlist", ",".join(kept()))
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    for name, documents in kept().items():
        assert_same(written.get(name, []), documents, name)


def test_documents_that_a_script_changes_keep_the_rest(backfill, tmp_path):
    result = backfill("--doc-transformer-config", config(TOUCH),
                      "--index-allowlist", ",".join(kept()), "--readers", "3",
                      "--documents-size-per-bulk-request", "200KiB")
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    for name, documents in kept().items():
        expected = [d._replace(source=canonical({**parse(d.source), "touched": True}))
                    for d in documents]
        assert_same(written.get(name, []), expected, name)


def test_what_a_script_cannot_do_is_on_record_and_the_rest_is_sent(backfill, shardlift, tmp_path):
    books = kept()["books"]
    victim = sorted(d.id for d in books)[0]
    script = f"b => d => {{ if (d[0].operation._id === '{victim}') throw new Error('not this'); " \
             "return d; }"
    result = backfill("--doc-transformer-config", config(script), "--index-allowlist", "books")
    assert result.code == ERRORS, result
    assert_same(written_documents(tmp_path / "out")["books"],
                [d for d in books if d.id != victim], "books")
    [record] = failed_documents(shardlift)
    text = json.dumps(record)
    assert "transform_exception" in text and victim in text
    assert f"books/{victim}: transformer step 1 (JsonJSTransformerProvider): Error: not this" in text


def test_a_loop_takes_one_document_and_not_the_backfill(backfill, shardlift, tmp_path):
    books = kept()["books"]
    victim = sorted(d.id for d in books)[-1]
    script = f"b => d => {{ if (d[0].operation._id === '{victim}') for (;;); return d; }}"
    result = backfill("--doc-transformer-config", config(script), "--index-allowlist", "books",
                      "--script-timeout", "1s")
    assert result.code == ERRORS, result
    assert_same(written_documents(tmp_path / "out")["books"],
                [d for d in books if d.id != victim], "books")
    assert "the script was stopped" in json.dumps(failed_documents(shardlift))


def test_skipped_documents_are_logged_and_not_on_record(backfill, shardlift, tmp_path):
    books = kept()["books"]
    script = "b => d => { throw new Error('none') }"
    result = backfill("--doc-transformer-config", config(script), "--index-allowlist", "books",
                      "--on-transform-error", "skip")
    assert result.code == OK, result
    assert written_documents(tmp_path / "out") == {}
    assert result.err.count("Error: none") == len(books)
    assert failed_documents(shardlift) == []


def test_a_run_that_must_not_fail_ends_with_the_first(backfill):
    result = backfill("--doc-transformer-config", config("b => d => { throw new Error('none') }"),
                      "--index-allowlist", "books", "--on-transform-error", "fail")
    assert result.code not in (OK, ERRORS), result
    assert "Error: none" in result.err and "books/" in result.err


FAULTS = {
    "throws": ("throw new Error('not this');", "Error: not this"),
    "loops": ("for (;;);", "the script was stopped"),
    "allocates": ("const all = []; for (;;) all.push('x'.repeat(1e6) + all.length);",
                  "the script was stopped"),
    "returns a wrong shape": ("return 7;", "returned"),
}


@pytest.mark.parametrize("policy", ("record", "skip", "fail"))
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_document_by_each_policy(backfill, shardlift, tmp_path, fault,
                                                              policy):
    books = kept()["books"]
    victim = sorted(d.id for d in books)[1]
    body, said = FAULTS[fault]
    script = f"b => d => {{ if (d[0].operation._id === '{victim}') {{ {body} }} return d; }}"
    result = backfill("--doc-transformer-config", config(script), "--index-allowlist", "books",
                      "--script-timeout", "1s", "--script-memory", "200MiB",
                      "--on-transform-error", policy)
    records = json.dumps(failed_documents(shardlift))
    told = records if policy == "record" else result.err
    assert f"books/{victim}: transformer step 1 (JsonJSTransformerProvider)" in told, told
    assert said in told, told
    if policy == "fail":
        assert result.code == USAGE, result
        return
    assert result.code == (ERRORS if policy == "record" else OK), result
    assert (victim in records) == (policy == "record")
    assert_same(written_documents(tmp_path / "out")["books"],
                [d for d in books if d.id != victim], "books")


def test_a_script_that_drops_everything_is_told_so(backfill, tmp_path):
    result = backfill("--doc-transformer-config", config("b => d => []"),
                      "--index-allowlist", "books")
    assert result.code == OK, result
    assert f"none of its {len(kept()['books'])} documents was sent" in " ".join(result.out.split())
    assert written_documents(tmp_path / "out") == {}


def test_documents_can_be_dropped_split_and_renamed(backfill, tmp_path):
    script = """b => d => d.flatMap((one) => {
      if (one.operation._id === b.drop) return [];
      const other = {...one, operation: {_index: 'copies', _id: 'c-' + one.operation._id}};
      one.operation._index = 'tomes';
      return [one, other]; })"""
    books = kept()["books"]
    dropped = sorted(d.id for d in books)[0]
    result = backfill("--doc-transformer-config", config(script, bindingsObject={"drop": dropped}),
                      "--index-allowlist", "books")
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    rest = [d for d in books if d.id != dropped]
    assert_same(written["tomes"], rest, "tomes")
    assert_same(written["copies"], [Document("_doc", f"c-{d.id}", None, d.source) for d in rest],
                "copies")


def test_a_shape_that_cannot_be_sent_is_told(backfill, shardlift):
    script = "b => d => [{...d[0], operation: {...d[0].operation, pipeline: 'p'}}]"
    result = backfill("--doc-transformer-config", config(script), "--index-allowlist", "books")
    assert result.code == ERRORS, result
    records = failed_documents(shardlift)
    assert len(records) == len(kept()["books"])
    assert all("'operation.pipeline' cannot be sent" in json.dumps(r) for r in records)


def test_scripts_see_the_types_that_documents_had(backfill, tmp_path):
    script = "b => d => { d[0].document = {t: d[0].operation._type}; return d; }"
    result = backfill("--doc-transformer-config", config(script), fixture="es-5.6.16",
                      snapshot="snap2")
    assert result.code in (OK, ERRORS), result
    seen = {parse(d.source)["t"] for documents in written_documents(tmp_path / "out").values()
            for d in documents}
    assert len(seen) > 1 and None not in seen


def test_a_wrong_configuration_ends_before_anything_is_opened(shardlift, tmp_path):
    for flags, said in [(["--doc-transformer-config", "Nope"], "no provider 'Nope'"),
                        (["--doc-transformer-config", config("x y")], "SyntaxError"),
                        (["--doc-transformer-config-base64", "%%%"], "no base64"),
                        (["--doc-transformer-config-file", tmp_path / "none"], "none"),
                        (["--doc-transformer-config", "NoopTransformerProvider",
                          "--doc-transformer-config-base64", "Ig=="], "given twice")]:
        result = shardlift("backfill", "--repo-uri", tmp_path / "no-repository", "--snapshot-name",
                           "s", "--to", "null:", *flags)
        assert result.code == USAGE, result
        assert said in result.err, result


def test_noop_parses_nothing(backfill, tmp_path):
    result = backfill("--doc-transformer-config", "NoopTransformerProvider",
                      "--index-allowlist", ",".join(kept()))
    assert result.code == OK, result
    written = written_documents(tmp_path / "out")
    for name, documents in kept().items():
        assert_same(written.get(name, []), documents, name)
