"""Manual pages, completions and the reference: made of the option tables, read by the real tools."""

import shutil
import subprocess

import pytest

from support import OK, ROOT, USAGE


@pytest.fixture
def pages(shardlift, tmp_path):
    folder = tmp_path / "man1"
    assert shardlift("docs", "man", folder).code == OK
    return folder


def test_every_command_has_a_page(shardlift, pages):
    reference = shardlift("docs", "reference").out
    names = [line[3:] for line in reference.splitlines() if line.startswith("## ")]
    assert len(names) > 50
    for name in names:
        page = pages / f"shardlift-{name.replace(' ', '-')}.1"
        assert ".SH OPTIONS" in page.read_text(), name
    assert (pages / "shardlift.1").exists()
    assert (pages / "workflow-submit.1").read_text() == ".so man1/shardlift-workflow-submit.1\n"


def test_the_pages_are_well_formed(pages):
    mandoc = shutil.which("mandoc")
    assert mandoc, "scripts/setup test"
    files = sorted(pages.glob("shardlift*.1"))
    result = subprocess.run([mandoc, "-Tlint", "-W", "error", *files], capture_output=True,
                            text=True, timeout=120)
    assert result.returncode == 0, result.stdout


def test_the_reference_is_current(shardlift):
    """After a change of an option: shardlift docs reference > docs/reference/commands.md"""
    made = shardlift("docs", "reference").out
    assert made == (ROOT / "docs" / "reference" / "commands.md").read_text()


def complete(shardlift, tmp_path, *words):
    script = tmp_path / "completion.bash"
    script.write_text(shardlift("workflow", "util", "completions", "bash").out)
    driver = (f"source {script}; COMP_WORDS=({' '.join(repr(w) for w in words)}); "
              f"COMP_CWORD={len(words) - 1}; _shardlift; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    result = subprocess.run(["bash", "-euc", driver], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_bash_completes_commands_flags_and_values(shardlift, tmp_path):
    assert "backfill" in complete(shardlift, tmp_path, "shardlift", "back")
    assert complete(shardlift, tmp_path, "shardlift", "workflow", "sub") == ["submit"]
    assert complete(shardlift, tmp_path, "workflow", "mana") == ["manage"]
    assert "--session-name" in complete(shardlift, tmp_path, "shardlift", "backfill", "--sess")
    assert complete(shardlift, tmp_path, "shardlift", "backfill", "status", "--pa") == ["--pace"]
    assert complete(shardlift, tmp_path, "shardlift", "check", "--log-format", "") == [
        "text", "json"]
    assert complete(shardlift, tmp_path, "shardlift", "check", "--log-format", "=", "j") == ["json"]
    assert "docs" not in complete(shardlift, tmp_path, "shardlift", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_scripts(shardlift, tmp_path, shell):
    program = shutil.which(shell)
    assert program, "scripts/setup test"
    script = tmp_path / shell
    script.write_text(shardlift("console", "completion", shell).out)
    ask = {"zsh": f"compdef() {{ :; }}; source {script}; _shardlift_next 'workflow util'",
           "fish": f"source {script}; _shardlift_next 'workflow util'"}[shell]
    result = subprocess.run([program, "-c", ask], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout.strip()) == (0, "completions"), result.stderr


def test_another_shell_is_refused_by_name(shardlift):
    result = shardlift("docs", "completion", "tcsh")
    assert result.code == USAGE and "'tcsh'" in result.err, result
