"""What user scripts may do and must not: messages through `transform try`, with scripts of the shapes
that the Java tool's users have."""

import json

import pytest

from support import ERRORS, OK, USAGE, Number, parse

# A script is stopped after this much processor time. Those that behave need far less.
BRIEFLY = ("--script-timeout", "1s")
JAVA_SHAPE = """
function transform(document, context) {
  if (Array.isArray(document)) return document.flatMap((item) => transform(item, context));
  %s
}
function main(context) { return (document) => transform(document, context); }
(() => main)();
"""


def message(number, document, index="books"):
    """As text, so that digits are what they are."""
    return ('{"schema":"rfs-opensearch-bulk-v1","operation_type":"index","include_document":true,'
            f'"operation":{{"_id":"{number}","_index":"{index}"}},"document":{document}}}')


class Trial:
    def __init__(self, shardlift, tmp_path):
        self.shardlift, self.folder = shardlift, tmp_path

    def run(self, steps, messages, *flags):
        config = self.folder / "steps.json"
        config.write_text(steps if isinstance(steps, str) else json.dumps(steps))
        return self.shardlift("transform", "try", "--config", config, "--json", *flags,
                              input="\n".join(messages).encode())

    def script(self, script, messages, *flags, **configuration):
        step = {"JsonJSTransformerProvider": {"initializationScript": script, **configuration}}
        return self.run([step], messages, *flags)


@pytest.fixture
def trial(shardlift, tmp_path):
    return Trial(shardlift, tmp_path)


def outcomes(result):
    return [parse(line) for line in result.out.split("\n") if line]


def after(result, code=OK):
    assert result.code == code, result
    return [line["after"] for line in outcomes(result)]


def documents(result):
    return [one["document"] for one in after(result)]


def only_failed(result, failed):
    """Message `failed` alone, from 1, failed; the others came through. Its error."""
    assert result.code == ERRORS, result
    lines = outcomes(result)
    wrong = [i for i, line in enumerate(lines, 1) if line["outcome"] == "failed"]
    assert wrong == [failed], result
    error = lines[failed - 1]["error"]
    assert error.startswith(f"books/{failed}: transformer step 1 (JsonJSTransformerProvider): ")
    return error


FIVE = [message(i, f'{{"n":{i}}}') for i in range(1, 6)]
AT_TWO = "b => d => { if (d[0].operation._id === '2') { %s } return d; }"

NUMBERS = """{"big":9007199254740993,"huge":123456789012345678901234567890,"price":1.10,"one":1.0,
"zero":-0,"tiny":1e-400,"beyond":1e400,"below":-1e400,"exponent":1E5,"long":0.1000000000000000055,
"in":{"list":[1.0,2.50,9007199254740993,{"deep":3.0}]},"plain":12.5,"int":7}""".replace("\n", "")


def test_numbers_that_a_script_leaves_alone_keep_their_digits(trial):
    [got] = documents(trial.script(JAVA_SHAPE % "document.document.set('added', 1);"
                                   "return document;", [message(1, NUMBERS)]))
    assert got == {**parse(NUMBERS), "added": Number("1")}


def test_numbers_keep_their_digits_when_they_are_moved_or_copied_over(trial):
    moves = """
      const d = document.document;
      d.set('renamed', d.get('big')); d.delete('big');
      d.price2 = d.price; delete d.price;
      d.inner = d.in; delete d.in;
      document.document = {...d, huge: undefined, copied: JSON.parse(JSON.stringify(d.inner)),
                           large: d.huge};
      return document;"""
    [got] = documents(trial.script(JAVA_SHAPE % moves, [message(1, NUMBERS)]))
    assert got["renamed"] == Number("9007199254740993")
    assert got["price2"] == Number("1.10")
    assert got["inner"] == parse(NUMBERS)["in"]
    assert got["large"] == Number("123456789012345678901234567890")
    assert got["copied"]["list"][2] == Number("9007199254740993")
    assert got["beyond"] == Number("1e400") and got["zero"] == Number("-0")


