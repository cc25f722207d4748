"""The wheel: what it holds, and that it works beside others who call something `conversion`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deeplift_engine.version import __version__
from tests.helpers import ROOT

pytestmark = pytest.mark.slow
MODEL = ROOT / "examples" / "genomics" / "model.h5"
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
USES = """
import importlib.metadata, runpy, sys
import numpy as np
import deeplift_engine as de
import deeplift_conversion

site, model = sys.argv[1:]
for package in (de, deeplift_conversion):
    assert package.__file__.startswith(site), package.__file__
assert importlib.metadata.version("conversion") == "1.0"
network = de.load(model)
found = network.explainer().run(np.eye(4)[np.zeros((1, 200), int)], target=0)
assert found.scores.shape == (1, 200, 4)
assert "conversion" not in sys.modules
sys.argv = ["deeplift-engine", "inspect", model]
runpy.run_module("deeplift_engine", run_name="__main__")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout: setuptools writes beside its sources."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    for file in SOURCES:
        shutil.copy(ROOT / file, source)
    for folder in ("deeplift_engine", "conversion", "docs", "tests", "benchmarks", "examples"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("*.pyc"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", built, source], check=True, capture_output=True)
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages: the wheel's, and those of a distribution called `conversion`."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    other, about = folder / "conversion", folder / "conversion-1.0.dist-info"
    for each in (other, about):
        each.mkdir()
    (other / "__init__.py").write_text("raise RuntimeError('another package was imported')\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: conversion\nVersion: 1.0\n")
    return folder


def test_it_holds_two_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    about = f"deeplift_engine-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {
        "deeplift_engine",
        "deeplift_conversion",
        about,
    }
    assert {"deeplift_engine/py.typed", "deeplift_conversion/py.typed"} <= set(names)
    top_level = (name for name in names if name.endswith("top_level.txt"))
    with zipfile.ZipFile(wheel) as archive:
        listed = {word for name in top_level for word in archive.read(name).decode().split()}
    assert listed == {"deeplift_engine", "deeplift_conversion"}


def test_every_module_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.endswith(".py")}
    roots = {"deeplift_engine": ROOT, "deeplift_conversion": ROOT / "conversion"}
    modules = {
        path.relative_to(root).as_posix()
        for package, root in roots.items()
        for path in (root / package).rglob("*.py")
    }
    assert packed == modules


def test_it_works_beside_others_of_the_converters_old_name(site: Path, tmp_path: Path) -> None:
    """A file of the working directory and an installed distribution, both called `conversion`.

    The library first, then in the same process the command line, as ``-m`` runs it.
    """
    (tmp_path / "conversion.py").write_text("raise RuntimeError('the stray file was imported')\n")
    done = subprocess.run(
        [sys.executable, "-c", USES, site, MODEL], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Conv1D" in done.stdout
