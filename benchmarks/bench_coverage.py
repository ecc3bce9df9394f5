"""How fast reads become coverage: EM against a plain one, 5' counts against bedtools; and the memory of EM.

    python benchmarks/bench_coverage.py [--mb 6] [--reads 600000] [--turns 3] [--data FOLDER] [--record]

A genome with repeats, exact and near, is simulated and read (`simulation`), and Bowtie2 aligns the reads with `-k 10`.

EM: `place_reads` against tests/reads/multimap/plain_em.py, which does the same with dense coverage, scipy's Gaussian
over every contig in each round and a Python loop over multi-mapped reads and their places; both start from places in
memory, do the same rounds, and must give the same weights. Counts: from the same BAM to the two strands' bigWigs, every
place of a read counted as one, in two ways: what reads, counts and writes alone, and `cover_sample` with quality and
card; against `bedtools genomecov -5 -bg` once for each strand, which writes bedGraph as text and no bigWig, and reads
the same records sorted by coordinate, since it takes no other order (sorting is not timed). Both must have the same
counts. All take turns; ratios are medians over turns of the ratios within one.

Memory: peak resident memory of a process that places drawn reads, a fifth of them with ten places, on contigs of 12 Mb
and of human size (bars: memory does not follow the genome; under 2 GB for 3 Gb); and of one that does all of
`cover_sample`, GC bias and quality too. (On 3 Gb tests/reads/samples/test_sample.py holds the latter under 0.7 GB.)

With `--data` (or REGACT_DATA): the whole command on the 100,000 yeast reads, single-end, three places a read, GC
corrected, beside the known figure of the script of 2017 on a machine of this kind, 48 s and 0.44 GB.

`--record` appends the rows to RESULTS.md. Needs bowtie2, samtools and bedtools.
"""

import argparse
import datetime
import importlib.util
import multiprocessing
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regact.cli.app import main as main_of_regact
from regact.engine import peak_memory_bytes
from regact.genome import Genome, load_genome
from regact.reads import (
    Alignments,
    GenomeLayout,
    align_reads,
    count_places,
    cover_sample,
    coverage_settings,
    place_reads,
    read_bam,
    write_coverage,
)
from regact.simulation.landscape import LandscapeConfig, write_landscape
from regact.simulation.reads import simulate_reads
from regact.simulation.reads_config import ReadsConfig
from regact.tracks import open_signal

RESULTS = Path(__file__).with_name("RESULTS.md")
PLAIN_EM = Path(__file__).parents[1] / "tests" / "reads" / "multimap" / "plain_em.py"
ROUNDS, SD_BP = 10, 16
COUNTS = coverage_settings("cage", em="equal", keep_duplicates=True, keep_unlisted=True)
# Seconds and bytes of the 2017 script on 100,000 yeast reads, as its measurement was handed down.
SECONDS_2017, BYTES_2017 = 48.0, 0.44e9
EM_SETTINGS = coverage_settings("dnase")
STRANDS = {1: "+", -1: "-"}
PLACES_PER_READ = 2.8  # of the drawn alignments: a fifth of the reads have ten


def simulate(folder: Path, mb: float, reads: int) -> tuple[Genome, Path, Path]:
    """A genome, its reads aligned with up to ten places, and the same records sorted by coordinate."""
    config = LandscapeConfig(chromosomes={"chr1": int(mb * 7e5), "chr2": int(mb * 3e5)})
    landscape = write_landscape(config, folder / "landscape")
    fasta = landscape / "genome.fa"
    sample = simulate_reads(fasta, landscape / "targets.txt", folder / "reads", ReadsConfig(reads=reads))
    bam, in_order = folder / "reads.bam", folder / "sorted.bam"
    align_reads(next(sample.glob("*_R1.fastq.gz")), None, fasta, bam, index_dir=folder / "index")
    subprocess.run(["samtools", "sort", "-o", in_order, bam], check=True, capture_output=True)
    return load_genome(fasta), bam, in_order


