"""An S3 server with one user, repositories uploaded to it, and a proxy that misbehaves."""

import http.client
import http.server
import json
import os
import socket
import struct
import subprocess
import threading
import urllib.request

import boto3
import botocore.config

from support import ERRORS, OK, ROOT, assert_same, expected_documents, written_documents

PREFIX = "team a+b=ü/repo/"
REGION = "us-east-1"
LAUNCHER = ROOT / "tests" / "nodes" / "s3-node"
EVERYTHING = {"Version": "2012-10-17",
              "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class S3Node:
    """Keys: `access` and `secret` may do everything; `restricted(action)` makes some that may not."""

    def __init__(self, folder, owner):
        self.folder = folder
        # Small pages, so that every listing has several.
        environment = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "4"}
        started = subprocess.run([str(LAUNCHER), "5", "--data", str(folder), "--owner", str(owner)],
                                 capture_output=True, text=True, timeout=590, env=environment)
        assert started.returncode == 0, started.stderr
        self.url = started.stdout.strip()
        self.access, self.secret = "bootstrap", "bootstrap"
        keys = self.user("everything", EVERYTHING)
        self.lister = self.user("lister", allow("s3:ListBucket"))
        self.getter = self.user("getter", allow("s3:GetObject"))
        self.access, self.secret = keys
        self.require_signatures()
        self.client = self.connect("s3", config=botocore.config.Config(
            s3={"addressing_style": "path"}))

    def connect(self, service, **options):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION,
                            aws_access_key_id=self.access, aws_secret_access_key=self.secret,
                            **options)

    def user(self, name, policy):
        iam = self.connect("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def require_signatures(self):
        request = urllib.request.Request(f"{self.url}/moto-api/reset-auth", data=b"0",
                                         headers={"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request, timeout=60).read()

    def upload(self, folder, bucket, prefix):
        """All files below `folder`, as objects of a bucket that is made for them."""
        self.client.create_bucket(Bucket=bucket)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.client.put_object(Bucket=bucket, Body=path.read_bytes(),
                                       Key=f"{prefix}{path.relative_to(folder).as_posix()}")

    def stop(self):
        subprocess.run([str(LAUNCHER), "stop", "--data", str(self.folder)], check=True)


def allow(action):
    return {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


class Caller:
    """Runs the program with the keys of a node."""

    def __init__(self, shardlift, node, tmp_path):
        self.shardlift, self.node, self.out = shardlift, node, tmp_path / "out"
        self.env = {"AWS_ACCESS_KEY_ID": node.access, "AWS_SECRET_ACCESS_KEY": node.secret,
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
                    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "no_proxy": "*"}

    def __call__(self, *arguments, endpoint=None, **env):
        return self.shardlift(*arguments, "--s3-endpoint", endpoint or self.node.url,
                              "--s3-region", REGION, env={**self.env, **env})

    def list(self, uri="s3://es-7-10-2/" + PREFIX, *more, **options):
        return self("snapshot", "list", "--repo-uri", uri, *more, **options)

    def backfill(self, fixture, snapshot, indices="regex:.*", *more, **options):
        uri = f"s3://{fixture.replace('.', '-')}/{PREFIX}"
        return self("backfill", "--repo-uri", uri, "--snapshot-name", snapshot, "--to",
                    f"dir:{self.out}", "--index-allowlist", indices, "--json", *more, **options)


def assert_documents(call, result, fixture, snapshot, indices=None):
    expected = expected_documents(fixture.removesuffix(".chunked"), snapshot)
    expected = {name: expected[name] for name in indices or expected}
    refused = [name for name, found in expected.items() if found is None]
    assert result.code == (ERRORS if refused else OK), result
    got = written_documents(call.out)
    assert sorted(got) == sorted(name for name, found in expected.items() if found), result
    for name, found in got.items():
        assert_same(found, expected[name], f"{fixture} {snapshot} {name}", types=True)


def assert_refused(result, *words, code):
    assert result.code == code, result
    last = result.err.strip().splitlines()[-1]
    for word in words:
        assert word in last, result


SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>", {})


STALL = "stall"


class Proxy:
    """Passes requests on to the server behind it, signatures intact, unless `decide(method, path,
    number)` says otherwise: (status, body, headers) to answer itself, a number of bytes of the
    body after which the connection is cut, or STALL to send half of it and then nothing. It may be
    named in http_proxy, too. `keys` are the access keys of the requests, `sizes` the bytes of the
    bodies that were answered."""

    def __init__(self, url, decide):
        self.keys = []
        self.sizes = []
        self.host = url.removeprefix("http://")
        self.decide = decide
        self.requests = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, method, path, key):
        with self.lock:
            self.keys.append(key)
            self.requests.append((method, path))
            return len(self.requests) - 1

    def handler(proxy):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                self.path = self.path.removeprefix(f"http://{proxy.host}")
                key = self.headers.get("Authorization", "").partition("Credential=")[2]
                number = proxy.count(self.command, self.path, key.partition("/")[0])
                told = proxy.decide(self.command, self.path, number)
                if isinstance(told, tuple):
                    self.reply(*told)
                    return
                backend = http.client.HTTPConnection(proxy.host, timeout=60)
                backend.putrequest(self.command, self.path, skip_accept_encoding=True,
                                   skip_host=True)
                for name, value in self.headers.items():
                    backend.putheader(name, value)
                backend.endheaders(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                answer = backend.getresponse()
                self.reply(answer.status, answer.read(), dict(answer.getheaders()), told)
                backend.close()

            def reply(self, status, body, headers, cut=None):
                proxy.sizes.append(len(body) if self.command != "HEAD" else 0)
                stalls = cut == STALL
                cut = len(body) // 2 if stalls else cut
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", headers.get("content-length", len(body)))
                self.send_header("Content-Length", length if self.command == "HEAD" else len(body))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body if cut is None else body[:cut])
                self.wfile.flush()
                if stalls:
                    proxy.closing.wait()
                if cut is not None:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

            def log_message(self, *_):
                pass
        return Handler
