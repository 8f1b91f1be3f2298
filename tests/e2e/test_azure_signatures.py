"""Our Shared Key signatures are those of Azure's own library, on requests of every awkward kind."""

import base64
import json
import os
import random
import subprocess
import urllib.parse

from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

from support import PROGRAM

DRIVER = PROGRAM.parent / "tests" / "unit" / "net" / "sign_azure"
REQUESTS = 300
PIECES = ["a", "B7", "=", "+", " ", "%", "ü", "日本", "~", "-", "_", ".", "'", "(", "!", "@", "$",
          ",", ";", ":", "&", "#", "?", "\"", "<", "[", "|", "\\", "^", "{"]
NAMES = ["restype", "comp", "prefix", "marker", "delimiter", "blockid", "maxresults", "Timeout"]


def text(rng, most):
    return urllib.parse.quote("".join(rng.choice(PIECES) for _ in range(rng.randrange(1, most + 1))),
                              safe="-_.~")


def generate(rng):
    path = rng.choice(["", "/account1"]) + "/container/" + "/".join(
        text(rng, 4) for _ in range(rng.randrange(1, 4)))
    query = "&".join(f"{name}={text(rng, 4)}" for name in rng.sample(NAMES, rng.randrange(4)))
    length = rng.choice([0, 0, 1, 12345, 8 << 20])
    headers = ["x-ms-date: Sun, 22 Nov 2026 09:00:00 GMT", "x-ms-version: 2021-12-02"]
    return {
        "method": rng.choice(["GET", "HEAD", "PUT"]), "account": "account1",
        "key": base64.b64encode(rng.randbytes(64)).decode(),
        "target": path + ("?" + query if query else ""), "length": length,
        "content_type": "application/octet-stream" if length else None,
        "range": rng.choice([None, "bytes=0-99"]),
        "if_match": rng.choice([None, '"0x8D4BCC2E4835CD0"']),
        "ms_headers": headers + rng.sample(["x-ms-blob-type: BlockBlob",
                                            "x-ms-meta-text:  two words "], rng.randrange(3)),
    }


def sign(request):
    """The header that Azure's library sends for it."""
    headers = dict(line.split(":", 1) for line in request["ms_headers"])
    headers = {name: value.strip() for name, value in headers.items()}
    # The library sends x-ms-range itself, and knows the line of Range by a name of its own.
    for name, value in (("Content-Type", request["content_type"]),
                        ("byte_range", request["range"]),
                        ("If-Match", request["if_match"]),
                        ("Content-Length", str(request["length"]) if request["length"] else None)):
        if value:
            headers[name] = value
    prepared = HttpRequest(request["method"], "https://account1.example" + request["target"],
                           headers=headers)
    policy = SharedKeyCredentialPolicy("account1", request["key"])
    policy.on_request(PipelineRequest(prepared, PipelineContext(None)))
    return prepared.headers["Authorization"]


def test_signs_as_azures_own_library_does():
    seed = int(os.environ.get("SHARDLIFT_SEED", random.randrange(2**32)))
    print(f"SHARDLIFT_SEED={seed}")
    rng = random.Random(seed)
    requests = [generate(rng) for _ in range(REQUESTS)]
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    signed = subprocess.run([str(DRIVER)], input=lines.encode(), capture_output=True, timeout=60)
    assert signed.returncode == 0, signed.stderr.decode()
    answers = signed.stdout.decode().splitlines()
    assert len(answers) == len(requests)
    for request, answer in zip(requests, answers):
        assert answer == "Authorization: " + sign(request), request
