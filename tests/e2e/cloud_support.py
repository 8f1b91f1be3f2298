"""Servers that speak like Google Cloud Storage and Azure Blob Storage, and a token server."""

import base64
import concurrent.futures
import http.server
import json
import os
import subprocess
import threading
import urllib.parse
import urllib.request

import azure.storage.blob
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support import ROOT

EVERY_STORE = bool(os.environ.get("SHARDLIFT_EVERY_STORE"))
# Azurite's own, in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = ("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")


class Server:
    """A server of tests/nodes; `upload` makes a bucket and fills it with the files of a folder."""

    def __init__(self, launcher, version, folder):
        self.launcher, self.folder = ROOT / "tests" / "nodes" / launcher, folder
        self.run("prepare", version)
        self.url = self.run(version, "--data", folder, "--owner", os.getpid()).strip()

    def run(self, *arguments):
        done = subprocess.run([str(self.launcher), *map(str, arguments)], capture_output=True,
                              text=True, timeout=590)
        if done.returncode and arguments[0] == "prepare" and not EVERY_STORE:
            pytest.skip(f"{self.launcher.name} cannot be fetched: {done.stderr.strip()[-200:]}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def upload(self, folder, bucket, prefix):
        self.make_bucket(bucket)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda path: self.put(
                bucket, prefix + path.relative_to(folder).as_posix(), path.read_bytes()),
                          [path for path in sorted(folder.rglob("*")) if path.is_file()]))

    def stop(self):
        self.run("stop", "--data", self.folder)


class Gcs(Server):
    """Asks for no credentials."""

    tag_of_replaced = (412, b"Precondition Failed", {})
    busy = (503, b'{"error":{"code":503,"message":"Backend Error"}}', {})
    busy_text = "503, Backend Error"
    permission = "storage.objects"
    environment = {"STORAGE_EMULATOR_HOST": "", "GOOGLE_APPLICATION_CREDENTIALS": ""}

    def __init__(self, folder):
        super().__init__("gcs-node", "2026", folder)

    def post(self, path, body, content_type="application/octet-stream"):
        request = urllib.request.Request(self.url + path, data=body,
                                         headers={"Content-Type": content_type})
        return urllib.request.urlopen(request, timeout=60).read()

    def make_bucket(self, bucket):
        self.post("/storage/v1/b?project=p", json.dumps({"name": bucket}).encode(),
                  "application/json")

    def put(self, bucket, name, content):
        name = urllib.parse.quote(name, safe="")
        self.post(f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", content)

    def uri(self, bucket, prefix=""):
        return f"gs://{bucket}/{prefix}"

    def endpoint(self, url=None):
        return url or self.url

    def flags(self, url=None):
        return "--gcs-endpoint", self.endpoint(url)


class Azure(Server):
    """Verifies signatures."""

    tag_of_replaced = (412, b"", {"x-ms-error-code": "ConditionNotMet"})
    busy = (503, b"<Error><Code>ServerBusy</Code><Message>Busy.</Message></Error>", {})
    busy_text = "503 ServerBusy, Busy"
    permission = "Storage Blob Data Reader"
    environment = {"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_SAS_TOKEN": "",
                   "AZURE_STORAGE_CONNECTION_STRING": ""}

    def __init__(self, folder):
        super().__init__("azure-node", "3", folder)
        self.client = azure.storage.blob.BlobServiceClient(self.endpoint(), credential=KEY)

    def make_bucket(self, bucket):
        self.client.create_container(bucket)

    def put(self, bucket, name, content):
        self.client.get_blob_client(bucket, name).upload_blob(content)

    def uri(self, bucket, prefix=""):
        return f"azure://{ACCOUNT}/{bucket}/{prefix}"

    def endpoint(self, url=None):
        return f"{url or self.url}/{ACCOUNT}"

    def flags(self, url=None):
        return "--azure-endpoint", self.endpoint(url)


class TokenServer:
    """Hands out tokens to whoever shows a JWT that the service account's key has signed; keeps the
    claims of each. `lifetime` is what it says of its tokens, in seconds."""

    email = "mover@project.iam.gserviceaccount.com"

    def __init__(self, folder):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims, self.tokens, self.date, self.lifetime = [], [], None, 3600
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/token" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.file = folder / "account.json"
        self.write(self.key)

    def write(self, key):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()).decode()
        self.file.write_text(json.dumps({
            "type": "service_account", "project_id": "project", "private_key_id": "k1",
            "private_key": pem, "client_email": self.email, "token_uri": self.url}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def check(self, form):
        """The claims of the assertion; raises what is wrong."""
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], form
        signed, signature = form["assertion"][0].rsplit(".", 1)
        self.key.public_key().verify(decode(signature), signed.encode(), padding.PKCS1v15(),
                                     hashes.SHA256())
        header, claims = (json.loads(decode(part)) for part in signed.split("."))
        assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}, header
        assert claims["iss"] == self.email and claims["aud"] == self.url, claims
        assert claims["exp"] - claims["iat"] == 3600, claims
        return claims

    def handler(tokens):  # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(
                    self.rfile.read(int(self.headers["Content-Length"])).decode())
                try:
                    tokens.claims.append(tokens.check(form))
                except Exception:  # pylint: disable=broad-except
                    self.reply(400, {"error": "invalid_grant",
                                     "error_description": "Invalid JWT Signature."})
                    return
                tokens.tokens.append(f"ya29.{len(tokens.tokens)}")
                self.reply(200, {"access_token": tokens.tokens[-1], "token_type": "Bearer",
                                 "expires_in": tokens.lifetime})

            def reply(self, status, answer):
                body = json.dumps(answer).encode()
                self.send_response_only(status)
                self.send_header("Date", tokens.date or self.date_time_string())
                self.send_header("Content-Length", len(body))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        return Handler


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
