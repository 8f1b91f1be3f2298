"""What tests/faults/disturb.c does to a program, and disks that are small."""

import contextlib
import os
import struct
import subprocess


class Disturb:
    """Switches that may be turned while the program runs."""

    def __init__(self, library, path):
        self.path = path
        self.values = [0, 0, 0]
        self.write()
        self.environment = {"LD_PRELOAD": str(library), "DISTURB_SWITCHES": str(path)}

    def write(self):
        with open(self.path, "r+b" if os.path.exists(self.path) else "w+b") as file:
            file.write(struct.pack("<3q", *self.values))

    def set_clock_ahead(self, seconds):
        self.values[0] = seconds
        self.write()

    def set_sync_later(self, ms):
        self.values[1] = ms
        self.write()

    def set_sync_fails(self, fails):
        self.values[2] = int(fails)
        self.write()


@contextlib.contextmanager
def small_disk(folder, size):
    """A tmpfs; None where we may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "shardlift-faults",
                              str(folder)], capture_output=True)
    try:
        yield None if mounted.returncode else Filler(folder / "filler")
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Filler:
    """Takes all space that a disk has left, and gives it back."""

    def __init__(self, path):
        self.path = path

    def fill(self):
        with open(self.path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def free(self):
        self.path.unlink(missing_ok=True)
