"""Guides of docs/guides, followed as they stand: their blocks in order, in one shell."""

import os
import re
import subprocess

from support import PROGRAM, ROOT, SANITIZER_REPORT, Result

GUIDES = ROOT / "docs" / "guides"


def blocks(name, kind="sh"):
    """The fenced blocks of a kind: sh is run, set says what must be in the environment, others are shown."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", (GUIDES / name).read_text(),
                      re.MULTILINE | re.DOTALL)


def asked_for(name):
    """What the guide's block `set` has its reader say first."""
    return set(re.findall(r"\b([A-Z_]+)=", "".join(blocks(name, "set"))))


def command(name, shardlift, folder, instead=None, **given):
    """The guide as a command, and the environment to run it in, with `given`.
    `instead`: a port that is not free here, say, and what stands for it."""
    assert asked_for(name) == set(given), f"{name} asks for {asked_for(name)}"
    names = folder / "bin"
    names.mkdir()
    for link in ("shardlift", "workflow", "console"):
        (names / link).symlink_to(PROGRAM)
    script = folder / f"{name}.sh"
    found = blocks(name)
    assert found, name
    text = "".join(f"echo '== block {number} of {name}' >&2\n{block}"
                   for number, block in enumerate(found, 1))
    for old, new in (instead or {}).items():
        assert old in text, old
        text = text.replace(old, str(new))
    script.write_text(text)
    environment = {**shardlift.environment, **{key: str(value) for key, value in given.items()},
                   "PATH": f"{names}:{os.environ['PATH']}"}
    return ["bash", "-euo", "pipefail", str(script)], environment


def follow(name, shardlift, folder, instead=None, **given):
    """Runs the guide; Result with all it said. It must end well."""
    words, environment = command(name, shardlift, folder, instead, **given)
    process = subprocess.run(words, capture_output=True, cwd=folder, env=environment,
                             stdin=subprocess.DEVNULL, timeout=900)
    result = Result(words, process)
    assert process.returncode == 0, result
    assert not SANITIZER_REPORT.search(result.err), result
    return result
