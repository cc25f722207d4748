"""Saves a small model of every layer of `deeplift_engine.translate.addons`, and of some others.

Run from the repository's root by Python 3.11 with the packages of `PACKAGES`::

    python -m tests.translate.addons.make

writes ``saved/models.tar.xz`` (HDF5 and .keras files) and ``saved/truths.npz`` (``<model>/x`` and
``/y``) beside this file, and what the archive format of a package cannot save is left out.
"""

import io
import os
import pathlib
import sys
import tarfile
import tempfile

import numpy as np

PACKAGES = """
    tensorflow-cpu==2.15.1 numpy<2 tensorflow-addons==0.23.0 keras-tcn==3.5.0
    keras-self-attention==0.51.0 keras-multi-head==0.29.0 keras-pos-embd==0.13.0
    keras-position-wise-feed-forward==0.8.0 efficientnet==1.0.0 vit-keras==0.1.2 qkeras==0.9.0
    tensorflow-model-optimization==0.8.1 opencv-python-headless==4.9.0.80 pyparsing
"""
ACTIVATIONS = ["hardshrink", "lisht", "mish", "rrelu", "snake", "softshrink", "sparsemax"]
ACTIVATIONS += ["tanhshrink"]
SAVED = pathlib.Path(__file__).parent / "saved"


def builders(tf):
    """Name -> (input, function of it); the function of what is refused too."""
    import efficientnet.tfkeras
    import keras_multi_head
    import keras_pos_embd
    import keras_position_wise_feed_forward
    import keras_self_attention
    import qkeras
    import tensorflow_addons as tfa
    import tensorflow_model_optimization as tfmot
    import vit_keras.layers
    from tcn import TCN

    layers, addons = tf.keras.layers, tfa.layers

    def sequence():
        return tf.keras.Input((8, 4))

    def image():
        return tf.keras.Input((8, 6, 4))

    def vector():
        return tf.keras.Input((6,))

    def tokens():
        return tf.keras.Input((8,), dtype="int32")

    made = {}

    def plain(name, source, *created):
        for number, layer in enumerate(created):
            made[f"{name}-{number}" if number else name] = source, layer

    def masked(name, layer):
        made[f"{name}-masked"] = (
            tokens,
            lambda x: layer(layers.Embedding(6, 4, mask_zero=True)(x)),
        )

    blocks = {"nb_filters": 3, "kernel_size": 2, "dilations": (1, 2)}
    plain(
        "tcn",
        sequence,
        TCN(**blocks),
        TCN(**blocks, nb_stacks=2, return_sequences=True, use_batch_norm=True),
        TCN(nb_filters=4, kernel_size=3, dilations=(1, 2, 4), padding="same", use_layer_norm=True),
        TCN(**blocks, use_skip_connections=False, activation="tanh", padding="same"),
    )
    attention = keras_self_attention.SeqSelfAttention
    plain(
        "seq_self_attention",
        sequence,
        attention(units=3),
        attention(
            attention_type=attention.ATTENTION_TYPE_MUL,
            attention_activation="sigmoid",
            attention_width=3,
        ),
        attention(units=3, attention_width=4, history_only=True, use_additive_bias=False),
        attention(units=3, use_attention_bias=False, attention_activation="tanh"),
    )
    masked("seq_self_attention", attention(units=3))
    plain("seq_weighted_attention", sequence, keras_self_attention.SeqWeightedAttention())
    plain("seq_weighted_no_bias", sequence, keras_self_attention.SeqWeightedAttention(False))
    masked("seq_weighted_attention", keras_self_attention.SeqWeightedAttention())
    scaled = keras_self_attention.ScaledDotProductAttention
    plain("scaled_attention", sequence, scaled(), scaled(history_only=True))
    masked("scaled_attention", scaled())
    heads = keras_multi_head.MultiHeadAttention
    plain(
        "multi_head",
        sequence,
        heads(2),
        heads(4, activation=None, history_only=True),
        heads(2, use_bias=False, activation="tanh"),
    )
    masked("multi_head", heads(2))
    plain(
        "feed_forward",
        sequence,
        keras_position_wise_feed_forward.FeedForward(5, activation="relu"),
        keras_position_wise_feed_forward.FeedForward(5, use_bias=False),
    )
    position, sinusoids = keras_pos_embd.PositionEmbedding, keras_pos_embd.TrigPosEmbedding
    plain(
        "position",
        sequence,
        position(input_dim=9, output_dim=4, mode=position.MODE_ADD),
        position(input_dim=9, output_dim=3, mode=position.MODE_CONCAT),
    )
    plain(
        "sinusoids",
        sequence,
        sinusoids(mode=sinusoids.MODE_ADD),
        sinusoids(output_dim=6, mode=sinusoids.MODE_CONCAT),
    )
    plain(
        "fixed_dropout",
        image,
        efficientnet.model.get_dropout(
            backend=tf.keras.backend, layers=layers, models=tf.keras.models, utils=tf.keras.utils
        )(0.2, noise_shape=(None, 1, 1, 1)),
    )
    vit = vit_keras.layers
    made["vit"] = (
        sequence,
        lambda x: vit.TransformerBlock(num_heads=2, mlp_dim=5, dropout=0.1)(
            vit.AddPositionEmbs()(vit.ClassToken()(x))
        )[0],
    )
    plain("tfa_instance_norm", image, addons.InstanceNormalization())
    plain("tfa_group_norm", image, addons.GroupNormalization(2), addons.GroupNormalization(1))
    plain("tfa_filter_response", image, addons.FilterResponseNormalization())
    plain("tfa_maxout", vector, addons.Maxout(3))
    plain("tfa_maxout_image", image, addons.Maxout(2))
    plain("tfa_tlu", image, addons.TLU())
    plain("tfa_snake", vector, addons.Snake())
    plain("tfa_gelu", vector, addons.GELU(), addons.GELU(approximate=False))
    plain("tfa_sparsemax", vector, addons.Sparsemax())
    made["tfa_stochastic_depth"] = (
        image,
        lambda x: addons.StochasticDepth(0.7)([x, layers.Conv2D(4, 3, padding="same")(x)]),
    )
    plain("tfa_noisy", vector, addons.NoisyDense(3), addons.NoisyDense(4, activation="tanh"))
    for number, options in enumerate(
        ({}, {"projection_dim": 2, "diag_scale": 0.5}, {"use_bias": False})
    ):
        made[f"tfa_crossing-{number}"] = (
            vector,
            lambda x, options=options: addons.PolynomialCrossing(**options)(
                [x, layers.Dense(6, activation="tanh")(x)]
            ),
        )
    made["tfa_multi_head"] = sequence, lambda x: addons.MultiHeadAttention(3, 2)([x, x])
    made["tfa_multi_head-1"] = (
        sequence,
        lambda x: addons.MultiHeadAttention(3, 2, output_size=5, use_projection_bias=False)(
            [x, layers.Dense(4)(x), layers.Dense(4)(x)]
        ),
    )
    plain(
        "tfa_weight_norm",
        vector,
        addons.WeightNormalization(layers.Dense(4, activation="relu")),
    )
    plain("tfa_weight_norm_conv", sequence, addons.WeightNormalization(layers.Conv1D(4, 3)))
    plain("tfa_spectral_norm", sequence, addons.SpectralNormalization(layers.Conv1D(4, 3)))
    for name in ACTIVATIONS:
        plain(
            f"tfa_activation_{name}",
            vector,
            layers.Dense(5, activation=getattr(tfa.activations, name)),
            layers.Activation(f"Addons>{name}"),
        )
    plain(
        "pruned",
        vector,
        tfmot.sparsity.keras.prune_low_magnitude(layers.Dense(4, activation="relu")),
    )
    plain("refused_crf", sequence, lambda x: addons.CRF(3)(x)[1])
    plain("refused_esn", sequence, addons.ESN(3))
    plain("refused_peephole", sequence, layers.RNN(tfa.rnn.PeepholeLSTMCell(3)))
    plain("refused_poincare", vector, addons.PoincareNormalize())
    plain("refused_pyramid", image, addons.SpatialPyramidPooling2D([1, 2]))
    plain("refused_multi_head", sequence, keras_multi_head.MultiHead(layers.LSTM(3), layer_num=2))
    plain("refused_qdense", vector, qkeras.QDense(3, kernel_quantizer="quantized_bits(4,0,1)"))
    return made


