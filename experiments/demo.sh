#!/bin/sh
# The demo as plain commands: a simulated genome, a dataset, two models trained briefly, and a page that compares them.
# `make demo` runs it, in about five minutes on two cores. Run again, it goes on where it was stopped and redoes nothing;
# `rm -r demo` begins anew.
set -eu

[ -d demo/genome ] || regact simulate experiments/simulation_demo.yaml --out demo/genome
[ -d demo/store ] || regact dataset build experiments/demo.yaml --data demo/genome
for preset in basenji attention_two_sided; do
    regact train experiments/demo.yaml --data demo/genome --preset $preset --out demo/$preset --resume
    regact evaluate demo/$preset --split test
done
regact report demo/basenji demo/attention_two_sided --split test --out demo/report.html --overwrite
