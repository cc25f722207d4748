"""The sections of ``--help`` below the options: topics, examples, exit codes."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from deeplift_engine.cli.console import PROGRAM
from deeplift_engine.references import KINDS

WIDTH = 98
FORM_WIDTH = 31
"""The column of what a kind of references is."""

DESCRIPTION = """\
DeepLIFT contribution scores, and those of other methods, from a saved Keras model of any age
(.h5, .hdf5, .keras, or weights with a JSON or YAML architecture)."""

EXAMPLES = (
    "inspect model.h5",
    "score model.h5 sequences.npy -o scores.h5 --references dinucleotide_shuffle:20",
    "check model.h5",
    "sweep model.h5 sequences.npy --references zeros --references shuffle:20",
    "methods",
    "COMMAND --help      explains a command",
)

TARGETS = """\
  3         unit 3                         all          every unit, one after another
  2,5       unit (2, 5) of two axes        2,:          the sum of units (2, 0), (2, 1) ...
  3-5       unit 3 minus unit 5            mean:3       unit 3 minus the mean of all units
  conv1     the layer of that name         conv1:0      its unit 0, or any other of these
  counts    all units of the counts, added profile      logits weighted by their softmax, which is
  profile:pair  the same, weighted by the mean of the softmax at input and reference;
            LAYER:profile is that of another layer than the model's own profile
  @FILE.npy integers: one unit per sample; other numbers: weights over the units
  NAME=TARGET  a head with a name of your own: heads at several layers are explained in one run
  Without --target it is the only unit; for `check`, a random weighted sum of all units."""

REFERENCES_NOTES = """\
  FILE is a .npy, .npz or .h5 file, or FILE.h5:KEY for one of its arrays. Lists have commas between
  numbers, as background:0.3,0.2,0.2,0.3. COUNT is 20 where it is left out, drawn from --seed; auto
  adds references until standard errors are small, for deeplift and methods along paths."""

RULES = """\
  rescale            reveal_cancel             genomics_default   gradient
  guided_backprop    guided_backprop_rescale   deconvnet          pass_through
  genomics_default is Rescale after convolutions and RevealCancel after dense layers.
  The first --rule that matches a layer wins. LAYER is a layer's name, class:Conv1D (all of a
  class), after:dense or after:convolution (activations that such layers feed)."""

OPTIONS = """\
  `score` takes an option as --option NAME=VALUE: a number, a word, a list such as [1,2], or
  @FILE.npy for an array. `compare` takes options behind a colon, with semicolons between, and in
  quotes, because a shell ends a command at a semicolon: --method 'integrated_gradients:steps=20'"""

EXPORTS = """\
  modisco     PREFIX.ohe.npz, .attr.npz (hypothetical), .kept.npy, .regions.bed
  chrombpnet  PREFIX.HEAD_scores.h5 (hypothetical and projected), .interpreted_regions.bed
  bpnet       PREFIX.HEAD.bpnet.h5 (hypothetical), (N, L, 4)
  bigwig      PREFIX.HEAD.bw (projected, added over letters), .bw.stats.tsv
  seqlets     PREFIX.HEAD.seqlets.bed: spans of large projected contributions, by p-values
  shap        PREFIX.HEAD.shap.npz: contributions of positions, for a shap.Explanation
  csv, parquet, json  PREFIX.HEAD.csv, .parquet, .jsonl: a row a sample and position
  variants    PREFIX.variants.tsv, .variants.vcf and .variant_contribs.h5, of a run of variants
  Score with --arrays hypothetical,inputs. A run of one head has no HEAD in its names.
  csv, jsonl, html  of texts, to one file: their tokens, words and sentences with scores"""

EXIT_CODES = """\
exit codes:
  0  done
  1  a check failed: `check`, `export --check`, `score --strict` whose contributions do not sum
  2  wrong usage
  3  the model cannot be read, or has something without an exact rule
  4  the inputs, the target, the references or the rules do not fit the model
  5  the result could not be written
  70  a fault of the program itself; please report it
  130  interrupted
  143  terminated (SIGTERM)"""


@functools.cache
def references() -> str:
    """One entry for each kind of references that the command line takes, and for files."""
    rows = [(kind.syntax, kind.summary) for kind in KINDS.values() if kind.arguments is not None]
    rows.append(("FILE", "One reference, one for each sample, or K for each."))
    rows.append(("TABLE", "Of inputs that are a table: all rows of a .csv, .tsv or .parquet file, "
                 "columns by name; it may be the FILE of the kinds above, too."))  # fmt: skip
    return "\n".join(
        [*(_row(form, text.replace("`", "")) for form, text in rows), REFERENCES_NOTES]
    )


def _row(form: str, text: str) -> str:
    start = f"  {form}".ljust(FORM_WIDTH) + " "
    if len(start) > FORM_WIDTH + 1:
        start = f"{start.rstrip()}  "
    indent = " " * (FORM_WIDTH + 1)
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=indent)


TOPICS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "targets": lambda: TARGETS,
        "references": references,
        "rules": lambda: RULES,
        "options of methods and metrics": lambda: OPTIONS,
        "formats of exports": lambda: EXPORTS,
    }
)


def epilog(topics: Sequence[str], examples: Sequence[str]) -> str:
    """The help below the options of a command."""
    sections = [f"{topic}:\n{TOPICS[topic]()}" for topic in topics]
    lines = "\n".join(f"  {PROGRAM} {example}" for example in examples)
    return "\n\n".join([*sections, f"examples:\n{lines}", EXIT_CODES])


__all__ = ["DESCRIPTION", "EXAMPLES", "TOPICS", "epilog"]
