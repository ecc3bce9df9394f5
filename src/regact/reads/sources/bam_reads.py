"""The reads of a BAM, CRAM or SAM file."""

from collections.abc import Mapping
from pathlib import Path

from regact.errors import DataError
from regact.genome import ContigAlias, match_contigs
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings
from regact.reads.sources.bam_file import BamHeader, OnRead, open_bam
from regact.reads.sources.bam_records import parse_records
from regact.reads.sources.read_places import ReadPlaces, gather_reads
from regact.reads.sources.rows import Tally


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
    NH tag, or `group_by_name`. bwa's XA tag is read too. Places that each mate of a proper pair has by itself (XA,
    minimap2's further records) count where they make a fragment. A file in which no read has a second record is taken
    as it is.

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
    if not reads.fates.total:
        found = f"{reads.tally.records:,} records, none of them of read 1 or of a single-end read"
        raise DataError(path, found, "one", "take the file with both mates, or count each by itself, --set pairs=mates")
    if not reads.fates.counted:
        raise DataError(path, f"no read counts ({reads.fates.describe()})", "at least one", reads.fates.remedy())
    return reads, header


def _contig_offsets(
    lengths: Mapping[str, int], layout: GenomeLayout, path: Path | str, alias: ContigAlias | None
) -> dict[str, int]:
    """Genome-wide offset of each contig of the file; -1 for those that the genome lacks."""
    genome = dict(zip(layout.names, layout.lengths, strict=True))
    names = {other: name for name, other in match_contigs(genome, lengths, where=path, alias=alias).items()}
    offsets = dict(zip(layout.names, layout.offsets.tolist(), strict=False))
    return {other: offsets[names[other]] if other in names else -1 for other in lengths}
