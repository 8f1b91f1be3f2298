"""Amazon MSK by IAM. AWS itself is not here: a real Kafka broker takes nothing but tokens that
tests/nodes/launcher/MskTokens.java holds to be what all of AWS's own signers make."""

import base64
import contextlib
import datetime
import http.server
import json
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

import support
from capture_support import CEILING, Stub, proxy, wait_for
from support import ERRORS, INTERRUPTED, OK, UNREACHABLE, Broker
from test_kafka import (LONG, Replayer, Target, assert_all_there, kafka_status, more_acknowledged,
                        written_paths, writers)

REGION = "eu-west-3"
LASTING = "lasting AKIALASTING la/st+ing-secret"
OTHER = "lasting AKIAOTHER another-secret"
SESSION = "role ASIASESSION session-secret to/k+en=="
FAR = 4_000_000_000
TOKEN_BEGINS = base64.b64encode(b"https://kafka.").decode()[:16]
REAUTH = ("--setting", "connections.max.reauth.ms=2000")


class Msk(Broker):
    """The lines of `keys` are those that the broker knows, "OWNER ACCESS SECRET [TOKEN END]"."""

    def __init__(self, folder, *options):
        self.keys_file = folder / "config" / "keys"
        self.keys_file.parent.mkdir(parents=True)
        super().__init__(folder, "4.1", *support.PARTITIONS, "--msk", REGION, "--tls", "yes",
                         *options)

    def knows(self, *keys):
        new = self.keys_file.with_suffix(".new")
        new.write_text("".join(key + "\n" for key in keys))
        new.rename(self.keys_file)

    def verdicts(self):
        return re.findall(r"^msk: (.*)$", (self.folder / "log").read_text(), re.M)

    def accepted(self, access):
        return sum(verdict.startswith(f"accepted {access} ") for verdict in self.verdicts())

    def flags(self, topic):
        return ("--kafka-brokers", self.address, "--kafka-topic", topic, *self.login)

    @property
    def login(self):
        return ("--enable-msk-auth", "--kafka-aws-region", REGION, "--kafka-ca-cert",
                self.folder / "config" / "cert.pem")


@pytest.fixture(scope="module")
def msk_broker(tmp_path_factory):
    broker = Msk(tmp_path_factory.mktemp("msk") / "broker", *REAUTH)
    yield broker
    broker.stop()


@pytest.fixture
def msk(msk_broker):
    msk_broker.knows(LASTING, f"{SESSION} {FAR}")
    return msk_broker


@pytest.fixture
def stub():
    with Stub() as one:
        yield one


@pytest.fixture
def target():
    with Target() as one:
        yield one


@pytest.fixture
def topic(request):
    return f"{request.node.name[5:25]}-{time.time_ns()}"


