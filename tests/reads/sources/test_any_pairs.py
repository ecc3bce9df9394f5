"""Drawn pairs as an aligner would write them, against what is known of each: every place, and every fate."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regact.reads import count_places, coverage_settings, read_bam

MOST_PLACES = 10  # of the presets
ASSAYS = ("chip", "cage", "dnase")  # the fragment, read 1, each mate
OFFSETS = {"c1": 0, "c2": 60_000}


@dataclass
class Drawn:
    """Records, and for each assay the places (base, strand) of the reads that count, and the fates of all."""

    records: list[list[object]] = field(default_factory=list)
    reads: dict[str, Counter] = field(default_factory=lambda: {assay: Counter() for assay in ASSAYS})
    fates: dict[str, Counter] = field(default_factory=lambda: {assay: Counter() for assay in ASSAYS})

    def expect(self, assay: str, fate: str, places=()) -> None:
        self.fates[assay][fate] += 1
        if places:
            self.reads[assay][tuple(sorted(places))] += 1


def add_unaligned(drawn, record, name):
    drawn.records += [record(name, 77), record(name, 141)]
    for assay in (*ASSAYS, "dnase"):
        drawn.expect(assay, "unmapped")


def add_half(drawn, record, name, start, *, with_nh):
    """Read 1 alone is aligned."""
    tags = ["NH:i:1"] if with_nh else []
    drawn.records += [record(name, 73, "c1", start, "20M", *tags, mate=("=", start)), record(name, 133, "c1", start)]
    drawn.expect("chip", "not_proper_pair")
    drawn.expect("dnase", "unmapped")
    for assay in ("cage", "dnase"):
        drawn.expect(assay, "unique", [(start, 1)])


def add_pair(drawn, record, name, places, lengths, *, is_duplicate, with_nh):
    """A proper pair at several places (contig, start, length, strand of read 1)."""
    tags = [f"NH:i:{len(places)}"] if with_nh else []
    for number, (chrom, start, span, strand) in enumerate(places):
        shared = (256 if number else 0) | (1024 if is_duplicate and not number else 0)
        left, right = start, start + span - lengths[1 if strand > 0 else 0]
        one, two = (left, right) if strand > 0 else (right, left)
        flags = (99, 147) if strand > 0 else (83, 163)
        for flag, begin, other, length, signed in (
            (flags[0], one, two, lengths[0], span * strand),
            (flags[1], two, one, lengths[1], -span * strand),
        ):
            cigar = f"{length}M"
            drawn.records.append(
                record(name, flag | shared, chrom, begin, cigar, *tags, mate=("=", other), span=signed)
            )
    ends = [(OFFSETS[c] + s, OFFSETS[c] + s + span - 1, strand) for c, s, span, strand in places]
    mates = [[(left if strand > 0 else right, strand) for left, right, strand in ends]]
    mates.append([(right if strand > 0 else left, -strand) for left, right, strand in ends])
    centres = [(left + (right - left + 1) // 2, strand) for left, right, strand in ends]
    for assay, reads in (("chip", [centres]), ("cage", mates[:1]), ("dnase", mates)):
        for read in reads:
            # Fragments with one end in common are different places, the end is one.
            found = read if assay == "chip" else sorted(set(read))
            if is_duplicate:
                drawn.expect(assay, "duplicate")
            elif len(found) > MOST_PLACES or (with_nh and len(places) > MOST_PLACES):
                drawn.expect(assay, "too_many_places")
            else:
                drawn.expect(assay, "unique" if len(found) == 1 else "multi", found)


def draw(rng, record, *, with_nh):
    drawn = Drawn()
    for number in range(60):
        name, kind = f"p{number}", rng.random()
        if kind < 0.1:
            add_unaligned(drawn, record, name)
        elif kind < 0.2:
            add_half(drawn, record, name, int(rng.integers(39_000)), with_nh=with_nh)
        else:
            starts = rng.integers(50, size=2)  # so near that ends coincide
            places = {
                (
                    str(rng.choice(["c1", "c2"])),
                    int(rng.choice([*starts, rng.integers(39_000)])),
                    int(rng.choice([60, 100, 180])),
                    int(rng.choice([1, -1])),
                )
                for _ in range(rng.choice([1, 1, 2, 5, 14]))
            }
            lengths = rng.choice([20, 30, 50], 2).tolist()
            duplicate = rng.random() < 0.1
            add_pair(drawn, record, name, sorted(places), lengths, is_duplicate=duplicate, with_nh=with_nh)
    return drawn


@pytest.mark.parametrize("kind", ["as Bowtie2 -k", "NH, by name", "NH, by coordinate"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_place_and_every_fate(kind, seed, record, write_alignments, layout):
    drawn = draw(np.random.default_rng(seed), record, with_nh=kind.startswith("NH"))
    records, order = drawn.records, "SO:unsorted\tGO:query"
    if kind.endswith("coordinate"):
        records, order = sorted(records, key=lambda one: (one[2] == "*", one[2], one[3])), "SO:coordinate"
    path = write_alignments(records, order=order)
    for assay in ASSAYS:
        chosen = coverage_settings(assay)
        reads, _ = read_bam(path, layout, chosen)
        alignments = count_places(reads, layout, chosen)
        places = list(zip(alignments.place.tolist(), alignments.strand.tolist(), strict=True))
        parts = zip(alignments.offsets[:-1], alignments.offsets[1:], strict=True)
        assert Counter(tuple(sorted(places[a:b])) for a, b in parts) == drawn.reads[assay], assay
        assert {name: n for name, n in reads.fates.to_dict().items() if n} == dict(drawn.fates[assay]), assay
