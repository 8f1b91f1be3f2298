"""Dashboards and alerts ask for metrics that there are: each name is in what the programs serve."""

import json
import re
import shutil
import subprocess
import urllib.request

import pytest

import support
from capture_support import CEILING, Stub, proxy, response, wait_for
from support import OK, PROGRAM, ROOT

DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
# Words of the query language that are no metric; label names and values go with their braces.
WORDS = {"and", "or", "unless"}


def names(query):
    """Of the metrics in a query."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without|on)\s*\([^)]*\)", " ", query)
    found = re.findall(r"(?<![\w:])[A-Za-z_:][\w:]*(?![\w:])(?!\s*\()", bare)
    return set(found) - WORDS


def served(log):
    """The names in a /metrics whose address is in the text that `log()` gives, with their labels."""
    url = wait_for(lambda: re.search(r"(http://127\.0\.0\.1:\d+/metrics)", log()), "metrics")[1]
    with urllib.request.urlopen(url, timeout=CEILING) as answer:
        found = {}
        for name, labels in re.findall(r"(?m)^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ", answer.read().decode()):
            found.setdefault(name, set()).update(re.findall(r'(\w+)="([^"]*)"', labels))
        return found


def run(shardlift, log, *arguments):
    with open(log, "wb") as file:
        return subprocess.Popen([str(PROGRAM), *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=file, env=shardlift.environment)


@pytest.fixture(scope="module")
def there(tmp_path_factory, repository):
    """What backfill, capture and replay serve while they run."""
    folder = tmp_path_factory.mktemp("monitoring")
    shardlift = support.Program(folder / "state")
    found = {}
    assert shardlift("backfill", "pause", "--session-name", "seen").code == OK
    with Stub() as source:
        with proxy(shardlift, source.url, "--metrics-port", "0") as one:
            client = one.connect()
            client.sendall(b"PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            response(client)
            client.close()
            found["capture"] = served(lambda: one.log)
        running = {
            "backfill": ("backfill", "--repo-uri", repository("os-2.19.6"), "--snapshot-name",
                         "snap-1", "--target-host", f"dir:{folder}/out", "--index-allowlist",
                         "books", "--session-name", "seen", "--metrics-port", "0"),
            "replay": ("replay", "--input", shardlift.state_dir / "capture" / "test", "--group", "g",
                       "--follow", "--target-uri", source.url, "--metrics-port", "0")}
        for name, arguments in running.items():
            log = folder / f"{name}.log"
            process = run(shardlift, log, *arguments)
            try:
                found[name] = served(log.read_text)
            finally:
                process.terminate()
                process.wait(CEILING)
    return found


def rules():
    read = subprocess.run(["/usr/bin/python3", "-c", "import json, sys, yaml\n"
                           "json.dump(yaml.safe_load(sys.stdin), sys.stdout)"],
                          input=RULES.read_text(), capture_output=True, text=True, timeout=60,
                          check=True)
    return [rule for group in json.loads(read.stdout)["groups"] for rule in group["rules"]]


def queries():
    """(where, query) of all panels and alerts."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]
    for alert in rules():
        yield alert["alert"], alert["expr"]


def test_labels_that_are_asked_for_are_there(there):
    """`instance` is Prometheus's own, and chosen in the dashboard."""
    asked = 0
    for where, query in queries():
        for name, matchers in re.findall(r"([A-Za-z_:][\w:]*)\{([^}]*)\}", query):
            series = set().union(*(metrics.get(name, set()) for metrics in there.values()))
            for label, how, value in re.findall(r'(\w+)(=~|!=|!~|=)"([^"]*)"', matchers):
                if label == "instance":
                    continue
                asked += 1
                assert label in {one for one, _ in series}, (where, name, label)
                assert how != "=" or (label, value) in series, (where, name, label, value)
    assert asked > 0


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool of Debian's prometheus is not installed")
def test_prometheus_can_read_them(tmp_path):
    subprocess.run(["promtool", "check", "rules", RULES], check=True, timeout=60)
    asked = [query.replace("$__rate_interval", "5m").replace("$instance", ".*")
             for _, query in queries()]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": [
        {"record": f"query{number}", "expr": query} for number, query in enumerate(asked)]}]}))
    subprocess.run(["promtool", "check", "rules", file], check=True, timeout=60)


def test_names_are_found_in_a_query():
    assert names('sum by (instance) (rate(a_total{b="c", d=~"$e"}[$__rate_interval])) / (f - g) '
                 "/ 1e6 and increase(h[5m]) > 4 * 3600") == {"a_total", "f", "g", "h"}


def test_every_program_serves_metrics(there):
    assert sorted(name for name, metrics in there.items() if metrics) == ["backfill", "capture",
                                                                          "replay"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_show_what_there_is(there, path):
    dashboard = json.loads(path.read_text())
    queries = [(panel["title"], target["expr"]) for panel in dashboard["panels"]
               for target in panel["targets"]]
    assert len(queries) >= len(dashboard["panels"]) > 0
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    known = set().union(*there.values())
    for title, query in queries:
        assert names(query) and names(query) <= known, (title, names(query) - known)


def test_alerts_ask_for_what_there_is(there):
    known = set().union(*there.values())
    alerts = rules()
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 0
    for alert in alerts:
        assert names(alert["expr"]) and names(alert["expr"]) <= known, (
            alert["alert"], names(alert["expr"]) - known)
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}
        assert alert["annotations"]["summary"]
