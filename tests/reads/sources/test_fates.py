"""Fates add up, are told in words, and the largest loss has a remedy."""

from regact.reads import Fates
from regact.reads.sources.fates import FATE_NAMES, LAST_OF_READ, NO_PRIMARY, OTHER_CONTIG, UNMAPPED


def test_words_and_sums():
    fates = Fates(5, 2, unmapped=1_200, low_mapq=30)
    assert (fates.counted, fates.total) == (7, 1_237)
    assert fates.describe() == "1,200 unmapped, 30 low mapq, 5 unique, 2 multi"
    assert Fates(0, 0).describe() == "none"


def test_codes_name_the_fields():
    assert FATE_NAMES[UNMAPPED - 1] == "unmapped"
    assert FATE_NAMES[LAST_OF_READ - 1] == "not_proper_pair"
    assert FATE_NAMES[OTHER_CONTIG - 1] == "other_contig"
    assert len(FATE_NAMES) == NO_PRIMARY


def test_a_remedy_for_the_largest_loss():
    assert "min_mapq" in Fates(0, 0, unmapped=3, low_mapq=5).remedy()
    assert Fates(3, 0).remedy() == ""
    for name in FATE_NAMES:
        if name != "failed_quality":
            assert Fates(0, 0, **{name: 1}).remedy(), name
