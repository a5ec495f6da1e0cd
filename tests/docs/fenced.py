"""The documentation's pages and the fenced code blocks in them.

The words behind a block's language say what a test does with it:

    sh run        run while a weir serves (the page's ports stand for its own)
    sh alone      run without one
    sh command    its programs must exist; not run here (they build, or go on serving)
    sh image      as `command`, and the files named behind -f
    python run, js run
    text output   what the block before it printed, in this order; … stands for anything
    text metrics  lines of the metrics page, as it is then
    json log      fields of the call log
    yaml          settings: `weir check` takes them; `file=NAME`: and it lies beside the commands
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(.*)$")


@dataclass
class Block:
    page: str
    line: int
    language: str
    marks: list
    lines: list = field(default_factory=list)

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def file(self):
        return next((mark[5:] for mark in self.marks if mark.startswith("file=")), None)


def pages():
    """Every page that is kept with the code, by its path."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md")]
    found += [page for page in ROOT.glob("tests/**/*.md") if "node_modules" not in page.parts]
    return sorted(str(page.relative_to(ROOT)) for page in found)


def text_of(page):
    return (ROOT / page).read_text()


def blocks_of(page):
    found, current = [], None
    for number, line in enumerate(text_of(page).splitlines(), 1):
        fence = FENCE.match(line)
        if current is None and fence:
            language, *marks = fence.group(1).split() or [""]
            current = Block(page, number, language, marks)
        elif fence:
            found.append(current)
            current = None
        elif current is not None:
            current.lines.append(line)
    assert current is None, f"{current.place}: the block has no end"
    return found


def prose_of(page):
    """The page without its blocks, lines kept."""
    inside, kept = False, []
    for line in text_of(page).splitlines():
        fence = FENCE.match(line)
        kept.append("" if inside or fence else line)
        inside = inside != bool(fence)
    return kept
