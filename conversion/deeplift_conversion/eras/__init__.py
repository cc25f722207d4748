"""Configurations of every age of Keras, brought to the words of Keras 3."""
