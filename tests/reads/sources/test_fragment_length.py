"""Fragment length from the strands: against a plain correlation, and where there is nothing to find."""

import numpy as np
import pytest

from regact.errors import DataError
from regact.reads import GenomeLayout, coverage_settings, estimate_fragment_bp
from regact.reads.sources.fates import Fates
from regact.reads.sources.fragment_length import ChosenLength, choose_fragment_bp
from regact.reads.sources.read_places import PLACE, ReadPlaces
from regact.reads.sources.rows import OWN_LENGTH, Tally

LAYOUT = GenomeLayout.from_lengths({"a": 300_000, "b": 200_000})
READ_BP = 40


def single_reads(starts: np.ndarray, strands: np.ndarray) -> ReadPlaces:
    rows = np.zeros(len(starts), PLACE)
    rows["start"], rows["length"], rows["strand"], rows["differences"] = starts, READ_BP, strands, -1
    return ReadPlaces(np.arange(len(rows) + 1), rows, Fates(len(rows), 0), Tally(), np.zeros(4, np.int64))


def fragments_at(centres: np.ndarray, length: int, rng: np.random.Generator) -> ReadPlaces:
    """One end of each fragment, of about `length`, around the centres."""
    lengths = np.rint(rng.normal(length, 10, len(centres))).astype(np.int64)
    starts = centres + np.rint(rng.normal(0, 20, len(centres))).astype(np.int64) - lengths // 2
    forward = rng.random(len(starts)) < 0.5
    return single_reads(np.where(forward, starts, starts + lengths - READ_BP), np.where(forward, 1, -1))


@pytest.mark.parametrize("length", [90, 170, 310])
def test_the_length_of_fragments_around_peaks_is_found(length):
    rng = np.random.default_rng(length)
    centres = rng.choice(rng.integers(1_000, 499_000, 200), 8_000)
    found = estimate_fragment_bp(fragments_at(centres, length, rng), LAYOUT, search_bp=(50, 500))
    assert found.read_bp == READ_BP
    assert abs(found.fragment_bp - length) <= 8


def test_the_curve_is_the_correlation_of_the_two_strands():
    rng = np.random.default_rng(3)
    reads = fragments_at(rng.integers(1_000, 499_000, 4_000), 100, rng)
    found = estimate_fragment_bp(reads, LAYOUT, search_bp=(60, 130))
    forward, reverse = np.zeros(LAYOUT.total_bp), np.zeros(LAYOUT.total_bp)
    plus = reads.rows["strand"] > 0
    forward[reads.rows["start"][plus]] = 1
    reverse[reads.rows["start"][~plus] + READ_BP - 1] = 1
    for length in (60, 99, 130):
        expected = np.corrcoef(forward, np.roll(reverse, 1 - length))[0, 1]
        assert found.correlation[length - 60] == pytest.approx(expected, abs=2e-3)


def test_no_length_is_made_up():
    rng = np.random.default_rng(4)
    # As DNase and ATAC: both strands are cut at the same places.
    places = rng.choice(rng.integers(1_000, 499_000, 300), 12_000) + np.rint(rng.normal(0, 60, 12_000)).astype(np.int64)
    strands = rng.choice([1, -1], len(places))
    starts = np.where(strands > 0, places, places - READ_BP + 1)
    assert estimate_fragment_bp(single_reads(starts, strands), LAYOUT, search_bp=(50, 500)).fragment_bp is None
    anywhere = single_reads(rng.integers(0, 499_000, 12_000), strands)
    assert estimate_fragment_bp(anywhere, LAYOUT, search_bp=(50, 500)).fragment_bp is None


def test_the_phantom_peak_at_the_reads_own_length_is_passed_over():
    rng = np.random.default_rng(5)
    centres = rng.choice(rng.integers(1_000, 499_000, 200), 6_000)
    real = fragments_at(centres, 200, rng).rows
    # Mappability: where a read can begin on one strand, one can begin on the other that covers the same bases.
    starts = rng.integers(0, 499_000, 4_000)
    rows = np.concatenate([real["start"], starts, starts])
    strands = np.concatenate([real["strand"], np.ones(4_000), -np.ones(4_000)])
    found = estimate_fragment_bp(single_reads(rows, strands), LAYOUT, search_bp=(25, 400))
    assert found.lengths[np.argmax(found.correlation)] == READ_BP
    assert abs(found.fragment_bp - 200) <= 10


def test_too_few_reads_tell_nothing():
    reads = single_reads(np.arange(500) * 10, np.repeat([1, -1], 250))
    with pytest.raises(DataError, match=r"250 and 250 different 5' ends.*needed 1,000 on each.*--fragment-bp"):
        estimate_fragment_bp(reads, LAYOUT, search_bp=(50, 500))


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [({"fragment_bp": 99}, 99), ({"count": "five_prime"}, 230), ({"count": "five_prime", "gc": False}, None)],
)
def test_which_length_is_used(replaced, expected):
    rng = np.random.default_rng(4)
    flat = single_reads(rng.integers(0, 499_000, 12_000), rng.choice([1, -1], 12_000))
    settings = coverage_settings("chip", assumed_fragment_bp=230, **replaced)
    found = choose_fragment_bp(flat, LAYOUT, settings, where="x.bam")
    assert (found.bp, found.told_by) == (expected, {99: "given", 230: "assumed", None: None}[expected])
    assert (found.curve is None) == (expected != 230)
    flat.rows["kind"][:3] = OWN_LENGTH  # of pairs
    flat.rows["length"][:3] = (150, 170, 400)
    told = {99: (99, "given"), 230: (170, "pairs"), None: (None, None)}[expected]
    assert choose_fragment_bp(flat, LAYOUT, settings, where="x.bam") == ChosenLength(*told)


def test_centres_need_a_length():
    rng = np.random.default_rng(4)
    flat = single_reads(rng.integers(0, 499_000, 12_000), rng.choice([1, -1], 12_000))
    with pytest.raises(DataError, match=r"x\.bam: .*at no distance from 50 to 500 bp.*say it with --fragment-bp"):
        choose_fragment_bp(flat, LAYOUT, coverage_settings("chip"), where="x.bam")
