"""Pictures of results; matplotlib is imported only where something is drawn."""

from deeplift_engine.report.logo import draw_logo

__all__ = ["draw_logo"]
