"""What is out of the ordinary is said, and nothing else."""

import pytest

from regact.reads import coverage_settings
from regact.reads.quality.qc import CellsQuality, ClipQuality, CoverageQuality, FragmentQuality, LibraryQuality, ReadsQc
from regact.reads.quality.remarks import find_remarks

PLAIN = ReadsQc(
    sample="s",
    assay="DNASE",
    source="s.bam",
    genome="g",
    settings=coverage_settings("dnase").model_dump(mode="json"),
    fates={"unique": 900, "multi": 100, "places_not_listed": 0},
    places=(900, *[0] * 8, 100, *[0] * 11),
    em=None,
    fragment=FragmentQuality(told_by="given", length_bp=(), value=(), chosen_bp=200),
    gc=None,
    coverage=CoverageQuality(edges=(0.5, 1), bases=(10,), uncovered=0, total=10, maximum=1, covered_share=1),
    library=LibraryQuality(
        told_by="flags", examined=9, distinct=9, distinct_share=1, pbc1=None, pbc2=None, one_place_molecules=None,
        molecules=None,
    ),
)  # fmt: skip


def with_settings(**replaced):
    return {"settings": PLAIN.settings | replaced}


def test_an_ordinary_sample_needs_no_remark():
    assert find_remarks(PLAIN) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"fates": PLAIN.fates | {"places_not_listed": 1_000}}, "1,000 reads (50.00%) come from several places"),
        ({"place_limit": 10}, "100 reads (10.00%) have 10 places, as many as the aligner gives at most"),
        ({"cells": CellsQuality(found=3, listed=5, ungrouped_fragments=0)}, "3 of the group's 5 cells"),
        (
            {"clip": ClipQuality(ceiling=4, bases=1_500, reads=250.4)},
            "1,500 bases were cut, which took 250 reads (25.0",
        ),
        (
            {"fragment": PLAIN.fragment.model_copy(update={"told_by": "assumed"})},
            "assumed to have 200 bp for their GC, for the reads are too few to tell",
        ),
    ],
)
def test_what_is_out_of_the_ordinary(changed, words):
    (remark,) = find_remarks(PLAIN.model_copy(update=changed))
    assert words in remark


@pytest.mark.parametrize(
    "changed",
    [
        {"place_limit": 9},  # none has 9
        {"place_limit": 10, **with_settings(max_places=9)},  # they are left out already
        {"place_limit": 10, **with_settings(em="unique")},
        {"place_limit": 1_000},  # counted with others of many places
        {"cells": CellsQuality(found=5, listed=None, ungrouped_fragments=0)},
    ],
)
def test_what_does_no_harm_is_not_said(changed):
    assert find_remarks(PLAIN.model_copy(update=changed)) == ()