def test_numbers_that_a_script_sets_are_its_own(trial):
    script = JAVA_SHAPE % ("document.document.a = document.document.a * 2;"
                           "document.document.b = 1; return document;")
    [got] = documents(trial.script(script, [message(1, '{"a":1.10,"b":2.0,"c":1.0}')]))
    assert got == {"a": Number("2.2"), "b": Number("1"), "c": Number("1.0")}


def test_numbers_that_cannot_be_told_apart_are_an_error(trial):
    script = "b => d => { d[0].document.ids.shift(); return d; }"
    error = only_failed(trial.script(script, [
        message(1, '{"ids":[1,9007199254740993,2]}'),
        message(2, '{"ids":[9007199254740993,9007199254740992]}')]), 2)
    assert "9007199254740993 and 9007199254740992" in error


def test_messages_answer_as_maps_and_as_objects(trial):
    script = """
    const say = [];
    const transform = (d) => {
      const m = d.get('document');
      const seen = {
        get: m.get('title'), property: m.title, has: [m.has('title'), m.has('none')],
        absent: m.get('none') === undefined, size: m.size,
        keys: [...m.keys()], values: Array.from(m.values()), entries: [...m.entries()],
        pairs: [...m].map(([k, v]) => k + '=' + v), isMap: m instanceof Map,
        isArray: Array.isArray(m.tags) && m.tags instanceof Array, object: m instanceof Object,
        spread: {...m}, copy: new Map(m).get('title'), constructor: m.constructor === Object,
      };
      m.forEach((value, key) => say.push(key));
      seen.forEach = say;
      seen.deleted = [m.delete('title'), m.delete('title')];
      m.set('x', new Map([['a', new Map([['b', new Set([1, 2])]])]])).set('y', 2);
      d.set('document', new Map([['seen', seen], ['left', m]]));
      return [d];
    };
    (() => (bindings) => (documents) => documents.flatMap(transform))()
    """
    [got] = documents(trial.script(script, [message(1, '{"title":"t","tags":["u","v"]}')]))
    assert got["left"] == {"tags": ["u", "v"], "x": {"a": {"b": [Number("1"), Number("2")]}},
                           "y": Number("2")}
    assert got["seen"] == {
        "get": "t", "property": "t", "has": [True, False], "absent": True, "size": Number("2"),
        "keys": ["title", "tags"], "values": ["t", ["u", "v"]],
        "entries": [["title", "t"], ["tags", ["u", "v"]]], "pairs": ["title=t", "tags=u,v"],
        "isMap": True, "isArray": True, "object": True,
        "spread": {"title": "t", "tags": ["u", "v"]}, "copy": "t", "constructor": True,
        "forEach": ["title", "tags"], "deleted": [True, False]}


def test_fields_named_as_methods_are_fields(trial):
    source = '{"get":1,"size":2,"keys":["k"],"__proto__":{"a":1},"constructor":"c","toJSON":"t"}'
    script = """b => d => { const m = d[0].document;
      if (m.size !== 2 || m.get !== 1 || m.constructor !== 'c') throw new Error('hidden');
      m.size = 3; m.added = Object.keys(m); m.size = 2; return d; }"""
    [got] = documents(trial.script(script, [message(1, source)]))
    assert got == {**parse(source), "added": list(parse(source))}


def test_the_language_is_left_as_it_is(trial):
    script = """
    const plain = {};
    Object.defineProperty(plain, 'p', {value: 1, enumerable: true});
    const watched = new Proxy({a: 1}, {});
    const names = []; for (const name in {x: 1}) names.push(name);
    b => d => { d[0].document.seen = [plain.p, watched.a, names, typeof plain.get]; return d; }"""
    [got] = documents(trial.script(script, [message(1, "{}")]))
    assert got["seen"] == [Number("1"), Number("1"), ["x"], "undefined"]


