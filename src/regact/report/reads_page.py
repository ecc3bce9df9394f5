"""The quality of one sample's reads as a page: what became of them, and what was made of them."""

from pathlib import Path

import numpy as np

from regact.engine import whole_file
from regact.plot import (
    plot_convergence,
    plot_coverage_histogram,
    plot_fragment_lengths,
    plot_gc_bias,
    plot_place_counts,
    plot_read_fates,
    plot_saturation,
)
from regact.reads.quality.library import distinct_at_depth
from regact.reads.quality.qc import EmQuality, FragmentQuality, GcFit, GcQuality, LibraryQuality, ReadsQc
from regact.reads.quality.remarks import find_remarks
from regact.report.figure import FigureBlock, figure_block
from regact.report.render import render_page
from regact.report.tables import Cell, Table

_COUNTED = ("unique", "multi")
_FATES = {
    "unique": "counted, one place",
    "multi": "counted, several places",
    "unmapped": "aligned nowhere",
    "duplicate": "duplicate",
    "failed_quality": "failed by the sequencer",
    "low_mapq": "mapping quality too low",
    "not_proper_pair": "no proper pair",
    "other_contig": "on contigs that the genome lacks",
    "fragment_length": "fragment too short or long",
    "too_many_places": "too many places",
    "places_not_listed": "places not listed in the file",
    "no_primary": "primary record not in the file",
}
_LENGTH_TOLD_BY = {
    "pairs": "median of pairs",
    "cross_correlation": "by the strands",
    "given": "as given",
    "assumed": "assumed",
}
_TOLD_BY = {
    "flags": "reads flagged by a duplicate marker, or a fragment file's further reads of a molecule",
    "fragments": "pairs with the same fragment",
    "five_primes": "reads with the same 5' end and strand; molecules that share a tall peak's base by chance count as "
    "duplicates, too, so that the library is larger than this",
}


