"""What a user should know of a sample before trusting it: its quality in sentences, where it is out of the ordinary."""

from regact.reads.quality.qc import ReadsQc


def find_remarks(qc: ReadsQc) -> tuple[str, ...]:
    """One sentence each: what was found, and what to do where something can be done."""
    return (*_places_remarks(qc), *_cells_remarks(qc), *_fragment_remarks(qc), *_clip_remarks(qc))


def _places_remarks(qc: ReadsQc) -> list[str]:
    remarks = []
    if hidden := qc.fates.get("places_not_listed", 0):
        remarks.append(
            f"{_share(hidden, qc.reads)} come from several places, of which the file lists one: they are left out. "
            "Align with all places reported (regact align; bwa mem -h 20), or count them where they are with "
            "--set keep_unlisted=true"
        )
    limit, most = qc.place_limit, int(qc.settings["max_places"])
    if qc.reads_at_limit and limit is not None and limit <= most and qc.settings["em"] != "unique":
        remarks.append(
            f"{_share(qc.reads_at_limit, qc.reads)} have {limit} places, as many as the aligner gives at most (-k): "
            "they may come from more; to see them, align with a higher limit (regact align --places)"
        )
    return remarks


def _cells_remarks(qc: ReadsQc) -> list[str]:
    if qc.cells is None or qc.cells.listed is None or qc.cells.found == qc.cells.listed:
        return []
    return [f"{qc.cells.found:,} of the group's {qc.cells.listed:,} cells have a fragment in the file"]


def _fragment_remarks(qc: ReadsQc) -> list[str]:
    if qc.fragment is None or qc.fragment.told_by != "assumed":
        return []
    why = "the strands agree at no distance" if qc.fragment.length_bp else "the reads are too few to tell"
    return [
        f"fragments are assumed to have {qc.fragment.chosen_bp} bp for their GC, for {why}; if you know their length, "
        "say it with --fragment-bp"
    ]


def _clip_remarks(qc: ReadsQc) -> list[str]:
    if qc.clip is None:
        return []
    counted = qc.fates["unique"] + qc.fates["multi"]
    return [
        f"towers: {qc.clip.bases:,} bases were cut, which took {qc.clip.reads:,.0f} reads "
        f"({qc.clip.reads / max(counted, 1):.2%} of those counted)"
    ]


def _share(reads: int, total: int) -> str:
    return f"{reads:,} reads ({reads / max(total, 1):.2%})"
