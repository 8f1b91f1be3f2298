"""Our signer gives the signatures of botocore, on requests of every awkward kind."""

import datetime
import json
import os
import random
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials
import pytest

from support import PROGRAM

DRIVER = PROGRAM.parent / "tests" / "unit" / "net" / "sign_requests"
REQUESTS = 120  # of each service
PIECES = ["a", "B7", "=", "+", " ", "%", "ü", "日本", "~", "-", "_", ".", "*", "'", "(", ")", "!", "@",
          "$", ",", ";", ":", "&", "#", "?", "\"", "<", "[", "|", "\\", "^", "`", "{"]
NAMES = ["prefix", "list-type", "a", "A", "aa", "a-b", "a.b", "x-id", "delimiter", "é", "continuation-token"]


def text(rng, most):
    return "".join(rng.choice(PIECES) for _ in range(rng.randrange(most + 1)))


def target(rng, service):
    segments = [text(rng, 4) for _ in range(rng.randrange(5))]
    if service != "s3":  # whose names may hold neither
        segments += rng.choices([".", "..", "", "x"], k=rng.randrange(3))
        segments = [s for s in segments if s] or [""]
    path = "/" + "/".join(urllib.parse.quote(s, safe="-_.~") for s in segments)
    path += rng.choice(["", "", "/"]) if path != "/" else ""
    query = []
    for _ in range(rng.randrange(6)):
        name = urllib.parse.quote(rng.choice(NAMES), safe="-_.~")
        value = urllib.parse.quote(text(rng, 3), safe="-_.~")
        query.append(rng.choice([f"{name}={value}", f"{name}={value}", f"{name}=", name]))
    return path + ("?" + "&".join(query) if query else "")


def generate(rng, service):
    host = rng.choice(["bucket.s3.eu-central-1.amazonaws.com", "127.0.0.1:9000", "search.example",
                       "host:8443"])
    headers = [["Range", f"bytes={rng.randrange(100)}-{rng.randrange(100, 900)}"],
               ["If-Match", '"0123456789abcdef"'], ["x-amz-meta-text", "  two   spaces  and\ttab "],
               ["X-Amz-Request-Payer", "requester"], ["content-type", "application/json"]]
    return {
        "method": rng.choice(["GET", "HEAD", "PUT", "POST", "DELETE"]), "host": host,
        "target": target(rng, service), "body": rng.choice(["", '{"query":{}}', "ünï"]),
        "unsigned": service == "s3" and rng.random() < 0.5, "service": service,
        "headers": rng.sample(headers, rng.randrange(len(headers))),
        "region": rng.choice(["us-east-1", "eu-central-1", "cn-north-1"]),
        "wall_ms": rng.randrange(946684800, 4102444800) * 1000 + rng.randrange(1000),
        "access": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "token": rng.choice([None, "FwoGZXIvYXdzE//////////wEaD+x=="]),
    }


def sign(request, monkeypatch):
    """The headers that botocore sends for it."""
    now = datetime.datetime.fromtimestamp(request["wall_ms"] // 1000, datetime.timezone.utc)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: now.replace(tzinfo=None))
    headers = dict(request["headers"])
    headers["Host"] = request["host"]
    if request["service"] == "aoss":
        headers["X-Amz-Content-SHA256"] = botocore.auth.sha256(
            request["body"].encode()).hexdigest()
    scheme = "https" if request["unsigned"] or request["service"] != "s3" else "http"
    prepared = botocore.awsrequest.AWSRequest(
        method=request["method"], url=f"{scheme}://{request['host']}{request['target']}",
        headers=headers, data=request["body"].encode())
    if request["service"] == "s3":
        # What S3's client configuration comes to: sign the body, or do not.
        prepared.context["client_config"] = botocore.config.Config(
            s3={"payload_signing_enabled": not request["unsigned"]})
    kind = botocore.auth.S3SigV4Auth if request["service"] == "s3" else botocore.auth.SigV4Auth
    key = botocore.credentials.Credentials(request["access"], request["secret"], request["token"])
    kind(key, request["service"], request["region"]).add_auth(prepared)
    return {name.lower(): value for name, value in prepared.headers.items()}


@pytest.mark.parametrize("service", ["s3", "es", "aoss"])
def test_signs_as_botocore_does(service, monkeypatch):
    seed = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**32)))
    print(f"SHARDLIFT_SEED={seed}")
    rng = random.Random(seed)
    requests = [generate(rng, service) for _ in range(REQUESTS)]
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    signed = subprocess.run([str(DRIVER)], input=lines.encode(), capture_output=True, timeout=60)
    assert signed.returncode == 0, signed.stderr.decode()
    answers = signed.stdout.decode().splitlines()
    assert len(answers) == len(requests)
    for request, answer in zip(requests, answers):
        ours = dict(line.split(": ", 1) for line in json.loads(answer))
        theirs = sign(request, monkeypatch)
        for name, value in ours.items():
            assert theirs[name.lower()] == value, (name, request)
        assert ("X-Amz-Security-Token" in ours) == (request["token"] is not None)