def write_reads_page(qc: ReadsQc, out: str | Path, *, command: str = "") -> Path:
    """Write the page, which needs no other file; return `out`.

    Args:
        command: The command that made the coverage, to be shown.
    """
    page = render_page(
        "reads.html",
        sample=qc.sample,
        facts=_facts(qc),
        summary=_summary_table(qc),
        remarks=find_remarks(qc),
        fates=_fates_figure(qc),
        places=_places_figure(qc),
        em=_em_figure(qc.em) if qc.em else None,
        fragment=_fragment_figure(qc.fragment) if qc.fragment and qc.fragment.length_bp else None,
        gc=_gc_figure(qc.gc) if qc.gc else None,
        gc_fit=_fit_figure(qc.gc.fit) if qc.gc and qc.gc.fit else None,
        coverage=_coverage_figure(qc),
        saturation=_saturation_figure(qc.library),
        library=_library_table(qc.library),
        settings=[(name, "none" if value is None else str(value)) for name, value in qc.settings.items()],
        command=command,
    )
    with whole_file(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(out)


def _facts(qc: ReadsQc) -> str:
    facts = f"{qc.assay}, {qc.reads:,} reads of {qc.source} on {qc.genome}."
    if qc.records:
        facts += (
            f" {qc.records['all']:,} records, of them {qc.records['secondary']:,} secondary (further places) and "
            f"{qc.records['supplementary']:,} supplementary (passed over)."
        )
    return facts


def _summary_table(qc: ReadsQc) -> Table:
    counted = sum(qc.fates[fate] for fate in _COUNTED)
    aligned = qc.reads - qc.fates["unmapped"]
    optional = []
    if qc.cells:
        listed = "" if qc.cells.listed is None else f" of {qc.cells.listed:,} in the group"
        optional.append(("cells with fragments", f"{qc.cells.found:,}{listed}"))
        if qc.cells.listed is not None:
            optional.append(("fragments of cells in no group", f"{qc.cells.ungrouped_fragments:,} in the whole file"))
    if qc.clip:
        cut = f"{qc.clip.reads:,.0f} reads at {qc.clip.bases:,} bases"
        optional.append((f"cut from towers (at most {qc.clip.ceiling} a base)", cut))
    rows = [
        ("aligned", f"{aligned / max(qc.reads, 1):.1%} of all reads"),
        ("counted", f"{counted / max(qc.reads, 1):.1%} of all reads"),
        ("counted with several places", f"{qc.fates['multi'] / max(counted, 1):.1%} of those counted"),
        ("fragment length", _fragment_length(qc.fragment)),
        ("correlation of coverage and GC", _before_after(qc.gc)),
        ("bases with coverage", f"{qc.coverage.covered_share:.2%}"),
        ("distinct reads", f"{qc.library.distinct_share:.1%} of those with one place"),
        ("molecules in the library", _number(qc.library.molecules, "more than can be told: no duplicates")),
        *optional,
    ]
    return Table(("", ""), [[Cell(name, number=False), Cell(value, number=False)] for name, value in rows])


def _fates_figure(qc: ReadsQc) -> FigureBlock:
    had = {_FATES.get(fate, fate): count for fate, count in qc.fates.items() if count}
    ax = plot_read_fates(had, counted=[_FATES[fate] for fate in _COUNTED])
    return figure_block(ax, alt="Reads by fate", caption="Every read has one fate; coloured are those that count.")


def _places_figure(qc: ReadsQc) -> FigureBlock:
    most = 1 if qc.settings["em"] == "unique" else int(qc.settings["max_places"])
    reads = np.array(qc.places, np.int64)
    used = int(np.flatnonzero(reads)[-1]) + 1 if reads.any() else 1
    ax = plot_place_counts(reads[:used], left_out_above=most)
    caption = f"Reads by the number of places that they align to; more than {most} are left out (grey)."
    if used == len(reads):
        caption += " The last bar holds all with more, too."
    if qc.place_limit is not None:
        caption += f" The aligner gave at most {qc.place_limit}"
        caption += "." if qc.reads_at_limit is None else f", which {qc.reads_at_limit / max(qc.reads, 1):.2%} have."
    return figure_block(ax, alt="Reads by number of places", caption=caption)


def _em_figure(em: EmQuality) -> FigureBlock:
    ax = plot_convergence(em.change, tolerance=em.tolerance)
    end = "below the tolerance" if em.converged else "at the most rounds allowed, not below the tolerance"
    caption = (
        f"How much the shares of the {em.reads:,} reads with several places changed in each round of EM (sum over a "
        f"read's places, 0 to 2); it ended after {len(em.change)} rounds, {end}."
    )
    if em.log_likelihood:
        caption += f" Log-likelihood: {em.log_likelihood[0]:,.1f} at first, {em.log_likelihood[-1]:,.1f} at last."
    return figure_block(ax, alt="Convergence of EM", caption=caption)


def _fragment_figure(fragment: FragmentQuality) -> FigureBlock:
    pairs = fragment.told_by == "pairs"
    ax = plot_fragment_lengths(
        np.array(fragment.length_bp),
        np.array(fragment.value),
        quantity="pairs" if pairs else "correlation of the strands",
        chosen_bp=fragment.chosen_bp,
    )
    caption = "Correlation of the two strands' 5' ends by distance; "
    if pairs:
        caption = "Pairs by the length of their fragment; the line is the median."
    elif fragment.told_by == "assumed":
        caption += f"it has no peak beyond chance, and {fragment.chosen_bp} bp were assumed for the fragments' GC."
    else:
        caption += "fragments are as long as where its highest peak is."
    return figure_block(ax, alt="Fragment length", caption=caption)


def _fit_figure(fit: GcFit) -> FigureBlock:
    ax = plot_gc_bias(
        np.array(fit.gc),
        {"rate of fragments": np.array(fit.rate)},
        amount=np.array(fit.bases, np.float64),
        counted="bases",
        fitted=np.array(fit.curve),
    )
    caption = (
        f"Fragments a base by the GC of their own bases, over the mean, in {fit.windows:,} windows; every fragment is "
        f"divided by the curve. Left out are windows with N ({fit.left_out['with_n']:,}), many multi-mapped bases "
        f"({fit.left_out['multimapped']:,}) or peaks ({fit.left_out['peaks']:,})."
    )
    return figure_block(ax, alt="GC bias", caption=caption)


def _gc_figure(gc: GcQuality) -> FigureBlock:
    coverage = {"before": np.array(gc.before)} | ({"after": np.array(gc.after)} if gc.fit else {})
    ax = plot_gc_bias(np.array(gc.gc), coverage, amount=np.array(gc.windows, np.float64), counted="windows")
    what = "before and after GC correction" if gc.fit else "without GC correction"
    caption = (
        f"Mean coverage of windows of {gc.window_bp:,} bp by GC, {what}, over the mean of all windows. "
        f"Correlation over the windows: {_before_after(gc)}."
    )
    return figure_block(ax, alt="Coverage by GC", caption=caption)


def _coverage_figure(qc: ReadsQc) -> FigureBlock:
    coverage = qc.coverage
    ax = plot_coverage_histogram(np.array(coverage.edges), np.array(coverage.bases, np.int64))
    caption = (
        f"Bases by coverage as written; {coverage.uncovered:,} have none. Sum {coverage.total:,.0f}, highest "
        f"{coverage.maximum:,.4g}."
    )
    return figure_block(ax, alt="Histogram of coverage", caption=caption)


def _saturation_figure(library: LibraryQuality) -> FigureBlock | None:
    molecules = library.one_place_molecules
    if molecules is None:
        return None
    reads = np.linspace(0, 4 * library.examined, 100)
    ax = plot_saturation(reads, distinct_at_depth(molecules, reads), sequenced=(library.examined, library.distinct))
    deeper = distinct_at_depth(molecules, np.array([2.0 * library.examined]))[0] / max(library.distinct, 1) - 1
    caption = (
        f"Distinct reads with one place at other depths; twice as many reads would give {deeper:.0%} more of them."
    )
    return figure_block(ax, alt="Distinct reads by depth", caption=caption)


def _library_table(library: LibraryQuality) -> Table:
    rows = [
        ("reads with one place, duplicates among them", f"{library.examined:,}"),
        ("of them distinct", f"{library.distinct:,} ({library.distinct_share:.1%}; ENCODE's NRF)"),
        ("PBC1, PBC2", f"{_ratio(library.pbc1)}, {_ratio(library.pbc2)}"),
        ("molecules in the library", _number(library.molecules, "not told: no duplicates")),
        ("duplicates are", _TOLD_BY[library.told_by]),
    ]
    return Table(("", ""), [[Cell(name, number=False), Cell(value, number=False)] for name, value in rows])


def _fragment_length(fragment: FragmentQuality | None) -> str:
    if fragment is None:
        return "not needed"
    return f"{fragment.chosen_bp} bp, {_LENGTH_TOLD_BY[fragment.told_by]}"


def _before_after(gc: GcQuality | None) -> str:
    if gc is None or gc.correlation_before is None:
        return "not known"
    after = f" before, {gc.correlation_after:.3f} after" if gc.fit and gc.correlation_after is not None else ""
    return f"{gc.correlation_before:.3f}{after}".replace("-", "\N{MINUS SIGN}")


def _number(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if value < 1_000 else f"{value:,.0f}"
