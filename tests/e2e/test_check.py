"""`check`: what stands in the way of a migration, told before it begins."""

import datetime
import json
import ssl
import subprocess

import pytest

import gated_target
from support import BLOCKED, OK, UNREACHABLE, USAGE


def rows(result):
    return {(row["side"], row["check"]): row for row in result.json()["checks"]}


def test_real_clusters_are_looked_at_and_nothing_is_written(shardlift, pool, opensearch,
                                                              tmp_path):
    source = pool.get("es-node", "7.10")
    source.clear()
    source.api("PUT", "/a/_doc/1?refresh=true", {"x": 1})
    result = shardlift("check", "--from", source.url, "--to", opensearch.url, "--json")
    found = rows(result)
    assert result.code == OK, result
    assert found["source", "connection"]["found"] == "Elasticsearch 7.10.2"
    assert found["target", "connection"]["found"].startswith("OpenSearch 2.19")
    for key in ("source", "clock"), ("target", "clock"), ("source", "permissions"), ("both", "disk"), \
            ("target", "health"), ("both", "snapshots"):
        assert found[key]["outcome"] == "ok", (key, result)
    assert found["both", "clients"]["outcome"] == "warning", result
    assert "7.14" in found["both", "clients"]["next"]
    reindex = found["both", "remote reindex"]
    address = source.url.split("//")[1]
    assert reindex["outcome"] == "warning" and f"does not accept '{address}'" in reindex["found"]
    assert f'in opensearch.yml: reindex.remote.allowlist: ["{address}"]' in reindex["next"]
    traffic = tmp_path / "access.json"
    traffic.write_text("".join(json.dumps({"method": "GET", "path": "/a/_search",
                                           "headers": {"User-Agent": agent}}) + "\n" for agent in
                               ("elasticsearch-py/7.17.9 (Python 3.9)", "curl/8",
                                "elasticsearch-py/7.10.1")))
    seen = rows(shardlift("check", "--from", source.url, "--to", opensearch.url, "--json",
                          "--traffic", traffic))["both", "traffic"]
    assert seen["outcome"] == "warning" and "py/7.17.9" in seen["found"], seen
    assert "7.10.1" not in seen["found"] and "curl" not in seen["found"], seen
    table = shardlift("check", "--from", source.url, "--to", opensearch.url)
    assert table.code == OK and "OUTCOME" not in table.out
    assert "Elasticsearch 7.10.2" in table.out, table


def test_a_snapshot_may_be_the_source(shardlift, repository, opensearch):
    uri = repository("es-7.10.2")
    result = shardlift("check", "--from", f"{uri}#snap1", "--to", opensearch.url, "--json")
    assert result.code == OK, result
    assert "snap1" in rows(result)["source", "connection"]["found"]
    missing = shardlift("check", "--from", f"{uri}#nothing", "--to", opensearch.url, "--json")
    assert missing.code != OK and "nothing" in rows(missing)["source", "connection"]["found"], missing


def test_a_side_that_is_not_there_is_a_line_and_the_other_is_still_looked_at(shardlift):
    target = gated_target.GatedTarget()
    result = shardlift("check", "--from", "http://127.0.0.1:1", "--to", target.url, "--json")
    found = rows(result)
    assert result.code == UNREACHABLE, result
    assert found["source", "connection"]["outcome"] == "failed", result
    assert found["target", "connection"]["outcome"] == "ok", result


