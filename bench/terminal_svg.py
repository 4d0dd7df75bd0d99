#!/usr/bin/env python3
"""Turns captured terminal text into an SVG picture that is readable on light and dark pages.

    thalweg evaluate -C x | python3 bench/terminal_svg.py --command 'thalweg evaluate -C x' > evaluate.svg

Understands the colour codes that the program writes under CLICOLOR_FORCE=1 (bold, dim, red, green, yellow, cyan).
Python standard library only. The same text always gives the same bytes.
"""

import argparse
import re
import sys
import unicodedata
from html import escape

CELL_WIDTH = 8.4  # a column, in user units; textLength holds every run to it, whatever font is found
LINE_HEIGHT = 19
PADDING = 18
TITLE_HEIGHT = 30

STYLE = """
  .page { fill: #fbfcfd; stroke: #d0d7de } .dot { fill: #d0d7de }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; white-space: pre }
  .bold { font-weight: 700 } .dim { fill: #59636e } .red { fill: #b3261e } .green { fill: #1a7f37 }
  .yellow { fill: #8a6100 } .cyan { fill: #0a6880 } .prompt { fill: #0969da; font-weight: 700 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d } .dot { fill: #30363d }
    text { fill: #e6edf3 } .dim { fill: #9198a1 } .red { fill: #ff8a80 } .green { fill: #56d364 }
    .yellow { fill: #e3b341 } .cyan { fill: #76d9e6 } .prompt { fill: #79c0ff }
  }
"""

ON = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
OFF = {"0": set(ON.values()), "": set(ON.values()), "22": {"bold", "dim"}, "39": {"red", "green", "yellow", "cyan"}}


def columns(text):
    """How many columns a terminal gives the text."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def runs(line, classes):
    """Pieces of one line with their classes; `classes` carries over to the next line."""
    pieces = []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if code:
            for number in code[1].split(";"):
                classes -= OFF.get(number, set())
                if number in ON:
                    classes.add(ON[number])
        elif part:
            pieces.append((part, " ".join(sorted(classes))))
    return pieces


def place(pieces, y):
    """One SVG text element per run, words only: spaces move the pen."""
    at, out = 0, []
    for text, name in pieces:
        for word in re.finditer(r"\S+(?: \S+)*", text):
            x = PADDING + (at + columns(text[: word.start()])) * CELL_WIDTH
            length = columns(word[0]) * CELL_WIDTH
            attribute = f' class="{name}"' if name else ""
            out.append(
                f'<text x="{x:.1f}" y="{y}"{attribute} textLength="{length:.1f}"'
                f' lengthAdjust="spacingAndGlyphs">{escape(word[0])}</text>'
            )
        at += columns(text)
    return out


def picture(command, text, label):
    lines = [[("$ ", "prompt"), (command, "bold")], []] if command else []
    classes = set()
    lines += [runs(line, classes) for line in text.expandtabs().rstrip("\n").split("\n")]
    widest = max([100] + [sum(columns(piece) for piece, _ in line) for line in lines])
    width = round(widest * CELL_WIDTH + 2 * PADDING)
    height = TITLE_HEIGHT + len(lines) * LINE_HEIGHT + PADDING
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(label or command, quote=True)}">',
        f"<title>{escape(label or command)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
    ]
    body += [f'<circle class="dot" cx="{PADDING + 4 + 16 * dot}" cy="16" r="5"/>' for dot in range(3)]
    for number, line in enumerate(lines):
        body += place(line, TITLE_HEIGHT + number * LINE_HEIGHT + 14)
    return "\n".join(body) + "\n</svg>\n"


def main():
    ask = argparse.ArgumentParser(description="Captured terminal text on stdin, an SVG on stdout.")
    ask.add_argument("--command", default="", help="the command line to show above the text")
    ask.add_argument("--label", default="", help="what the picture shows, for readers who cannot see it")
    options = ask.parse_args()
    sys.stdout.write(picture(options.command, sys.stdin.read(), options.label))


if __name__ == "__main__":
    main()
