"""The page of a sample's reads: whole, self-contained, and saying what was counted."""

import html
import re

import pytest

from regact.reads.quality.qc import (
    CellsQuality,
    ClipQuality,
    CoverageQuality,
    EmQuality,
    FragmentQuality,
    GcFit,
    GcQuality,
    LibraryQuality,
    ReadsQc,
)
from regact.report.reads_page import write_reads_page

FULL = ReadsQc(
    sample="liver <1>",
    assay="CHIP",
    source="liver.bam",
    genome="g",
    settings={"assay": "CHIP", "max_places": 3, "em": "exact", "clip": 5},
    records={"all": 1_200, "secondary": 150, "supplementary": 7},
    fates={"unique": 900, "multi": 60, "unmapped": 40, "duplicate": 0},
    places=(900, 50, 10, 0, 5),
    place_limit=3,
    cells=CellsQuality(found=7, listed=9, ungrouped_fragments=1_234),
    clip=ClipQuality(ceiling=5, bases=12, reads=96.4),
    em=EmQuality(reads=60, change=(0.4, 0.1, 0.004), log_likelihood=(-20.0, -12.5), tolerance=0.01, converged=True),
    fragment=FragmentQuality(told_by="pairs", length_bp=(150, 151, 152), value=(3, 9, 2), chosen_bp=151),
    gc=GcQuality(
        window_bp=1_000,
        gc=(0.35, 0.4, 0.45),
        windows=(10, 30, 10),
        before=(0.5, 1.0, 1.5),
        after=(0.99, 1.0, 1.01),
        correlation_before=0.71,
        correlation_after=-0.004,
        fit=GcFit(
            gc=(0.3, 0.4, 0.5),
            bases=(5, 40, 4),
            rate=(0.3, 1.0, 1.7),
            curve=(0.4, 1.0, 1.6),
            windows=50,
            left_out={"with_n": 3, "multimapped": 4, "peaks": 1_005},
        ),
    ),
    coverage=CoverageQuality(
        edges=(0.5, 1, 2), bases=(10, 20), uncovered=970, total=45.5, maximum=1.5, covered_share=0.03
    ),
    library=LibraryQuality(
        told_by="fragments",
        examined=900,
        distinct=800,
        distinct_share=8 / 9,
        pbc1=0.9,
        pbc2=9.0,
        one_place_molecules=3_700.0,
        molecules=3_946.7,
    ),
)
BARE = FULL.model_copy(
    update={
        "em": None,
        "place_limit": None,
        "cells": None,
        "clip": None,
        "fragment": None,
        "gc": None,
        "records": {},
        "fates": {"unique": 1, "multi": 0, "unmapped": 0},
        "places": (1, 0),
        "library": FULL.library.model_copy(
            update={"pbc2": None, "one_place_molecules": None, "molecules": None, "told_by": "five_primes"}
        ),
    }
)


def page_of(qc: ReadsQc, folder) -> str:
    return write_reads_page(qc, folder / "qc.html", command="regact coverage liver.bam").read_text(encoding="utf-8")


def test_every_figure_is_there_and_the_numbers_with_it(tmp_path):
    page = page_of(FULL, tmp_path)
    assert page.count("data:image/svg+xml") == 8
    text = html.unescape(" ".join(re.sub("<[^>]+>", " ", page).split()))
    for part in (
        "1,200 records, of them 150 secondary (further places) and 7 supplementary (passed over)",
        "96.0% of all reads",
        "6.2% of those counted",
        "0.710 before, −0.004 after",
        "more than 3 are left out",
        "The aligner gave at most 3, which 1.00% have.",
        "10 reads (1.00%) have 3 places, as many as the aligner gives at most",
        "151 bp, median of pairs",
        "7 of 9 in the group",
        "1,234 in the whole file",
        "7 of the group's 9 cells have a fragment in the file.",
        "96 reads at 12 bases",
        "with N (3), many multi-mapped bases (4) or peaks (1,005)",
        "it ended after 3 rounds, below the tolerance",
        "-20.0 at first, -12.5 at last",
        "800 (88.9%; ENCODE's NRF)",
        "3,947",
        "pairs with the same fragment",
        "regact coverage liver.bam",
    ):
        assert part in text, part


def test_what_was_not_measured_is_not_drawn(tmp_path):
    page = page_of(BARE, tmp_path)
    assert page.count("data:image/svg+xml") == 3
    assert "not told: no duplicates" in page
    assert "same 5&#39; end" in page


def test_nothing_is_fetched_and_no_text_is_taken_for_markup(tmp_path):
    page = page_of(FULL, tmp_path)
    assert "liver &lt;1&gt;" in page
    sources = re.findall(r'(?:src|href)="([^"]*)', page)
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert "<script" not in page


def test_an_assumed_fragment_length_is_called_so(tmp_path):
    fragment = FragmentQuality(told_by="assumed", length_bp=(50, 51), value=(0.2, 0.1), chosen_bp=200)
    page = html.unescape(page_of(FULL.model_copy(update={"fragment": fragment}), tmp_path))
    assert "no peak beyond chance, and 200 bp were assumed" in page
    assert "fragments are assumed to have 200 bp for their GC, for the strands agree at no distance" in page


def test_a_length_without_a_curve_is_told_and_not_drawn(tmp_path):
    fragment = FragmentQuality(told_by="given", length_bp=(), value=(), chosen_bp=180)
    page = page_of(FULL.model_copy(update={"fragment": fragment}), tmp_path)
    assert "180 bp, as given" in page
    assert page.count("data:image/svg+xml") == 7


def test_an_em_that_did_not_end_is_told(tmp_path):
    em = FULL.em.model_copy(update={"converged": False, "log_likelihood": ()})
    page = page_of(FULL.model_copy(update={"em": em}), tmp_path)
    assert "not below the tolerance" in page
    assert "Log-likelihood" not in page


@pytest.mark.parametrize("place", [4, 2])
def test_the_last_bar_may_hold_more_places(tmp_path, place):
    qc = FULL.model_copy(update={"places": tuple(int(i == place) for i in range(5))})
    assert ("The last bar holds all with more" in page_of(qc, tmp_path)) == (place == 4)
