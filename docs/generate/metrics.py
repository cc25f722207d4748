"""The page docs/METRICS.md: every metric of scores, its options, what it costs, where it is from.

    python -m docs.generate.metrics docs/METRICS.md

writes it from the table of metrics; a test fails where it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deeplift_engine.evaluate.metrics import METRICS
from deeplift_engine.evaluate.quantus_suite import CAUTIONS
from docs.generate.pages import table, write

COMMAND = "python -m docs.generate.metrics docs/METRICS.md"

INTRODUCTION = f"""# Metrics

Written by `{COMMAND}` from the table of metrics; do not edit
it by hand.

```python
found = deeplift_engine.compare(
    network,
    x,
    ["deeplift", ("integrated_gradients", {{"steps": 20}})],
    target=0,
    metrics=["completeness", ("sensitivity_n", {{"draws": 50}})],
)
print(found)
found.save("comparison.png")
```

`compare` scores the same samples by several methods and judges them by several metrics;
`deeplift-engine compare` does it on the command line. One at a time, and for scores of one's own:

```python
bench = evaluate.Bench(network, x, target=0, references=references.shuffle(20))
evaluate.deletion(bench.run("deeplift")).mean_curve
evaluate.deletion(bench.take(scores)).values
```

What a metric erases is replaced by the references, and is a single element, or what `groups` says
belongs together. Metrics of one number for each sample are averaged over samples and targets. A
method that the network refuses, or a metric that does not apply to a method's scores, is left out
with a warning. Tokens cannot move a little, and no path leads from one to another: with `layers`,
an embedding, what comes out of it is scored, erased and moved instead.

- **Better**: which way; neither where nothing is said.
- **Cost**: forward passes of one sample, for N samples with K references of each, beside the
  method's own; what does not depend on the scores is done once for all methods."""


QUANTUS = """## All metrics of Quantus

```python
found = evaluate.quantus.all(model, x, classes, method="integrated_gradients", masks=masks)
print(found)  # each metric's mean, or why it did not run
found["FaithfulnessCorrelation"].values
```

One call runs the metrics of its categories faithfulness, robustness, randomisation, complexity,
localisation (with `masks`) and axiomatic on the scores of one method (extra: `quantus`; tested
with 0.6.0). A metric that raises is a row with the reason; `settings={"MaxSensitivity":
{"nr_samples": 50}}` changes one. Set here, for all: scores are normalised within each sample,
where Quantus divides by the largest of the batch; what is erased becomes `baseline`, 0, where its
`"black"` is the sample's own minimum; predictions are those of the engine's network at the
target's layer, of the units that are scored, where its `softmax=True` makes a model of one output
constant; channels come first, as its comparisons have them. Curves and numbers that Quantus draws
are of numpy's global generator, which begins with `seed` for each metric. What remains to know of
0.6.0:"""


def page() -> str:
    """The whole page."""
    rows = [
        (
            f"`{metric.name}`",
            metric.summary,
            {"high": "higher", "low": "lower", "": ""}[metric.best],
            metric.passes,
            metric.source,
        )
        for metric in METRICS.values()
    ]
    options = [
        (f"`{metric.name}`", f"`{option.name}={option.default!r}`", option.text.replace("``", "`"))
        for metric in METRICS.values()
        for option in metric.options.values()
    ]
    parts = [
        INTRODUCTION,
        table(("metric", "what it is", "better", "cost", "source"), rows),
        "## Options",
        table(("of", "option", "what it is"), options),
        QUANTUS,
        table(("metric", "what to know"), [(f"`{k}`", text) for k, text in CAUTIONS.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file that is named."""
    return write(page(), COMMAND, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))


__all__ = ["main", "page"]