class OddTarget(gated_target.GatedTarget):
    """Its answers are of the test's making."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

        class Handler(gated_target.Handler):
            def handle_request(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                for path, (status, body) in self.server.answers.items():
                    if self.path.startswith(path):
                        return self.answer(status, body)
                return self.answer(200, self.own_answer(b""))

            do_GET = do_POST = handle_request

        self.RequestHandlerClass = Handler


def test_what_is_wrong_is_named_with_what_to_do(shardlift, pool):
    source = pool.get("es-node", "7.10")
    source.clear()
    source.api("PUT", "/a/_doc/1?refresh=true", {"x": 1})
    target = OddTarget({
        "/_cluster/health": (200, b'{"status":"red","number_of_data_nodes":1}'),
        "/_cat/health": (200, b'[{"epoch":"1000000000"}]'),
        "/_cat/allocation": (200, b'[{"disk.avail":"10"}]'),
        "/_cat/plugins": (200, b"[]"),
        "/_cluster/settings": (200, b'{"persistent":{"cluster.routing.allocation.awareness.attributes":"zone"}}'),
        "/_template": (200, b"{}"), "/_cat/indices": (200, b"[]")})
    result = shardlift("check", "--from", source.url, "--to", target.url, "--json")
    found = rows(result)
    assert result.code == BLOCKED, result
    for name, words in [("health", "allocation/explain"), ("clock", "NTP")]:
        assert found["target", name]["outcome"] == "failed", result
        assert words in found["target", name]["next"], result
    assert found["both", "disk"]["outcome"] == "failed", result
    assert "--cluster-awareness-attributes" in found["target", "zones"]["next"], result


def test_a_user_who_may_not_read_is_refused_with_the_endpoint(shardlift, pool):
    source = pool.get("es-node", "7.10")
    target = OddTarget({"/_template": (403, b'{"error":{"type":"security_exception","reason":"no permissions"}}')})
    result = shardlift("check", "--from", source.url, "--to", target.url, "--json")
    assert result.code == UNREACHABLE, result
    row = rows(result)["target", "permissions"]
    assert row["outcome"] == "failed" and "/_template" in row["found"], result


def test_files_are_nothing_to_check(shardlift, tmp_path):
    result = shardlift("check", "--from", "http://127.0.0.1:1", "--to", f"dir:{tmp_path}")
    assert result.code == USAGE, result


IDENTITY = (b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/"
            b"mover</Arn><Account>123456789012</Account></GetCallerIdentityResult>"
            b"</GetCallerIdentityResponse>")


def test_whose_aws_credentials_sign_is_told_or_the_places_that_were_tried(shardlift, tmp_path):
    sts, target = OddTarget({"/": (200, IDENTITY)}), gated_target.GatedTarget()
    command = ["check", "--from", "http://127.0.0.1:1", "--to", target.url,
               "--target-aws-region", "eu-central-1", "--json"]
    aws = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path),
           "AWS_ENDPOINT_URL_STS": sts.url}
    key = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    found = rows(shardlift(*command, env={**aws, **key}))["target", "aws identity"]
    assert found["outcome"] == "ok", found
    for words in ("account 123456789012", "user/mover", "credentials: the environment"):
        assert words in found["found"], found
    none = rows(shardlift(*command, env=aws))["target", "aws identity"]
    assert none["outcome"] == "failed", none
    for words in ("AWS_ACCESS_KEY_ID is not set", "AWS_WEB_IDENTITY_TOKEN_FILE",
                  "AWS_CONTAINER_CREDENTIALS"):
        assert words in none["next"], none
    snapshot = shardlift("check", "--from", "s3://bucket/folder#snap", "--to", target.url, "--json",
                         env=aws)
    reader = rows(snapshot)["source", "aws identity"]
    assert reader["outcome"] == "failed" and "AWS_ACCESS_KEY_ID is not set" in reader["next"], reader


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """For each number of days an authority's certificate and one of it for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(f"""[ca]
default_ca = own
[own]
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
""")
    (folder / "serial").write_text("01")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=our authority", "-days",
            "3650", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=search", "-addext",
            "subjectAltName=DNS:search.example,IP:127.0.0.1", "-keyout", "key.pem", "-out", "s.csr")
    now = datetime.datetime.now(datetime.timezone.utc)
    for name, days in [("long", 300), ("short", 10), ("expired", -2)]:
        ends = now + datetime.timedelta(days=days)
        openssl("ca", "-batch", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem",
                "-startdate", (now - datetime.timedelta(days=20)).strftime("%Y%m%d%H%M%SZ"),
                "-enddate", ends.strftime("%Y%m%d%H%M%SZ"), "-in", "s.csr", "-out", f"{name}.pem",
                "-notext")
    return folder


@pytest.mark.parametrize(("name", "outcome", "code", "next_step"), [
    ("long", "ok", OK, ""), ("short", "warning", OK, "renew it before"),
    ("expired", "warning", UNREACHABLE, "renew it")])
def test_certificates_are_told_with_what_is_left_of_them(shardlift, certificates, name, outcome,
                                                         code, next_step):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / "key.pem")
    source, target = gated_target.GatedTarget(), gated_target.GatedTarget()
    target.socket = context.wrap_socket(target.socket, server_side=True)
    url = target.url.replace("http:", "https:")
    result = shardlift("check", "--from", source.url, "--to", url, "--target-cacert",
                       certificates / "ca.pem", "--target-username", "mover", "--json",
                       env={"SHARDLIFT_TARGET_PASSWORD": "secret"})
    found = rows(result)
    row = found["target", "certificate"]
    assert row["outcome"] == outcome and next_step in row["next"], result
    for words in ("CN = search", "CN = our authority", "DNS:search.example",
                  "IP Address:127.0.0.1", "expired" if name == "expired" else "until"):
        assert words in row["found"], row
    assert result.code == code, result
    assert ("source", "certificate") not in found
