"""Real clients of real nodes through `shardlift capture`: every byte is found again in the records."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys

import elasticsearch7
import elasticsearch7.helpers
import elasticsearch8
import elasticsearch8.helpers
import opensearchpy
import pytest

from byte_tap import ByteTap
from capture_support import CEILING, Proxy, sent, wait_for
from support import ROOT
from test_capture import certificates  # pylint: disable=unused-import

LOAD = ROOT / "tests" / "load" / "load"
LONG = bool(os.environ.get("SHARDLIFT_LONG"))


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def nginx(certificates, folder, url):
    """The port where it speaks TLS for the node."""
    # Ours does not listen: it only keeps the port from others while nginx begins.
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        configuration = folder / "nginx.conf"
        configuration.write_text(f"""
            daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
            events {{}}
            http {{
              access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxy;
              fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi;
              scgi_temp_path {folder}/scgi;
              client_max_body_size 0;
              server {{
                listen 127.0.0.1:{port} ssl reuseport;
                ssl_certificate {certificates}/source.pem; ssl_certificate_key {certificates}/source.key;
                location / {{ proxy_pass {url}; proxy_http_version 1.1;
                             proxy_set_header Connection ""; proxy_set_header Host $http_host; }}
              }}
            }}""")
        process = subprocess.Popen(
            ["/usr/sbin/nginx", "-e", f"{folder}/nginx.log", "-c", configuration],
            stdin=subprocess.DEVNULL)
        wait_for(lambda: process.poll() is not None or listens(port), "nginx")
    try:
        yield port
    finally:
        process.terminate()
        assert process.wait(CEILING) == 0


def elasticsearch_7(url, folder):
    client = elasticsearch7.Elasticsearch([url], timeout=CEILING, retry_on_timeout=False)
    for number in range(10):
        client.index(index="e7", doc_type="_doc", id=number, body={"n": number, "text": "\u00e4\U0001f600"})
    old = client.info()["version"]["number"].startswith("6.")
    more = {"_type": "_doc"} if old else {}
    lines = [{"_index": "e7", "_id": f"b{n}", "n": n, **more} for n in range(500)]
    assert elasticsearch7.helpers.bulk(client, lines) == (500, [])
    client.delete(index="e7", doc_type="_doc", id=3)
    client.indices.refresh(index="e7")
    assert client.exists(index="e7", doc_type="_doc", id=4)
    assert len(list(elasticsearch7.helpers.scan(client, index="e7", size=100))) == 509
    client.transport.close()


def elasticsearch_8(url, folder):
    client = elasticsearch8.Elasticsearch(url, request_timeout=CEILING, http_compress=True)
    for number in range(10):
        client.index(index="e8", id=str(number), document={"n": number})
    lines = [({"_index": "e8", "_id": f"b{n}", "n": n}) for n in range(500)]
    assert elasticsearch8.helpers.bulk(client, lines) == (500, [])
    client.update(index="e8", id="1", doc={"m": 1})
    client.indices.refresh(index="e8")
    assert len(list(elasticsearch8.helpers.scan(client, index="e8", size=100))) == 510
    client.close()


def opensearch(url, folder):
    client = opensearchpy.OpenSearch(url, timeout=CEILING)
    for number in range(10):
        client.index(index="o2", id=number, body={"n": number})
    lines = [({"_index": "o2", "_id": f"b{n}", "n": n}) for n in range(500)]
    assert opensearchpy.helpers.bulk(client, lines) == (500, [])
    client.indices.refresh(index="o2")
    assert len(list(opensearchpy.helpers.scan(client, index="o2", size=100))) == 510
    client.close()


def curl(url, folder):
    body = folder / "body"
    body.write_text("".join('{"index":{"_type":"_doc"}}\n{"text":"%s"}\n' % ("x" * 500) for _ in range(500)))
    typeless = folder / "typeless"
    typeless.write_text(body.read_text().replace('"_type":"_doc"', ""))
    common = ["curl", "--silent", "--show-error", "--max-time", str(CEILING)]
    version = json.loads(subprocess.run([*common, url], check=True, capture_output=True).stdout)
    which = body if version["version"]["number"].startswith("6.") else typeless
    # Above 1 MB: curl asks for a word (Expect) first. The second goes chunked.
    for more in ([], ["--header", "Transfer-Encoding: chunked"], ["--compressed"]):
        answer = subprocess.run(
            [*common, *more, "--header", "Content-Type: application/x-ndjson", "--data-binary",
             f"@{which}", f"{url}/curl/_bulk", "--next", *common[1:], "--head", f"{url}/curl"],
            check=True, capture_output=True).stdout
        assert b'"errors":false' in answer


def load(url, folder, *more):
    journal = folder / "journal"
    done = subprocess.run([sys.executable, LOAD, "--url", url, "--requests", "150", "--seed", "11",
                           *more, "--journal", journal, "--timeout", str(CEILING)],
                          check=True, capture_output=True, text=True)
    summary = json.loads(done.stdout)
    assert summary["failed"] == 0 and summary["writes"] > 50, summary


def load_by_query(url, folder):
    load(url, folder, "--by-query")


# The node of 8.19 has neither scripts nor by-query requests.
def load_without_scripts(url, folder):
    load(url, folder, "--no-scripts")


CASES = [("os-node", "2.19", [opensearch, load_by_query, curl, elasticsearch_7])]
if LONG:
    CASES += [("es-node", "6.8", [elasticsearch_7, load_by_query, curl]),
              ("es-node", "7.10", [elasticsearch_7, load_by_query, curl]),
              ("es-node", "8.19", [elasticsearch_8, load_without_scripts, curl])]


@pytest.mark.parametrize("tls", [False, True] if LONG else [True], ids=lambda tls: "tls" if tls else "plain")
@pytest.mark.parametrize("node,version,clients", CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_every_byte_of_real_clients_is_in_the_records(shardlift, pool, tmp_path, certificates, node,
                                                      version, clients, tls):
    running = pool.get(node, version)
    running.clear()
    url, options = running.url, []
    with contextlib.ExitStack() as stack:
        if tls:
            port = stack.enter_context(nginx(certificates, tmp_path, url))
            url, options = f"https://127.0.0.1:{port}", ["--destination-cacert", certificates / "ca.pem"]
        one = Proxy(shardlift, url, *options)
        stack.callback(lambda: one.process.poll() is None and one.kill())
        tap = ByteTap(one.port)
        for client in clients:
            client(f"http://127.0.0.1:{tap.port}", tmp_path)
        tap.close()
        assert one.control("status")["gaps"] == 0
        assert one.terminate() == 0, one.log
    kept = one.records().values()
    assert sorted((sent(o, "read"), sent(o, "write")) for o in kept) == tap.said_and_heard()
    if (tmp_path / "journal").exists():
        said = b"".join(sent(o, "read") for o in kept)
        written = [json.loads(line)["token"] for line in (tmp_path / "journal").open()]
        there = set(re.findall(rb'load-11-\d+-\d+(?:\.\d+)?', said))
        # A delete in a bulk has no document that could hold its token.
        assert {t.encode() for t in written if "." not in t} <= there
