"""Entry point of ``python -m benchmarks``, and of ``python -m benchmarks methods``."""

import sys

from benchmarks import beside_peers, run

if sys.argv[1:2] == ["methods"]:
    raise SystemExit(beside_peers.main(sys.argv[2:]))
raise SystemExit(run.main())
