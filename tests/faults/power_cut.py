"""A power cut, simulated: what tests/faults/power_cut.c remembers of the files below a folder."""

import os
import pathlib
import shutil


class PowerCut:
    def __init__(self, library, folder, memory):
        self.folder, self.memory = pathlib.Path(folder), pathlib.Path(memory)
        for part in ("content", "names"):
            (self.memory / part).mkdir(parents=True)
        self.environment = {
            **os.environ, "LD_PRELOAD": str(library), "POWER_CUT_FOLDER": str(self.folder.resolve()),
            "POWER_CUT_MEMORY": str(self.memory),
            # The sanitizer wants to be the first library, and does as well as the second.
            "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99"}

    def remember_all(self):
        """What is there now has been on the disk for long."""
        for path in [self.folder, *self.folder.rglob("*")]:
            below = str(path)[len(str(self.folder)):].replace("/", "%")
            if path.is_dir():
                (self.memory / "names" / f"-{below}").write_text("".join(
                    f"{entry.stat().st_ino} {entry.name}\n" for entry in path.iterdir()))
            else:
                shutil.copy(path, self.memory / "content" / str(path.stat().st_ino))

    def names(self, below):
        listed = self.memory / "names" / ("-" + below.replace("/", "%"))
        if not listed.exists():
            return {}
        return dict(reversed(line.split(" ", 1)) for line in listed.read_text().splitlines())

    def restore(self):
        """The program was killed. Makes the folder what the disk would hold after a power cut."""
        folders = {str(p.relative_to(self.folder)): p for p in self.folder.rglob("*") if p.is_dir()}
        inodes = {str(path.stat().st_ino): name for name, path in folders.items()}
        after = self.memory / "after"
        self.restore_folder("", after, inodes)
        shutil.rmtree(self.folder)
        after.rename(self.folder)

    def restore_folder(self, below, to, inodes):
        to.mkdir()
        for name, inode in self.names(below).items():
            if inode in inodes:
                self.restore_folder(f"{below}/{name}", to / name, inodes)
                continue
            content = self.memory / "content" / inode
            (to / name).write_bytes(content.read_bytes() if content.exists() else b"")
