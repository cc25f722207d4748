"""Layers of packages beside Keras, composed of existing layers."""
