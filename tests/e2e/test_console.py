"""`console`: looks at and drives each part of a migration, in the environment of a services.yaml."""

import base64
import fcntl
import json
import os
import pty
import re
import shutil
import ssl
import struct
import subprocess
import termios
import time

import pytest

import gated_target
import signed_target
from support import ERRORS, OK, PROGRAM, USAGE, assert_same
from test_capture import authority, server_side


@pytest.fixture
def console(shardlift):
    """console(...): the command, in the environment that console.services(text) wrote."""
    def run(*arguments, **how):
        result = shardlift("console", *arguments, **how)
        assert result.code in (OK, ERRORS, USAGE), result
        return result

    def services(text):
        shardlift.state_dir.mkdir(exist_ok=True)
        (shardlift.state_dir / "services.yaml").write_text(text)

    run.services = services
    run.state_dir = shardlift.state_dir
    run.program = shardlift
    yield run
    for kind in {record.name.split("-")[0] for record in shardlift.state_dir.glob("run/*.worker")}:
        shardlift("console", kind, "stop")


@pytest.fixture
def source(pool):
    node = pool.get("es-node", "7.10")
    node.clear()
    for index in ("books", "films"):
        node.api("PUT", f"/{index}", {"settings": {"number_of_replicas": 0}})
        for n in range(20):
            node.api("PUT", f"/{index}/_doc/{n}?refresh=true", {"n": n, "of": index})
    yield node
    node.clear()


def both(source, target, more=""):
    return (f"source_cluster: {{endpoint: \"{source.url}\", no_auth: null}}\n"
            f"target_cluster: {{endpoint: \"{target.url}\", no_auth: null}}\n{more}")


def wait_until(condition, what, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.1)


# --- Without clusters ---

def test_the_version_and_help_need_no_environment(console):
    assert console("--version").out.startswith("Migration Assistant 3.3.6")
    for words in ("",), ("clusters",), ("backfill", "--help"), ("--help", "replay"):
        result = console(*filter(None, words))
        assert result.code == OK and "Commands:" in result.out, result
    result = console("backfill", "start", "--help")
    assert result.code == OK and "Usage:" in result.out, result


def test_the_program_answers_to_the_name_console(console, tmp_path):
    link = tmp_path / "console"
    link.symlink_to(PROGRAM)
    result = subprocess.run([link, "--version"], capture_output=True, text=True, timeout=60,
                            env=console.program.environment)
    assert result.returncode == OK and "Migration Assistant" in result.stdout, result


def test_without_an_environment_every_command_says_what_is_missing(console):
    result = console("clusters", "cat-indices")
    assert result.code == USAGE and "no services.yaml" in result.err, result
    assert result.err.count("\n") == 1
    result = console("clusters", "cat-indices", env={"MIGRATION_USE_SERVICES_YAML_CONFIG": "true"})
    assert result.code == USAGE and "there is no services.yaml" in result.err, result


def test_a_broken_file_is_told_with_path_and_line(console):
    console.services("source_cluster:\n  endpint: http://a:1\n  no_auth:\n")
    result = console("clusters", "cat-indices")
    assert result.code == USAGE, result
    assert "services.yaml, line 2: unknown key 'endpint'; is 'endpoint' meant?" in result.err
    console.services("a: [\n")
    assert "line 2" in console("clusters", "cat-indices").err


def test_what_workflows_took_over_can_be_switched_off(console):
    off = {"MIGRATIONS_CLI_CONSOLE_DISABLE_LEGACY_COMMANDS": "true"}
    console.services('source: {endpoint: "http://127.0.0.1:1", no_auth: null}\n')
    listed = console("--help", env=off)
    assert listed.code == OK and "console clusters curl" in listed.out, listed
    for group in ("snapshot", "backfill", "replay", "metadata", "metrics", "tuples"):
        assert f"console {group}" not in listed.out, listed
        assert f"console {group}" in console("--help").out
    result = console("backfill", "status", env=off)
    assert result.code == USAGE and "there is no command 'console backfill" in result.err, result


