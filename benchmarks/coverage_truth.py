"""Simulated reads through Bowtie2 and back: the tables and pictures of docs/coverage.md, section Truth.

    python benchmarks/coverage_truth.py [--genomes 4] [--gc-mb 8] [--pictures docs/pictures] [--work FOLDER]

Repeats: genomes of 1 Mb, each with 16 families of repeats (`simulation.landscape`); every copy has a rate of its own.
Reads of two kinds at two depths are aligned with `-k 10` and placed in all ways; counts in bins of 128 bp are held
against the rate that the reads were drawn from, in bins that one copy covers whole. Intervals come from families. The
sd of EM's Gaussian is varied under narrow and wide peaks. Families of thirty copies show what becomes of reads with
more places than the aligner gives.

GC: a larger genome with bias of known strength, read at one rate on every base, and at a rate with drift and peaks,
where coverage is held against the rate. Windows of 1 kb in which 50 fragments or more are expected; chosen by what was
counted, they would be those that chance favoured.

Prints markdown; needs bowtie2 and samtools. `--work` keeps what was simulated and aligned: a second run is fast.
"""

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from regact.genome import Genome, load_genome
from regact.genome.bed import read_bed_rows
from regact.plot.axes import FULL_WIDTH, prepare_axes, title_panel
from regact.plot.palette import FLOOR, MEASURED, TEXT, color, marker
from regact.reads import (
    Alignments,
    CoverageSettings,
    GenomeLayout,
    align_reads,
    count_places,
    coverage_settings,
    read_bam,
    share_reads,
)
from regact.reads.gc_bias.content import fragment_gc
from regact.reads.gc_bias.fit import GcModel, fit_gc
from regact.reads.gc_bias.gc_profile import GcProfile, count_by_gc
from regact.reads.genome_bins import GenomeBins
from regact.reads.truth.repeat_error import compare_errors, family_errors
from regact.reads.truth.repeat_families import families_of_bins
from regact.simulation import LandscapeConfig, ReadsConfig, simulate_reads, write_landscape
from regact.simulation.config import RepeatFamily
from regact.simulation.landscape import RateConfig
from regact.simulation.reads_config import GcBiasConfig
from regact.tracks import open_signal

BIN_BP = 128
WAYS = {
    "smoothed": "EM, smoothed",
    "exact": "EM, exact",
    "equal": "equal shares",
    "random": "one place at random",
    "unique": "unique reads only",
}
# Families of a landscape by number, four for each length: two alike in all copies, then those that differ.
KINDS = {"alike": (0, 1), "a base of 500 differs": (2,), "a base of 100 differs": (3,)}
SHOWN = {
    "repeat_12": "2 kb, a base of 100 differs",
    "repeat_11": "2 kb, a base of 500 differs",
    "repeat_9": "2 kb, copies alike",
}
# (places that the aligner gives at most, places that a read may have to count): as by default; reads at the aligner's
# limit left out; enough places for all copies.
LIMITS = {"10 given": (10, 10), "10 given, reads with 10 left out": (10, 9), "50 given": (50, 50)}
DIVERGENCES = {"copies alike": 0.0, "a base of 100 differs": 0.01, "a base of 20 differs": 0.05}
PEAK_SDS, EM_SDS = (25, 80), (16, 32, 64, 128)
FLAT = RateConfig(drift_sd=0, peaks_per_kb=0)


@dataclass(frozen=True)
class Sample:
    """Reads of one landscape: `assay` says what is counted (dnase: read 1's 5' end; chip: the fragment's centre).

    `places` is what the aligner gives of a read at most.
    """

    name: str
    assay: str
    landscape: LandscapeConfig
    reads: ReadsConfig
    places: int = 10

    @property
    def settings(self) -> CoverageSettings:
        return coverage_settings(self.assay, **({} if self.assay == "chip" else {"pairs": "read1"}))


@dataclass(frozen=True)
class Aligned:
    """A sample that was simulated and aligned in `folder`."""

    sample: Sample
    folder: Path

    @cached_property
    def genome(self) -> Genome:
        return load_genome(self.folder / "landscape" / "genome.fa")

    @cached_property
    def layout(self) -> GenomeLayout:
        return GenomeLayout.from_lengths(self.genome.lengths)

    def alignments(self, *, fragment_bp: int | None = None) -> Alignments:
        reads, _ = read_bam(self.folder / "reads.bam", self.layout, self.sample.settings)
        return count_places(reads, self.layout, self.sample.settings, fragment_bp=fragment_bp)

    def expected(self, bin_bp: int) -> np.ndarray:
        return GenomeBins(self.layout, bin_bp).sums_of(open_signal(self.folder / "reads" / "truth" / "rate.bw"))