def test_promises_are_awaited(trial):
    script = """
    async function main(bindings) {
      await null;
      return async (documents) => {
        await Promise.resolve();
        return documents.map(async (d) => { await 1; d.document.n += bindings.get('by'); return d; });
      };
    }
    (() => main)()"""
    got = documents(trial.script(script, FIVE, bindingsObject={"by": 10}))
    assert [one["n"] for one in got] == [Number(str(10 + i)) for i in range(1, 6)]


@pytest.mark.parametrize("fault, said", [
    ("throw new Error('no twos');", "Error: no twos (script:1:"),
    ("throw 'a text';", "a text"),
    ("undefined.x;", "TypeError: undefined is not an object"),
    ("(function f() { f(); })();", "RangeError: Maximum call stack size exceeded"),
    ("return Promise.reject(new Error('later'));", "Error: later"),
    ("return new Promise(() => {});", "the promise that the script returned never settles"),
    ("return;", "the script returned undefined; an empty list is how a message is dropped"),
    ("return null;", "the script returned null"),
    ("return 7;", "the script returned a number, not an object or a list of objects"),
    ("return 'text';", "the script returned a string"),
    ("return [d[0], 5];", "a list with number at 1"),
    ("return [null];", "a list with null at 0"),
    ("return [[d[0]]];", "a list with a list at 0"),
    ("d[0].self = d[0]; return d;", "cyclic"),
    ("d[0].document.p = Promise.resolve(1); return d;", "a promise is left inside"),
])
def test_what_is_wrong_with_one_message_is_told_of_that_one(trial, fault, said):
    assert said in only_failed(trial.script(AT_TWO % fault, FIVE), 2)


def test_a_script_that_loops_is_stopped_and_the_others_go_on(trial):
    result = trial.script(AT_TWO % "for (;;);", FIVE, *BRIEFLY)
    assert "the script was stopped after 1 s; --script-timeout" in only_failed(result, 2)


def test_a_chain_of_promises_without_end_is_stopped(trial):
    fault = "return (async () => { for (;;) await null; })();"
    assert "the script was stopped after 1 s" in only_failed(
        trial.script(AT_TWO % fault, FIVE, *BRIEFLY), 2)


def test_a_script_that_allocates_without_end_is_stopped_and_the_others_go_on(trial):
    fault = "const all = []; for (;;) all.push(new Array(100000).fill(1.5));"
    result = trial.script(AT_TWO % fault, FIVE, "--script-memory", "256MiB",
                          "--script-timeout", "300s")
    assert "the script was stopped when its process took more than 256 MiB" in only_failed(result, 2)


def test_every_message_that_loops_is_named(trial):
    script = "b => d => { if (Number(d[0].operation._id) % 2) for (;;); return d; }"
    result = trial.script(script, FIVE, *BRIEFLY)
    assert result.code == ERRORS
    assert [line["outcome"] for line in outcomes(result)] == [
        "failed", "unchanged", "failed", "unchanged", "failed"]


def test_messages_can_be_dropped_and_split(trial):
    script = """b => d => d.flatMap((one) => {
      const n = one.document.n;
      if (n === 2) return [];
      if (n === 3) return [one, {...one, operation: {...one.operation, _id: '3b'}},
                           {operation_type: 'delete', operation: {_index: 'books', _id: 'old'}}];
      return one; })"""
    result = trial.script(script, FIVE)
    assert [line["outcome"] for line in outcomes(result)] == [
        "unchanged", "dropped", "split", "unchanged", "unchanged"]
    assert after(result)[1] == []
    assert [one["operation"]["_id"] for one in after(result)[2]] == ["3", "3b", "old"]


