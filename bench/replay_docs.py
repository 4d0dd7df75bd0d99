#!/usr/bin/env python3
"""Runs every command shown in README*.md and docs/guide, and puts the real output in its place; draws docs/pictures/run.svg.

    python3 bench/replay_docs.py target/debug/thalweg              # all documents
    python3 bench/replay_docs.py target/debug/thalweg README.md    # some

A fenced block of language `console` holds commands ("$ …") and their output. The commands of a document run in order, by
bash, in one scratch folder that holds a fresh copy of examples/telco and bench/. Commands of `thalweg` act as of a fixed
time unless they name one, so that two replays differ only where the program does (and in its timings).
Python standard library only.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
AS_OF = "2026-11-24T09:00:00Z"
DOCUMENTS = ["README.md", "README.zh-CN.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/guide").glob("*.md"))]
BLOCK = re.compile(r"```console\n(.*?)```", re.S)

# sqlite3 may not be installed: this stands in for `sqlite3 FILE QUERY` with the same list output.
SQLITE = """#!/usr/bin/env python3
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):
    print("|".join("" if cell is None else str(cell) for cell in row))
"""


def tools(folder, program):
    """A folder for PATH with `thalweg`, and `sqlite3` where there is none."""
    folder.mkdir()
    thalweg = folder / "thalweg"
    thalweg.write_text(
        f'#!/usr/bin/env bash\ncase " $* " in *" --as-of "*) exec "{program}" "$@" ;; esac\nexec "{program}" "$@" --as-of {AS_OF}\n'
    )
    thalweg.chmod(0o755)
    if not shutil.which("sqlite3"):
        (folder / "sqlite3").write_text(SQLITE)
        (folder / "sqlite3").chmod(0o755)
    return folder


def workplace(folder):
    """A fresh copy of what a reader's clone has."""
    left_out = shutil.ignore_patterns("artifacts", "thalweg.db*", "outbox", "report.html", "__pycache__")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=left_out)
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=left_out)
    return folder


def run(command, folder, path, **more):
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "COLUMNS": "100", **more}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.rstrip("\n")


def replay(text, place, path, known):
    """The document with fresh outputs. `known` keeps outputs by the commands that led to them."""
    so_far = []

    def block(match):
        out = []
        for command in re.findall(r"^\$ (.*)$", match[1], re.M):
            so_far.append(command)
            key = tuple(so_far)
            if key not in known:
                known[key] = run(command, place, path)
            out.append(f"$ {command}\n{known[key]}".rstrip())
        return "```console\n" + "\n\n".join(out) + "\n```"

    return BLOCK.sub(block, text)


def draw(path, folder):
    place = workplace(folder)
    text = run("thalweg run examples/telco 2>/dev/null", place, path, CLICOLOR_FORCE="1")
    label = "What thalweg run examples/telco prints: what was learned, the channels with verdict, spend and expected gain, and the next command"
    svg = subprocess.run(
        [sys.executable, ROOT / "bench/terminal_svg.py", "--command", "cargo run -- run examples/telco", "--label", label],
        input=text, capture_output=True, text=True, check=True,
    ).stdout
    (ROOT / "docs/pictures/run.svg").write_text(svg)


def main(program, documents):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        path = tools(scratch / "bin", pathlib.Path(program).resolve())
        draw(path, scratch / "picture")
        shared = {}  # the two READMEs show the same commands: they run once
        for number, name in enumerate(documents or DOCUMENTS):
            page = ROOT / name
            before = page.read_text()
            known = shared if name.startswith("README") else {}
            after = replay(before, workplace(scratch / f"place{number}"), path, known)
            page.write_text(after)
            print(f"{name}: {'unchanged' if before == after else 'rewritten'}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
