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
from collections.abc import Iterator
from pathlib import Path

import pytest

import deeplift_engine
from deeplift_engine.version import __version__

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("conversion", "deeplift_engine")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_MODULE = 400


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path, *, at_start_only: bool = False) -> Iterator[str]:
    """Modules that a file imports; ``from a import b`` is ``a.b`` where that is a module."""
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
        elif not is_for_types_only(node) and not (
            at_start_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ):
            waiting.extend(ast.iter_child_nodes(node))


def part(module: str) -> str:
    """The piece of the project that a module belongs to: ``deeplift_engine.rules.base``'s is
    ``rules``, and all of ``conversion`` is one."""
    names = module.split(".")
    return names[1] if names[0] == "deeplift_engine" and len(names) > 1 else names[0]


def ours(path: Path) -> Iterator[str]:
    for name in imports(path):
        if name.split(".")[0] in PACKAGES:
            yield name


# imports


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) == "conversion"])
def test_conversion_knows_neither_the_engine_nor_tensorflow(module: str) -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "h5py", "yaml", "conversion"}
    assert {name.split(".")[0] for name in imports(MODULES[module])} <= allowed


RUNNING = {"graph", "plan", "comparison", "compiled", "scoring", "explainers"}
OUTER = {"build", "network", "loading", "audit", "verify", "compat", "cli", "report"}
NEVER = {
    # who must not know whom, however many imports lie between
    "layers": {"rules", *RUNNING, *OUTER},
    "rules": RUNNING | OUTER,
    "attribution": {"layers", "rules", *RUNNING, *OUTER},
    "references": {"layers", "rules", *RUNNING, *OUTER},
    "targets": {"layers", "rules", *RUNNING, *OUTER},
    "report": {"layers", "rules", *RUNNING, *OUTER} - {"report"},
    "explainers": OUTER,
    "sweep": OUTER,
    "perturbation": OUTER,
    "build": OUTER - {"build"},
    "network": {"loading", "compat", "cli", "report"},
}


def test_the_parts_named_here_exist() -> None:
    assert {*NEVER, *RUNNING, *OUTER} <= {part(name) for name in MODULES}


def everything_behind(start: str) -> set[str]:
    found: set[str] = set()
    waiting = [name for name in MODULES if part(name) == start]
    while waiting:
        for name in ours(MODULES[waiting.pop()]):
            if name in MODULES and name not in found and name != "deeplift_engine":
                found.add(name)
                waiting.append(name)
    return {part(name) for name in found}


@pytest.mark.parametrize("start", NEVER)
def test_the_inner_parts_do_not_know_the_outer_ones(start: str) -> None:
    assert not everything_behind(start) & NEVER[start]


def test_imports_point_one_way() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if module != "deeplift_engine":  # the front door opens to every room
            graph.setdefault(part(module), set()).update(
                part(name) for name in ours(path) if part(name) != part(module)
            )
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"these parts import each other: {' -> '.join(error.args[1])}")


def test_importing_the_package_does_not_import_tensorflow() -> None:
    code = "import sys, deeplift_engine, conversion; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "numpy" in loaded
    assert not {"tensorflow", "keras", "matplotlib"} & set(loaded)


# modules and names


def test_a_module_tells_one_thing() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


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
                if str(mine).split(".")[0] in PACKAGES:
                    yield f"{name}.{inner}", value


def test_every_public_name_is_explained() -> None:
    documented = {
        name: bool(inspect.getdoc(thing))
        for name, thing in public_names()
        if callable(thing) or inspect.ismodule(thing) or isinstance(thing, property)
    }
    assert len(documented) > 20
    assert [name for name, there in documented.items() if not there] == []


def test_all_modules_can_be_imported() -> None:
    for package in PACKAGES:
        found = pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        for module in found:
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


# metadata


def test_there_is_one_version() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
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


README = (ROOT / "README.md").read_text()


def test_the_make_targets_of_the_readme_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"^\s*make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= targets


def test_the_files_that_the_readme_links_to_are_there() -> None:
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