def test_steps_see_what_the_step_before_returned_one_by_one(trial):
    def step(script):
        return {"JsonJSTransformerProvider": {"initializationScript": script}}
    result = trial.run([step("b => d => [d[0], {...d[0], twin: true}]"), "NoopTransformerProvider",
                        step("b => d => { if (d.length !== 1) throw 1; d[0].seen = d.length;"
                             "return d[0].twin ? [] : d; }")], FIVE[:1])
    assert after(result)[0]["seen"] == Number("1")
    result = trial.run(["NoopTransformerProvider", step("b => d => nothing")], FIVE[:1])
    assert "books/1: transformer step 2 (JsonJSTransformerProvider): ReferenceError" in result.out


def test_console_log_goes_to_the_log(trial):
    script = """b => { console.log('starting', b); return d => {
      console.log('at', d[0].operation._id, {n: d[0].document.n}, [1, null], undefined);
      for (let i = 0; i < 1000; i++) console.error('line', i);
      return d; } }"""
    result = trial.script(script, FIVE[:2], bindingsObject={"a": 1})
    assert result.code == OK
    assert 'script main: starting {"a":1}' in result.err
    assert 'script books/2: at 2 {"n":2} [1,null] undefined' in result.err
    assert "line 50" in result.err and "line 500" not in result.err
    assert "(more lines are left out)" in result.err


def test_scripts_keep_state_between_messages(trial):
    got = documents(trial.script("b => { let n = 0; return d => { d[0].document.n = ++n;"
                                 "return d; } }", FIVE))
    assert [one["n"] for one in got] == [Number(str(i)) for i in range(1, 6)]


def test_bindings_override_in_their_order(trial, tmp_path):
    for name, text in {"d1/a": "dir1", "d1/b": "dir1", "d1/c": "dir1", "d1/e": "dir1",
                       "d1/nested/x": "no", "d2/b": "dir2", "d2/c": "dir2", "f/c": "file",
                       "f/d": '{"text":1}'}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    result = trial.script(
        "b => d => { d[0].document = b; return d; }", FIVE[:1],
        bindingsObjectDirs=[{"path": str(tmp_path / "d1")}, str(tmp_path / "d2")],
        bindingsObjectFiles={"c": {"path": str(tmp_path / "f" / "c")},
                             "d": str(tmp_path / "f" / "d"),
                             "e": {"path": str(tmp_path / "f" / "c")}},
        bindingsObject=json.dumps({"e": {"inline": [1, 2]}}))
    assert documents(result) == [{"a": "dir1", "b": "dir2", "c": "file", "d": '{"text":1}',
                                  "e": {"inline": [Number("1"), Number("2")]}}]


