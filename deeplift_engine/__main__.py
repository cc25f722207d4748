"""``python -m deeplift_engine``: the command line without an installed script."""

from __future__ import annotations

import sys

from deeplift_engine.cli import main

sys.exit(main())
