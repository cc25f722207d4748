"""Any method on many noisy copies of the input: SmoothGrad, SquareGrad, VarGrad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import blocks
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.samples import Samples, samples_of
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.draws import normal, streams
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.paths import without_tokens
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.options import Among, Count, Integer, NotNegative, Seed, checked
from deeplift_engine.util.typing import Array

STATISTICS = ("mean", "square", "variance")


class Noisy(Explainer):
    """A method's scores on noisy copies of the input: their mean, mean square or variance.

    The noise is normal, and so much of each input's range, largest minus smallest value of the
    sample. With ``layers`` it is added to what comes out of them.

    Parameters
    ----------
    statistic
        ``"mean"``, ``"square"`` or ``"variance"``.
    of
        The name of the method.
    of_options
        Its options.
    samples
        How many noisy copies each sample has.
    noise
        Standard deviation of the noise, as a share of the input's range.
    seed
        Of the noise; a sample's depends on it and on the sample alone.
    """

    traits = Traits(attributes_layer_outputs=True, holds_masks=True)

    def __init__(
        self,
        task: Task,
        *,
        statistic: Annotated[str, Among(STATISTICS)] = "mean",
        of: str = "gradient",
        of_options: Mapping[str, Any] | None = None,
        samples: Count = 50,
        noise: NotNegative = 0.1,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task)
        without_tokens(self.task)
        self.samples = checked("samples", samples, Integer(2 if statistic == "variance" else 1))
        self.statistic, self.noise, self.seed = statistic, noise, seed
        self.inner = task.create_method(of, self.task, of_options or {})
        if self.inner.traits.depends_on_batch:
            raise RuleError(
                f"Scores of {of!r} depend on which samples are scored together, and noisy copies "
                "are no set: give another method as of=."
            )
        if not self.inner.traits.accepts_noise:
            raise RuleError(
                f"{of!r} mutates letters, and with noise on them there are none: give another "
                "method as of=."
            )
        self.traits = replace(
            self.inner.traits, attributes_layer_outputs=True, has_reference_errors=False
        )

    def attribute(self, request: Request) -> MethodResult:
        """The statistic of the scores; of means, their standard errors."""
        leading = (len(request.weights), request.samples)
        means: list[RunningMean] = []
        most = request.batch_size or self.task.pairs
        for samples in samples_of(request, blocks(request, self.samples, most)):
            inner, block = self.inner.attribute(self._noisy(samples)), samples.block
            means = means or [RunningMean(leading) for _ in inner.scores]
            for values, mean in zip(inner.scores, means, strict=True):
                drawn = values.reshape(leading[0], *block.shape, *values.shape[2:])
                if self.statistic == "square":
                    drawn = np.square(drawn)
                mean.add((slice(None), block.rows), drawn)
        layers = self.inner.origin.settings.get("layers")
        result = MethodResult(
            [mean.mean for mean in means],
            per_reference=inner.per_reference,
            points=inner.points,
            settings={"layers": inner.settings.get("layers", layers)},
        )
        if self.statistic == "variance":
            return replace(result, scores=[mean.variance for mean in means])
        errors = [mean.standard_error for mean in means] if self.samples > 1 else None
        return replace(result, standard_errors=errors)

    def _noisy(self, samples: Samples) -> Request:
        """The request for noisy copies of some samples; each copy has its sample's references."""
        request, block = samples.request, samples.block
        starts = streams(request, block, self.seed)
        columns = block.shape[1]
        noise = normal(starts, [array.shape[1:] for array in request.data])
        data = []
        for info, rows, drawn in zip(request.inputs, samples.data, noise, strict=True):
            axes = tuple(range(1, rows.ndim))
            share = 0.0 if info.held else self.noise
            width = share * (rows.max(axes, keepdims=True) - rows.min(axes, keepdims=True))
            copies = rows[:, np.newaxis] + width[:, np.newaxis] * drawn
            data.append(copies.reshape(-1, *rows.shape[1:]).astype(rows.dtype))
        references = [
            reference
            if reference.shared
            else References(reference.name, request.count, False, _of_copies(array, columns))
            for reference, array in zip(request.references, samples.references, strict=True)
        ]
        return request.replace(
            data=data,
            references=references,
            weights=repeated(samples.weights, columns),
            batch_size=request.batch_size if self.inner.traits.uses_references else len(data[0]),
            numbers=np.repeat(np.arange(block.rows.start, block.rows.stop), columns),
            whole=None,
            content=[starts.reshape(-1)],
            progress=False,
        )


def _of_copies(own: Array, columns: int) -> Any:
    """As `References.make`, of samples (n, K, *S) that have ``columns`` copies each."""

    def make(inputs: Array, indices: Array) -> Array:
        return np.asarray(own[indices // columns])

    return make


METHODS = (
    Method(
        "smoothgrad",
        "gradient",
        Noisy,
        "The mean of a method's scores on noisy copies of the input.",
        "Smilkov 2017, arXiv:1706.03825",
        "samples·P; P of the method",
        fixed={"statistic": "mean"},
    ),
    Method(
        "squaregrad",
        "gradient",
        Noisy,
        "The mean square of a method's scores on noisy copies of the input.",
        "Hooker 2019, arXiv:1806.10758",
        "samples·P; P of the method",
        fixed={"statistic": "square"},
        aliases=("smoothgrad_squared",),
    ),
    Method(
        "vargrad",
        "gradient",
        Noisy,
        "The variance of a method's scores over noisy copies of the input.",
        "Adebayo 2018, arXiv:1810.03292",
        "samples·P; P of the method",
        fixed={"statistic": "variance"},
    ),
)
