"""Attribution methods, a class each; the module `catalogue` finds them all."""
