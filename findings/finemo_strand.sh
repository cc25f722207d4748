#!/usr/bin/env bash
# finemo 0.41 reads the strand of no region: a row whose region lies on "-" in the narrowPeak file
# is taken for the forward strand. Where it is the reverse complement, as `bedtools getfasta -s`
# gives it, its hits get mirrored places in the genome and the other strand, without a warning:
# compared with other sites there, they are wrong by up to the length of a window. Rows that are all
# forward, as chrombpnet cuts them, are right. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet finemo==0.41 torch==2.13.0 numpy==2.4.6 scipy==1.17.1 \
  numba==0.68.1 polars==2.1.0 h5py==3.16.0 jaxtyping==0.3.11
cat >"$folder/make.py" <<'PY'
"""One window of a genome, chr1:1000-1100, as two rows: forward, and as its reverse complement."""

import h5py
import numpy as np

random = np.random.default_rng(0)
motif = np.eye(4, dtype="int8")[["ACGT".index(letter) for letter in "TGCCAATCAG"]]
forward = np.eye(4, dtype="int8")[random.integers(0, 4, 100)]
scores = random.normal(0, 0.01, (100, 4))
forward[20:30] = motif  # chr1:1020-1030, on "+"
scores[20:30] += motif
for name, row in (("sequences", forward), ("scores", scores)):
    np.savez(f"{name}.npz", np.stack([row, row[::-1, ::-1]]).swapaxes(1, 2))
with h5py.File("motifs.h5", "w") as file:
    file["pos_patterns/pattern_0/contrib_scores"] = motif.astype(float)
PY
cd "$folder"
venv/bin/python make.py
hits_of() { # hits where the second region has the strand $1, and what is said of strands
  printf 'chr1\t1000\t1100\t%s\t0\t%s\t0\t0\t0\t50\n' forward + reverse "$1" >regions.bed
  {
    venv/bin/finemo extract-regions-modisco-fmt -s sequences.npz -a scores.npz -p regions.bed \
      -w 100 -o regions.npz && venv/bin/finemo call-hits -r regions.npz -m motifs.h5 -o hits
  } >log 2>&1 || { cat log >&2; exit 1; }
  grep -i strand log || true
  venv/bin/python - <<'PY'
import polars

table = polars.read_csv("hits/hits.tsv", separator="\t").sort("peak_name")
for hit in table.select("peak_name", "chr", "start", "end", "strand").iter_rows():
    print(*hit)
PY
}
venv/bin/pip list 2>/dev/null | grep -E '^(finemo|torch|numpy|polars) '
echo "one site, chr1 1020 1030 +, in a window that is given forward and as its reverse complement"
echo "hits, the second region being on -:"
minus=$(hits_of -)
printf '%s\n' "$minus"
plus=$(hits_of +)
expected=$'forward chr1 1020 1030 +\nreverse chr1 1070 1080 -'
if [ "$minus" != "$expected" ] || [ "$plus" != "$minus" ]; then
  printf 'changed: hits are others, or not the same where that region is on +:\n%s\n' "$plus"
  exit 1
fi
echo "the second region being on +: the same"
echo "as found"