def test_sections_that_are_not_set_end_with_2(console):
    console.services('source: {endpoint: "http://127.0.0.1:1", no_auth: null}\n')
    for words, name in [(("backfill", "status"), "backfill"), (("replay", "start"), "replay"),
                        (("snapshot", "status"), "snapshot"), (("metrics", "list"), "metrics_source"),
                        (("metadata", "evaluate"), "metadata_migration"),
                        (("clusters", "curl", "target", "/"), "target cluster")]:
        result = console(*words)
        assert result.code == USAGE and f"{name} is not set" in result.err, result


def test_what_cannot_be_driven_is_refused_by_name(console):
    for platform, text in [("docker", "{}"), ("k8s", "{namespace: ma, deployment_name: rfs}"),
                           ("ecs", "{cluster_name: c, service_name: s}")]:
        console.services(f"backfill: {{reindex_from_snapshot: {{{platform}: {text}}}}}\n")
        result = console("backfill", "start")
        assert result.code == ERRORS and f"'{platform}'" in result.err, result
        assert f"platform:           {platform}" in console("backfill", "describe").out
    console.services('kafka: {broker_endpoints: "127.0.0.1:1", standard: null}\n')
    result = console("kafka", "list-topics")
    assert result.code == ERRORS and "127.0.0.1:1" in result.err, result


IMPORTED = """
sourceClusters:
  source:
    version: ES 7.10.2
    snapshotInfo:
      repos: {{there: {{repoPathUri: "file://{0}"}}}}
      snapshots: {{first: {{repoName: there, config: {{externallyManagedSnapshotName: snap1}}}}}}
targetClusters: {{target: {{endpoint: "http://127.0.0.1:1"}}}}
snapshotMigrationConfigs:
  - fromSource: source
    toTarget: target
    perSnapshotConfig: {{first: [{{metadataMigrationConfig: {{}}}}]}}
"""


@pytest.mark.parametrize("by", ["services", "workflow"])
def test_the_state_of_a_snapshot_that_was_there_is_its_repository_s(console, repository, by):
    folder = repository("es-7.10.2")
    if by == "services":
        console.services(f'snapshot: {{snapshot_name: snap1, mode: import, fs: {{repo_path: "{folder}"}}}}\n')
    else:
        loaded = console.program("workflow", "configure", "edit", "--stdin", 
                                 input=IMPORTED.format(folder).encode())
        assert loaded.code == OK, loaded
    told = console("--json", "snapshot", "status")
    assert told.code == OK, told
    state = told.json()
    assert state["state"] == "SUCCESS" and state["shards_failed"] == 0 and "bytes_total" not in state
    assert 0 < state["shards_total"] == state["shards_done"]
    text = console("snapshot", "status").out
    assert "SUCCESS" in text and "data:" not in text, text
    deep = console("--json", "snapshot", "status", "--deep-check").json()
    assert {"books"} <= {index["index"] for index in deep["indices"]}, deep


def test_a_cluster_that_is_not_there_fails_the_check(console):
    console.services('source: {endpoint: "http://127.0.0.1:1", no_auth: null}\n')
    result = console("clusters", "connection-check")
    assert result.code == ERRORS and "security group" in result.out, result
    assert console("clusters", "cat-indices").code == ERRORS


def test_a_prompt_without_a_terminal_asks_for_the_flag(console):
    console.services('source: {endpoint: "http://127.0.0.1:1", no_auth: null}\n')
    result = console("clusters", "clear-indices", "--cluster", "source")
    assert result.code == USAGE and "--acknowledge-risk" in result.err, result


# --- curl, with each way to authenticate ---

def curl(console, **how):
    return console("clusters", "curl", "target", "/_search?size=5&pretty", **how)