@pytest.fixture(autouse=True)
def nothing_of_aws(shardlift, tmp_path):
    for name in [name for name in shardlift.environment if name.startswith("AWS_")]:
        del shardlift.environment[name]
    shardlift.environment.update(AWS_EC2_METADATA_DISABLED="true", no_proxy="*",
                                 AWS_CONFIG_FILE=str(tmp_path / "none"),
                                 AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"))


def signed_in(shardlift, key):
    """The environment with `key`."""
    names = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
    for name in names:
        shardlift.environment.pop(name, None)
    shardlift.environment.update(zip(names, key.split()[1:4]))


def keeps_secrets(text):
    assert TOKEN_BEGINS not in text, text
    for key in (LASTING, OTHER, SESSION):
        for secret in key.split()[2:]:
            assert secret not in text, text


def read_back(shardlift, msk, topic, all_of_them):
    """By `traffic export`, with the login that test_kafka's functions know nothing of."""
    class Login:
        address = msk.address
    def signed(*arguments, **more):
        return shardlift(*arguments, *msk.login, **more)
    found = written_paths(signed, Login, topic)
    assert_all_there(found, all_of_them)
    return found


# --- The judge ---

def address_of(key, region=REGION, action="kafka-cluster:Connect", service="kafka-cluster",
               expires=900, agent="aws-msk-iam-sasl-signer-python/1.0.2"):
    """What aws-msk-iam-sasl-signer-python does, step by step, with botocore's signature."""
    request = botocore.awsrequest.AWSRequest("GET", f"https://kafka.{region}.amazonaws.com/",
                                             params={"Action": action})
    credentials = botocore.credentials.Credentials(*key.split()[1:4])
    botocore.auth.SigV4QueryAuth(credentials, service, region, expires=expires).add_auth(request)
    if agent:
        request.params = {"User-Agent": agent}
    return request.prepare().url


def sorted_address(address):
    """As aws-msk-iam-sasl-signer-go leaves it: parameters by name, the User-Agent among them."""
    begin, _, query = address.partition("?")
    return begin + "?" + urllib.parse.urlencode(sorted(urllib.parse.parse_qsl(query)))


def encoded(address):
    return base64.urlsafe_b64encode(address.encode()).decode().rstrip("=")


def at(address, seconds):
    """The same with another date, and so with a signature that is none of it."""
    date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return (re.sub(r"(?<=%2F)\d{8}(?=%2F)", f"{date:%Y%m%d}",
                   re.sub(r"(?<=X-Amz-Date=)\w+", f"{date:%Y%m%dT%H%M%SZ}", address)))


def test_the_judge_takes_what_the_signers_of_aws_make_and_nothing_else(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{LASTING}\n{SESSION} {FAR}\nrole ASIAENDED a b {int(time.time()) - 1}\n")
    good = address_of(LASTING)
    rows = [
        (encoded(good), "accepted AKIALASTING"),
        (encoded(sorted_address(good)), "accepted AKIALASTING"),
        (encoded(address_of(SESSION)), "accepted ASIASESSION"),
        (encoded(sorted_address(address_of(SESSION))), "accepted ASIASESSION"),
        (encoded(address_of(LASTING, expires=60)), "accepted AKIALASTING"),
        (encoded(good) + "=", "padded"),
        ("*", "no base64url"),
        ("", "does not begin"),
        (encoded(good.replace("https:", "http:")), "does not begin"),
        (encoded(good.replace("kafka.", "sts.", 1)), "does not begin"),
        (encoded(address_of(LASTING, region="eu-west-1")), "does not begin"),
        (encoded(good.replace(REGION + "%2F", "eu-west-1%2F")), "another region"),
        (encoded(address_of(LASTING, service="kafka")), "another service"),
        (encoded(address_of(LASTING, action="kafka-cluster:Delete")), "action is another"),
        (encoded(address_of(LASTING, expires=901)), "X-Amz-Expires"),
        (encoded(address_of(LASTING, agent=None)), "missing parameters [User-Agent]"),
        (encoded(good + "&User-Agent=x"), "twice"),
        (encoded(good + "&x=y"), "unknown parameters [x]"),
        (encoded(good.replace("HMAC-SHA256", "HMAC-SHA1")), "algorithm is another"),
        (encoded(good.replace("=host", "=host%3Bx")), "other headers"),
        (encoded(at(good, -901)), "ended"),
        (encoded(at(good, 1200)), "future"),
        (encoded(at(good, -60)), "signature is another"),
        (encoded(address_of("lasting AKIALASTING wrong")), "signature is another"),
        (encoded(address_of(OTHER)), "access key is unknown"),
        (encoded(address_of("role ASIASESSION session-secret other")), "session token is another"),
        (encoded(address_of("role ASIASESSION session-secret")), "session token is another"),
        (encoded(address_of(f"{LASTING} token")), "session token is another"),
        (encoded(address_of("role ASIAENDED a b")), "ended"),
    ]
    judged = subprocess.run([str(Broker.LAUNCHER), "msk", "4.1", REGION, str(keys)],
                            input="".join(token + "\n" for token, _ in rows), text=True,
                            capture_output=True, timeout=590)
    assert judged.returncode == 0, judged.stderr
    said = judged.stdout.splitlines()
    assert len(said) == len(rows), judged
    for (token, wanted), verdict in zip(rows, said):
        assert wanted in verdict, (token, wanted, verdict)
        assert ("refused" in verdict) == ("accepted" not in wanted), verdict


# --- The program ---

@pytest.mark.parametrize("key", (LASTING, SESSION), ids=("lasting", "session"))
def test_what_is_captured_with_tokens_is_replayed_with_tokens(shardlift, msk, stub, target, topic,
                                                              key):
    """The broker lets each connection live for two seconds, and it is used beyond that."""
    signed_in(shardlift, key)
    access = key.split()[1]
    with proxy(shardlift, stub.url, *msk.flags(topic)) as one:
        all_of_them = writers(one.port, 3)
        more_acknowledged(all_of_them, 10)
        before = msk.accepted(access)
        wait_for(lambda: msk.accepted(access) > before, "the broker to ask for a token again")
        more_acknowledged(all_of_them, 10)
        for writer in all_of_them:
            writer.stop()
        wait_for(lambda: not kafka_status(one)["spooling"], "all to be in Kafka")
        keeps_secrets(one.log)
    assert not any(writer.refused for writer in all_of_them)
    found = read_back(shardlift, msk, topic, all_of_them)
    shown = shardlift("traffic", "show", *msk.flags(topic), "--mode", "http")
    assert shown.code == OK and "/w/2/0" in shown.out, shown
    replay = Replayer(shardlift, msk, topic, target.url, *msk.login)
    try:
        wait_for(replay.has_caught_up, "the replay to catch up")
        before = msk.accepted(access)
        wait_for(lambda: msk.accepted(access) > before, "the broker to ask the replayer again")
        wait_for(replay.has_caught_up, "the replay to catch up")
    finally:
        assert replay.stop() == INTERRUPTED
    keeps_secrets(pathlib.Path(replay.error.name).read_text())
    assert sorted(target.seen()) == sorted(path for paths in found.values() for path in paths)


def test_what_brokers_refuse_is_told_with_what_to_do(shardlift, msk, stub, topic):
    flags = msk.flags(topic)
    wrong = LASTING.replace("la/st+ing", "wr/on+g")
    for key, environment in ((wrong, {}), (OTHER, {}), (f"{LASTING} token", {}),
                             (LASTING, {"region": "eu-west-1"})):
        signed_in(shardlift, key)
        other = ("--kafka-aws-region", environment["region"]) if environment else ()
        refused = shardlift("traffic", "show", *flags, *other)
        assert refused.code == UNREACHABLE, refused
        for word in (msk.address, "refuse a token", other[1] if other else REGION,
                     "the environment", "kafka-cluster:Connect", "clock"):
            assert word in refused.err, (word, refused)
        keeps_secrets(refused.err)
        assert "wr/on+g" not in refused.err, refused
    signed_in(shardlift, "none")
    nothing = shardlift("traffic", "show", *flags)
    assert nothing.code == UNREACHABLE, nothing
    for word in (msk.address, "no token", "no AWS credentials found", "AWS_ACCESS_KEY_ID"):
        assert word in nothing.err, (word, nothing)
    signed_in(shardlift, wrong)
    ended = shardlift("capture", "--to", stub.url, "--listen-host", "127.0.0.1", "--listen-port", "0",
                      *flags)
    assert ended.code == UNREACHABLE and "refuse a token" in ended.err, ended
    keeps_secrets(ended.err)


def test_the_console_signs_in_too(shardlift, msk, tmp_path, topic):
    """By a property file for the authority, which `msk` in the services has no place for."""
    properties = tmp_path / "properties"
    properties.write_text(f"ssl.ca.location={msk.folder / 'config' / 'cert.pem'}\n")
    shardlift.state_dir.mkdir(exist_ok=True)
    (shardlift.state_dir / "services.yaml").write_text(
        f'kafka: {{broker_endpoints: "{msk.address}", msk: null, config_file: "{properties}"}}\n')
    shardlift.environment["AWS_REGION"] = REGION
    signed_in(shardlift, SESSION)
    made = shardlift("console", "kafka", "create-topic", topic)
    assert made.code == OK, made
    listed = shardlift("console", "kafka", "list-topics")
    assert listed.code == OK and topic in listed.out, listed
    dumped = shardlift("console", "kafka", "dump-topic-records", topic)
    assert dumped.code == OK, dumped
    signed_in(shardlift, OTHER)
    refused = shardlift("console", "kafka", "list-topics")
    assert refused.code == ERRORS and "refuse a token" in refused.err, refused
    keeps_secrets(refused.err)


class Container(threading.Thread):
    """Hands out sessions of `seconds` each, that the broker knows before anybody else does."""

    def __init__(self, msk, seconds):
        super().__init__()
        self.sessions, self.lock = [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with outer.lock:
                    end = int(time.time()) + seconds
                    number = len(outer.sessions)
                    outer.sessions.append(f"role ASIA{number} secret{number} token{number} {end}")
                    msk.knows(LASTING, *outer.sessions)
                body = json.dumps({
                    "AccessKeyId": f"ASIA{number}", "SecretAccessKey": f"secret{number}",
                    "Token": f"token{number}",
                    "Expiration": f"{datetime.datetime.fromtimestamp(end, datetime.timezone.utc):%FT%TZ}"
                }).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/role"

    def run(self):
        self.server.serve_forever(0.05)

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            self.join()


@LONG
def test_tokens_are_renewed_with_the_credentials_under_them(shardlift, msk, stub, target, topic):
    """Nobody is let in by a session that has ended, nor stays in longer."""
    with Container(msk, 8).running() as container:
        shardlift.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container.url
        with proxy(shardlift, stub.url, *msk.flags(topic)) as one:
            replay = Replayer(shardlift, msk, topic, target.url, *msk.login)
            try:
                all_of_them = writers(one.port, 3)
                for _ in range(3):
                    used = {verdict.split()[1] for verdict in msk.verdicts()}
                    more_acknowledged(all_of_them, 10)
                    wait_for(lambda: {verdict.split()[1] for verdict in msk.verdicts()
                                      if verdict.startswith("accepted ASIA")} - used, "a new session")
                more_acknowledged(all_of_them, 10)
                for writer in all_of_them:
                    writer.stop()
                wait_for(lambda: not kafka_status(one)["spooling"], "all to be in Kafka")
                wanted = {path for writer in all_of_them for path in writer.acknowledged}
                wait_for(lambda: wanted <= set(target.seen()), "all to be sent")
            finally:
                replay.stop()
        assert not any(writer.refused for writer in all_of_them)
        read_back(shardlift, msk, topic, all_of_them)
        for number in range(len(container.sessions)):
            assert f"token{number}" not in one.log and f"secret{number}" not in one.log


@LONG
def test_credentials_that_were_replaced_are_found_without_a_restart(shardlift, msk, stub, tmp_path,
                                                                    topic):
    """A profile whose session somebody renews: no file says when it ends."""
    def profile(key):
        names = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
        (tmp_path / "credentials").write_text("[default]\n" + "".join(
            f"{name} = {value}\n" for name, value in zip(names, key.split()[1:4])))

    first, second = "role ASIAFIRST one first", "role ASIASECOND two second"
    msk.knows(LASTING, f"{first} {FAR}")
    profile(first)
    with proxy(shardlift, stub.url, *msk.flags(topic)) as one:
        all_of_them = writers(one.port, 2)
        more_acknowledged(all_of_them, 10)
        msk.knows(LASTING, f"{second} {FAR}")
        wait_for(lambda: kafka_status(one)["spooling"], "the spool")
        assert "refuse a token" in one.log
        more_acknowledged(all_of_them, 10)
        profile(second)
        wait_for(lambda: msk.accepted("ASIASECOND"), "the new credentials")
        wait_for(lambda: not kafka_status(one)["spooling"], "all to be in Kafka")
        for writer in all_of_them:
            writer.stop()
    assert not any(writer.refused for writer in all_of_them)
    read_back(shardlift, msk, topic, all_of_them)
