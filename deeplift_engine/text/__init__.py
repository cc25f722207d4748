"""From texts to scores of their words, and from scores to what people read and send on."""
