"""A Sphinx extension: the results' own pages, copied from `benchmarks` into `docs/results` at every build.

Links to another of these pages and pictures come along; a link to any other file becomes its name.
"""

import re
import shutil
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
FOLDER = Path(__file__).parent / "results"  # written at build time, never committed
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("builder-inited", lambda _: write_all(FOLDER))
    return {"parallel_read_safe": True}


def sources() -> dict[Path, str]:
    """The pages to copy, and what each is called here; notes are part of other pages already."""
    found = {BENCHMARKS / "results" / "README.md": "learning.md", BENCHMARKS / "README.md": "benchmarks.md"}
    for path in sorted((BENCHMARKS / "results").glob("*.md")):
        if not path.stem.endswith("NOTES"):
            found.setdefault(path, path.name)
    return found


def write_all(folder: Path) -> None:
    """Every page with its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, name in sources().items():
        text = copied(path, folder)
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text:
            (folder / name).write_text(text, encoding="utf-8")


def copied(path: Path, folder: Path) -> str:
    """A page's text with its links as they are here; its pictures are copied."""

    def link(match: re.Match[str]) -> str:
        mark, title, target, anchor = match.groups()
        there = (path.parent / target).resolve()
        if mark and there.is_file():
            shutil.copyfile(there, folder / there.name)
            return f"![{title}]({there.name})"
        page = sources().get(there)
        return f"[{title}]({page}{anchor or ''})" if page else title

    return LINK.sub(link, path.read_text(encoding="utf-8"))
