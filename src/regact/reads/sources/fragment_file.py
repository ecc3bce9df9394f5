"""Fragment files, as 10x's `fragments.tsv.gz`: a molecule a row, with its cell's barcode and its number of reads."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int32, Int64

from regact.engine import unpacked
from regact.errors import ContigError, DataError, FormatError
from regact.genome import ContigAlias, match_contigs
from regact.reads.layout import GenomeLayout
from regact.reads.sources.bam_file import OnRead
from regact.reads.sources.barcode_groups import BarcodeGroups
from regact.reads.sources.file_ends import check_bgzf_end

_ROWS_AT_ONCE = 1_000_000
_COLUMNS = ("chrom", "start", "end", "barcode", "copies")
_NUMBERS = {"start": np.int64, "end": np.int64, "copies": np.int64}
_NEEDED = "contig, start, end, barcode and, at best, number of reads with tabs between"
_LONGEST_LINE = 10_000
# A row as it is kept while the file is read: contig by its first appearance in the file, start on it.
_ROW = np.dtype([("contig", "i4"), ("start", "i4"), ("length", "i4"), ("copies", "i4"), ("group", "i4")])
NO_GROUP = -1


@dataclass(frozen=True)
class CellCounts:
    """Cells (barcodes) of one sample.

    Attributes:
        found: Those that have a fragment.
        listed: Those that the table of groups gives the group; None without groups.
        ungrouped_fragments: Fragments of the whole file whose barcode is in no group.
    """

    found: int
    listed: int | None
    ungrouped_fragments: int


@dataclass(frozen=True, eq=False)
class CellFragments:
    """The fragments of a file, those of a group side by side, in the file's order.

    Attributes:
        borders: Fragments of group g are [borders[g], borders[g + 1]); a file without groups has one.
        start: Genome-wide start; -1 on contigs that the genome lacks.
        length: Bases.
        copies: Reads (pairs) of the molecule.
        n_ungrouped: Fragments whose barcode is in no group; they are not held.
        cells: Barcodes of each group that have a fragment.
        listed: Barcodes that the table gives each group; None without groups.
    """

    borders: Int64[np.ndarray, "group+1"]
    start: Int64[np.ndarray, "fragment"]
    length: Int32[np.ndarray, "fragment"]
    copies: Int32[np.ndarray, "fragment"]
    n_ungrouped: int
    cells: Int64[np.ndarray, "group"]
    listed: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.start)

    def of_group(self, group: int) -> "CellFragments":
        """The fragments of one group."""
        part = slice(self.borders[group], self.borders[group + 1])
        borders = np.array([0, part.stop - part.start], np.int64)
        cells = self.cells[group : group + 1]
        listed = None if self.listed is None else self.listed[group : group + 1]
        return CellFragments(
            borders, self.start[part], self.length[part], self.copies[part], self.n_ungrouped, cells, listed
        )

    def cell_counts(self) -> CellCounts:
        """Cells of all groups together."""
        listed = None if self.listed is None else sum(self.listed)
        return CellCounts(int(self.cells.sum()), listed, self.n_ungrouped)


def is_fragment_file(path: Path | str) -> bool:
    """Whether the first row, after lines that start with #, looks like one of a fragment file; plain or gzip."""
    try:
        _, row = _first_row(Path(path))
    except (OSError, EOFError, zlib.error):
        return False
    return len(row) >= 4 and row[1].isdigit() and row[2].isdigit()


