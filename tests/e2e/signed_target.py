"""A target as AWS has it: a request is taken if its signature is the one that botocore gives it."""

import datetime
import io

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import gated_target

REGION = "eu-west-1"
KEY = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session-token")
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY.access_key, "AWS_SECRET_ACCESS_KEY": KEY.secret_key,
               "AWS_SESSION_TOKEN": KEY.token}


def authorization(handler, body, service):
    """What botocore would have sent for the same request at the same time."""
    signer = botocore.auth.SigV4Auth(KEY, service, REGION)
    headers = {"Host": handler.headers["Host"], "X-Amz-Date": handler.headers["X-Amz-Date"],
               "X-Amz-Security-Token": KEY.token}
    if service == "aoss":
        headers["X-Amz-Content-SHA256"] = botocore.auth.sha256(body).hexdigest()
    request = botocore.awsrequest.AWSRequest(
        method=handler.command, url=f"http://{handler.headers['Host']}{handler.path}", data=body,
        headers=headers)
    request.context["timestamp"] = handler.headers["X-Amz-Date"]
    signature = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return (f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
            f"Signature={signature}")


class Handler(gated_target.Handler):
    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != authorization(self, body, self.server.service):
            self.server.refused += 1
            self.answer(403, b'{"message":"The request signature we calculated does not match"}')
            return
        self.server.taken += 1
        self.rfile, whole = io.BytesIO(body), self.rfile
        super().handle_request()
        self.rfile = whole

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request


class SignedTarget(gated_target.GatedTarget):
    def __init__(self, service):
        super().__init__()
        self.service = service
        self.taken = self.refused = 0
        self.RequestHandlerClass = Handler
