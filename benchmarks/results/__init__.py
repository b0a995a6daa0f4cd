"""docs/results.md: results.yml lists what it shows, `measure`, `speed` and `outputs` measure it, `write` writes it.

python -m benchmarks.results --help
"""
