#!/usr/bin/env bash
# Run the fast tests with the lowest versions that pyproject.toml allows and that have wheels, in .venv-lowest.
#
#     scripts/lowest_versions.sh [PYTHON [NAME==VERSION ...]]
#     scripts/lowest_versions.sh python3.12 torch==2.6.0      # with another version of torch than the lowest
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
folder=.venv-lowest
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet uv
printf '%s\n' "${@:2}" > "$folder/overrides.txt"
"$folder/bin/uv" pip compile --quiet --no-header --no-annotate --resolution lowest-direct --only-binary :all: \
    --python "$folder/bin/python" --extra test --extra package --override "$folder/overrides.txt" \
    pyproject.toml --output-file "$folder/lowest.txt"
"$folder/bin/pip" install --quiet --no-deps --requirement "$folder/lowest.txt"
"$folder/bin/pip" install --quiet --no-deps --editable .
cat "$folder/lowest.txt"
OMP_NUM_THREADS=1 "$folder/bin/python" -m pytest -n 2
