"""Operations on tensors: those of Keras 3, and TensorFlow's as tf.keras saved them.

All are brought to one form, `call.Operation`, a name and arguments by name in Keras 3's words;
one table leads from the name to attribution layers.
"""

from deeplift_engine.translate.operations.operation_table import check, is_operation, operation

__all__ = ["check", "is_operation", "operation"]
