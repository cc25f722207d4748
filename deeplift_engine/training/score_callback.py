"""A Keras callback that scores chosen samples while a model trains, and writes their pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.images.image_drawing import draw as draw_images
from deeplift_engine.images.image_input import ImageInput
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.tables.feature_scores import scores
from deeplift_engine.tables.signal_drawing import draw_signal
from deeplift_engine.tables.signal_input import SignalInput
from deeplift_engine.tables.table_input import Table
from deeplift_engine.training.refilled_explainer import RefilledExplainer
from deeplift_engine.util import storage, tables

TAG = "contributions"
"""Of the pictures, in TensorBoard and in the names of files."""
_PLUGIN = "images"


class ScoreCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Score chosen samples at the ends of epochs, under the weights of that moment.

    The model is compiled for the method at the first of these epochs, and at later ones its
    weights are put into what is compiled (`RefilledExplainer`).

    Parameters
    ----------
    x
        The samples: what `deeplift_engine.images.read`, `tables.read` or `tables.read_signals`
        gave, or arrays as `Explainer.run` takes them.
    method, target, options
        As for `Network.explainer`.
    references
        As for `Explainer.run`.
    folder
        Where pictures are written, ``contributions_0001.png`` after the first epoch. Files that
        are there are replaced.
    log_dir
        A folder of TensorBoard's logs to which pictures are written too.
    every
        Of how many epochs one is scored.
    draw
        The figure of a result, a function of `Attribution`; by default of pictures their heat
        maps, of tables a swarm, of signals the traces of the first.

    Attributes
    ----------
    result
        The last `Attribution`; None before the first.

    Raises
    ------
    InputError
        If pictures are to be written and nothing says how arrays are drawn, or ``every`` is no
        whole number of 1 or more.
    OutputError
        If the folder is a file.
    """

    def __init__(
        self,
        x: Any,
        *,
        method: str = "deeplift",
        target: Any = "logits",
        references: Any = None,
        folder: str | os.PathLike[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        every: int = 1,
        draw: Callable[[Attribution], Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"every={every!r}: give a whole number of 1 or more.")
        self.result: Attribution | None = None
        self._x = x.inputs if isinstance(x, Table) else x
        self._draw = draw or _drawing_of(x)
        self._folder = None if folder is None else Path(folder)
        self._log_dir = None if log_dir is None else os.fspath(log_dir)
        if self._draw is None and (folder is not None or log_dir is not None):
            raise InputError(
                "arrays have no figure of their own: say draw=, a function of the result that "
                "gives one, or hand in what de.images.read, de.tables.read or read_signals gave."
            )
        if self._folder is not None and self._folder.exists() and not self._folder.is_dir():
            raise OutputError(f"{self._folder} is a file; name a folder for the pictures.")
        self._references, self._every = references, every
        self._method = {"method": method, "target": target, **options}
        self._explainer: RefilledExplainer | None = None
        self._writer: Any = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Score, and write the picture."""
        if (epoch + 1) % self._every:
            return
        if self._explainer is None:
            self._explainer = RefilledExplainer(self.model, **self._method)
        run = {} if self._references is None else {"references": self._references}
        self.result = self._explainer.run(self._x, progress=False, **run)
        if self._draw is None:
            return
        picture = tables.to_picture(self._draw(self.result), ".png")
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{TAG}_{epoch + 1:04d}.png"
            storage.write_bytes(path, picture, overwrite=True)
        if self._log_dir is not None:
            self._log(picture, epoch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        """Close TensorBoard's log."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _log(self, picture: bytes, step: int) -> None:
        """Write a picture to a log of its own, as TensorBoard's images are kept: encoded."""
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self._log_dir)
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = _PLUGIN
        height, width = tf.io.decode_png(picture).shape[:2]
        with self._writer.as_default():
            sizes = [str(width).encode(), str(height).encode()]
            tf.summary.write(TAG, tf.constant([*sizes, picture]), step=step, metadata=metadata)
            self._writer.flush()


def _drawing_of(x: Any) -> Callable[[Attribution], Any] | None:
    """The figure of results on what a front end read; None of arrays."""
    if isinstance(x, ImageInput):
        return lambda result: draw_images(result, x)
    if isinstance(x, SignalInput):
        return lambda result: draw_signal(result, x)
    if isinstance(x, Table):
        return lambda result: scores(result, x).summed().draw_beeswarm()
    return None


__all__ = ["ScoreCallback"]
