"""The site: pages of docs/, the README and those of the examples, in one tree for Sphinx.

    python -m docs.generate.site build/site

gathers the pages in ``build/site/source``, with links that hold there, and builds HTML in
``build/site/html``; a warning is an error. `NAVIGATION` is the order of the pages.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAVIGATION: Mapping[str, tuple[str, ...]] = {
    "": ("README.md", "docs/TOUR.md"),
    "By field": (
        "docs/GENOMICS.md",
        "docs/TEXT.md",
        "docs/IMAGES.md",
        "docs/TABLES.md",
        "docs/LIBRARIES.md",
    ),
    "By wish": (
        "docs/QUESTIONS.md",
        "docs/SCALE.md",
        "docs/REPORT.md",
        "docs/VISUALIZE.md",
        "docs/FROM_OTHERS.md",
        "docs/MIGRATING.md",
        "examples/reverse_complement/README.md",
    ),
    "What is computed": (
        "docs/CONCEPTS.md",
        "docs/METHODS.md",
        "docs/REFERENCES.md",
        "docs/METRICS.md",
        "docs/LAYERS.md",
        "docs/MODELS.md",
        "docs/ERAS.md",
    ),
    "Reference": ("docs/site/API.md",),
    "Costs": ("docs/BENCHMARKS.md", "docs/METHOD_COSTS.md"),
    "Examples": ("examples/genomics/README.md", "examples/genome/README.md"),
    "The project": ("docs/ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}
"""Pages by the heading that they stand under, as files of the repository."""
_INDICES = {"Reference": ("genindex", "modindex")}
"""Pages that Sphinx makes of docstrings, by heading."""


def places() -> dict[str, str]:
    """Where each page of the site lies in it, by its file in the repository."""
    return {page: _place(page) for pages in NAVIGATION.values() for page in pages}


def _place(page: str) -> str:
    path = Path(page)
    if path.name == "README.md":
        return f"example_{path.parent.name}.md" if path.parent.name else "overview.md"
    return path.name.lower()


def with_links(text: str, source: str, known: Mapping[str, str]) -> str:
    """The text of a page, its links as they are in the site; a file that is no page has none."""

    def link(match: re.Match[str]) -> str:
        if "://" in match["target"]:
            return match[0]
        path = ((ROOT / source).parent / match["target"]).resolve().relative_to(ROOT)
        if str(path) in known:
            return f"[{match['words']}]({known[str(path)]}{match['anchor'] or ''})"
        return f"![{match['words']}](images/{path.name})" if match["mark"] else match["words"]

    pattern = r"(?P<mark>!?)\[(?P<words>[^\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)]*)?\)"
    return re.sub(pattern, link, text)


def index() -> str:
    """The first page: what Sphinx takes the navigation from."""
    known, blocks = places(), []
    for heading, pages in NAVIGATION.items():
        written = (known[page].removesuffix(".md") for page in pages)
        names = "\n".join((*written, *_INDICES.get(heading, ())))
        caption = f":caption: {heading}\n" if heading else ""
        blocks.append(f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n{caption}\n{names}\n```\n")
    return "\n".join(["```{include} overview.md\n```\n", *blocks])


def gather(source: Path) -> None:
    """Write the pages into a new folder."""
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    known = places()
    for page, place in known.items():
        (source / place).write_text(with_links((ROOT / page).read_text(), page, known))
    (source / "index.md").write_text(index())
    images = [*(ROOT / "docs").glob("images/*"), *(ROOT / "examples").glob("*/*.png")]
    (source / "images").mkdir()
    for image in images:
        shutil.copy(image, source / "images")


def main(folder: Path) -> int:
    """Build the site in a folder; the exit code of Sphinx."""
    gather(folder / "source")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(ROOT / "docs/site")]
    pages = [str(folder / "source"), str(folder / "html")]
    command = [sys.executable, "-m", "sphinx", *options, *pages]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
