"""Every known layer's options under Keras 3's names, with the defaults of its era."""

from __future__ import annotations

from typing import Any

_CONV = {
    "filters": None,
    "kernel_size": None,
    "strides": 1,
    "padding": "valid",
    "data_format": "channels_last",
    "dilation_rate": 1,
    "groups": 1,
    "activation": "linear",
    "use_bias": True,
}
_DEPTHWISE = {key: value for key, value in _CONV.items() if key not in ("filters", "groups")} | {
    "depth_multiplier": 1
}
_SEPARABLE = {key: value for key, value in _CONV.items() if key != "groups"} | {
    "depth_multiplier": 1
}
_TRANSPOSED = {key: value for key, value in _CONV.items() if key != "groups"} | {
    "output_padding": None
}
_LOCAL = {key: value for key, value in _CONV.items() if key not in ("groups", "dilation_rate")} | {
    "implementation": 1
}
_POOL = {
    "pool_size": 2,
    "strides": None,
    "padding": "valid",
    "data_format": "channels_last",
}
_GLOBAL_POOL = {"data_format": "channels_last", "keepdims": False}
_ADAPTIVE_POOL = {"output_size": None, "data_format": "channels_last"}
_RNN_LAYER = {
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "zero_output_for_mask": False,
}
_SIMPLE_CELL = {"units": None, "activation": "tanh", "use_bias": True}
_GATED_CELL = _SIMPLE_CELL | {"recurrent_activation": "sigmoid"}
_GRU_CELL = _GATED_CELL | {"reset_after": True}
_CONV_LSTM = (
    {key: value for key, value in _CONV.items() if key != "groups"}
    | _RNN_LAYER
    | {"activation": "tanh", "recurrent_activation": "sigmoid"}
)
_DATA_FORMAT = {"data_format": "channels_last"}
_ATTENTION = {
    "num_heads": None,
    "key_dim": None,
    "value_dim": None,
    "use_bias": True,
    "output_shape": None,
    "attention_axes": None,
    "dropout": 0.0,
    "use_gate": False,
    "sliding_window": None,
}

