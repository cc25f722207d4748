"""How multipliers cross a layer, one file a family of layers."""

from deeplift_engine.rules.deeplift.assign import Assigned, Rules, assign, named_rules
from deeplift_engine.rules.rule import Ends, Multiplier, Rule

__all__ = ["Assigned", "Ends", "Multiplier", "Rule", "Rules", "assign", "named_rules"]
