"""Alignments as arrays: where reads may have come from, and which base of each place is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int16, Int32, Int64

from regact.errors import DataError
from regact.genome import ContigAlias, match_contigs
from regact.reads.bam_file import BamHeader, OnRead, open_bam
from regact.reads.bam_records import OWN_LENGTH, Tally, parse_records
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings
from regact.reads.read_places import ReadPlaces, gather_reads


@dataclass(frozen=True)
class Alignments:
    """Places of reads, one entry per place, those of a read side by side.

    Attributes:
        offsets: Places of read i are [offsets[i], offsets[i + 1]).
        place: Genome-wide coordinate of the counted base: 5' end (shifted), or centre of the fragment.
        start: Genome-wide start of the fragment; a pair's outer ends, a single-end read's own extent or its extension.
        length: Bases of the fragment, cut off at the contig's ends.
        strand: +1 or -1, of read 1; of each mate its own where mates count by themselves.
        differences: Bases by which the read, with its mate, differs from the genome there; -1 where the aligner is
            silent.
        extended: Where `length` is the sample's and not the fragment's own, as of single-end reads; None for nowhere.
    """

    offsets: Int64[np.ndarray, "read+1"]
    place: Int64[np.ndarray, "alignment"]
    start: Int64[np.ndarray, "alignment"]
    length: Int32[np.ndarray, "alignment"]
    strand: Int8[np.ndarray, "alignment"]
    differences: Int16[np.ndarray, "alignment"] | None = None
    extended: Bool[np.ndarray, "alignment"] | None = None

    def __len__(self) -> int:
        return len(self.place)

    @property
    def n_reads(self) -> int:
        """Reads that the places belong to."""
        return len(self.offsets) - 1

    def likelihood(self, error_rate: float) -> Float32[np.ndarray, "alignment"] | None:
        """How probable each read is from its places, by its differences from the genome there; its best place has 1.

        Every difference more than at the best place makes a place `error_rate` times as probable. None where the
        aligner says nothing, or `error_rate` is 1; reads of which one place has no number have 1 everywhere.
        """
        if self.differences is None or error_rate == 1 or not len(self) or (self.differences < 0).all():
            return None
        sizes = np.diff(self.offsets)
        fewest = np.minimum.reduceat(self.differences, self.offsets[:-1])
        more = self.differences - np.repeat(fewest, sizes)
        more[np.repeat(fewest < 0, sizes)] = 0
        return np.float32(error_rate) ** more.astype(np.float32)


def read_bam(
    path: Path | str,
    layout: GenomeLayout,
    settings: CoverageSettings,
    *,
    reference: Path | str | None = None,
    alias: ContigAlias | None = None,
    group_by_name: bool = False,
    on_read: OnRead = lambda _: None,
) -> tuple[ReadPlaces, BamHeader]:
    """The reads of a BAM, CRAM or SAM file that count by `settings`, and the file's header.

    Bowtie2's `-k` (no NH tag) needs records grouped by read name, as it writes them. Files in another order need the
    NH tag, or `group_by_name`. bwa's XA tag is read too; where pairs are fragments, places that each mate has by itself
    (XA, minimap2's further records) are joined. A file in which no read has a second record is taken as it is.

    Args:
        reference: FASTA that a CRAM was made with.
        alias: How the file's contig names become the genome's.
        group_by_name: Bring records of a read together, in memory.
        on_read: Told how many bytes of the file were read since last.

    Raises:
        FormatError: Missing, truncated, damaged, not grouped, or a CRAM without its reference.
        ContigError: Another genome.
        DataError: No read in it, or none that counts; the message has the fates.
    """
    with open_bam(path, reference=reference) as bam:
        header = bam.header
        contigs = _contig_offsets(header.lengths, layout, path, alias)

        def gather(*, grouped: bool, on_read: OnRead) -> ReadPlaces:
            tally = Tally()
            rows = parse_records(bam.chunks(on_read), contigs, settings, tally, where=path)
            return gather_reads(rows, tally, settings, layout, grouped=grouped, group_by_name=group_by_name, where=path)

        reads = gather(grouped=header.grouped, on_read=on_read)
        if header.grouped and reads.fates.no_primary:
            # Either primary records were filtered out, or the header promises an order that the file has no more.
            reads = gather(grouped=False, on_read=lambda _: None)
    if not reads.tally.records:
        raise DataError(path, "no read in it", "aligned reads")
    if not reads.fates.counted:
        raise DataError(path, f"no read counts ({reads.fates.describe()})", "at least one", reads.fates.remedy())
    return reads, header


def count_places(
    reads: ReadPlaces, layout: GenomeLayout, settings: CoverageSettings, *, fragment_bp: int | None = None
) -> Alignments:
    """Alignments with the base that `settings.count` counts.

    Args:
        fragment_bp: Length to which reads without a length of their own (single-end, or mates by themselves) are
            extended from their 5' end; without it they keep their aligned length.
    """
    rows = reads.rows
    strand = rows["strand"].astype(np.int8)
    start, length = rows["start"].astype(np.int64), rows["length"].astype(np.int64)
    extended = None
    if fragment_bp is not None:
        extended = rows["kind"] & OWN_LENGTH == 0
        start = np.where(extended & (strand < 0), start + length - fragment_bp, start)
        length = np.where(extended, fragment_bp, length)
    contig = layout.contig_of(rows["start"])
    first, last = layout.offsets[contig], layout.offsets[contig + 1]
    end = np.minimum(start + length, last)
    start = np.maximum(start, first)
    if settings.count == "five_prime":
        place = np.where(strand > 0, start + settings.shift_forward_bp, end - 1 + settings.shift_reverse_bp)
        place = np.clip(place, first, last - 1)
    else:
        place = start + (end - start) // 2
    length = (end - start).astype(np.int32)
    return Alignments(reads.offsets, place, start, length, strand, rows["differences"], extended)


def _contig_offsets(
    lengths: Mapping[str, int], layout: GenomeLayout, path: Path | str, alias: ContigAlias | None
) -> dict[str, int]:
    """Genome-wide offset of each contig of the file; -1 for those that the genome lacks."""
    genome = dict(zip(layout.names, layout.lengths, strict=True))
    names = {other: name for name, other in match_contigs(genome, lengths, where=path, alias=alias).items()}
    offsets = dict(zip(layout.names, layout.offsets.tolist(), strict=False))
    return {other: offsets[names[other]] if other in names else -1 for other in lengths}