@pytest.mark.parametrize("service", ["es", "aoss"])
def test_curl_signs_what_a_strict_server_verifies(console, service):
    target = signed_target.SignedTarget(service)
    console.services(f'target: {{endpoint: "{target.url}", sigv4: {{region: '
                     f'{signed_target.REGION}, service: {service}}}}}\n')
    result = curl(console, env=signed_target.ENVIRONMENT)
    assert result.code == OK and "opensearch" in result.out, result
    assert (target.taken, target.refused) == (1, 0)
    posted = console("clusters", "curl", "target", "_search?q=a%20b", "-X", "POST", "-d", '{"a":1}',
                     "-H", "X-Two: a, b", env=signed_target.ENVIRONMENT)
    assert posted.code == OK and target.refused == 0, posted
    wrong = curl(console, env={**signed_target.ENVIRONMENT, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert wrong.code == ERRORS and "status 403" in wrong.err and "does not match" in wrong.out, wrong


class Telling(signed_target.Handler):
    """Remembers as whom and at which host it was asked."""

    def handle_request(self):
        self.server.asked.append((self.headers["Host"], self.headers["User-Agent"]))
        super().handle_request()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request


def test_requests_are_signed_for_the_domain_behind_the_endpoint(console):
    """A port of this machine that leads to a domain, say."""
    target = signed_target.SignedTarget("es")
    target.RequestHandlerClass, target.asked = Telling, []
    console.services(f"""
target:
  endpoint: "{target.url}"
  sigv4: {{region: {signed_target.REGION}}}
  sigv4_signing_endpoint: https://search-new-abc.eu-west-1.es.amazonaws.com
client_options: {{user_agent_extra: team-a}}
snapshot: {{snapshot_name: a, fs: {{repo_path: /nowhere}}}}
backfill: {{reindex_from_snapshot: {{local: {{}}}}}}
""")
    result = curl(console, env=signed_target.ENVIRONMENT)
    assert result.code == OK and (target.taken, target.refused) == (1, 0), result
    (host, agent), = target.asked
    assert host == "search-new-abc.eu-west-1.es.amazonaws.com", target.asked
    assert agent.startswith("shardlift/") and agent.endswith(" team-a"), target.asked
    refused = console("backfill", "start", env=signed_target.ENVIRONMENT)
    assert refused.code == ERRORS and "'sigv4_signing_endpoint' is for" in refused.err, refused


class Recording(gated_target.Handler):
    """Answers with what it was asked, if the user is right."""

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        allowed = self.headers.get("Authorization") == self.server.authorization
        self.answer(200 if allowed else 401, json.dumps({
            "method": self.command, "path": self.path, "body": body.decode(),
            "type": self.headers.get("Content-Type"), "two": self.headers.get("X-Two")}).encode())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request


def recording(authorization=None):
    server = gated_target.GatedTarget()
    server.RequestHandlerClass = Recording
    server.authorization = authorization
    return server


def test_curl_sends_user_method_headers_and_body(console, tmp_path):
    target = recording("Basic " + base64.b64encode(b"admin:a:b").decode())
    console.services(f'target: {{endpoint: "{target.url}", '
                     'basic_auth: {username: admin, password: "a:b"}}\n')
    assert json.loads(curl(console).out)["path"] == "/_search?size=5&pretty"
    body = tmp_path / "body.json"
    body.write_text('{"x": 1}')
    said = json.loads(console("clusters", "curl", "target", "i/_doc", "--request", "PUT", "-H",
                              "Content-Type: application/x-ndjson", "-H", "X-Two: a, b", "-d",
                              f"@{body}").out)
    assert said == {"method": "PUT", "path": "/i/_doc", "body": '{"x": 1}',
                    "type": "application/x-ndjson", "two": "a, b"}
    said = json.loads(console("clusters", "curl", "target", "/x", "--json", '{"y":2}').out)
    assert (said["method"], said["body"], said["type"]) == ("POST", '{"y":2}', "application/json")
    console.services(f'target: {{endpoint: "{target.url}", '
                     'basic_auth: {username: admin, password: wrong}}\n')
    refused = curl(console)
    assert refused.code == ERRORS and "401" in refused.err and "wrong" not in refused.err, refused
    console.services(f'target: {{endpoint: "{target.url}", '
                     'basic_auth: {k8s_secret_name: target-login}}\n')
    missing = curl(console)
    assert missing.code == USAGE and "workflow configure credentials create target-login" in missing.err
    made = console.program("workflow", "configure", "credentials", "create", "target-login",
                           "--stdin", input=b"admin:a:b")
    assert made.code == OK, made
    assert curl(console).code == OK


def test_curl_shows_its_certificate(console, tmp_path):
    folder = authority(tmp_path)
    target = recording()
    context = server_side(folder, "source")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    target.socket = context.wrap_socket(target.socket, server_side=True)
    url = target.url.replace("http://", "https://")
    console.services(f'target: {{endpoint: "{url}", mtls: {{ca_cert: {folder}/ca.pem, '
                     f'client_cert: {folder}/client.pem, client_key: {folder}/client.key}}}}\n')
    result = curl(console)
    assert result.code == OK and json.loads(result.out)["method"] == "GET", result


class Refusing(signed_target.Handler):
    """Lets nobody in, as a domain does whose roles are not mapped."""

    def handle_request(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "Action" in self.path or self.command == "POST":  # STS
            return self.answer(200, b"<R><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:"
                               b"assumed-role/mover/i-1</Arn><UserId>A:i-1</UserId><Account>"
                               b"123456789012</Account></GetCallerIdentityResult></R>")
        return self.answer(403, b'{"error":{"reason":"no permissions for [cluster:monitor/main]"}}')

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request


@pytest.mark.parametrize("service, words", [("es", "rolesmapping/all_access"),
                                            ("aoss", "data-access policy")])
def test_who_may_not_sign_in_is_told_the_request_with_its_role(console, service, words):
    target = signed_target.SignedTarget(service)
    target.RequestHandlerClass = Refusing
    console.services(f'target: {{endpoint: "{target.url}", sigv4: {{region: '
                     f'{signed_target.REGION}, service: {service}}}}}\n')
    result = console("--json", "clusters", "connection-check",
                     env={**signed_target.ENVIRONMENT, "AWS_ENDPOINT_URL_STS": target.url})
    found = {row["check"]: row for row in result.json()["checks"]}
    assert result.code == ERRORS, result
    assert "123456789012" in found["aws identity"]["found"], result
    assert words in found["connection"]["next"], result
    assert "arn:aws:iam::123456789012:role/mover" in found["connection"]["next"], result


# --- Clusters ---

def test_clusters_are_checked_listed_filled_measured_and_cleared(console, source, opensearch):
    console.services(both(source, opensearch))
    checked = console("--json", "clusters", "connection-check")
    found = {(row["side"], row["check"]): row for row in checked.json()["checks"]}
    assert checked.code == OK, checked
    assert found["source", "connection"]["found"] == "Elasticsearch 7.10.2"
    assert found["target", "connection"]["found"].startswith("OpenSearch 2.19")
    assert {side for side, _ in found} == {"source", "target"}
    one = console("clusters", "connection-check", "--cluster", "target")
    assert one.code == OK and "Elasticsearch" not in one.out, one

    made = console("clusters", "generate-data", "--cluster", "target", "--index-name", "filled",
                   "--num-docs", "250", "--doc-size-bytes", "200")
    assert made.code == OK, made
    listed = console("clusters", "cat-indices", "--refresh", "--json").json()
    counts = {row["index"]: row["docs.count"] for row in listed["source_cluster"]}
    assert counts == {"books": "20", "films": "20"}
    assert {"filled": "250"} == {row["index"]: row["docs.count"] for row in listed["target_cluster"]}
    text = console("clusters", "cat-indices")
    assert "SOURCE CLUSTER" in text.out and "TARGET CLUSTER" in text.out and "books" in text.out

    rates = console("--json", "clusters", "run-test-benchmarks", "--num-docs", "50",
                    "--num-searches", "2").json()
    assert {(row["cluster"], row["workload"].split("-")[1]) for row in rates} == {
        (cluster, name) for cluster in ("source", "target")
        for name in ("geonames", "http", "nested", "nyc")}
    assert all(float(row["documents_per_second"]) > 0 < float(row["searches_per_second"])
               for row in rates)
    assert not opensearch.client.indices.exists("benchmark-*", allow_no_indices=False)

    opensearch.api("PUT", "/.kept", {})
    cleared = console("clusters", "clear-indices", "--cluster", "target", "--acknowledge-risk")
    assert cleared.code == OK, cleared
    assert not opensearch.client.indices.exists("filled")
    assert opensearch.client.indices.exists(".kept")
    assert source.client.indices.exists("books")


def clear_typing(console, text):
    """`clear-indices` of somebody who types that; it is there before it is asked for."""
    ours, theirs = pty.openpty()
    os.write(ours, text + b"\n")
    try:
        return subprocess.run(
            [PROGRAM, "console", "clusters", "clear-indices", "--cluster", "target"], stdin=theirs,
            env=console.program.environment, capture_output=True, text=True, timeout=120)
    finally:
        os.close(theirs)
        os.close(ours)


def test_clearing_wants_the_clusters_name_to_be_typed(console, opensearch):
    console.services(f'target: {{endpoint: "{opensearch.url}", no_auth: null}}\n')
    made = console("--json", "clusters", "generate-data", "--cluster", "target", "--index-name",
                   "filled", "--target-size-mb", "1", "--doc-size-bytes", "1000")
    assert made.code == OK, made
    assert console("clusters", "curl", "target", "/filled/_refresh", "-X", "POST").code == OK
    counted = json.loads(console("clusters", "curl", "target", "/filled/_count").out)
    assert counted["count"] > 500, counted
    wrong = clear_typing(console, b"yes")
    assert wrong.returncode == ERRORS and "nothing was done" in wrong.stderr, wrong
    assert opensearch.client.indices.exists("filled")
    console.services(f'target: {{endpoint: "{opensearch.url.replace("://", "://we:hidden@")}", '
                     'no_auth: null}\n')
    wrong = clear_typing(console, b"yes")
    assert wrong.returncode == ERRORS and "hidden" not in wrong.stderr, wrong
    console.services(f'target: {{endpoint: "{opensearch.url}", no_auth: null}}\n')
    right = clear_typing(console, b"target")
    assert right.returncode == OK and "1 indices" in right.stdout, right
    assert not opensearch.client.indices.exists("filled")


def on_a_terminal(console, *arguments, **environment):
    """What `console` writes to a terminal of 80 columns."""
    variables = {key: value for key, value in console.program.environment.items()
                 if key not in ("COLUMNS", "NO_COLOR")}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([PROGRAM, "console", *arguments], stdout=theirs,
                               env={**variables, "TERM": "xterm", **environment})
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert process.wait(timeout=120) == OK
    return text.decode().replace("\r", "")


def plain(text):
    return re.sub(r"\x1b\[\d+m", "", text)


def test_a_table_fits_the_terminal_and_has_its_colours(console, source, opensearch):
    console.services(both(source, opensearch))
    source.api("PUT", "/" + "a-very-long-name-" * 8, {"settings": {"number_of_replicas": 0}})
    words = ("clusters", "cat-indices")
    coloured = on_a_terminal(console, *words)
    lines = plain(coloured).splitlines()
    assert any("…" in line for line in lines), lines
    assert max(map(len, lines)) <= 80, lines
    assert "\x1b[32mgreen\x1b[0m" in coloured, coloured
    assert "\x1b[32mok\x1b[0m" in on_a_terminal(console, "clusters", "connection-check")
    for without in {"NO_COLOR": "1"}, {"TERM": "dumb"}:
        assert on_a_terminal(console, *words, **without) == plain(coloured)
    narrow = on_a_terminal(console, *words, COLUMNS="100")
    assert 80 < max(map(len, plain(narrow).splitlines())) <= 100, narrow
    piped = console(*words)
    assert "\x1b" not in piped.out and "a-very-long-name-" * 8 in piped.out, piped


# --- A migration, part by part ---

def test_each_part_of_a_migration_is_driven(console, source, opensearch):
    shutil.rmtree(source.repositories / "console", ignore_errors=True)
    console.services(both(source, opensearch, f"""
snapshot:
  snapshot_name: nightly
  snapshot_repo_name: console
  fs: {{repo_path: "{source.repositories}/console"}}
metadata_migration: {{from_snapshot: null}}
backfill: {{reindex_from_snapshot: {{local: {{}}, session_name: nightly, scale: 2}}}}
"""))
    created = console("snapshot", "create", "--wait")
    assert created.code == OK, created
    status = console("--json", "snapshot", "status", "--deep-check").json()
    assert status["state"] == "SUCCESS" and status["shards_failed"] == 0
    evaluated = console("metadata", "evaluate", "--index-allowlist", "books")
    assert evaluated.code == OK and "books" in evaluated.out, evaluated
    assert console("metadata", "migrate").code == OK
    assert opensearch.client.indices.exists("films")

    assert console("--json", "backfill", "status").json()["status"] == "Pending"
    assert console("backfill", "pause").code == OK
    assert console("--json", "backfill", "scale", "2").json()["workers"] == 2
    held = console("--json", "backfill", "status").json()
    assert held["status"] == "Paused" and len(held["workers"]) == 2, held
    assert not opensearch.documents("books") and not opensearch.documents("films")
    started = console("--json", "backfill", "start")
    assert started.code == OK and started.json()["workers"] == 2, started
    wait_until(lambda: console("--json", "backfill", "status").json()["status"] == "Completed",
               "the end of the backfill")
    for index in ("books", "films"):
        assert_same(opensearch.documents(index), source.documents(index), index)
    deep = console("backfill", "status", "--deep-check")
    assert deep.code == OK and "100%" in deep.out, deep
    stopped = console("--json", "backfill", "stop").json()
    archive = json.loads(open(stopped["archive"]).read())
    assert {item["state"] for item in archive["work_items"]} == {"completed"}
    assert console("failed-document-stream", "count").code == OK
    assert console("failed-document-stream", "location").out.strip().endswith("session=nightly")

    refused = console("backfill", "reset")
    assert refused.code == USAGE and "--yes" in refused.err, refused
    assert console("backfill", "reset", "--yes", "--include-failed-document-stream").code == OK
    assert console("--json", "backfill", "status").json()["status"] == "Pending"
    assert console("snapshot", "delete").code == USAGE
    assert console("snapshot", "delete", "--acknowledge-risk").code == OK
    assert console("snapshot", "unregister-repo", "--acknowledge-risk").code == OK
    assert source.api("GET", "/_snapshot") == {}


def test_workers_are_scaled_paused_and_ended(console, repository):
    """The target takes no documents: workers stay as long as they are wanted."""
    target = gated_target.GatedTarget()
    target.gate = 0
    console.services(f"""
target: {{endpoint: "{target.url}", no_auth: null}}
snapshot: {{snapshot_name: snap1, fs: {{repo_path: "{repository("es-7.10.2")}"}}}}
backfill:
  reindex_from_snapshot: {{scale: 1, local: {{arguments: ["--tune-target=false", "--grace=1s"]}}}}
""")
    def running():
        return console("--json", "backfill", "status").json()

    assert console("backfill", "pause").code == OK
    assert console("--json", "backfill", "scale", "3").json() == {
        "session": "console", "workers": 3, "before": 0}
    assert [w["state"] for w in running()["workers"]] == ["running"] * 3
    assert console("backfill", "reset", "--yes").code == ERRORS
    assert console("backfill", "scale", "1").code == OK
    assert [w["state"] for w in running()["workers"]].count("running") == 1
    assert running()["status"] == "Paused"
    assert console("backfill", "stop").code == OK
    assert "running" not in [w["state"] for w in running()["workers"]]
    assert console("backfill", "scale", "many").code == USAGE


# --- Topics, metrics, tuples ---

def test_topics_are_made_listed_and_put_aside(console):
    console.services("kafka: {local: {}}\n")
    assert console("kafka", "list-topics", "--json").json() == []
    assert console("kafka", "describe-consumer-group").code == USAGE
    assert console("kafka", "create-topic").code == OK
    line = console.state_dir / "line"
    # A TrafficStream of nothing but its node's and its connection's id, and its number.
    line.write_bytes(base64.b64encode(b"\x0a\x01c\x2a\x01n\x18\x01") + b"\n")
    log = console.state_dir / "capture" / "logging-traffic-topic"
    imported = console.program("traffic", "import", line, log)
    assert imported.code == OK, imported
    (log / "groups").mkdir(exist_ok=True)
    (log / "groups" / "readers").write_text("0\n")
    (topic,) = console("--json", "kafka", "list-topics").json()
    assert (topic["topic"], topic["end"] - topic["first"]) == ("logging-traffic-topic", 1)
    (lag,) = console("--json", "kafka", "describe-consumer-group").json()
    assert lag["lag"] == 1 and (lag["committed"], lag["end"]) == (0, 1)
    assert console("kafka", "list-consumer-groups").out == "readers\n"
    dumped = console("kafka", "dump-topic-records", "--mode", "dump-raw")
    assert dumped.code == OK and "ncs:n.c.1" in dumped.out, dumped
    assert console("kafka", "delete-topic", "logging-traffic-topic").code == USAGE
    gone = console("kafka", "delete-topic", "logging-traffic-topic", "--acknowledge-risk")
    assert gone.code == OK and ".deleted-" in gone.err, gone
    assert console("--json", "kafka", "list-topics").json() == []
    missing = console("kafka", "dump-topic-records", "nothing")
    assert missing.code == ERRORS and "no topic 'nothing'" in missing.err, missing


class Metrics(gated_target.Handler):
    """/metrics of a process, Prometheus' API, and CloudWatch's."""

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.path, body.decode(), self.headers.get("Authorization")))
        for start, answer in self.server.answers.items():
            if self.path.startswith(start) or start in body.decode():
                return self.answer(200, answer.encode())
        return self.answer(404, b"{}")

    do_GET = do_POST = handle_request


def metrics_server(answers):
    server = gated_target.GatedTarget()
    server.RequestHandlerClass = Metrics
    server.answers, server.asked = answers, []
    return server


def test_metrics_come_from_processes_prometheus_and_cloudwatch(console):
    own = metrics_server({"/metrics": "# HELP a x\na_total{b=\"c\"} 5\nlag 2\n"})
    console.services(f'metrics_source: {{local: {{replayer: "{own.url}/metrics"}}}}\n')
    assert console("--json", "metrics", "list").json() == {"replayer": ["a_total", "lag"]}
    assert console("--json", "metrics", "get-data", "replayer", "a_total").json()[0][1] == "5"
    none = console("metrics", "get-data", "replayer", "b")
    assert none.code == ERRORS and "no value of 'b'" in none.err, none

    prometheus = metrics_server({
        "/api/v1/series": '{"status":"success","data":[{"__name__":"lag","job":"replayer"}]}',
        "/api/v1/query_range": '{"status":"success","data":{"result":[{"values":[[1700000000,"7"]]}]}}'})
    console.services(f'metrics_source: {{prometheus: {{endpoint: "{prometheus.url}"}}}}\n')
    assert console("--json", "metrics", "list").json() == {"replayer": ["lag"]}
    assert console("--json", "metrics", "get-data", "replayer", "lag", "--statistic",
                   "Sum").json() == [["2023-11-14T22:13:20.000Z", "7"]]
    assert "query=sum%28" in prometheus.asked[-1][0]

    cloudwatch = metrics_server({
        "Action=ListMetrics": "<R><Metrics><member><MetricName>lag</MetricName><Dimensions><member>"
        "<Name>OTelLib</Name><Value>replayer</Value></member></Dimensions></member></Metrics></R>",
        "Action=GetMetricStatistics": "<R><Datapoints><member><Timestamp>2026-11-22T07:19:00Z"
        "</Timestamp><Average>3.5</Average></member></Datapoints></R>"})
    console.services("metrics_source: {cloudwatch: {aws_region: eu-west-1, qualifier: dev}}\n")
    env = {**signed_target.ENVIRONMENT, "AWS_ENDPOINT_URL_CLOUDWATCH": cloudwatch.url}
    assert console("--json", "metrics", "list", env=env).json() == {"replayer": ["lag"]}
    assert console("--json", "metrics", "get-data", "replayer", "lag", env=env).json() == [
        ["2026-11-22T07:19:00.000Z", "3.5"]]
    assert "/eu-west-1/monitoring/aws4_request" in cloudwatch.asked[-1][2]


def test_tuples_are_decoded_of_both_forms(console, tmp_path):
    old = {"sourceRequest": {"Request-URI": "/_bulk", "Method": "POST",
                             "body": base64.b64encode(b'{"index":{}}\n{"a":1}\n').decode()},
           "targetResponses": [{"Status-Code": 200, "body": base64.b64encode(b'{"ok":true}').decode()}],
           "connectionId": "c.0"}
    lines = tmp_path / "tuples"
    lines.write_text(json.dumps(old) + "\n\n")
    result = console("tuples", "show", "--in", lines)
    assert result.code == OK, result
    shown = json.loads(result.out)
    assert shown["sourceRequest"]["body"] == [{"index": {}}, {"a": 1}]
    assert shown["targetResponses"][0]["body"] == {"ok": True}
    assert console("tuples", "show", input=lines.read_bytes()).out == result.out
    written = console("tuples", "show", "--in", lines, "--out", tmp_path / "shown")
    assert written.code == OK and (tmp_path / "shown").read_text() == result.out, written
    broken = console("tuples", "show", input=b"{\n")
    assert broken.code == ERRORS and "line 1" in broken.err, broken
    assert console("tuples", "show", "--in", tmp_path / "nothing").code == USAGE


# --- Of a workflow ---

def test_the_environment_comes_from_the_workflow_where_there_is_no_file(console, source, opensearch):
    configuration = f"""
sourceClusters: {{legacy: {{endpoint: "{source.url}", version: ES 7.10.2}}}}
targetClusters: {{modern: {{endpoint: "{opensearch.url}"}}, other: {{endpoint: "{opensearch.url}"}}}}
snapshotMigrationConfigs: []
"""
    saved = console.program("workflow", "configure", "edit", "--stdin", input=configuration.encode())
    assert saved.code == OK, saved
    result = console("clusters", "curl", "source", "/")
    assert result.code == OK and json.loads(result.out)["version"]["number"] == "7.10.2", result
    several = console("clusters", "curl", "target", "/")
    assert several.code == USAGE and "'modern', 'other'" in several.err, several
    assert console("clusters", "curl", "modern", "/").code == OK
    listed = console("clusters", "cat-indices", "--source", "legacy")
    assert listed.code == OK and "SOURCE CLUSTER legacy" in listed.out, listed
    unknown = console("clusters", "curl", "nowhere", "/")
    assert unknown.code == USAGE and "source 'legacy'; target 'modern', 'other'" in unknown.err


def test_a_backfill_in_pods_is_not_said_to_pause(console):
    configuration = """
sourceClusters:
  old:
    endpoint: "http://127.0.0.1:1"
    version: ES 7.10.2
    snapshotInfo:
      repos: {backups: {repoPathUri: "s3://backups/repo", awsRegion: us-east-1}}
      snapshots: {first: {repoName: backups, config: {externallyManagedSnapshotName: all}}}
targetClusters: {new: {endpoint: "http://127.0.0.1:1"}}
snapshotMigrationConfigs:
  - {fromSource: old, toTarget: new, perSnapshotConfig: {first: [{documentBackfillConfig: {}}]}}
"""
    saved = console.program("workflow", "configure", "edit", "--stdin", input=configuration.encode())
    assert saved.code == OK, saved
    for verb in ("pause", "start"):
        refused = console("backfill", verb, env={"SHARDLIFT_PLATFORM": "kubernetes"})
        assert refused.code == ERRORS and "`console backfill scale 0`" in refused.err, refused
        assert console("backfill", verb).code == OK