def read_fragments(
    path: Path | str,
    layout: GenomeLayout,
    groups: BarcodeGroups | None = None,
    *,
    alias: ContigAlias | None = None,
    on_read: OnRead = lambda _: None,
) -> CellFragments:
    """The fragments in a file, a million rows at a time.

    Args:
        groups: The barcodes that count, in their groups; without it all, in one group.
        alias: How the file's contig names become the genome's.
        on_read: Told how many bytes of the file were read since last.

    Raises:
        FormatError: Missing, truncated, or a row that is none, with its line.
        ContigError: Another genome.
        DataError: No fragment in it, or no barcode of any group.
    """
    path = Path(path)
    contigs: dict[str, int] = {}
    grouping = _Grouping(groups)
    pieces = [_rows_of(table, contigs, grouping) for table in _tables(path, on_read)]
    rows = np.concatenate([np.empty(0, _ROW), *pieces])
    if not grouping.n_fragments:
        raise DataError(path, "no fragment in it", _NEEDED)
    if not len(rows) and groups is not None:
        found = f"none of its barcodes, such as {grouping.example}, is in {groups.path}"
        raise DataError(path, found, f"such as {next(iter(groups.group_of))}", "see that both write barcodes alike")
    rows = rows[np.argsort(rows["group"], kind="stable")]
    borders = np.searchsorted(rows["group"], np.arange(grouping.n_groups + 1)).astype(np.int64)
    start = _genome_wide(path, rows, contigs, layout, alias)
    n_ungrouped = grouping.n_fragments - len(rows)
    listed = None if groups is None else groups.sizes
    return CellFragments(borders, start, rows["length"], rows["copies"], n_ungrouped, grouping.cells(), listed)


class _Grouping:
    """Groups of barcodes, and what was seen of them."""

    def __init__(self, groups: BarcodeGroups | None) -> None:
        self._groups = groups
        self._seen: dict[str, int] = {}
        self.n_groups = 1 if groups is None else len(groups.names)
        self.n_fragments = 0
        self.example = ""

    def numbers(self, barcodes: pd.Series) -> np.ndarray:
        """The group of each fragment, NO_GROUP where it is in none."""
        self.n_fragments += len(barcodes)
        names = list(barcodes.cat.categories)
        self.example = self.example or str(names[0])
        of = dict.fromkeys(names, 0) if self._groups is None else self._groups.group_of
        numbers = np.array([of.get(name, NO_GROUP) for name in names], np.int32)
        self._seen.update((name, of[name]) for name in names if name in of)
        return numbers[barcodes.cat.codes.to_numpy()]

    def cells(self) -> Int64[np.ndarray, "group"]:
        """Barcodes seen in each group."""
        return np.bincount(np.fromiter(self._seen.values(), np.int64, len(self._seen)), minlength=self.n_groups)


def _rows_of(table: pd.DataFrame, contigs: dict[str, int], grouping: _Grouping) -> np.ndarray:
    """The rows of fragments that are in a group; `contigs` numbers the contigs' names as they appear."""
    names = table["chrom"].cat.categories
    contig = np.array([contigs.setdefault(str(name), len(contigs)) for name in names], np.int32)
    group = grouping.numbers(table["barcode"])
    kept = group != NO_GROUP
    rows = np.empty(int(kept.sum()), _ROW)
    rows["contig"] = contig[table["chrom"].cat.codes.to_numpy()[kept]]
    rows["start"], rows["length"] = table["start"][kept], (table["end"] - table["start"])[kept]
    rows["copies"], rows["group"] = table["copies"][kept], group[kept]
    return rows


def _tables(path: Path, on_read: OnRead) -> Iterator[pd.DataFrame]:
    """The rows of the file, some at a time, checked."""
    try:
        check_bgzf_end(path)
        n_header, first = _first_row(path)
        if len(first) < 4:
            if not first:
                return
            raise _bad_row(path, n_header + 1, "\t".join(first))
        named = list(_COLUMNS[: len(first)]) + [f"other{number}" for number in range(len(first) - len(_COLUMNS))]
        used = [name for name in named if name in _COLUMNS]
        with path.open("rb") as raw:
            tables = pd.read_csv(
                unpacked(raw),
                sep="\t",
                names=named,
                usecols=used,
                dtype={name: _NUMBERS.get(name, "category") for name in used},
                skiprows=n_header,
                na_filter=False,
                quoting=csv.QUOTE_NONE,
                chunksize=_ROWS_AT_ONCE,
            )
            read = 0
            for table in _checked(path, n_header, tables):
                yield table
                on_read(raw.tell() - read)
                read = raw.tell()
    except FileNotFoundError as error:
        raise FormatError(path, "no such file", "a fragment file") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(path, f"cannot be read to its end ({error})", "a whole file", "copy it again") from error
    except (ValueError, OverflowError) as error:  # pandas' errors of text that is no table or no number
        raise _first_bad_row(path, error) from error


