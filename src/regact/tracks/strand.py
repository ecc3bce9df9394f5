"""Which strand a track is of: the sheet pairs the two strands of an assay, and names tell which is which."""

import re

from regact.errors import ConfigError
from regact.tracks.sheet import Track, TrackSheet

COLUMN = "strand"  # of the sheet, where names do not tell
_WORDS = {
    "+": re.compile(r"(?:\+|(?:^|[^a-z])(?:plus|fwd|forward|pos|positive|sense))(?:[ _]strand)?$", re.IGNORECASE),
    "-": re.compile(r"(?:-|(?:^|[^a-z])(?:minus|rev|reverse|neg|negative|antisense))(?:[ _]strand)?$", re.IGNORECASE),
}
_OTHER = {"+": "-", "-": "+"}


def track_strands(sheet: TrackSheet) -> tuple[str, ...]:
    """Each track's strand: "+" or "-" for a track with a strand pair, "." for one that is its own pair.

    Told by the sheet's column `strand`, else by the end of the identifier, else of the description: `+`, `plus`, `fwd`,
    `forward`, `pos`, `positive`, `sense` and their opposites, the word `strand` after them or not. One of a pair is
    enough.

    Raises: ConfigError with every pair whose strands are not told, or are the same.
    """
    strands = ["."] * len(sheet)
    problems = []
    for row, track in enumerate(sheet.tracks):
        partner = sheet.tracks[track.strand_pair]
        if track.strand_pair <= row:
            continue
        told, told_of_partner = _told(track), _told(partner)
        strand = told or _OTHER.get(told_of_partner, "")
        if not strand or told == told_of_partner:
            found = f"are both of strand {strand}" if strand else "do not say which of them is + and which -"
            problems.append(
                f"{track.identifier} and {partner.identifier} {found}; end their identifiers in _plus and _minus, or "
                f"give the track sheet a column {COLUMN}"
            )
            continue
        strands[row], strands[track.strand_pair] = strand, _OTHER[strand]
    if problems:
        raise ConfigError(sheet.path, problems)
    return tuple(strands)


def _told(track: Track) -> str:
    """The strand that a track's column, identifier or description says; empty where none does."""
    column = dict(track.annotations).get(COLUMN, "").strip()
    for text in (column, track.identifier, track.description):
        for strand, words in _WORDS.items():
            if words.search(text):
                return strand
    return ""
