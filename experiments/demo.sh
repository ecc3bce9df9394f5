#!/bin/sh
# The demo as plain commands: a simulated genome, a dataset, four models trained under one budget, and a page that
# compares them. `make demo` runs it. Run again, it goes on where it was stopped and redoes nothing; `rm -r demo` begins
# anew.
set -eu

# Freed memory is kept for the next training step (docs/training.md).
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296

[ -d demo/genome ] || regact simulate experiments/simulation_demo.yaml --out demo/genome
[ -d demo/store ] || regact dataset build experiments/demo.yaml --data demo/genome
regact compare experiments/demo.yaml --data demo/genome --out demo/comparison --jobs 2
