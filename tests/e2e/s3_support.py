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

from support import ROOT

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


SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>", {})


class Proxy:
    """Passes requests on to the server behind it, signatures intact, unless `decide(method, path,
    number)` says otherwise: (status, body, headers) to answer itself, or a number of bytes of the
    body after which the connection is cut."""

    def __init__(self, url, decide):
        self.host = url.removeprefix("http://")
        self.decide = decide
        self.requests = []
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def count(self, method, path):
        with self.lock:
            self.requests.append((method, path))
            return len(self.requests) - 1

    def handler(proxy):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                number = proxy.count(self.command, self.path)
                told = proxy.decide(self.command, self.path, number)
                if isinstance(told, tuple):
                    self.reply(*told)
                    return
                backend = http.client.HTTPConnection(proxy.host, timeout=60)
                backend.putrequest(self.command, self.path, skip_accept_encoding=True,
                                   skip_host=True)
                for name, value in self.headers.items():
                    backend.putheader(name, value)
                backend.endheaders()
                answer = backend.getresponse()
                self.reply(answer.status, answer.read(), dict(answer.getheaders()), told)
                backend.close()

            def reply(self, status, body, headers, cut=None):
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", headers.get("content-length", len(body)))
                self.send_header("Content-Length", length if self.command == "HEAD" else len(body))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body if cut is None else body[:cut])
                if cut is not None:
                    self.wfile.flush()
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
                    self.close_connection = True

            do_GET = do_HEAD = pass_on

            def log_message(self, *_):
                pass
        return Handler