def save(model, path):
    """Save a model in both formats, without those that cannot hold it."""
    for kind in ("h5", "keras"):
        file = path.with_name(f"{path.name}.{kind}")
        try:
            model.save(file)
        except Exception as error:
            sys.stderr.write(f"{file.name} is left out: {error}\n")
            file.unlink(missing_ok=True)


def pack(folder, path):
    """Write all files of a folder into an archive."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for member in sorted(pathlib.Path(folder).iterdir()):
            entry = tarfile.TarInfo(member.name)
            entry.size = member.stat().st_size
            archive.addfile(entry, io.BytesIO(member.read_bytes()))


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    truths, generator = {}, np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, layer) in builders(tf).items():
            tf.keras.backend.clear_session()
            x = source()
            y = layer(x)
            y = tf.keras.layers.Flatten()(y) if len(y.shape) > 2 else y
            if "crf" not in name:
                y = tf.keras.layers.Dense(2)(y)
            model = tf.keras.Model(x, y)
            for weight in model.weights:
                if "float" in weight.dtype.name and len(weight.shape) and "mask" not in weight.name:
                    low = 0.5 if "variance" in weight.name else -0.9
                    weight.assign(generator.uniform(low, 1.2, weight.shape))
            shape = (3, *x.shape[1:])
            data = (
                generator.integers(0, 6, shape)
                if x.dtype == tf.int32
                else generator.normal(size=shape)
            )
            data = data.astype(x.dtype.as_numpy_dtype)
            truths[f"{name}/x"], truths[f"{name}/y"] = data, np.asarray(model(data, training=False))
            save(model, pathlib.Path(folder, name))
        pack(folder, SAVED / "models.tar.xz")
    np.savez_compressed(SAVED / "truths.npz", **truths)


if __name__ == "__main__":
    main()
