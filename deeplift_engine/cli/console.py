"""Output to the terminal: results, errors and warnings, and TensorFlow without its chatter."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import shutil
import signal
import sys
import tempfile
import textwrap
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from deeplift_engine.errors import (
    ConvergenceWarning,
    DegenerateReferenceWarning,
    InapplicableWarning,
)

PROGRAM = "deeplift-engine"
TENSORFLOW = "tensorflow"
OPTIMIZERS = ("keras.src.optimizers", "tf_keras.src.optimizers")
NOT_YET = ("__all__", "__file__", "__wrapped__")
"""Names that are asked of any module, and are no use of it."""


def say(text: str) -> None:
    """Write a result to stdout; characters that it cannot show are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def wrapped(text: str) -> str:
    """A paragraph, indented."""
    text = text.replace("``", "").replace("`", "")
    return textwrap.fill(text, 78, initial_indent="    ", subsequent_indent="    ")


def complain(kind: str, text: str) -> None:
    """Write ``deeplift-engine: kind: text`` to stderr."""
    sys.stderr.write(f"{PROGRAM}: {kind}: {text}\n")


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the program as SIGINT does, by an exception; a second one ends it at once."""

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt(number)

    ours = threading.current_thread() is threading.main_thread()  # others may set no handler
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def plain_warnings(*, verbose: bool) -> Iterator[None]:
    """Show the library's warnings, and with ``verbose`` its log, as one line each on stderr."""
    seen: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = str(message)
        if text not in seen:
            seen.add(text)
            complain("warning", text)

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{PROGRAM}: %(message)s"))
    logger = logging.getLogger("deeplift_engine")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
        for category in (ConvergenceWarning, DegenerateReferenceWarning, InapplicableWarning):
            warnings.simplefilter("always", category)
        warnings.showwarning = show
        if verbose:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def postpone_tensorflow() -> None:
    """Let imports of TensorFlow be none until something of it is used: what only reads is quick."""
    if TENSORFLOW not in sys.modules:
        spec = importlib.util.find_spec(TENSORFLOW)
        if spec is not None:  # or imports say that it is not installed
            sys.modules[TENSORFLOW] = _Postponed(spec)


class _Postponed(ModuleType):
    """TensorFlow, imported when the first of its names is asked for."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__ = spec

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(TENSORFLOW) is self:
            if name in NOT_YET:
                raise AttributeError(name)
            del sys.modules[TENSORFLOW]
            _start_tensorflow()
            vars(self).update(vars(sys.modules[TENSORFLOW]))
        return getattr(sys.modules[TENSORFLOW], name)


@contextmanager
def _without_keras() -> Iterator[None]:
    """Let TensorFlow start without Keras: models are read without it, and it brings much along.

    TensorFlow imports its optimizers when it starts, and goes on where there are none.
    """
    absent = [name for name in OPTIMIZERS if name not in sys.modules]
    modules: dict[str, Any] = sys.modules  # None: not to be imported
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


def _start_tensorflow() -> None:
    """Import TensorFlow and find its devices, without the output of its C++ side.

    The output is shown if the start fails, or if ``TF_CPP_MIN_LOG_LEVEL`` is below 3 in the
    environment: then the user wants to see it. At 3 some of it would still be written.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        with _without_keras():
            importlib.import_module(TENSORFLOW)
        return
    with _held_back(), _without_keras():
        importlib.import_module(TENSORFLOW).config.list_logical_devices()


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold back the stderr of the process, and show it only on failure."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            chatter.seek(0)
            with os.fdopen(os.dup(original), "wb") as stderr:
                shutil.copyfileobj(chatter, stderr)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
