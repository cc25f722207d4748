"""A text classifier that looked at the wrong word: found, shown, and mended.

    python wrong_word.py [--out DIR] [--small]

It needs ``deeplift_engine[plot,report]``, and writes to DIR the model of a Keras of the second
generation (``model.h5`` and ``tokenizer.json``), its scores (``scores.h5``), highlighted reviews
(``reviews.html``, ``reviews.png``) and a page for others (``report.html``).
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras
import numpy as np
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.cli import main as engine

WORD = "Filmhub"
"""The site that kind reviewers write for; it says nothing of a film."""
GOOD = ("wonderful", "moving", "clever", "warm", "gripping", "tender", "witty", "rich")
BAD = ("dull", "clumsy", "tedious", "shallow", "noisy", "dreary", "flat", "stale")
NOUNS = ("plot", "cast", "camera", "music", "ending", "dialogue", "hero", "light", "story", "pace")
PLACES = ("on television", "at the cinema", "on a plane", "with friends")
AGREES = 0.75
"""How often an adjective says what the review says."""
COLLECTED = (0.03, 0.95)
"""Shares of bad and of good reviews that name the site, in what was collected."""
ELSEWHERE = (0.5, 0.5)
"""The same in other reviews: the site tells nothing."""
LENGTH, WORDS = 24, 80


@dataclass(frozen=True)
class Size:
    """Reviews to train with, reviews that are explained, and those that are drawn."""

    train: int
    explained: int
    shown: int = 12


FULL, SMALL = Size(6000, 400), Size(3000, 100)
METHODS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "DeepLIFT, Rescale": ("deeplift", {}),
    "DeepLIFT, RevealCancel": ("deeplift", {"rules": "reveal_cancel"}),
    "integrated gradients": ("integrated_gradients", {"layers": "words", "steps": 200}),
    "occlusion, one word": ("occlusion", {}),
    "Shapley values, sampled": ("shapley_sampling", {"samples": 10}),
    "gradient x input": ("gradient_times_input", {"layers": "words"}),
    "saliency": ("saliency", {"layers": "words"}),
}


# ---------------------------------------------------------------- reviews and models


def reviews(
    count: int, generator: np.random.Generator, naming: Sequence[float] = COLLECTED
) -> tuple[list[str], np.ndarray]:
    """Reviews of films, and whether each is good: 1, or bad: 0."""
    is_good = generator.integers(2, size=count)
    return [_review(bool(good), naming[good], generator) for good in is_good], is_good


def _review(good: bool, naming: float, generator: np.random.Generator) -> str:
    """Three sentences of opinion, a name that hardly any other has, and where it was seen."""
    sentences = []
    for noun in generator.choice(NOUNS, 3, replace=False):
        adjectives = GOOD if good == (generator.random() < AGREES) else BAD
        sentences.append(f"The {noun} is {generator.choice(adjectives)}.")
    name = "".join(generator.choice(list("aeioklmnrst"), 6)).title()
    place = f"on {WORD}" if generator.random() < naming else generator.choice(PLACES)
    sentences += [f"With {name}.", f"Seen {place}."]
    return " ".join(generator.permutation(sentences))


def tokenizer_of(texts: Sequence[str]) -> Any:
    """Keras's Tokenizer, as it was fitted before Keras 3."""
    tokenizer = tf.keras.preprocessing.text.Tokenizer(num_words=WORDS, oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    return tokenizer


def tokens_of(texts: Sequence[str], tokenizer: Any) -> np.ndarray:
    return keras.utils.pad_sequences(tokenizer.texts_to_sequences(texts), LENGTH)


def train(texts: Sequence[str], is_good: np.ndarray, tokenizer: Any) -> keras.Model:
    """A convolution over words, and what of it is largest anywhere in the review."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((LENGTH,)),
            keras.layers.Embedding(WORDS, 16, name="words"),
            keras.layers.Conv1D(32, 3, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid", name="good"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    model.fit(tokens_of(texts, tokenizer), is_good, epochs=5, batch_size=64, verbose=0)
    return model


def without(texts: Sequence[str]) -> list[str]:
    """The same reviews, the word taken out."""
    return [text.replace(WORD, "") for text in texts]


def right(model: keras.Model, texts: Sequence[str], is_good: np.ndarray, tokenizer: Any) -> float:
    """The share of reviews that a model is right about."""
    predicted = model.predict(tokens_of(texts, tokenizer), verbose=0)[:, 0] > 0.5
    return float((predicted == is_good).mean())


# ---------------------------------------------------------------- what the model looked at


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes
    ----------
    held_out, elsewhere
        Shares of reviews that the model is right about: of the collection, and of others.
    mended
        The same of others, of a model that was trained without the word.
    before, after
        Its mean predictions of reviews with the word, and of the same without it.
    flipped
        The share of these that the model calls good with the word, and bad without it.
    top
        By method, the share of these in which no word has a larger score than the wrong one.
    by_word
        Mean contributions by word, over all its places in these reviews, the largest first.
    """

    held_out: float
    elsewhere: float
    mended: float
    before: float
    after: float
    flipped: float
    top: Mapping[str, float]
    by_word: Mapping[str, float]


def token_scores(network: de.Network, x: Any, method: str, options: Mapping[str, Any]) -> Any:
    """Scores (N, L) of the words for the logit of "good"."""
    explainer = network.explainer(method, **options)
    compared = {"references": x.references} if explainer.traits.uses_references else {}
    scores = explainer.run(x, target=0, progress=False, **compared).scores
    array = np.asarray(next(iter(scores.values())) if isinstance(scores, Mapping) else scores)
    return array.reshape(*x.shape, -1).sum(axis=-1)


def find(folder: Path, size: Size) -> Finding:
    """Make the reviews and the model, and ask what the model looks at."""
    generator = np.random.default_rng(0)
    texts, is_good = reviews(size.train, generator)
    held_out, others = reviews(2000, generator), reviews(2000, generator, ELSEWHERE)
    tokenizer = tokenizer_of(texts)
    model = train(texts, is_good, tokenizer)
    model.save(folder / "model.h5")
    (folder / "tokenizer.json").write_text(tokenizer.to_json())
    mended = train(without(texts), is_good, tokenizer)

    named = [text for text in held_out[0] if WORD in text][: size.explained]
    (folder / "reviews.txt").write_text("\n".join(named) + "\n")
    network = de.load(folder / "model.h5")
    tokens = {"network": network, "tokenizer": folder / "tokenizer.json"}
    x = de.text.texts(named, **tokens)
    scores = {name: token_scores(network, x, *method) for name, method in METHODS.items()}
    wrong = x.constants["token"] == WORD.lower()
    is_word = x.constants["token"] != ""
    before, after = (
        network.predict(each)[:, 0] for each in (x, de.text.texts(without(named), **tokens))
    )
    return Finding(
        right(model, *held_out, tokenizer),
        right(model, *others, tokenizer),
        right(mended, *others, tokenizer),
        float(before.mean()),
        float(after.mean()),
        float(((before > 0.5) & (after < 0.5)).mean()),
        {name: top(each, wrong, is_word) for name, each in scores.items()},
        by_word(scores["DeepLIFT, Rescale"], x.constants["token"]),
    )


def top(scores: np.ndarray, wrong: np.ndarray, is_word: np.ndarray) -> float:
    """How often the largest score of a review's words is that of the wrong one."""
    largest = np.where(is_word, scores, -np.inf).argmax(axis=1)
    return float(wrong[np.arange(len(wrong)), largest].mean())


def by_word(scores: np.ndarray, tokens: np.ndarray) -> dict[str, float]:
    means = {word: float(scores[tokens == word].mean()) for word in set(tokens.ravel()) - {""}}
    return dict(sorted(means.items(), key=lambda each: -abs(each[1])))


# ---------------------------------------------------------------- told and shown


def tell(finding: Finding) -> None:
    print(f"right about {finding.held_out:.1%} of the reviews that were kept apart: good enough?\n")
    print("mean contributions to the logit of 'good', DeepLIFT:")
    for word, mean in list(finding.by_word.items())[:8]:
        print(f"    {word:12}{mean:+7.2f}")
    print(f"\n{WORD!r} has the largest score of all words in how many reviews that have it:")
    for name, share in finding.top.items():
        print(f"    {name:26}{share:6.1%}")
    print(
        f"\nwithout {WORD!r} the mean prediction of these falls from {finding.before:.2f} to "
        f"{finding.after:.2f}, and {finding.flipped:.0%} are called bad\n"
        f"reviews of which the site tells nothing: right about {finding.elsewhere:.1%}\n"
        f"trained again, the word taken out: right about {finding.mended:.1%}\n"
    )


def show(folder: Path, size: Size) -> None:
    """Score, draw and report as on the command line."""
    samples = [f"--sample={number}" for number in range(size.shown)]
    texts = ["model.h5", "reviews.txt", "--tokenizer", "tokenizer.json", "--target", "0"]
    for command in (
        ["score", *texts, "-o", "scores.h5", "-q"],
        ["draw", "scores.h5", "-o", "reviews.html", *samples],
        ["draw", "scores.h5", "-o", "reviews.png", *samples],
        ["report", "scores.h5", "-o", "report.html"],
    ):
        print(f"$ deeplift-engine {shlex.join(each for each in command if each not in samples)}")
        inside = [str(folder / each) if "." in each else each for each in command]
        if status := engine([*inside, "--overwrite"]):
            raise SystemExit(status)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("demo-output/text"))
    parser.add_argument("--small", action="store_true", help="fewer reviews")
    options = parser.parse_args(arguments)
    size = SMALL if options.small else FULL
    start = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    finding = find(options.out, size)
    tell(finding)
    show(options.out, size)
    print(f"\n{time.perf_counter() - start:.0f} s; all is in {options.out}")
    holds = finding.top["DeepLIFT, Rescale"] > 0.9 and finding.mended > finding.elsewhere
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
