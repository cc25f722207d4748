#!/usr/bin/env bash
# pytest 9.2.0 with pytest-xdist 3.8.0: `--dist loadgroup` is taken, and groups mean nothing. Tests
# that one `xdist_group` keeps together are dealt out to all workers, so that each of these makes
# what they share, a compiled network for instance, again. Nothing is said: tests pass, and take up
# to twice as long. xdist writes the group into a private attribute of each test, which pytest 9.2
# no longer reads. pytest 9.1.1 is right. Exits 1 if that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat >"$folder/test_groups.py" <<'PY'
import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(40))
def test_of_one_group(number, worker_id):
    print(f"worker {worker_id}")
PY
workers_with() { # how many workers the tests of the one group ran on, by the version of pytest
  "$folder/venv/bin/pip" install --quiet "pytest==$1" pytest-xdist==3.8.0
  (cd "$folder" && venv/bin/python -m pytest -n 2 --dist loadgroup -v -p no:cacheprovider) \
    | grep -o '^\[gw[0-9]*\]' | sort -u | wc -l
}
for version in 9.1.1 9.2.0; do
  found=$(workers_with "$version")
  echo "pytest $version, pytest-xdist 3.8.0: one group of 40 tests on $found of 2 workers"
  case "$version $found" in
    "9.1.1 1" | "9.2.0 2") ;;
    *) echo "changed"; exit 1 ;;
  esac
done
