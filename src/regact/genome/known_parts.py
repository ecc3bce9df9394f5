"""A genome of which only some stretches are known, kept as the codes of those and N between them.

A dataset that comes without its FASTA still holds the bases of its windows. Laid down where they belong they are a
`Genome` like any other: a window is an interval of it, a shift reads what is known beside the window, else N.

A folder holds `codes.u8`, `n_runs.npy` and `index.json`, as the code file of a FASTA does (`code_file.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from regact.engine import whole_file, write_json
from regact.errors import FormatError
from regact.genome.code_file import CodeFile
from regact.genome.fasta import find_n_runs, join_runs
from regact.genome.interval import Interval
from regact.genome.reference import Genome
from regact.genome.sequence import N_CODE

_BLOCK = 2**24
_CODES, _RUNS, _INDEX = "codes.u8", "n_runs.npy", "index.json"


class KnownParts:
    """The codes of a genome that is being put together; several processes may write at once.

    Pickled it is its folder and its contigs.
    """

    def __init__(self, folder: Path, lengths: Mapping[str, int]) -> None:
        self.folder, self.lengths = folder, dict(lengths)
        ends = np.cumsum([0, *self.lengths.values()], dtype=np.int64).tolist()
        self._offsets = dict(zip(self.lengths, ends, strict=False))

    def __reduce__(self) -> tuple[object, ...]:
        return KnownParts, (self.folder, self.lengths)

    def lay_out(self) -> None:
        """Make the file, all N; one that is there already, whole, stays with what it holds."""
        path, size = self.folder / _CODES, sum(self.lengths.values())
        if path.is_file() and path.stat().st_size == size:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        unknown = bytes([N_CODE]) * _BLOCK
        with whole_file(path) as temporary, temporary.open("wb") as out:
            for first in range(0, size, _BLOCK):
                out.write(unknown[: min(_BLOCK, size - first)])

    def put(self, place: Interval, codes: UInt8[np.ndarray, " position"]) -> None:
        """Lay down the bases of an interval; what lies beyond its contig must be N.

        Raises: ValueError where it is not.
        """
        first, last = (min(max(end, 0), self.lengths[place.chrom]) for end in (place.start, place.end))
        inside = slice(first - place.start, last - place.start) if first < last else slice(0, 0)
        if (codes[: inside.start] != N_CODE).any() or (codes[inside.stop :] != N_CODE).any():
            raise ValueError(f"bases beyond the ends of {place.chrom}")
        with (self.folder / _CODES).open("r+b") as out:  # not mapped, which would look like memory in use
            out.seek(self._offsets[place.chrom] + first)
            out.write(codes[inside].tobytes())

    def finish(self) -> Genome:
        """Write what belongs beside the codes, checksum included, and open all of it.

        The checksum is `Genome`'s: over names, codes and lengths.
        """
        sha, runs = hashlib.sha256(), [np.empty((0, 3), np.int64)]
        with (self.folder / _CODES).open("rb") as codes:
            for number, (name, length) in enumerate(self.lengths.items()):
                of_contig = []
                sha.update(f">{name}\n".encode())
                for first in range(0, length, _BLOCK):
                    block = np.frombuffer(codes.read(min(_BLOCK, length - first)), np.uint8)
                    sha.update(block.data)
                    of_contig.append(find_n_runs(block) + first)
                sha.update(f"\n{length}\n".encode())
                runs.append(np.insert(join_runs(of_contig), 0, number, axis=1))
        with whole_file(self.folder / _RUNS) as temporary, temporary.open("wb") as out:
            np.save(out, np.concatenate(runs).astype(np.int64))
        write_json(self.folder / _INDEX, {"checksum": sha.hexdigest(), "lengths": self.lengths})
        return open_known_parts(self.folder)


def open_known_parts(folder: Path) -> Genome:
    """The genome that `KnownParts.finish` left in `folder`.

    Raises: FormatError where it is not whole.
    """
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        found = CodeFile(folder, folder / _CODES, folder / _RUNS, index["checksum"], index["lengths"], {})
        size = found.codes.stat().st_size
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(folder, f"its sequences cannot be read ({error})", "codes, N runs and index") from error
    if size != sum(found.lengths.values()) or not found.n_runs.is_file():
        raise FormatError(folder, "its sequences are not whole", f"{sum(found.lengths.values()):,} codes")
    return Genome(found)
