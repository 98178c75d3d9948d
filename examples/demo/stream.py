"""Writes a `git fast-import` stream: commits, branches and tags with fixed people and times."""

import subprocess
import tempfile
from pathlib import Path

AUTHORS = {
    "ada": "Ada Nilsen <ada@fairweather.example>",
    "ben": "Ben Okafor <ben@fairweather.example>",
    "chi": "Chiara Rossi <chiara@fairweather.example>",
}
START = 1_736_150_400  # 2025-01-06 08:00:00 UTC
STEP = 21 * 3600 + 17 * 60


class Stream:
    """The history so far: the files of the branch at hand, and the text of the stream."""

    def __init__(self):
        self.parts = ["feature done\n# Made by make.py beside this file; change that one.\n"]
        self.files = {}
        self.branch = "main"
        self.mark = 0
        self.tips = {}
        self.trees = {}
        self.clock = START

    def commit(self, author, message, changes, merge=None):
        """Adds a commit; `changes` maps a path to its new text, or to None where it goes."""
        self.mark += 1
        self.clock += STEP
        person = f"{AUTHORS[author]} {self.clock} +0000"
        lines = [
            f"commit refs/heads/{self.branch}\nmark :{self.mark}\n",
            f"author {person}\ncommitter {person}\n",
            data(message.rstrip("\n") + "\n"),
        ]
        if self.tips.get(self.branch):
            lines.append(f"from :{self.tips[self.branch]}\n")
        if merge:
            lines.append(f"merge :{self.tips[merge]}\n")
        for path, text in sorted(changes.items()):
            if text is None:
                del self.files[path]
                lines.append(f"D {path}\n")
            elif self.files.get(path) != text:
                self.files[path] = text
                lines.append(f"M 100644 inline {path}\n{data(text)}")
        self.parts.append("".join(lines))
        self.tips[self.branch] = self.mark
        self.trees[self.branch] = dict(self.files)

    def switch(self, branch):
        """Goes on with another branch; a new one begins where the present one stands."""
        if branch not in self.tips:
            self.tips[branch] = self.tips[self.branch]
            self.trees[branch] = dict(self.files)
            self.parts.append(f"reset refs/heads/{branch}\nfrom :{self.tips[branch]}\n\n")
        self.branch = branch
        self.files = dict(self.trees[branch])

    def merge(self, author, branch, changes=None):
        """Merges `branch` into the present one and forgets its name."""
        mine, theirs = self.files, self.trees[branch]
        taken = {path: text for path, text in theirs.items() if path not in mine}
        self.commit(author, f"Merge branch '{branch}'", {**taken, **(changes or {})}, merge=branch)
        self.parts.append(f"reset refs/heads/{branch}\nfrom {'0' * 40}\n\n")

    def tag(self, author, name, message=None):
        """Tags the present commit: annotated with a message, lightweight without one."""
        if message is None:
            self.parts.append(f"reset refs/tags/{name}\nfrom :{self.mark}\n\n")
            return
        person = f"{AUTHORS[author]} {self.clock} +0000"
        self.parts.append(f"tag {name}\nfrom :{self.mark}\ntagger {person}\n{data(message + chr(10))}")

    def head(self):
        """The full hash of the present commit, as git itself computes it."""
        with tempfile.TemporaryDirectory() as folder:
            run = lambda *argv, **more: subprocess.run(["git", "-C", folder, *argv], check=True, **more)
            run("init", "-q", "--bare", ".")
            run("fast-import", "--quiet", input=f"{self.text()}done\n".encode())
            found = run("rev-parse", f"refs/heads/{self.branch}", stdout=subprocess.PIPE)
        return found.stdout.decode().strip()

    def text(self):
        return "".join(self.parts)


def data(text):
    """A counted piece of text."""
    return f"data {len(text.encode())}\n{text}\n"


def write(stream, path: Path):
    path.write_text(stream.text() + "done\n", encoding="utf-8", newline="\n")
