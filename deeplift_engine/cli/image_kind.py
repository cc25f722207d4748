"""Pictures on the command line: files and folders of them, and heat maps over them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import Group, choice, option, several, switch
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.images.picture_files import SUFFIXES
from deeplift_engine.util import storage, tables
from deeplift_engine.util.array_files import SUFFIXES as ARRAYS
from deeplift_engine.util.array_files import open_array

if TYPE_CHECKING:
    from deeplift_engine.jobs.scored_run import ScoredRun
    from deeplift_engine.network import Network

OPTIONS = Group(
    "pictures (a .png, .jpg or .tif file, or a folder of them)",
    (
        option(
            "--preprocess NAME",
            str,
            "what the model was trained with: caffe, tf, torch, unit (0 to 1), identity (the model "
            "does it), or a module of keras.applications, as vgg16",
        ),
        choice("--resize", "how (default: bilinear, as Keras's Resizing)", "bilinear", "nearest"),
        choice("--fit", "stretch pictures (default), or crop their middle", "stretch", "crop"),
        option("--size HEIGHTxWIDTH", values.height_and_width, "where the model takes any"),
        choice(
            "--depth",
            "of grey pictures of more than 8 bits: raw, clipped at 255, or divided by 256",
            *("raw", "clipped", "eight_bits"),
        ),
        switch("--upright", "turn pictures as the camera wrote that it was held"),
    ),
)
DRAWING = Group(
    "pictures",
    (
        choice(
            "--style",
            "scores alone, over the picture (default), as its opacity, or its best pixels alone",
            *("heat", "blend", "alpha", "mask"),
            default="blend",
        ),
        choice(
            "--sign",
            "scores that are shown (default: both)",
            *("both", "positive", "negative", "absolute"),
            default="both",
        ),
        option("--percentile P", float, "where colours end (default: 99.5; of mask, 90)"),
        choice(
            "--colours",
            "of heat maps: red and blue (default), or those of another package",
            *("default", "seismic", "bwr", "jet", "coldnhot"),
            default="default",
        ),
        several("--beside SCORES", Path, "another run of the same pictures, as of another method"),
        option("--prepared NAME", str, "how pictures were prepared, where the run does not say"),
    ),
)


def read(options: argparse.Namespace, network: Network) -> Any:
    """The pictures as the network reads them.

    Raises
    ------
    InputError
        As the library does; and where nothing says how pictures are prepared.
    """
    from deeplift_engine import images

    if options.preprocess is None:
        raise InputError(
            "--preprocess: say what the model was trained with (caffe, tf, torch, unit, or a "
            "module of keras.applications such as vgg16), or identity, where its own layers do "
            "it: no file of a model says it, and another gives other scores"
        )
    path = Path(options.inputs)
    keys = {key_of(name, network.inputs): array for name, array in options.key}
    source = open_array(path, keys.get("")) if path.suffix.lower() in ARRAYS else path
    pictures = images.read(
        source,
        network,
        preprocess=options.preprocess,
        size=options.size,
        resize=options.resize or "bilinear",
        fit=options.fit or "stretch",
        depth=options.depth,
        upright=options.upright,
        input=options.input,
    )
    if len(network.inputs) > 1:
        raise InputError(
            "pictures are read for a model of one input; hand others in from Python, "
            "{name: images.read(...), ...}"
        )
    for note in pictures.notes:
        console.complain("note", note)
    return pictures


def draw(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """Heat maps over the pictures that a run keeps."""
    from deeplift_engine.figures import OverlayStyle
    from deeplift_engine.images.image_drawing import MOST, draw_run
    from deeplift_engine.jobs.scored_run import open_scored

    named: dict[str, ScoredRun] = {}
    for each in (run, *map(open_scored, options.beside)):
        method = str(each.settings.get("method", each.name))
        named[method if method not in named else f"{method}, {each.name}"] = each
    numbers = [run.number_of(name) for name in options.sample] or list(range(min(MOST, len(run))))
    figure = draw_run(
        named,
        numbers,
        OverlayStyle(options.style, options.sign, options.percentile, options.colours),
        preprocess=options.prepared,
        input=options.input,
        head=options.head,
        target=options.target_number,
    )
    picture = tables.to_picture(figure, options.output.suffix.lower())
    storage.write_bytes(options.output, picture, overwrite=options.overwrite)
    return [options.output]


IMAGE = Kind("image", SUFFIXES, OPTIONS, DRAWING, read, draw, in_folder=SUFFIXES)

__all__ = ["IMAGE"]
