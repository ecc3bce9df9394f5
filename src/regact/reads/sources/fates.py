"""What became of every read: each has one fate, and the fates add up to the reads."""

from dataclasses import asdict, dataclass, fields

# Why a read, or one of its places, does not count: codes of rows while a file is read.
UNMAPPED, DUPLICATE, FAILED_QUALITY, LOW_MAPQ, NOT_PROPER_PAIR = 1, 2, 3, 4, 5
OTHER_CONTIG, FRAGMENT_LENGTH, TOO_MANY_PLACES, PLACES_NOT_LISTED, NO_PRIMARY = 6, 7, 8, 9, 10
# A fate that is the read's, not one of its places'.
LAST_OF_READ = NOT_PROPER_PAIR


@dataclass(frozen=True)
class Fates:
    """Number of reads by fate; what a read is says `CoverageSettings.pairs`.

    Attributes:
        unique: Counted, with one place.
        multi: Counted, shared among its places.
        unmapped: Aligned nowhere.
        duplicate: Flagged as a duplicate.
        failed_quality: Flagged by the sequencer as failed.
        low_mapq: Below the smallest mapping quality.
        not_proper_pair: One mate unmapped, or the mates too far apart or turned wrongly.
        other_contig: Only on contigs that the genome lacks.
        fragment_length: A pair's fragment too short or too long.
        too_many_places: More places than are shared out; more than one where only unique reads count.
        places_not_listed: Several places by the aligner's word, of which the file has one only.
        no_primary: Further places only: the file lacks the read's primary record.
    """

    unique: int
    multi: int
    unmapped: int = 0
    duplicate: int = 0
    failed_quality: int = 0
    low_mapq: int = 0
    not_proper_pair: int = 0
    other_contig: int = 0
    fragment_length: int = 0
    too_many_places: int = 0
    places_not_listed: int = 0
    no_primary: int = 0

    @property
    def counted(self) -> int:
        """Reads that coverage is made of."""
        return self.unique + self.multi

    @property
    def total(self) -> int:
        """All reads."""
        return sum(self.to_dict().values())

    def to_dict(self) -> dict[str, int]:
        """Fate -> reads."""
        return asdict(self)

    def remedy(self) -> str:
        """The setting that would let the largest part of the left-out reads count, if one would."""
        left_out = {name: count for name, count in self.to_dict().items() if name in _REMEDIES and count}
        return _REMEDIES[max(left_out, key=left_out.__getitem__)] if left_out else ""

    def describe(self) -> str:
        """The fates that reads had, most first: `1,200 unmapped, 30 duplicate`."""
        had = sorted(((count, name) for name, count in self.to_dict().items() if count), reverse=True)
        return ", ".join(f"{count:,} {name.replace('_', ' ')}" for count, name in had) or "none"


_REMEDIES = {
    "duplicate": "to count duplicates, --set keep_duplicates=true",
    "low_mapq": "to count them, lower min_mapq",
    "not_proper_pair": "to count mates by themselves, --set pairs=mates",
    "other_contig": "see that these are the genome's contigs, or say --contig-alias",
    "fragment_length": "to count them, --set min_fragment_bp or max_fragment_bp",
    "too_many_places": "to count them, raise max_places, or take another em than unique",
    "places_not_listed": "align again with all places reported; to count them where they are, --set keep_unlisted=true",
    "no_primary": "take the file as it was before its primary records were filtered out",
    "unmapped": "see that the reads are of this genome",
}

# Position of a code in `Fates`, for tables of counts by code; the two fates of counted reads come before.
FATE_NAMES = tuple(field.name for field in fields(Fates))[2:]
