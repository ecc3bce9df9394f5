"""Fragments of a fragment file as reads that count, as a BAM with the same molecules would give them."""

import numpy as np

from regact.errors import ConfigError, DataError
from regact.reads.presets import CoverageSettings
from regact.reads.sources.fates import Fates
from regact.reads.sources.fragment_file import CellFragments
from regact.reads.sources.read_places import PLACE, ReadPlaces
from regact.reads.sources.rows import OWN_LENGTH, PRIMARY, READ2, Tally


def settings_of_fragments(settings: CoverageSettings, *, where: object) -> CoverageSettings:
    """The settings as they act on a fragment file: without shifts where its ends are shifted already.

    Raises: ConfigError where they ask for what such a file does not say: strands, which end is read 1, or which of a
        fragment's ends is its 5' end.
    """
    problems = []
    if settings.stranded:
        problems.append("stranded=true, but a fragment file has no strands; set stranded=false")
    if settings.pairs == "read1":
        problems.append("pairs=read1, but a fragment file does not say which end is read 1; set pairs=mates")
    if settings.pairs == "fragment" and settings.count == "five_prime":
        problems.append(
            "count=five_prime of pairs=fragment, but a fragment without strand has no 5' end; set pairs=mates for both "
            "its ends, or count=centre or count=fragment"
        )
    if problems:
        raise ConfigError(where, problems)
    if not settings.fragment_ends_shifted:
        return settings
    return settings.model_copy(update={"shift_forward_bp": 0, "shift_reverse_bp": 0})


def fragment_places(fragments: CellFragments, settings: CoverageSettings, *, where: object) -> ReadPlaces:
    """Every fragment as one read, or as two by `pairs=mates`; each has one place.

    A molecule's further reads are its duplicates, which `keep_duplicates` counts too.

    Raises: DataError where no fragment counts.
    """
    known = fragments.start >= 0
    fits = (fragments.length >= settings.min_fragment_bp) & (fragments.length <= settings.max_fragment_bp)
    kept = np.flatnonzero(known & fits)
    copies = fragments.copies.astype(np.int64)
    if settings.keep_duplicates:
        reads, duplicates = copies, 0
        kept = np.repeat(kept, copies[kept])
    else:
        reads, duplicates = np.ones(len(fragments), np.int64), int((copies - 1).sum())
    ends = 2 if settings.pairs == "mates" else 1
    fates = Fates(
        unique=ends * len(kept),
        multi=0,
        duplicate=ends * duplicates,
        other_contig=ends * int(reads[~known].sum()),
        fragment_length=ends * int(reads[known & ~fits].sum()),
    )
    if not fates.counted:
        raise DataError(where, f"no fragment counts ({fates.describe()})", "at least one", fates.remedy())
    rows = np.empty((len(kept), ends), PLACE)
    rows["start"], rows["length"] = fragments.start[kept, None], fragments.length[kept, None]
    rows["differences"], rows["strand"], rows["kind"] = -1, 1, PRIMARY | OWN_LENGTH
    if ends == 2:
        rows["strand"][:, 1], rows["kind"][:, 1] = -1, PRIMARY | OWN_LENGTH | READ2
    place_counts = np.zeros(2 * settings.max_places + 2, np.int64)
    place_counts[1] = rows.size
    return ReadPlaces(np.arange(rows.size + 1), rows.ravel(), fates, Tally(), place_counts)