OPTIONS: dict[str, dict[str, Any]] = {
    "InputLayer": {"batch_shape": None},
    "Dense": {"units": None, "activation": "linear", "use_bias": True},
    "EinsumDense": {
        "equation": None,
        "output_shape": None,
        "activation": "linear",
        "bias_axes": None,
    },
    "Activation": {"activation": "linear"},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "LeakyReLU": {"negative_slope": 0.3},
    "PReLU": {"shared_axes": None},
    "ELU": {"alpha": 1.0},
    "ThresholdedReLU": {"theta": 1.0},
    "Softmax": {"axis": -1},
    "Conv1D": _CONV,
    "Conv2D": _CONV,
    "Conv3D": _CONV,
    "DepthwiseConv1D": _DEPTHWISE,
    "DepthwiseConv2D": _DEPTHWISE,
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "Conv1DTranspose": _TRANSPOSED,
    "Conv2DTranspose": _TRANSPOSED,
    "Conv3DTranspose": _TRANSPOSED,
    "LocallyConnected1D": _LOCAL,
    "LocallyConnected2D": _LOCAL,
    "MaxPooling1D": _POOL,
    "MaxPooling2D": _POOL,
    "MaxPooling3D": _POOL,
    "AveragePooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "AveragePooling3D": _POOL,
    "GlobalMaxPooling1D": _GLOBAL_POOL,
    "GlobalMaxPooling2D": _GLOBAL_POOL,
    "GlobalMaxPooling3D": _GLOBAL_POOL,
    "GlobalAveragePooling1D": _GLOBAL_POOL,
    "GlobalAveragePooling2D": _GLOBAL_POOL,
    "GlobalAveragePooling3D": _GLOBAL_POOL,
    **{
        f"Adaptive{kind}Pooling{rank}D": _ADAPTIVE_POOL
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    },
    "BatchNormalization": {
        "axis": -1,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
        "momentum": 0.99,
    },
    "LayerNormalization": {
        "axis": -1,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
        "rms_scaling": False,
    },
    "GroupNormalization": {
        "groups": 32,
        "axis": -1,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
    },
    "RMSNormalization": {"axis": -1, "epsilon": 1e-6},
    "UnitNormalization": {"axis": -1},
    "Normalization": {"axis": -1, "mean": None, "variance": None, "invert": False},
    "Rescaling": {"scale": 1.0, "offset": 0.0},
    "SpectralNormalization": {"power_iterations": 1},
    "Embedding": {"input_dim": None, "output_dim": None, "mask_zero": False},
    "ReversibleEmbedding": {
        "input_dim": None,
        "output_dim": None,
        "mask_zero": False,
        "tie_weights": True,
        "logit_soft_cap": None,
    },
    "Flatten": _DATA_FORMAT,
    "Reshape": {"target_shape": None},
    "Permute": {"dims": None},
    "RepeatVector": {"n": None},
    "Masking": {"mask_value": 0.0},
    "Cropping1D": {"cropping": 1},
    "Cropping2D": {"cropping": 0} | _DATA_FORMAT,
    "Cropping3D": {"cropping": 1} | _DATA_FORMAT,
    "ZeroPadding1D": {"padding": 1} | _DATA_FORMAT,
    "ZeroPadding2D": {"padding": 1} | _DATA_FORMAT,
    "ZeroPadding3D": {"padding": 1} | _DATA_FORMAT,
    "UpSampling1D": {"size": 2},
    "UpSampling2D": {"size": 2, "interpolation": "nearest"} | _DATA_FORMAT,
    "UpSampling3D": {"size": 2} | _DATA_FORMAT,
    "Resizing": {
        "height": None,
        "width": None,
        "interpolation": "bilinear",
        "crop_to_aspect_ratio": False,
        "pad_to_aspect_ratio": False,
        "fill_value": 0.0,
        "antialias": False,
    }
    | _DATA_FORMAT,
    "CenterCrop": {"height": None, "width": None} | _DATA_FORMAT,
    "STFTSpectrogram": {
        "mode": "log",
        "frame_length": 256,
        "frame_step": None,
        "fft_length": None,
        "window": "hann",
        "periodic": False,
        "scaling": "density",
        "padding": "valid",
        "expand_dims": False,
    }
    | _DATA_FORMAT,
    "CategoryEncoding": {"num_tokens": None, "output_mode": "multi_hot"},
    "RandomCrop": {"height": None, "width": None} | _DATA_FORMAT,
    "Add": {},
    "Subtract": {},
    "Multiply": {},
    "Average": {},
    "Maximum": {},
    "Minimum": {},
    "Concatenate": {"axis": -1},
    "Dot": {"axes": None, "normalize": False},
    "Dropout": {"rate": 0.5},
    "SpatialDropout1D": {"rate": 0.5},
    "SpatialDropout2D": {"rate": 0.5} | _DATA_FORMAT,
    "SpatialDropout3D": {"rate": 0.5} | _DATA_FORMAT,
    "AlphaDropout": {"rate": 0.5},
    "GaussianDropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 1.0},
    "ActivityRegularization": {},
    "Identity": {},
    "SimpleRNN": _SIMPLE_CELL | _RNN_LAYER,
    "LSTM": _GATED_CELL | _RNN_LAYER,
    "GRU": _GRU_CELL | _RNN_LAYER,
    "SimpleRNNCell": _SIMPLE_CELL,
    "LSTMCell": _GATED_CELL,
    "GRUCell": _GRU_CELL,
    "StackedRNNCells": {},
    "RNN": _RNN_LAYER,
    "ConvLSTM1D": _CONV_LSTM,
    "ConvLSTM2D": _CONV_LSTM,
    "ConvLSTM3D": _CONV_LSTM,
    "Bidirectional": {"merge_mode": "concat"},
    "TimeDistributed": {},
    "MultiHeadAttention": _ATTENTION,
    "GroupQueryAttention": {
        "head_dim": None,
        "num_query_heads": None,
        "num_key_value_heads": None,
        "use_bias": True,
        "dropout": 0.0,
        "use_gate": False,
        "sliding_window": None,
    },
    "Attention": {"use_scale": False, "score_mode": "dot"},
    "AdditiveAttention": {"use_scale": True},
}

#: Spatial rank of the options that are tuples over the spatial axes.
SPATIAL = frozenset(
    ["kernel_size", "strides", "dilation_rate", "pool_size", "output_padding", "output_size"]
)

#: Options that change nothing when a trained model predicts.
HARMLESS = frozenset(
    [
        "name",
        "trainable",
        "autocast",
        "build_input_shape",
        "batch_input_shape",
        "input_length",
        "input_dtype",
        "sparse",
        "ragged",
        "optional",
        "lora_rank",
        "lora_alpha",
        "quantization_config",
        "fused",
        "renorm",
        "renorm_clipping",
        "renorm_momentum",
        "synchronized",
        "virtual_batch_size",
        "adjustment",
        "unit_forget_bias",
        "seed",
        "noise_shape",
        "dropout",
        "recurrent_dropout",
        "cache_enabled",
        "l1",
        "l2",
        "dtype_policy",
        "flash_attention",
        "use_cudnn",
        "max_norm",
        "norm_method",
        "input_dim_hint",
        "weights",
        "consume_less",
    ]
)
HARMLESS_ENDINGS = ("_initializer", "_regularizer", "_constraint")
