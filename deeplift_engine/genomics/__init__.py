"""From a genome and a file of regions to scores, and from scores to the files of the field.

`Genome` reads FASTA, `regions` and `sequences` give a run its one-hot inputs part by part, with a
table of what was left out and why; docs/GENOMICS.md goes the whole way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.util.lazy import lazy

if TYPE_CHECKING:
    from deeplift_engine.genomics.array_input import as_input
    from deeplift_engine.genomics.both_strands import both_strands
    from deeplift_engine.genomics.channel_motifs import filter_motifs, write_meme
    from deeplift_engine.genomics.checked_files import check
    from deeplift_engine.genomics.constraints import Constraints
    from deeplift_engine.genomics.drawn_windows import draw
    from deeplift_engine.genomics.experiments import ablate, design, marginalise, spacing
    from deeplift_engine.genomics.exporters import export
    from deeplift_engine.genomics.genome import Genome, read_fasta
    from deeplift_engine.genomics.motif_matches import match_motifs
    from deeplift_engine.genomics.motifs import export_motifs, read_motifs
    from deeplift_engine.genomics.nucleotides import integer_codes, one_hot, reverse_complement
    from deeplift_engine.genomics.other_inputs import rows_of_records, tracks
    from deeplift_engine.genomics.seqlets import recursive_seqlets
    from deeplift_engine.genomics.sequence_input import SequenceInput, sequences
    from deeplift_engine.genomics.shap_format import explanation
    from deeplift_engine.genomics.variants.variant_export import export_variants
    from deeplift_engine.genomics.variants.variant_job import VariantJob
    from deeplift_engine.genomics.variants.variant_run import score_variants
    from deeplift_engine.genomics.variants.variant_scoring import VariantScorer
    from deeplift_engine.genomics.windows import regions

_LAZY = {
    "Constraints": "constraints",
    "Genome": "genome",
    "SequenceInput": "sequence_input",
    "VariantJob": "variants.variant_job",
    "VariantScorer": "variants.variant_scoring",
    "ablate": "experiments",
    "as_input": "array_input",
    "both_strands": "both_strands",
    "check": "checked_files",
    "design": "experiments",
    "draw": "drawn_windows",
    "explanation": "shap_format",
    "export": "exporters",
    "export_motifs": "motifs",
    "export_variants": "variants.variant_export",
    "filter_motifs": "channel_motifs",
    "integer_codes": "nucleotides",
    "marginalise": "experiments",
    "match_motifs": "motif_matches",
    "one_hot": "nucleotides",
    "read_fasta": "genome",
    "read_motifs": "motifs",
    "recursive_seqlets": "seqlets",
    "regions": "windows",
    "reverse_complement": "nucleotides",
    "rows_of_records": "other_inputs",
    "score_variants": "variants.variant_run",
    "sequences": "sequence_input",
    "spacing": "experiments",
    "tracks": "other_inputs",
    "write_meme": "channel_motifs",
}
"""Modules of this room by the names that they define."""

__getattr__ = lazy(__name__, _LAZY)


__all__ = [
    "Constraints",
    "Genome",
    "SequenceInput",
    "VariantJob",
    "VariantScorer",
    "ablate",
    "as_input",
    "both_strands",
    "check",
    "design",
    "draw",
    "explanation",
    "export",
    "export_motifs",
    "export_variants",
    "filter_motifs",
    "integer_codes",
    "marginalise",
    "match_motifs",
    "one_hot",
    "read_fasta",
    "read_motifs",
    "recursive_seqlets",
    "regions",
    "reverse_complement",
    "rows_of_records",
    "score_variants",
    "sequences",
    "spacing",
    "tracks",
    "write_meme",
]
