import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.genome import encode, reverse_complement
from regact.simulation.motif import build_motif
from regact.simulation.scan import _BLOCK, scan

# Few bits, so that short random sequences hold sites of every score.
MOTIFS = (build_motif("a", "ACGGT", 4.0), build_motif("b", "TTRCAGC", 5.0), build_motif("c", "GACCTATTGCA", 6.0))


def plain_scan(codes, motifs):
    """Every site, base by base."""
    found = []
    for index, motif in enumerate(motifs):
        for start in range(len(codes) - motif.width + 1):
            for strand in (1, -1):
                site = codes[start : start + motif.width]
                site = site if strand > 0 else reverse_complement(site)
                score = sum(int(motif.scores[row, code]) for row, code in enumerate(site))
                if score >= motif.smallest_score:
                    bits = score / 1_000
                    occupancy = 1 / (1 + np.exp(-(bits - motif.half_bound_bits) / motif.scale_bits))
                    found.append((start + motif.width // 2, index, strand, occupancy))
    return sorted(found)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=0, max_size=80))
def test_finds_what_a_plain_loop_finds(codes):
    codes = np.array(codes, np.uint8)
    hits = scan(codes, MOTIFS)
    found = list(zip(hits.centre, hits.motif, hits.strand, hits.occupancy, strict=True))
    assert [row[:3] for row in found] == [row[:3] for row in plain_scan(codes, MOTIFS)]
    np.testing.assert_allclose(hits.occupancy, [row[3] for row in plain_scan(codes, MOTIFS)])


def test_the_other_strand_has_the_same_sites(rng):
    codes = rng.integers(0, 4, 5_000).astype(np.uint8)
    hits, mirrored = scan(codes, MOTIFS), scan(reverse_complement(codes), MOTIFS)
    there = sorted(zip(hits.motif, hits.centre, hits.strand, hits.occupancy, strict=True))
    back = sorted(
        zip(mirrored.motif, len(codes) - 1 - mirrored.centre, -mirrored.strand, mirrored.occupancy, strict=True)
    )
    assert there == back


def test_blocks_join_without_gap_or_double(rng):
    motif = build_motif("core", "GCTATAAAAGGGC", 19.0)
    codes = np.zeros(2 * _BLOCK + 100, np.uint8)
    starts = [_BLOCK - 13, _BLOCK - 12, _BLOCK - 7, _BLOCK - 1, _BLOCK, 2 * _BLOCK - 5]
    for start in starts:
        planted = codes.copy()
        planted[start : start + 13] = encode("GCTATAAAAGGGC")
        assert scan(planted, (motif,)).centre.tolist() == [start + 6]


def test_an_n_unbinds_a_site():
    motif = build_motif("core", "GCTATAAAAGGGC", 19.0)
    codes = encode("AA" + "GCTATAAAAGGGC" + "AA")
    assert len(scan(codes, (motif,))) == 1
    codes[5] = 4
    assert len(scan(codes, (motif,))) == 0


@pytest.mark.parametrize("length", [0, 3, 5])
def test_a_sequence_shorter_than_the_motif_has_no_site(length):
    assert len(scan(np.zeros(length, np.uint8), (MOTIFS[2],))) == 0
