"""What Keras's layers are: names, options and arrays in all versions."""
