"""What holds the repository together: imports point one way, names are explained, one version."""

from __future__ import annotations

import ast
import configparser
import graphlib
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import deeplift_engine
from deeplift_engine.version import __version__

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"deeplift_conversion": ROOT / "conversion", "deeplift_engine": ROOT}
FILES = {path: root for package, root in SOURCES.items() for path in (root / package).rglob("*.py")}
LONGEST_MODULE = 400


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path, root): path for path, root in sorted(FILES.items())}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path, *, for_types: bool = True) -> Iterator[str]:
    """Modules that a file imports, inside functions too; ``from a import b`` is ``a.b`` where
    that is a module."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)
        elif for_types or not is_for_types_only(node):
            waiting.extend(ast.iter_child_nodes(node))


def ours(module: str, *, for_types: bool = True) -> set[str]:
    """The modules of the project that one imports; the front door, which opens to all, left out."""
    names = imports(MODULES[module], for_types=for_types)
    return {name for name in names if name in MODULES} - {module, *SOURCES}


# imports

ROOMS = (
    "deeplift_conversion",
    "errors",
    "version",
    "util",
    "tensors",
    "layers",
    "rules",
    "graph",
    "translate",
    "references",
    "results",
    "figures",
    "engine",
    "explainers",
    "verify",
    "network",
    "live",
    "loading",
    "jobs",
    "genomics",
    "text",
    "images",
    "tables",
    "training",
    "evaluate",
    "visualize",
    "report",
    "compat",
    "cli",
    "__main__",
)
"""From the ground up: nothing imports what stands behind it here, inside functions or for types."""

FLOORS = (
    "errors",
    "spec",
    "tree",
    "files",
    "layers",
    "eras",
    "weights",
    "graphs",
    "single",
    "reader",
)
"""The same of the package that reads files."""


def room(module: str) -> str:
    first, *rest = module.split(".")
    return rest[0] if rest and first == "deeplift_engine" else first


def test_every_room_is_named() -> None:
    there = {room(name) for name in MODULES if name not in ("deeplift_engine",)}
    assert there == set(ROOMS)
    floors = {name.split(".")[1] for name in MODULES if name.startswith("deeplift_conversion.")}
    assert floors == set(FLOORS)


@pytest.mark.parametrize("module", [name for name in MODULES if name not in SOURCES])
def test_imports_point_one_way(module: str) -> None:
    higher = {name for name in ours(module) if ROOMS.index(room(name)) > ROOMS.index(room(module))}
    assert higher == set(), f"{module} may import from {ROOMS[: ROOMS.index(room(module)) + 1]}"
    if module.startswith("deeplift_conversion."):
        floor = FLOORS.index(module.split(".")[1])
        assert {name for name in ours(module) if FLOORS.index(name.split(".")[1]) > floor} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: ours(name, for_types=False) for name in MODULES if name not in SOURCES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == ROOMS[0]])
def test_conversion_knows_neither_the_engine_nor_tensorflow(module: str) -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "h5py", "yaml", "deeplift_conversion"}
    assert {name.split(".")[0] for name in imports(MODULES[module])} <= allowed


def test_importing_the_package_does_not_import_tensorflow() -> None:
    code = "import sys, deeplift_engine, deeplift_conversion; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "numpy" in loaded
    assert not {"tensorflow", "keras", "matplotlib"} & set(loaded)


# modules and names


def test_a_module_tells_one_thing() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_the_root_of_the_package_is_small() -> None:
    assert len(list((ROOT / "deeplift_engine").glob("*.py"))) <= 8


SUBJECTS = {"layers", "rules", "translate"}
"""Rooms in which one subject has one name: a layer, its rule, its translator."""


def test_a_name_of_a_module_says_where_it_is() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for name, path in MODULES.items():
        # compat has the names of deeplift 0.6
        if room(name) not in ("compat", ROOMS[0]) and path.name != "__init__.py":
            found[name.rpartition(".")[2]].append(name)
    twice = {
        base: names
        for base, names in found.items()
        if len(names) > 1 and not {room(name) for name in names} <= SUBJECTS
    }
    assert twice == {}


def test_tests_stand_in_the_rooms_of_what_they_test() -> None:
    assert [path.name for path in (ROOT / "tests").glob("test_*.py")] == []
    beside = {"benchmarks", "cases", "conformance", "docs", "examples", "repository", "conversion"}
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert rooms - beside <= set(ROOMS)


def test_every_module_has_a_docstring() -> None:
    without = [
        name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert without == []


def public_names() -> Iterator[tuple[str, object]]:
    for name in deeplift_engine.__all__:
        thing = getattr(deeplift_engine, name)
        yield name, thing
        if inspect.isclass(thing) or inspect.ismodule(thing):
            for inner, value in vars(thing).items():
                if inner.startswith("_") or inner not in getattr(thing, "__all__", [inner]):
                    continue
                mine = getattr(value, "__module__", None) or getattr(
                    getattr(value, "fget", None), "__module__", ""
                )
                if str(mine).split(".")[0] in SOURCES:
                    yield f"{name}.{inner}", value


def test_every_public_name_is_explained() -> None:
    documented = {
        name: bool(inspect.getdoc(thing))
        for name, thing in public_names()
        if callable(thing) or inspect.ismodule(thing) or isinstance(thing, property)
    }
    assert len(documented) > 20
    assert [name for name, there in documented.items() if not there] == []


@pytest.mark.parametrize("package", SOURCES)
def test_all_modules_can_be_imported(package: str) -> None:
    for module in pkgutil.walk_packages([str(SOURCES[package] / package)], f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


# metadata


def metadata() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup


def test_every_package_is_installed() -> None:
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert set(metadata()["options"]["packages"].split()) == packages


def test_there_is_one_version() -> None:
    setup = metadata()
    assert setup["metadata"]["version"] == "attr: deeplift_engine.version.__version__"
    assert deeplift_engine.__version__ == __version__
    said = [
        path.relative_to(ROOT)
        for path in FILES
        if re.search(r"^__version__ *=", path.read_text(), re.MULTILINE)
    ]
    assert said == [Path("deeplift_engine/version.py")]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in changelog or f"## {__version__}" in changelog


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_lowest_versions_are_those_of_the_metadata() -> None:
    """What `make test-lowest` pins, beside the pins of others' dependencies."""
    setup = metadata()
    floors = dict(
        line.split(",")[0].split(">=")
        for text in (setup["options"]["install_requires"], setup["options.extras_require"]["test"])
        for line in text.split("\n")
        if ">=" in line
    )
    lines = (ROOT / "tests" / "lowest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    pins, floors = (
        {name: re.sub(r"(\.0)+$", "", versions[name]) for name in floors}
        for versions in (pins, floors)
    )
    assert pins == floors


README = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_make_targets_of_the_readme_are_there() -> None:
    named = set(re.findall(r"^\s*make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= TARGETS


@pytest.mark.parametrize(
    "file", [".ci/run", ".github/workflows/checks.yml", "CONTRIBUTING.md", "RELEASING.md"]
)
def test_the_make_targets_of_other_files_are_there(file: str) -> None:
    command = r"(?:^|[ `])make (?:[A-Z]\S*=\S+ )*([a-z -]+)"
    text = (ROOT / file).read_text()
    named = {word for words in re.findall(command, text, re.MULTILINE) for word in words.split()}
    assert "test" in named or "dist" in named
    assert named <= TARGETS


def test_the_files_that_the_readme_links_to_are_there() -> None:
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