def test_keys_of_the_provider_may_be_files(trial, tmp_path):
    for name, text in {"dir/initializationScript": "b => d => { throw new Error('no') }",
                       "dir/bindingsObject": '{"from": "directory"}',
                       "main.js": "b => d => { d[0].document = b; return d; }"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    step = {"providerConfigDirs": [{"path": str(tmp_path / "dir")}],
            "providerConfigFiles": {"initializationScript": {"path": str(tmp_path / "main.js")}}}
    assert documents(trial.run([{"JsonJSTransformerProvider": step}], FIVE[:1])) == [
        {"from": "directory"}]
    step["bindingsObject"] = {"from": "here"}
    assert documents(trial.run([{"JsonJSTransformerProvider": step}], FIVE[:1])) == [{"from": "here"}]


def test_a_script_may_be_a_file_and_end_with_its_main(trial, tmp_path):
    path = tmp_path / "mine.js"
    path.write_text("// two lines\nfunction main(b) { return d => { throw new Error(b) } }\n")
    step = {"JsonJSTransformerProvider": {"initializationScriptFile": str(path),
                                          "bindingsObject": '"text"'}}
    assert "Error: text (mine.js:2:" in only_failed(trial.run([step], FIVE[:1]), 1)


@pytest.mark.parametrize("steps, said", [
    ("NoSuchProvider", "there is no provider 'NoSuchProvider'"),
    ("JsonJsTransformerProvider", "do you mean 'JsonJSTransformerProvider'?"),
    ("[", "transformer configuration: "),
    (" ", "it is empty"),
    ([{"NoopTransformerProvider": None, "JsonJSTransformerProvider": {}}],
     "step 1: expected a provider's name or an object with one key"),
    (["NoopTransformerProvider", {"JsonJSTransformerProvider": {}}],
     "step 2: JsonJSTransformerProvider: one of initializationScript,"),
    ([{"JsonJSTransformerProvider": {"initialisationScript": "x"}}],
     "there is no key 'initialisationScript'; do you mean 'initializationScript'?"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "x", "initializationScriptFile": "y"}}],
     "'initializationScript' and 'initializationScriptFile' are both given"),
    ([{"JsonJSTransformerProvider": {"initializationScriptFile": "no/such.js"}}],
     "'initializationScriptFile': "),
    ([{"JsonJSTransformerProvider": {"initializationResourcePath": "js/own.js"}}],
     "give initializationScriptFile"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "b => d => d",
                                     "bindingsObject": "{"}}], "'bindingsObject'"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "b => d => d",
                                     "bindingsObjectDirs": "x"}}], "'bindingsObjectDirs'"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "one two"}}],
     "the script cannot be started: SyntaxError: Unexpected identifier 'two' (script:1)"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "7"}}],
     "the script ends with number, not with the function main"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "b => 7"}}], "main returned number"),
    ([{"JsonJSTransformerProvider": {"initializationScript": "b => { throw new Error('no') }"}}],
     "Error: no (script:1:"),
])
def test_a_wrong_configuration_is_told_before_the_first_message(trial, steps, said):
    result = trial.run(steps, ["no message"])
    assert result.code == USAGE, result
    assert said in result.err, result
    assert result.out == ""


@pytest.mark.parametrize("kind, given, name", [
    ("metadata", {"type": "template", "name": "logs", "body": {"settings": {}}}, "template logs"),
    ("request", {"transformerMessageVersion": 2, "method": "GET", "URI": "/x", "headers": {}},
     "GET /x"),
    ("tuple", {"connectionId": "c.1", "numRequests": 1}, "c.1"),
])
def test_other_messages_come_one_by_one_as_objects(trial, kind, given, name):
    script = "b => m => { if (Array.isArray(m)) throw 1; m.set('seen', m.size); return m; }"
    result = trial.script(script, [json.dumps(given)], "--kind", kind)
    [line] = outcomes(result)
    assert line["name"] == name
    assert line["after"]["seen"] == Number(str(len(given)))


def test_the_difference_is_shown(shardlift, tmp_path):
    config = tmp_path / "c.json"
    config.write_text(json.dumps([{"JsonJSTransformerProvider": {
        "initializationScript": "b => d => { d[0].document.set('n', 2); return d; }"}}]))
    result = shardlift("transform", "try", "--config", config, input=FIVE[0].encode())
    assert result.code == OK, result
    assert result.out.startswith("books/1: changed\n")
    assert '-     "n": 1\n+     "n": 2\n' in result.out


def test_many_large_messages_pass(trial):
    text = "x" * 20000
    many = [message(i, f'{{"n":{i},"text":"{text}"}}') for i in range(500)]
    got = documents(trial.script("b => d => { d[0].document.n++; return d; }", many))
    assert [one["n"] for one in got] == [Number(str(i + 1)) for i in range(500)]
    assert all(one["text"] == text for one in got)


def test_unusual_strings_survive(trial):
    source = json.dumps({"a": "\u0000\u001f\u2028\ud800 \U0001f600 é", "\u00e9\n": "b"})
    [got] = documents(trial.script("b => d => { d[0].document.x = 1; return d; }",
                                   [message(1, source)]))
    assert got == {**json.loads(source), "x": Number("1")}
