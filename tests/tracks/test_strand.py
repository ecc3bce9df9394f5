"""Names tell strands; pairs whose names do not are named, all at once."""

from pathlib import Path

import pytest

from regact.errors import ConfigError
from regact.simulation.assays import list_tracks
from regact.tracks import Track, TrackSheet, read_track_sheet, track_strands


def pair(first: str, second: str, *, descriptions=("", ""), columns=("", "")) -> TrackSheet:
    annotations = [(("strand", column),) if column else () for column in columns]
    tracks = (
        Track(first, (), strand_pair=1, description=descriptions[0], annotations=annotations[0]),
        Track(second, (), strand_pair=0, description=descriptions[1], annotations=annotations[1]),
        Track("ATAC_plus", (), strand_pair=2),
    )
    return TrackSheet(tracks, Path("targets.txt"))


@pytest.mark.parametrize(
    ("plus", "minus"),
    [("CNhs1+", "CNhs1-"), ("a_plus", "a_minus"), ("x.fwd", "x.rev"), ("Forward", "REVERSE"), ("a pos strand", "b")],
)
def test_identifiers_tell_the_strand_in_either_order(plus: str, minus: str) -> None:
    assert track_strands(pair(plus, minus)) == ("+", "-", ".")
    assert track_strands(pair(minus, plus)) == ("-", "+", ".")


def test_a_column_comes_before_names_and_names_before_descriptions() -> None:
    assert track_strands(pair("a_plus", "b", columns=("-", "+"))) == ("-", "+", ".")
    assert track_strands(pair("a_rev", "b", descriptions=("CAGE:x + strand", "CAGE:x"))) == ("-", "+", ".")
    assert track_strands(pair("a", "b", descriptions=("CAGE:+", "CAGE:-"))) == ("+", "-", ".")


def test_words_within_words_tell_nothing() -> None:
    with pytest.raises(ConfigError) as caught:
        track_strands(pair("surplus", "prev"))
    assert len(caught.value.problems) == 1
    assert "surplus and prev do not say which of them is +" in caught.value.problems[0]
    assert "a column strand" in caught.value.problems[0]


def test_both_of_one_strand_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"a\+ and b_fwd are both of strand \+"):
        track_strands(pair("a+", "b_fwd"))


def test_simulated_tracks_are_of_the_strand_that_they_were_made_of() -> None:
    made = list_tracks(("liver", "brain"))
    place = {track: row for row, track in enumerate(made)}
    tracks = [
        Track(track.identifier, (), strand_pair=place[track.other_strand], description=track.description)
        for track in made
    ]
    assert track_strands(TrackSheet(tuple(tracks), Path("t"))) == tuple(track.strand for track in made)


@pytest.mark.data
def test_strands_of_the_yeast_tracks(data_dir: Path) -> None:
    sheet = read_track_sheet(data_dir / "yeast" / "targets.txt")
    strands = dict(zip(sheet.identifiers, track_strands(sheet), strict=True))
    assert strands["STRIPEseq_WT_fwd"] == "+"
    assert strands["TIFseq5p_YPD_rev"] == "-"
    assert sum(strand == "." for strand in strands.values()) == 10
