#!/bin/sh
# The demo as plain commands: a simulated genome, a dataset, two models trained briefly, and a page that compares them.
# `make demo` runs it, in about five minutes on two cores. Run again, it goes on where it was stopped and redoes nothing;
# `rm -r demo` begins anew.
set -eu

[ -d demo/genome ] || regact simulate experiments/simulation_demo.yaml --out demo/genome
[ -d demo/store ] || regact dataset build experiments/demo.yaml --data demo/genome
# Windows half as long as the paper's take one dilated layer less: the reach stays a quarter of the window.
regact train experiments/demo.yaml --data demo/genome --preset basenji --set model.dilated_layers=6 --out demo/basenji --resume
regact train experiments/demo.yaml --data demo/genome --preset attention_two_sided --out demo/attention_two_sided --resume
for run in basenji attention_two_sided; do
    regact evaluate demo/$run --split test
done
regact report demo/basenji demo/attention_two_sided --split test --out demo/report.html --overwrite
