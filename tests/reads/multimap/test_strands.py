import numpy as np
import pytest

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.strands import strand_coordinates

LAYOUT = GenomeLayout.from_lengths({"a": 10, "b": 5})


def alignments_at(place: list[int], strand: list[int]) -> Alignments:
    places = np.array(place, np.int64)
    return Alignments(
        np.arange(len(places) + 1), places, places, np.ones(len(places), np.int32), np.array(strand, np.int8)
    )


def test_strands_lie_one_behind_the_other():
    coordinates, borders = strand_coordinates(alignments_at([0, 9, 14], [1, -1, -1]), LAYOUT, stranded=True)
    assert coordinates.tolist() == [0, 24, 29]
    assert borders.tolist() == [0, 10, 15, 25, 30]


def test_without_strands_places_are_themselves():
    coordinates, borders = strand_coordinates(alignments_at([0, 9, 14], [1, -1, -1]), LAYOUT, stranded=False)
    assert coordinates.tolist() == [0, 9, 14]
    assert borders.tolist() == [0, 10, 15]


@pytest.mark.parametrize("place", [-1, 15])
def test_places_outside_the_genome(place):
    with pytest.raises(ValueError, match="in 15 bases"):
        strand_coordinates(alignments_at([3, place], [1, 1]), LAYOUT, stranded=False)
