"""deploy/image/compose.yaml as `docker compose` reads it: what it refers to is there, and its commands are
ones that the program takes. No compose is at hand to run it."""

import json
import re
import subprocess

import pytest

from support import OK, ROOT

FILE = ROOT / "deploy" / "image" / "compose.yaml"
DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"
# Of https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json, what is used.
KEYS = {"image", "command", "entrypoint", "read_only", "init", "cap_drop", "security_opt", "tmpfs",
        "volumes", "restart", "healthcheck", "pid", "ports", "profiles", "environment"}
RESTARTS = {"no", "always", "on-failure", "unless-stopped"}


@pytest.fixture(scope="module")
def tour():
    read = subprocess.run(["/usr/bin/python3", "-c", "import json, sys, yaml\n"
                           "json.dump(yaml.safe_load(sys.stdin), sys.stdout)"],
                          input=FILE.read_text(), capture_output=True, text=True, timeout=60,
                          check=True)
    return json.loads(read.stdout)


def ours(tour):
    return {name: one for name, one in tour["services"].items() if "SHARDLIFT_IMAGE" in one["image"]}


def test_it_says_nothing_that_compose_does_not_know(tour):
    assert {key for key in tour if not key.startswith("x-")} == {"services", "volumes"}
    for name, service in tour["services"].items():
        assert service.keys() <= KEYS, (name, service.keys() - KEYS)
        assert service.get("restart", "no") in RESTARTS
        for port in service.get("ports", []):
            # Nothing but this machine reaches it.
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port


def test_what_it_refers_to_is_there(tour):
    for name, service in tour["services"].items():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in tour["volumes"], (name, volume)
        if "pid" in service:
            assert service["pid"].removeprefix("service:") in tour["services"], name
        for url in re.findall(r"http://([a-z]+):", json.dumps(service)):
            assert url in tour["services"], (name, url)


def test_hardened_as_the_chart_is(tour):
    assert set(ours(tour)) == {"engine", "console", "capture", "replay"}
    for name, service in ours(tour).items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert any(one.startswith("state:/var/lib/shardlift") for one in service["volumes"]), name


def test_its_commands_have_options_that_there_are(tour, shardlift):
    """Of `shardlift COMMAND --help`; variables of compose stand for their values."""
    seen = 0
    for name, service in ours(tour).items():
        words = service.get("command") or []
        if not words:
            assert service["entrypoint"] == ["migration_console"], name
            assert "migration_console" in DOCKERFILE.read_text()
            continue
        told = shardlift(words[0], "--help")
        assert told.code == OK, told
        for word in words[1:]:
            if word.startswith("--"):
                assert re.search(rf"{word}\b", told.out), (name, word)
                seen += 1
    assert seen > 8
    health = tour["services"]["engine"]["healthcheck"]["test"]
    assert health == ["CMD", "shardlift", "engine", "--health"]