def _checked(path: Path, n_header: int, tables: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    done = n_header
    for table in tables:
        if "copies" not in table:
            table["copies"] = 1
        sound = (table["start"] >= 0) & (table["end"] > table["start"]) & (table["copies"] > 0)
        sound &= table["end"] < 2**31
        if not sound.all():
            bad = int(np.argmin(sound.to_numpy()))
            raise _bad_row(path, done + bad + 1, "\t".join(str(value) for value in table.iloc[bad]))
        done += len(table)
        yield table


def _genome_wide(
    path: Path, rows: np.ndarray, contigs: Mapping[str, int], layout: GenomeLayout, alias: ContigAlias | None
) -> Int64[np.ndarray, "fragment"]:
    """Genome-wide starts, -1 on contigs that the genome lacks."""
    lengths = dict(zip(layout.names, layout.lengths, strict=True))
    matched = match_contigs(lengths, dict.fromkeys(contigs), where=path, alias=alias)
    numbers = {name: number for number, name in enumerate(layout.names)}
    of_file = np.full(len(contigs), -1)
    for name, other in matched.items():
        of_file[contigs[other]] = numbers[name]
    contig = of_file[rows["contig"]]
    known = contig >= 0
    start, end = rows["start"].astype(np.int64), rows["start"].astype(np.int64) + rows["length"]
    beyond = known & (end > np.array(layout.lengths, np.int64)[contig])
    if beyond.any():
        row = int(np.argmax(beyond))
        name = layout.names[contig[row]]
        raise ContigError(
            path,
            f"a fragment on {name} ends at {end[row]:,}",
            f"{lengths[name]:,} bp as {name} has in the genome",
            "the two are of different assemblies: use the genome that it was made on",
        )
    return np.where(known, start + layout.offsets[:-1][contig], -1)


def _first_row(path: Path) -> tuple[int, list[str]]:
    """How many lines with # come first, and the fields of the one behind them; none where there is none."""
    with path.open("rb") as raw, unpacked(raw) as file:
        n_header = 0
        while line := file.readline(_LONGEST_LINE):
            if not line.startswith(b"#"):
                return n_header, line.decode(errors="replace").rstrip("\r\n").split("\t")
            n_header += 1
    return n_header, []


def _first_bad_row(path: Path, error: Exception) -> FormatError:
    """The error on the first row that is none; goes through the text once more, slowly, to find it."""
    with path.open("rb") as raw, unpacked(raw) as file:
        width = None
        for number, line in enumerate(file, start=1):
            fields = line.decode(errors="replace").rstrip("\r\n").split("\t")
            if line.startswith(b"#") and width is None:
                continue
            width = width or len(fields)
            if len(fields) != width or not all(field.isdigit() for field in (*fields[1:3], *fields[4:5])):
                return _bad_row(path, number, line.decode(errors="replace").strip())
    return FormatError(path, f"cannot be read as a table ({error})", _NEEDED)


def _bad_row(path: Path, number: int, line: str) -> FormatError:
    # Files that were put together have the header of the second in their middle.
    remedy = "remove it: lines with # stand at the top alone" if line.startswith("#") else ""
    return FormatError(f"{path}, line {number:,}", f"{line[:80]!r}", f"a fragment: {_NEEDED}, 0 <= start < end", remedy)
