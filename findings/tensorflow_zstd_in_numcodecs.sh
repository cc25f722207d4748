#!/usr/bin/env bash
# tensorflow 2.21 is loaded so that all libraries of the process see its functions, zstd 1.5.7's
# among them, and numcodecs 0.16.6, which compresses for zarr, exports those of its zstd 1.5.6: loaded
# behind tensorflow it calls the other copy. So the bytes of a compressed array depend on the order of
# imports. Loaded with RTLD_DEEPBIND, numcodecs calls its own. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 numcodecs==0.16.6 numpy==2.4.6
cat >"$folder/compress.py" <<'PY'
"""The digest of a compressed array; the words after the file's name say what is done before."""

import hashlib
import os
import sys

import numpy as np

if "tensorflow" in sys.argv:
    import tensorflow.python  # noqa: F401
if "deepbind" in sys.argv:
    sys.setdlopenflags(sys.getdlopenflags() | os.RTLD_DEEPBIND)
from numcodecs.zstd import Zstd

values = np.random.default_rng(0).integers(0, 4, 100_000).astype("float32")
values[30_000:] *= np.linspace(0, 1, 70_000, dtype="float32")
print(hashlib.sha256(Zstd(level=3).encode(values)).hexdigest()[:16])
PY
digest() { TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/compress.py" "$@" 2>/dev/null; }
alone=$(digest)
beside=$(digest tensorflow)
bound=$(digest tensorflow deepbind)
"$folder/venv/bin/pip" list 2>/dev/null | grep -E '^(tensorflow|numcodecs|numpy) '
echo "numcodecs alone                     $alone"
echo "behind tensorflow                   $beside"
echo "behind tensorflow, RTLD_DEEPBIND    $bound"
if [ "$alone" = "$beside" ] || [ "$alone" != "$bound" ]; then
  echo "changed"
  exit 1
fi
echo "as found"
