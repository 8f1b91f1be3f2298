"""A real terminal (tmux): its screen as text, its keys."""

import os
import shlex
import subprocess
import time

from support import SANITIZER_REPORT

COLUMNS, LINES = 80, 24


class Terminal:
    """A command on a screen of its own; `said` is all that it wrote there, byte for byte."""

    def __init__(self, folder, command, variables, **more):
        self.socket = folder / "tmux"
        self.errors, self.written, begin = (folder / name for name in ("errors", "written", "begin"))
        variables = {**variables, "LC_ALL": "C.UTF-8", **more}
        # What the server of tmux hands on is its own environment.
        words = " ".join(f"{key}={shlex.quote(variables[key])}" for key in
                         ("PATH", "SHARDLIFT_HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LC_ALL", *more))
        os.mkfifo(begin)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES),
                  f"read -r _ <{begin}; env {words} {shlex.join(map(str, command))} "
                  f"2>{self.errors}; echo ended with $?; exec cat")
        self.tmux("pipe-pane", f"cat >{self.written}")
        begin.write_text("\n")  # waits for its reader: nothing is written before the pipe is there

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", str(self.socket), *arguments], check=True, timeout=60,
                              capture_output=True, text=True).stdout

    def screen(self):
        return "\n".join(line.rstrip() for line in self.tmux("capture-pane", "-p").splitlines())

    @property
    def said(self):
        return self.written.read_text(errors="replace").replace("\r\n", "\n")

    def wait(self, condition, what, seconds=90):
        end = time.monotonic() + seconds
        while not condition(self.screen()):
            assert time.monotonic() < end, f"never came: {what}\n{self.screen()}"
            time.sleep(0.05)

    def wait_for(self, text, seconds=90):
        self.wait(lambda screen: text in screen, text, seconds)

    def wait_for_screen(self, expected):
        self.wait(lambda screen: screen.rstrip() == expected, expected)

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def end(self):
        self.type("q")
        self.wait_for("ended with 0")

    def close(self):
        subprocess.run(["tmux", "-S", str(self.socket), "kill-server"], capture_output=True,
                       timeout=60)
        assert not SANITIZER_REPORT.search(self.errors.read_text())
