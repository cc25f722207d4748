"""Saves small models of the layers of keras-hub, and of keras-nlp, which was its name.

Run from the repository's root by Python 3.11, once with the packages of each of `PACKAGES`::

    python -m tests.translate.addons.make_hub keras_hub
    python -m tests.translate.addons.make_hub keras_nlp

writes ``saved/<package>.tar.xz`` (HDF5 and .keras files) and ``saved/<package>.npz``
(``<model>/x`` and ``/y``) beside this file. What a format cannot save is left out.
"""

import importlib
import os
import pathlib
import sys
import tempfile

import numpy as np

from tests.translate.addons.make import SAVED, pack, save

PACKAGES = {
    "keras_hub": "keras-hub==0.32.0 tensorflow-cpu==2.21.0",
    "keras_nlp": "keras-nlp==0.6.4 tensorflow-cpu==2.15.1 numpy<2",
}
STEPS, FEATURES, WORDS = 6, 4, 7


def builders(tf, package):
    """Name -> (input, function of it); the function of what is refused too."""
    keras, own = tf.keras, package.layers
    layers = keras.layers

    def sequence():
        return keras.Input((STEPS, FEATURES))

    def tokens():
        return keras.Input((STEPS,), dtype="int32")

    def masked(x):
        return layers.Embedding(WORDS, FEATURES, mask_zero=True)(x)

    def plus(layer):
        return lambda x: x + layer(x)

    def decoded(**options):
        return lambda x: own.TransformerDecoder(5, 2, **options)(
            x, layers.Dense(FEATURES, activation="tanh")(x)
        )

    made = {
        "encoder": (sequence, own.TransformerEncoder(5, 2)),
        "encoder_first": (
            sequence,
            own.TransformerEncoder(
                5, 2, activation="gelu", dropout=0.1, normalize_first=True, layer_norm_epsilon=1e-3
            ),
        ),
        "encoder_masked": (tokens, lambda x: own.TransformerEncoder(5, 2)(masked(x))),
        "encoder_masked_dropout": (
            tokens,
            lambda x: own.TransformerEncoder(5, 1, dropout=0.1)(masked(x)),
        ),
        "decoder": (sequence, own.TransformerDecoder(5, 2)),
        "decoder_first": (sequence, own.TransformerDecoder(5, 2, normalize_first=True)),
        "decoder_masked": (tokens, lambda x: own.TransformerDecoder(5, 2)(masked(x))),
        "decoder_cross": (sequence, decoded()),
        "decoder_cross_first": (sequence, decoded(normalize_first=True, activation="gelu")),
        "tokens": (tokens, own.TokenAndPositionEmbedding(WORDS, STEPS, FEATURES)),
        "tokens_masked": (
            tokens,
            lambda x: layers.GlobalAveragePooling1D()(
                own.TokenAndPositionEmbedding(WORDS, STEPS + 2, FEATURES, mask_zero=True)(x)
            ),
        ),
        "classifier": (
            tokens,
            lambda x: layers.GlobalAveragePooling1D()(
                own.TransformerEncoder(5, 2)(
                    own.TokenAndPositionEmbedding(WORDS, STEPS, FEATURES, mask_zero=True)(x)
                )
            ),
        ),
        "positions": (sequence, plus(own.PositionEmbedding(STEPS + 1))),
        "sines": (sequence, plus(own.SinePositionEncoding())),
        "sines_short": (sequence, plus(own.SinePositionEncoding(max_wavelength=50))),
        "fnet": (sequence, own.FNetEncoder(5, dropout=0.1)),
        "attention": (sequence, lambda x: own.CachedMultiHeadAttention(2, 3)(x, x)),
        "refused_masked_head": (
            tokens,
            lambda x: own.MaskedLMHead(vocabulary_size=WORDS)(
                masked(x), mask_positions=x[:, :2] // 2
            ),
        ),
    }
    if hasattr(own, "ReversibleEmbedding"):
        made["reversible"] = tokens, own.ReversibleEmbedding(WORDS, FEATURES)

        def there_and_back(x, **options):
            table = own.ReversibleEmbedding(WORDS, FEATURES, **options)
            return table(layers.Dense(FEATURES, activation="tanh")(table(x)), reverse=True)

        made["reversible_back"] = tokens, there_and_back
        made["reversible_untied"] = tokens, lambda x: there_and_back(x, tie_weights=False)
    if hasattr(own, "RotaryEmbedding"):
        made["rotary"] = sequence, own.RotaryEmbedding()
        made["rotary_heads"] = (
            sequence,
            lambda x: own.RotaryEmbedding(max_wavelength=100, scaling_factor=2.0)(
                layers.Reshape((STEPS, 2, FEATURES))(layers.Dense(2 * FEATURES)(x))
            ),
        )
    if hasattr(own, "AlibiBias"):
        made["alibi"] = (
            sequence,
            lambda x: own.AlibiBias()(
                layers.Permute((3, 1, 2))(layers.Reshape((STEPS, STEPS, 3))(layers.Dense(18)(x)))
            ),
        )
    return made


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    name_of_package = sys.argv[1]
    package = importlib.import_module(name_of_package)
    truths, generator = {}, np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, layer) in builders(tf, package).items():
            tf.keras.backend.clear_session()
            x = source()
            y = layer(x)
            y = tf.keras.layers.Flatten()(y) if len(y.shape) > 2 else y
            model = tf.keras.Model(x, tf.keras.layers.Dense(2)(y))
            for weight in model.weights:
                weight.assign(generator.uniform(-0.9, 1.2, weight.shape))
            shape = (3, *x.shape[1:])
            data = (
                generator.integers(0, WORDS, shape).astype("int32")
                if "int" in str(x.dtype)
                else generator.normal(size=shape).astype("float32")
            )
            truths[f"{name}/x"], truths[f"{name}/y"] = data, np.asarray(model(data, training=False))
            save(model, pathlib.Path(folder, name))
        pack(folder, SAVED / f"{name_of_package}.tar.xz")
    np.savez_compressed(SAVED / f"{name_of_package}.npz", **truths)


if __name__ == "__main__":
    main()
