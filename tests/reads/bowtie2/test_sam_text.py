"""Reads are counted as they stream by, wherever the text is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads.bowtie2.sam_text import ReadCounter

FLAGS = st.lists(st.sampled_from([0, 4, 16, 73, 77, 83, 99, 133, 147, 163, 256, 272, 2048, 355, 1024]), max_size=30)


@given(flags=FLAGS, cuts=st.lists(st.integers(0, 2_000), max_size=8))
def test_each_read_or_pair_counts_once(flags, cuts):
    lines = ["@HD\tVN:1.6", "@SQ\tSN:0\tLN:9", *(f"r{n}\t{flag}\tc1\t5\t9\t4M\tA" for n, flag in enumerate(flags))]
    text = "".join(f"{line}\n" for line in lines).encode()
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    counter = ReadCounter()
    found = sum(counter.add(text[a:b]) for a, b in pairwise(borders))
    assert found == sum(not flag & (0x100 | 0x800 | 0x80) for flag in flags)


@pytest.mark.parametrize("text", ["", "\n", "x\n", "x\t\n", "no end"])
def test_what_is_no_sam_does_no_harm(text):
    assert ReadCounter().add(text.encode()) in (0, 1)
