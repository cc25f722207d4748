"""Many pages of logos as one PDF, or as a folder of pictures; one figure draws them all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.figures.logo_page import LogoPage
from deeplift_engine.figures.logo_sheet import LogoSheet
from deeplift_engine.util.durable import disk_errors, sync_folder
from deeplift_engine.util.optional import optional
from deeplift_engine.util.output_file import check_writable, output_file

SINGLE, MANY = (".png", ".svg"), ".pdf"
DPI = 130
_COMPRESSION = {"compress_level": 2}
"""Of PNG files; more takes longer than to draw them."""


def save_logos(
    pages: Iterable[LogoPage], path: str | os.PathLike[str], *, overwrite: bool = False
) -> int:
    """Write pages of logos, completely or not at all.

    Parameters
    ----------
    pages
        Drawn one after the other, so that memory holds one.
    path
        ``.pdf``: a file with all pages. ``.png``, ``.svg``: a picture of the only page. A name
        without a suffix: a new folder of PNG files, their names the pages' names behind a number.
    overwrite
        Whether an existing file may be replaced; an existing folder never is.

    Returns
    -------
    int
        The number of pages.

    Raises
    ------
    InputError
        For no page, and several for a file that holds one.
    OutputError
        For another suffix, an existing file or folder, and any error of the disk.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    target = Path(path)
    check_logo_path(target, overwrite=overwrite)
    suffix = target.suffix.lower()
    each = iter(pages)
    first = list(islice(each, 2))
    if not first:
        raise InputError("there is no page to draw")
    if suffix in SINGLE and len(first) > 1:
        raise InputError(
            f"{target} holds one picture, and there are several windows: choose one of them, or "
            "name a .pdf file or a folder"
        )
    every = chain(first, each)
    if not suffix:
        return _folder(every, target)
    with output_file(target, overwrite=overwrite) as disk:
        write = _pdf if suffix == MANY else _single
        return write(every, disk, suffix)


def check_logo_path(path: Path, *, overwrite: bool = False) -> None:
    """Check, before long work, that logos can be written there.

    Raises
    ------
    OutputError
        As for `save_logos`.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    optional("matplotlib", "matplotlib", "plot")
    suffix = path.suffix.lower()
    if suffix not in (*SINGLE, MANY, ""):
        raise OutputError(
            f"{path}: logos are drawn as {', '.join((MANY, *SINGLE))}, or into a folder, a name "
            f"without a suffix; not as {suffix}"
        )
    if suffix:
        check_writable(path, overwrite=overwrite)
    elif os.path.lexists(path):
        raise OutputError(f"{path}: a folder of logos is written anew; name one that is not there")


def _pdf(pages: Iterable[LogoPage], disk: BinaryIO, _: str) -> int:
    backend = optional("matplotlib.backends.backend_pdf", "matplotlib", "plot")
    sheet = LogoSheet()
    with backend.PdfPages(disk, metadata={"CreationDate": None}) as file:
        for page in pages:
            file.savefig(sheet.show(page))
        return int(file.get_pagecount())


def _single(pages: Iterable[LogoPage], disk: BinaryIO, suffix: str) -> int:
    for page in pages:
        LogoSheet().show(page).savefig(disk, format=suffix[1:], dpi=DPI)
    return 1


def _folder(pages: Iterable[LogoPage], target: Path) -> int:
    agg = optional("matplotlib.backends.backend_agg", "matplotlib", "plot")
    with disk_errors(target, "written"), ExitStack() as stack:
        folder = target.with_name(f".{target.name}-{secrets.token_hex(8)}.partial")
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        sheet, count = LogoSheet(), 0
        sheet.figure.set_dpi(DPI)
        canvas = agg.FigureCanvasAgg(sheet.figure)
        for count, page in enumerate(pages, 1):
            name = re.sub(r"[^\w.+-]+", "_", page.name).strip("._")
            stem = "_".join(filter(None, [f"{count - 1:06d}", name]))
            sheet.show(page)
            canvas.print_png(folder / f"{stem}.png", pil_kwargs=_COMPRESSION)
        sync_folder(folder)
        folder.rename(target)
        sync_folder(target.absolute().parent)
    return count


__all__ = ["MANY", "SINGLE", "check_logo_path", "save_logos"]
