"""The simulated genome's files for people and other programs: FASTA, BED, GTF, MEME motifs."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from regact.genome import decode
from regact.simulation.genome import RepeatCopy
from regact.simulation.motif import Motif

_LINE_BP = 80
_SOURCE = "regact_simulate"


def contig_fasta(name: str, codes: UInt8[np.ndarray, " position"]) -> bytes:
    """One contig as FASTA in lines of 80 bases."""
    whole = len(codes) // _LINE_BP * _LINE_BP
    lines = np.full((whole // _LINE_BP, _LINE_BP + 1), ord("\n"), np.uint8)
    lines[:, :-1] = np.frombuffer(decode(codes[:whole]).encode(), np.uint8).reshape(-1, _LINE_BP)
    rest = decode(codes[whole:]).encode() + b"\n" if whole < len(codes) else b""
    return f">{name}\n".encode() + lines.tobytes() + rest


def element_bed(elements: pd.DataFrame) -> str:
    """Elements as BED6; the score is the strongest activity in any cell type, 1,000 for the strongest of the table."""
    activity = elements.filter(regex="^activity_").max(axis=1)
    score = (1_000 * activity / max(activity.max(), 1e-9)).round().astype(int)
    columns = zip(*(elements[c] for c in ("chrom", "start", "end", "element")), score, elements["strand"], strict=True)
    return "".join("\t".join(map(str, row)) + "\n" for row in columns)


def repeat_bed(chrom: str, repeats: Iterable[RepeatCopy]) -> str:
    """Repeats as BED6, named by family."""
    return "".join(
        f"{chrom}\t{copy.start}\t{copy.end}\trepeat_{copy.family}\t0\t{'+' if copy.strand > 0 else '-'}\n"
        for copy in repeats
    )


def gene_gtf(chrom: str, length: int, promoters: pd.DataFrame, body_bp: int) -> str:
    """A gene of one exon for each promoter: from its start of transcription, `body_bp` long or to the contig's end.

    GTF is 1-based with both ends included. Promoters that chance made are `lncRNA`, planted ones `protein_coding`.
    """
    lines = []
    for promoter, tss, strand, planted in zip(
        *(promoters[column] for column in ("promoter", "tss", "strand", "planted")), strict=True
    ):
        first, last = (tss, tss + body_bp - 1) if strand == "+" else (tss - body_bp + 1, tss)
        first, last = max(first, 0) + 1, min(last, length - 1) + 1
        gene, kind = promoter.replace("_tss_", "_gene_"), "protein_coding" if planted else "lncRNA"
        names = f'gene_id "{gene}"; gene_name "{gene}"; gene_type "{kind}";'
        of_transcript = f'{names} transcript_id "{gene}.1";'
        for feature, attributes in (("gene", names), ("transcript", of_transcript), ("exon", of_transcript)):
            lines.append(f"{chrom}\t{_SOURCE}\t{feature}\t{first}\t{last}\t.\t{strand}\t.\t{attributes}\n")
    return "".join(lines)


def meme_motifs(motifs: Sequence[Motif]) -> str:
    """The matrices in MEME's minimal text format."""
    parts = ["MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n"]
    parts.append("A 0.25 C 0.25 G 0.25 T 0.25\n")
    for motif in motifs:
        parts.append(f"\nMOTIF {motif.name}\nletter-probability matrix: alength= 4 w= {motif.width}\n")
        parts += ["  ".join(f"{p:.6f}" for p in row) + "\n" for row in motif.probabilities]
    return "".join(parts)
