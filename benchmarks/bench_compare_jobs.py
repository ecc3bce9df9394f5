"""What training a comparison's models at the same time saves: `regact compare --jobs N` against one after the other.

    python benchmarks/bench_compare_jobs.py [--jobs 2] [--turns 3] [--chromosome-bp 2097152]

The models of experiments/demo.yaml are trained for one epoch on a genome that is simulated for it, and judged on the
test split: whole commands in processes of their own, which take turns, since a shared machine's speed drifts. One after
the other, each model has all cores; at the same time, each has its share. The ratio is the median over turns of the
ratio within one. The last line is the row for RESULTS.md.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import regact
from regact.simulation import SimulationConfig

REGACT = Path(sys.executable).with_name("regact")
EXPERIMENT = Path(__file__).parent.parent / "experiments" / "demo.yaml"
SETTINGS = {
    "training.epochs": "1",
    "compare.budget": "null",
    "compare.pretrain": "null",
    "compare.baseline": "false",
    "training.patience": "null",
}


def seconds_of(folder: Path, number: int, jobs: int) -> float:
    """How long the whole command takes with so many models at a time."""
    settings = [f"--set={name}={value}" for name, value in (SETTINGS | {"store": str(folder / "store")}).items()]
    start = time.perf_counter()
    subprocess.run(
        [
            *(str(REGACT), "compare", str(EXPERIMENT), "--data", str(folder / "genome")),
            *("--out", str(folder / f"turn{number}_jobs{jobs}"), "--device", "cpu", "--jobs", str(jobs), *settings),
        ],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--chromosome-bp", type=int, default=2**21)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="regact-bench-") as temporary:
        folder = Path(temporary)
        chromosomes = {f"chr{number}": arguments.chromosome_bp for number in (1, 2, 3, 4)}
        regact.simulate(SimulationConfig(window_bp=2**16, chromosomes=chromosomes), folder / "genome")
        plan = regact.load_experiment(EXPERIMENT, data=folder / "genome", overrides=[f"store={folder / 'store'}"])
        genome, tracks = plan.inputs
        regact.build_dataset(genome, tracks, plan.dataset, plan.store_path)
        turns = []
        for number in range(arguments.turns):
            turns.append([seconds_of(folder, number, jobs) for jobs in (1, arguments.jobs)])
            print("{:.1f} s one after the other, {:.1f} s at the same time".format(*turns[-1]))
    ratio = statistics.median(one / other for one, other in turns)
    seconds = [statistics.median(column) for column in zip(*turns, strict=True)]
    machine = f"{platform.machine()}, load {os.getloadavg()[0]:.1f}"
    print(
        f"| bench_compare_jobs --jobs {arguments.jobs} | {machine} | {datetime.date.today()} "
        f"| models of demo.yaml, one epoch: {seconds[0]:.1f} s one after the other, {seconds[1]:.1f} s with --jobs "
        f"{arguments.jobs} | **{ratio:.2f}** x as fast as one after the other |"
    )


if __name__ == "__main__":
    main()
