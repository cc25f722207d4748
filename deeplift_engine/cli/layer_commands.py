"""The commands that look at layers: how alike they are, and the motifs of their channels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deeplift_engine.cli import arguments, console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import (
    INPUTS,
    MODEL,
    NAMES,
    OVERWRITE,
    RUN,
    SEQUENCES,
    Group,
    Option,
    choice,
    layers,
    option,
    output,
    several,
)
from deeplift_engine.cli.kinds import READING
from deeplift_engine.cli.listing import print_json
from deeplift_engine.errors import InputError
from deeplift_engine.util import storage, tables


def _of_run(*flags: str) -> Group:
    return Group("the run", tuple(each for each in RUN.options if each.flags[0] in flags))


SIMILARITY_OPTIONS: tuple[Option | Group, ...] = (
    *MODEL,
    INPUTS,
    layers("these layers (default: all that a layer of Keras ends with)"),
    option("--other MODEL", Path, "another model, whose layers are the columns; same inputs"),
    option("--other-layers NAME,...", values.names, "these layers of it"),
    choice(
        "--measure",
        "linear centred kernel alignment (default), its unbiased estimate, or the mean canonical "
        "correlation of leading singular vectors",
        *("cka", "unbiased_cka", "svcca"),
        default="cka",
    ),
    option(
        "--share SHARE",
        float,
        "of svcca, of the variance that the singular vectors have (default: 0.99)",
        default=0.99,
    ),
    output(".csv"),
    OVERWRITE,
    SEQUENCES,
    *READING,
    _of_run("--key", "--batch-size"),
)
SIMILARITY_EXAMPLES = (
    "similarity model.h5 sequences.npy -o layers.csv -o layers.png",
    "similarity before.h5 images.npy --other after.h5 --layers conv2d,dense --measure svcca",
)
FILTERS_OPTIONS: tuple[Option | Group, ...] = (
    *MODEL,
    INPUTS,
    option("--layer NAME", str, "the layer (default: the first with a kernel)"),
    option(
        "--threshold SHARE",
        float,
        "sites are above this share of a channel's largest activation (default: 0.5)",
        default=0.5,
    ),
    option("--most N", values.at_least_one, "sites of a channel (default: 10000)", default=10_000),
    option("--names FILE", Path, NAMES),
    several(
        "-o --output FILE",
        Path,
        "motifs (.meme), or a figure of the layer's kernels (.png, .pdf, .svg); may be repeated",
    ),
    OVERWRITE,
    SEQUENCES,
    _of_run("--key"),
)
FILTERS_EXAMPLES = (
    "filters model.h5 sequences.npy -o filters.meme -o kernels.png",
    "filters model.h5 peaks.bed --genome hg38.fa --layer conv1d_3 --names JASPAR.meme",
)


def similarity(options: argparse.Namespace) -> int:
    """Compare the activations of layers over a data set, print the table and write files of it."""
    console.postpone_tensorflow()
    from deeplift_engine.evaluate import layer_similarity

    for path in options.output:
        tables.checked_suffix(path, "similarities", (".csv",))
        storage.check_writable(path, overwrite=options.overwrite)
    custom = arguments.custom_definitions(options)
    network = arguments.load(options, custom)
    other = None if options.other is None else arguments.load(options, custom, options.other)
    result = layer_similarity(
        network,
        arguments.inputs(options, network),
        options.layers,
        other,
        options.other_layers,
        measure=options.measure,
        share=options.share,
        batch_size=options.batch_size,
    )
    if options.json:
        print_json({"measure": result.measure, "samples": result.samples, "rows": result.records})
    else:
        console.say(str(result))
    for path in options.output:
        result.save(path, overwrite=options.overwrite)
    return 0


def filters(options: argparse.Namespace) -> int:
    """Count the letters that a layer's channels fire at, print and write their motifs."""
    console.postpone_tensorflow()
    from deeplift_engine import genomics, visualize

    for path in options.output:
        tables.checked_suffix(path, "motifs of filters", (".meme",))
        storage.check_writable(path, overwrite=options.overwrite)
    network = arguments.load(options)
    motifs = genomics.filter_motifs(
        network,
        arguments.inputs(options, network),
        options.layer,
        threshold=options.threshold,
        most=options.most,
    )
    if not motifs:
        raise InputError("no channel of the layer fires at any sequence: there are no motifs")
    named = {} if options.names is None else genomics.match_motifs(motifs, options.names)
    rows: list[dict[str, Any]] = [
        {"motif": motif.name, "sites": len(motif), "consensus": motif.consensus}
        | ({"nearest": _nearest(named[motif.name])} if named else {})
        for motif in motifs
    ]
    if options.json:
        print_json({"rows": rows})
    else:
        lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
        console.say(tables.aligned(lines, right=(1,)))
    for path in options.output:
        kind = path.suffix.lower()
        if kind in tables.PICTURES:
            layer = motifs[0].name.rpartition(".filter_")[0]
            picture = tables.to_picture(visualize.draw_filters(network, layer), kind)
            storage.write_bytes(path, picture, overwrite=options.overwrite)
        else:
            genomics.write_meme(motifs, path, overwrite=options.overwrite)
    return 0


def _nearest(matches: Any) -> str:
    """The known motif that is nearest, and how near."""
    return f"{matches[0].target} (p = {matches[0].p:.2g})" if matches else ""


__all__ = [
    "FILTERS_EXAMPLES",
    "FILTERS_OPTIONS",
    "SIMILARITY_EXAMPLES",
    "SIMILARITY_OPTIONS",
    "filters",
    "similarity",
]
