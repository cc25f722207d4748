"""Pictures of results; matplotlib is imported only when one is drawn."""

from deeplift_engine.figures.atlas_figure import draw_atlas
from deeplift_engine.figures.channel_figure import ChannelMaps, draw_channels
from deeplift_engine.figures.comparison_figure import ComparisonData, draw_comparison
from deeplift_engine.figures.concept_figure import draw_concepts
from deeplift_engine.figures.experiment_figures import draw_design, draw_effects, draw_spacing
from deeplift_engine.figures.feature_figures import draw_bar as draw_feature_bar
from deeplift_engine.figures.feature_figures import draw_beeswarm, draw_heat_map, draw_waterfall
from deeplift_engine.figures.logo import draw_logo
from deeplift_engine.figures.logo_files import save_logos
from deeplift_engine.figures.logo_page import (
    Box,
    HeatTrack,
    LogoPage,
    LogoTrack,
    mutagenesis_tracks,
)
from deeplift_engine.figures.logo_sheet import draw_logos
from deeplift_engine.figures.maximised_figure import draw_pictures, draw_sequences
from deeplift_engine.figures.overlay_figure import OverlayStyle, draw_overlays
from deeplift_engine.figures.similarity_figure import draw_similarity
from deeplift_engine.figures.sweep_figure import draw_sweep
from deeplift_engine.figures.text_figure import ColouredText, ColouredWord, draw_texts
from deeplift_engine.figures.trace_figure import draw_traces

__all__ = [
    "Box",
    "ChannelMaps",
    "ColouredText",
    "ColouredWord",
    "ComparisonData",
    "HeatTrack",
    "LogoPage",
    "LogoTrack",
    "OverlayStyle",
    "draw_atlas",
    "draw_beeswarm",
    "draw_channels",
    "draw_comparison",
    "draw_concepts",
    "draw_design",
    "draw_effects",
    "draw_feature_bar",
    "draw_heat_map",
    "draw_logo",
    "draw_logos",
    "draw_overlays",
    "draw_pictures",
    "draw_sequences",
    "draw_similarity",
    "draw_spacing",
    "draw_sweep",
    "draw_texts",
    "draw_traces",
    "draw_waterfall",
    "mutagenesis_tracks",
    "save_logos",
]