def compare_em(genome: Genome, bam: Path, turns: int) -> str:
    """The row of EM, smoothed and exact, against the plain one."""
    spec = importlib.util.spec_from_file_location("plain_em", PLAIN_EM)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{PLAIN_EM} is missing")
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    layout = GenomeLayout.from_lengths(genome.lengths)
    alignments = count_places(read_bam(bam, layout, EM_SETTINGS)[0], layout, EM_SETTINGS, fragment_bp=None)
    places = np.split(alignments.place, alignments.offsets[1:-1])
    reads = [[(place, 1.0) for place in some.tolist()] for some in places]
    borders = layout.offsets.tolist()
    ratios: dict[bool, list[float]] = {False: [], True: []}
    ours, theirs = [], []
    for _ in range(turns + 1):
        for exact in (False, True):
            options = {"sd_bp": SD_BP, "max_rounds": ROUNDS, "tolerance": 0.0, "exact": exact}
            fast, found = timed(lambda options=options: place_reads(alignments, layout, **options))
            slow, expected = timed(
                lambda exact=exact: plain.plain_em(reads, borders, sd_bp=SD_BP, rounds=ROUNDS, exact=exact)
            )
            np.testing.assert_allclose(found.weight, np.concatenate(expected[0]), atol=1e-6)
            ratios[exact].append(slow / fast)
            ours, theirs = (ours, theirs) if exact else ([*ours, fast], [*theirs, slow])
    what = f"{alignments.n_reads:,} reads, {found.n_multimapped:,} multi-mapped, {len(alignments):,} places"
    seconds = f"place_reads {np.median(ours[1:]):.3f} s, plain {np.median(theirs[1:]):.2f} s"
    smoothed, exactly = (np.median(ratios[exact][1:]) for exact in (False, True))  # the first turn compiles
    result = f"{what}, {ROUNDS} rounds: {seconds}"
    return row("bench_coverage EM", result, f"**{smoothed:.0f}** x the plain one (bar 10); exact {exactly:.0f} x")


def compare_counts(genome: Genome, bam: Path, in_order: Path, folder: Path, turns: int) -> str:
    """The row of 5' counts of both strands against bedtools."""
    layout = GenomeLayout.from_lengths(genome.lengths)
    ways: Mapping[str, Callable[[], None]] = {
        "counts": lambda: write_counts(bam, layout, folder),
        "cover_sample": lambda: cover_with_card(bam, genome, folder),
        "bedtools": lambda: count_with_bedtools(in_order, folder),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns + 1):
        for name, way in ways.items():
            seconds[name].append(timed(way)[0])
    for sign in STRANDS:
        check_same_counts(folder / f"counts{sign}.bw", folder / f"bedtools{sign}.bedgraph", genome)
    taken = {name: np.array(values[1:]) for name, values in seconds.items()}
    result = ", ".join(f"{name} {np.median(values):.2f} s" for name, values in taken.items())
    counts, sample = (float(np.median(taken[name] / taken["bedtools"])) for name in ("counts", "cover_sample"))
    ratio = f"**{counts:.2f}** x the time of bedtools (bar 2); cover_sample, with quality, {sample:.2f} x"
    return row("bench_coverage 5' counts", f"{bam.stat().st_size / 1e6:.0f} MB BAM, two strands: {result}", ratio)


def write_counts(bam: Path, layout: GenomeLayout, folder: Path) -> None:
    alignments = count_places(read_bam(bam, layout, COUNTS)[0], layout, COUNTS, fragment_bp=None)
    weight = np.ones(len(alignments), np.float32)
    for sign in STRANDS:
        write_coverage(folder / f"counts{sign}.bw", alignments, weight, layout, chosen=alignments.strand == sign)


def cover_with_card(bam: Path, genome: Genome, folder: Path) -> None:
    cover_sample(bam, genome, folder / "sample.bw", COUNTS, overwrite=True)


def count_with_bedtools(bam: Path, folder: Path) -> None:
    for sign, strand in STRANDS.items():
        with (folder / f"bedtools{sign}.bedgraph").open("wb") as out:
            command = ["bedtools", "genomecov", "-5", "-bg", "-strand", strand, "-ibam", bam]
            subprocess.run(command, check=True, stdout=out)


def check_same_counts(bigwig: Path, bedgraph: Path, genome: Genome) -> None:
    rows = pd.read_csv(bedgraph, sep="\t", names=["chrom", "start", "end", "value"])
    signal = open_signal(bigwig)
    for chrom, length in genome.lengths.items():
        counts = np.zeros(length + 1)
        mine = rows[rows.chrom == chrom]
        np.add.at(counts, mine.start.to_numpy(), mine.value.to_numpy())
        np.add.at(counts, mine.end.to_numpy(), -mine.value.to_numpy())
        found = np.nan_to_num(signal.base_values(chrom, 0, length))
        if not np.array_equal(np.cumsum(counts[:-1]), found):
            raise SystemExit(f"{bigwig.name} and {bedgraph.name} differ on {chrom}")
    signal.close()


def compare_memory() -> str:
    """The row of memory: the same reads on genomes of two sizes, and ten times the reads."""
    few, many = 200_000, 2_000_000
    small, large, full = (peak_memory(place_drawn_reads, *case) for case in ((1, few), (250, few), (250, many)))
    result = f"{few:,} reads on 12 Mb {small:.0f} MB, on 3 Gb {large:.0f} MB; {many:,} reads on 3 Gb {full:.0f} MB"
    per_place = (full - large) * 1e6 / ((many - few) * PLACES_PER_READ)
    ratio = f"{large / small:.2f} x at 250 x the genome (bar: under 2 GB); {per_place:.0f} bytes a place"
    return row("bench_coverage memory of EM", result, ratio)