def make(sample: Sample, work: Path) -> Aligned:
    """Simulate and align, unless `work` has it."""
    folder = work / sample.name
    if not (folder / "reads.align.json").exists():
        land = write_landscape(sample.landscape, folder / "landscape", overwrite=True)
        sheet = f"identifier\tfile\tdescription\nrate\trate.bw\t{sample.assay.upper()}:known rate\n"
        (land / "sheet.txt").write_text(sheet)
        simulate_reads(land / "genome.fa", land / "sheet.txt", folder / "reads", sample.reads, overwrite=True)
        mates = [folder / "reads" / f"rate_R{mate}.fastq.gz" for mate in (1, 2)]
        mate2 = mates[1] if sample.reads.paired else None
        bam = folder / "reads.bam"
        options = {"places": sample.places, "index_dir": folder / "index", "overwrite": True}
        align_reads(mates[0], mate2, land / "genome.fa", bam, **options)
    return Aligned(sample, folder)


def count_all_ways(aligned: Aligned) -> dict[str, np.ndarray]:
    bins, counts = GenomeBins(aligned.layout, BIN_BP), {}
    alignments = aligned.alignments(fragment_bp=None if aligned.sample.reads.paired else 180)
    for way in WAYS:
        settings = aligned.sample.settings.model_copy(update={"em": way})
        counts[way] = bins.sums(alignments.place, share_reads(alignments, aligned.layout, settings).weight)
    counts["origins"] = count_origins(aligned, bins)
    return counts


def count_origins(aligned: Aligned, bins: GenomeBins) -> np.ndarray:
    """Reads where they came from: what is left is chance in drawing them."""
    table = pd.read_csv(aligned.folder / "reads" / "truth" / "rate_origins.tsv.gz", sep="\t")
    first = dict(zip(bins.layout.names, bins.layout.offsets.tolist(), strict=False))
    start, end = table["start"].to_numpy(), table["end"].to_numpy()
    place = start + (end - start) // 2
    if aligned.sample.assay != "chip":
        place = np.where(table["strand"] == "+", start, end - 1)
    place = place + table["chrom"].map(first).to_numpy()
    return bins.sums(place, np.ones(len(place)))


def errors_in_repeats(work: Path, genomes: int) -> dict[str, pd.DataFrame]:
    """For each kind of reads: the errors of all ways in every family of every genome, and the family's kind."""
    results = {}
    for assay, paired in (("dnase", False), ("chip", True)):
        for reads in (20_000, 100_000):
            tables = []
            for seed in range(1, genomes + 1):
                config = ReadsConfig(seed=seed, reads=reads, paired=paired)
                sample = Sample(f"repeats_{assay}_{reads}_{seed}", assay, LandscapeConfig(seed=seed), config)
                aligned = make(sample, work)
                tables.append(errors_of(aligned, count_all_ways(aligned)).assign(genome=seed))
            what = "single-end, 5' ends" if assay == "dnase" else "pairs, fragment centres"
            results[f"{what}, {reads // 1000} a kb"] = pd.concat(tables)
    return results


