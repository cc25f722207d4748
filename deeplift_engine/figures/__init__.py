"""Pictures of results; matplotlib is imported only when one is drawn."""

from deeplift_engine.figures.logo import draw_logo
from deeplift_engine.figures.sweep_figure import draw_sweep

__all__ = ["draw_logo", "draw_sweep"]