def measure_sample_memory(genome: Genome, bam: Path, folder: Path) -> str:
    """The row of memory from BAM to bigWig."""
    layout = GenomeLayout.from_lengths(genome.lengths)
    places = len(read_bam(bam, layout, EM_SETTINGS)[0].rows)
    peak = peak_memory(cover_with_em, bam, genome, folder)
    result = f"{places:,} places on {genome.total_bp / 1e6:.0f} Mb: {peak:.0f} MB"
    return row("bench_coverage memory of cover_sample", result, f"{0.3e3 + 140e-6 * places:.0f} MB by docs/coverage.md")


def compare_with_2017(data: Path, folder: Path) -> str:
    """The row of the whole command on real reads: a process of its own, the start of Python in it."""
    fasta, fastq = data / "yeast" / "genome.fa.gz", data / "yeast" / "reads" / "input_rep1_R1.fastq.gz"
    genome = load_genome(fasta, cache_dir=folder)
    bam = folder / "yeast.bam"
    align_reads(fastq, None, genome, bam, places=3, index_dir=folder / "index")
    words = ["coverage", bam, "--genome", genome.path, "--out", folder / "yeast.bw", "--assay", "chip", "--overwrite"]
    words += ["--fragment-bp", 160, "--set", "max_places=3"]
    taken = [measure_apart(run_command, [str(word) for word in words]) for _ in range(3)]
    memory, seconds = np.median(np.array(taken)[1:], axis=0)  # the first turn may compile
    result = f"100,000 reads, -k 3, GC, card and page: {seconds:.1f} s of CPU, {memory:.0f} MB"
    known = f"known {SECONDS_2017:.0f} s and {BYTES_2017 / 1e6:.0f} MB of the script of 2017"
    return row(
        "bench_coverage yeast, whole command", result, f"**{SECONDS_2017 / seconds:.0f}** x as fast as the {known}"
    )


def run_command(arguments: list[str]) -> None:
    """What `regact` does with these arguments."""
    try:
        main_of_regact(arguments)
    except SystemExit as ended:
        if ended.code:
            raise


def draw_alignments(layout: GenomeLayout, n_reads: int) -> Alignments:
    """Reads anywhere; every fifth has ten places."""
    rng = np.random.default_rng(0)
    sizes = np.where(np.arange(n_reads) % 5 == 0, 10, 1)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    place = rng.integers(0, layout.total_bp, offsets[-1])
    return Alignments(offsets, place, place, np.full(len(place), 1, np.int32), np.ones(len(place), np.int8))


def peak_memory(task: Callable[..., object], *arguments: object) -> float:
    """Peak resident memory in MB of a fresh process that does `task(*arguments)`."""
    return measure_apart(task, *arguments)[0]


def measure_apart(task: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Peak resident memory in MB and CPU seconds of a fresh process that does `task(*arguments)`."""
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=do_measured, args=(task, arguments, sender))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{task.__name__} failed")
    memory, seconds = receiver.recv()
    return float(memory), float(seconds)


def place_drawn_reads(contigs: int, n_reads: int) -> None:
    """EM over drawn reads on contigs of 12 Mb."""
    layout = GenomeLayout.from_lengths({f"chr{number}": 12_000_000 for number in range(contigs)})
    place_reads(draw_alignments(layout, n_reads), layout, sd_bp=SD_BP, max_rounds=3, tolerance=0.0)


def cover_with_em(bam: Path, genome: Genome, folder: Path) -> None:
    cover_sample(bam, genome, folder / "em.bw", EM_SETTINGS, overwrite=True)


def do_measured(task: Callable[..., object], arguments: tuple[object, ...], sender: Connection) -> None:
    task(*arguments)
    sender.send((peak_memory_bytes() / 1e6, time.process_time()))


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def row(benchmark: str, result: str, ratio: str) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    machine = f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"| {benchmark} | {machine} | {datetime.date.today()} | {result} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=6, help="length of the simulated genome in million bases")
    parser.add_argument("--reads", type=int, default=600_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--data", type=Path, help="folder of real data; without it, REGACT_DATA")
    parser.add_argument("--record", action="store_true", help="append the rows to RESULTS.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        genome, with_places, in_order = simulate(folder, arguments.mb, arguments.reads)
        rows = [
            compare_em(genome, with_places, arguments.turns),
            compare_counts(genome, with_places, in_order, folder, arguments.turns),
            compare_memory(),
            measure_sample_memory(genome, with_places, folder),
        ]
        if data := arguments.data or os.environ.get("REGACT_DATA"):
            rows.append(compare_with_2017(Path(data), folder))
    print("\n".join(rows))
    if arguments.record:
        RESULTS.write_text(RESULTS.read_text() + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