def errors_of(aligned: Aligned, counts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Errors of the counts in each family; the index says of which kind it is."""
    bins = GenomeBins(aligned.layout, BIN_BP)
    repeats = read_bed_rows(aligned.folder / "landscape" / "repeats.bed", genome_lengths=aligned.genome.lengths)
    table = family_errors(counts, aligned.expected(BIN_BP), families_of_bins(bins, repeats))
    numbers = [int(name.removeprefix("repeat_")) for name in dict.fromkeys(row.name for row in repeats)]
    place = (np.array(numbers)[table["family"]] - 1) % 4
    return table.set_index(np.array([kind for one in place for kind, places in KINDS.items() if one in places]))


def repeats_markdown(errors: Mapping[str, pd.DataFrame]) -> str:
    """Errors with their margin over EM, for each kind of reads; then for each kind of repeats."""
    return "\n\n".join(
        [
            _markdown({reads: compare_errors(table, "smoothed") for reads, table in errors.items()}),
            *(
                f"{reads}\n\n" + _markdown({kind: compare_errors(table.loc[kind], "smoothed") for kind in KINDS})
                for reads, table in errors.items()
            ),
        ]
    )


def _markdown(columns: Mapping[str, pd.DataFrame]) -> str:
    lines = ["| placed by | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for way, name in {**WAYS, "origins": "their true place"}.items():
        cells = []
        for table in columns.values():
            row = table.set_index("estimate").loc[way]
            margin = f" ({row.margin:+.3f}: {row.margin_low:.3f} to {row.margin_high:.3f})"
            cells.append(f"{row.error:.3f}" + ("" if way == "smoothed" else margin))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def smoothing_markdown(work: Path, genomes: int) -> str:
    """Errors of smoothed EM by the Gaussian's sd, for narrow and for wide peaks; margins over 16 bp."""
    lines = []
    for peak_sd_bp in PEAK_SDS:
        tables = []
        for seed in range(1, genomes + 1):
            rate = RateConfig(peak_sd_bp=peak_sd_bp, peak_height=15 * 80 / peak_sd_bp)  # peaks of the same area
            reads = ReadsConfig(seed=seed, reads=100_000)
            sample = Sample(f"peaks_{peak_sd_bp}_{seed}", "dnase", LandscapeConfig(seed=seed, rate=rate), reads)
            aligned = make(sample, work)
            alignments, bins = aligned.alignments(), GenomeBins(aligned.layout, BIN_BP)
            counts = {}
            for sd_bp in EM_SDS:
                settings = sample.settings.model_copy(update={"em_sd_bp": sd_bp})
                counts[str(sd_bp)] = bins.sums(
                    alignments.place, share_reads(alignments, aligned.layout, settings).weight
                )
            tables.append(errors_of(aligned, counts).assign(genome=seed))
        compared = compare_errors(pd.concat(tables), str(EM_SDS[0])).set_index("estimate")
        cells = [f"{row.margin:+.3f} ({row.margin_low:.3f} to {row.margin_high:.3f})" for row in compared.itertuples()]
        lines.append(f"| {peak_sd_bp} bp | {compared.error.iloc[0]:.3f} | " + " | ".join(cells[1:]) + " |")
    head = f"| peaks of sd | {' | '.join(map(str, EM_SDS))} |\n| --- |{' --- |' * len(EM_SDS)}\n"
    return head + "\n".join(lines)


def many_copies_markdown(work: Path, genomes: int) -> str:
    """Errors in families of thirty copies, by what the aligner gives and what is left out."""
    lines = [f"| {' | '.join(['', *DIVERGENCES])} |", f"| --- |{' --- |' * len(DIVERGENCES)}"]
    cells: dict[tuple[str, str], list[float]] = {}
    for divergence in DIVERGENCES.values():
        family = RepeatFamily(length_bp=1_000, divergence=divergence, share=0.018)
        background = LandscapeConfig().background.model_copy(update={"repeats": (family,)})
        for limit, (places, most) in LIMITS.items():
            errors = []
            for seed in range(1, genomes + 1):
                name = f"copies_{divergence}_{places}_{seed}"
                landscape = LandscapeConfig(seed=seed, background=background)
                sample = Sample(name, "dnase", landscape, ReadsConfig(seed=seed, reads=40_000), places)
                errors.append(errors_at_limit(make(sample, work), most))
            for way in errors[0]:
                cells.setdefault((limit, way), []).append(float(np.mean([one[way] for one in errors])))
    lines += [
        f"| {limit}: {WAYS[way]} | {' | '.join(f'{value:.3f}' for value in values)} |"
        for (limit, way), values in cells.items()
    ]
    return "\n".join(lines)


def errors_at_limit(aligned: Aligned, max_places: int) -> dict[str, float]:
    """Error of smoothed EM, equal shares and unique reads in the one family, reads with more places left out."""
    bins = GenomeBins(aligned.layout, BIN_BP)
    settings = aligned.sample.settings.model_copy(update={"max_places": max_places})
    alignments = count_places(
        read_bam(aligned.folder / "reads.bam", aligned.layout, settings)[0], aligned.layout, settings
    )
    repeats = read_bed_rows(aligned.folder / "landscape" / "repeats.bed", genome_lengths=aligned.genome.lengths)
    counts = {}
    for way in ("smoothed", "equal", "unique"):
        shared = share_reads(alignments, aligned.layout, settings.model_copy(update={"em": way}))
        counts[way] = bins.sums(alignments.place, shared.weight)
    table = family_errors(counts, aligned.expected(BIN_BP), families_of_bins(bins, repeats))
    return {way: float(table[way].sum() / table["truth"].sum()) for way in counts}


def draw_repeats(errors: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Margins over EM with their intervals, a panel a kind of reads."""
    figure = Figure(figsize=(FULL_WIDTH, 2.9), layout="constrained")
    axes = figure.subplots(1, len(errors), sharey=True, sharex=True)
    ways = [way for way in WAYS if way != "smoothed"]
    for ax, (title, table) in zip(axes, errors.items(), strict=True):
        prepare_axes(ax, grid="x")
        rows = compare_errors(table, "smoothed").set_index("estimate").loc[ways]
        for number, (way, row) in enumerate(rows.iterrows()):
            tint = color(0) if way == "exact" else FLOOR
            ax.plot([row.margin_low, row.margin_high], [number, number], color=tint, linewidth=3, solid_capstyle="butt")
            ax.plot(row.margin, number, "o", color=TEXT, markersize=5)
        ax.axvline(0, color=TEXT, linewidth=1)
        ax.set_yticks(range(len(ways)), [WAYS[way] for way in ways])
        ax.set_ylim(len(ways) - 0.5, -0.5)
        first, second, depth = title.rsplit(", ", 2)
        title_panel(ax, f"{first}, {second}\n{depth}")
    figure.supxlabel("error inside repeats less that of smoothed EM (share of the reads there)", fontsize=9)
    figure.savefig(path, dpi=100)


def draw_copies(aligned: Aligned, path: Path) -> None:
    """Of some families the copy with the most reads and its surroundings: the rate, and what each way makes of it."""
    bins = GenomeBins(aligned.layout, BIN_BP)
    counts, truth = count_all_ways(aligned), aligned.expected(BIN_BP)
    rows = read_bed_rows(aligned.folder / "landscape" / "repeats.bed", genome_lengths=aligned.genome.lengths)
    figure = Figure(figsize=(FULL_WIDTH, 4.8), layout="constrained")
    axes = figure.subplots(3, len(SHOWN), sharex="col", sharey="col", squeeze=False)
    for column, (family, title) in enumerate(SHOWN.items()):
        copies = [row.interval for row in rows if row.name == family]
        spans = [
            bins.first[bins.layout.names.index(copy.chrom)] + np.array([copy.start, copy.end]) // BIN_BP
            for copy in copies
        ]
        copy, span = max(zip(copies, spans, strict=True), key=lambda pair: truth[slice(*pair[1])].sum())
        around = slice(span[0] - 12, span[1] + 12)
        edges = np.arange(copy.start // BIN_BP - 12, copy.start // BIN_BP + span[1] - span[0] + 13) * BIN_BP / 1000
        for ax, way in zip(axes[:, column], ("unique", "equal", "smoothed"), strict=True):
            prepare_axes(ax)
            ax.axvspan(copy.start / 1000, copy.end / 1000, color=FLOOR, alpha=0.18, linewidth=0)
            ax.stairs(truth[around], edges, fill=True, color=MEASURED, label="rate of the reads")
            ax.stairs(counts[way][around], edges, color=color(1), linewidth=1.4, label="counted")
            if not column:
                ax.set_ylabel(f"{WAYS[way]}\nreads per bin", fontsize=8)
        title_panel(axes[0, column], title)
        axes[-1, column].set_xlabel(f"position on {copy.chrom} (kb)", fontsize=8)
    axes[0, -1].legend(frameon=False, fontsize=8, loc="upper right")
    figure.savefig(path, dpi=100)


@dataclass(frozen=True)
class GcResult:
    """Windows of 1 kb with 50 expected fragments or more, and the share of all windows that these are."""

    windows: GcProfile
    share: float
    model: GcModel


def correct_gc(aligned: Aligned, *, fragment_bp: int | None, against_rate: bool = False) -> GcResult:
    """With `against_rate` coverage is taken over the known rate, so that GC of peaks is no bias."""
    genome, layout = aligned.genome, aligned.layout
    alignments = aligned.alignments(fragment_bp=fragment_bp)
    weight = share_reads(alignments, layout, aligned.sample.settings).weight
    gc = fragment_gc(genome, layout, alignments)
    model = fit_gc(genome, layout, alignments, gc, weight)
    profile = count_by_gc(genome, layout, alignments, weight, weight * model.factors(gc, weight))
    expected = aligned.expected(1_000)
    enough = expected >= 50
    rate = expected[enough] if against_rate else 1.0
    windows = GcProfile(profile.gc[enough], profile.before[enough] / rate, profile.after[enough] / rate)
    return GcResult(windows, float(enough.mean()), model)


def compare_gc(work: Path, mb: float) -> dict[str, GcResult]:
    results = {}
    for paired, rate in ((False, FLAT), (True, FLAT), (True, RateConfig())):
        background = LandscapeConfig().background
        families = tuple(family.model_copy(update={"share": family.share / mb}) for family in background.repeats)
        landscape = LandscapeConfig(
            chromosomes={"chr1": int(mb * 7e5), "chr2": int(mb * 3e5)},
            background=background.model_copy(update={"repeats": families}),
            rate=rate,
        )
        reads = ReadsConfig(reads=int(mb * 200_000), paired=paired, gc_bias=GcBiasConfig(width=0.15))
        kind = "flat" if rate is FLAT else "peaks"
        aligned = make(Sample(f"gc_{kind}_{'pairs' if paired else 'single'}_{mb:g}", "chip", landscape, reads), work)
        name = f"{'pairs' if paired else 'single-end'}, {'one rate' if rate is FLAT else 'drift and peaks'}"
        length = None if paired else reads.fragment.mean_bp
        results[name] = correct_gc(aligned, fragment_bp=length, against_rate=rate is not FLAT)
    return results


def gc_markdown(results: Mapping[str, GcResult]) -> str:
    lines = [
        "| reads | windows (share of all) | r before | r after | worst decile before | after |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, result in results.items():
        windows, (_, before, after) = result.windows, result.windows.deciles()
        r = [windows.correlation(counts) for counts in (windows.before, windows.after)]
        worst = [np.abs(tenths - 1).max() for tenths in (before, after)]
        cells = [name, f"{len(windows):,} ({result.share:.1%})", f"{r[0]:.3f}", f"{r[1]:+.4f}"]
        lines.append("| " + " | ".join([*cells, f"{worst[0]:.1%}", f"{worst[1]:.2%}"]) + " |")
    return "\n".join(lines)


def draw_gc(results: Mapping[str, GcResult], path: Path) -> None:
    """Means of windows in tenths by GC, before and after."""
    figure = Figure(figsize=(FULL_WIDTH, 2.9), layout="constrained")
    for ax, (name, result) in zip(figure.subplots(1, len(results), sharey=True), results.items(), strict=True):
        prepare_axes(ax)
        gc, before, after = result.windows.deciles()
        ax.axhline(1, color=TEXT, linewidth=1, linestyle="--")
        for number, (label, values) in enumerate((("before", before), ("after", after))):
            ax.plot(
                gc, values, marker=marker(number), markersize=4, linewidth=1.2, color=color(1 - number), label=label
            )
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.set_xlabel("G and C of 1 kb windows, in tenths")
        title_panel(ax, name)
    figure.axes[0].set_ylabel("coverage / mean")
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genomes", type=int, default=4, help="genomes of 1 Mb whose repeats are compared")
    parser.add_argument("--gc-mb", type=float, default=8, help="length of the genome with GC bias in million bases")
    parser.add_argument("--pictures", type=Path, help="folder to write PNG files to")
    parser.add_argument("--work", type=Path, help="folder that keeps reads and alignments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        in_repeats = errors_in_repeats(work, arguments.genomes)
        print(repeats_markdown(in_repeats), end="\n\n")
        print(smoothing_markdown(work, arguments.genomes), end="\n\n")
        print(many_copies_markdown(work, arguments.genomes), end="\n\n")
        by_gc = compare_gc(work, arguments.gc_mb)
        print(gc_markdown(by_gc))
        if arguments.pictures:
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            draw_repeats(in_repeats, arguments.pictures / "coverage_repeats.png")
            first = Sample("repeats_dnase_100000_1", "dnase", LandscapeConfig(), ReadsConfig())
            draw_copies(make(first, work), arguments.pictures / "coverage_copies.png")
            draw_gc(by_gc, arguments.pictures / "coverage_gc.png")


if __name__ == "__main__":
    main()
