"""What a store holds: the attributes of its Zarr group, its arrays, and the check of both on opening.

A store is a Zarr v3 group. Its attributes under the key `regact` are a `StoreHeader`; its arrays are those of
`array_specs`. Beside them lie `windows.bed` and `targets.txt`, copies to look at, which nothing reads.
Version 1 is the first.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from pydantic import BaseModel, ConfigDict, ValidationError

from regact.dataset.config import DatasetConfig
from regact.errors import StoreError
from regact.tracks import Track, TrackSheet

SCHEMA_VERSION = 1
ATTRIBUTES_KEY = "regact"
STORE_MARK = "zarr.json"  # what every store holds
SEQUENCES = "sequences"  # folder of the bases that a store keeps itself
CHUNK_NAMES: Any = {"name": "default", "separator": "."}  # of targets, as Zarr's metadata says it: see `target_chunk`
REBUILD = "build it again with `regact dataset build`, or import it again"

# Where things lay, what the build said and who built them is not the content: moving a genome keeps the fingerprint.
_NOT_CONTENT = ("fingerprint", "regact_version", "created", "remarks", "contig_alias")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrackRecord(_Record):
    """One row of the track sheet, as it was when the store was built."""

    identifier: str
    files: tuple[str, ...]
    clip: float | None
    clip_soft: float | None
    scale: float
    sum_stat: str
    strand_pair: int
    description: str
    annotations: tuple[tuple[str, str], ...] = ()
    depth_factor: float = 1.0

    @classmethod
    def of(cls, track: Track, depth_factor: float = 1.0) -> "TrackRecord":
        """The record of a track of the sheet."""
        return cls(
            identifier=track.identifier,
            files=tuple(str(file) for file in track.files),
            clip=track.clip,
            clip_soft=track.clip_soft,
            scale=track.scale,
            sum_stat=track.sum_stat,
            strand_pair=track.strand_pair,
            description=track.description,
            annotations=track.annotations,
            depth_factor=depth_factor,
        )

    def to_track(self) -> Track:
        """The track of the sheet that this records."""
        fields = self.model_dump(exclude={"depth_factor", "files"})
        return Track(**fields, files=tuple(Path(file) for file in self.files))


class GenomeRecord(_Record):
    """The genome that the windows lie on; `checksum` is over names, lengths and bases (`Genome.checksum`).

    Where the dataset came without its FASTA, `kept` is true: the store holds the bases of its windows itself, in the
    folder `SEQUENCES`, and `path` says where they came from.
    """

    name: str
    path: str
    checksum: str
    lengths: dict[str, int]
    kept: bool = False


class SourceRecord(_Record):
    """What a store was imported from, where it was not built: which of its formats, and the folder or file."""

    format: str
    path: str


class StoreHeader(_Record):
    """Everything about a store but its arrays.

    Attributes:
        schema_version: `SCHEMA_VERSION` of the code that wrote it.
        config: The settings it was built with.
        genome: The genome it was built on.
        contig_alias: The `--contig-alias` that the build was given.
        tracks: One record per track, in the order of the targets' last axis.
        track_sheet: Path of the sheet.
        transform_version: `TRANSFORM_VERSION` of the transforms that made the values; 0 for imported ones.
        folds: Names of the folds that the window table's numbers stand for.
        roles: Each fold's split as the build had it.
        source: Where the values come from, if they were imported.
        remarks: One sentence for each kind of thing that was left out, or taken as 0, and why; and what a user must
            know of imported data.
        windows_sha256, mask_sha256, values_sha256: Digests of the window table, mask and targets.
        fingerprint: Digest of all of the above that defines the content: not paths, remarks, versions or dates.
        regact_version, created: Who wrote it, and when (ISO 8601, UTC).
    """

    schema_version: int = SCHEMA_VERSION
    config: DatasetConfig
    genome: GenomeRecord
    contig_alias: str | None = None
    tracks: tuple[TrackRecord, ...]
    track_sheet: str
    transform_version: int
    folds: tuple[str, ...]
    roles: dict[str, str]
    source: SourceRecord | None = None
    remarks: tuple[str, ...] = ()
    windows_sha256: str = ""
    mask_sha256: str = ""
    values_sha256: str = ""
    fingerprint: str = ""
    regact_version: str
    created: str

    def compute_fingerprint(self) -> str:
        """sha256 over the content-defining fields; `fingerprint` holds it once the store is whole."""
        content = self.model_dump(mode="json", exclude=set(_NOT_CONTENT))
        for name in ("blacklist", "unmappable", "gaps"):
            content["config"][name] = content["config"][name] is not None
        content["config"]["split"].pop("bed", None)
        del content["genome"]["path"], content["track_sheet"]
        # What stores that were built do not have is no part of their fingerprint: they were made before it was there.
        if not self.genome.kept:
            del content["genome"]["kept"]
        if self.source is None:
            del content["source"]
        else:
            del content["source"]["path"]
        for track in content["tracks"]:
            del track["files"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def sheet(self) -> TrackSheet:
        """The track sheet as it was when the store was built."""
        return TrackSheet(tuple(record.to_track() for record in self.tracks), Path(self.track_sheet))


@dataclass(frozen=True)
class ArraySpec:
    """Shape and type of one array of a store."""

    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]


def array_specs(n_windows: int, n_bins: int, n_tracks: int) -> dict[str, ArraySpec]:
    """The arrays of a store.

    `targets` has one chunk per window, since training reads whole windows in random order. `window_*` are the columns
    of the window table, chromosome and fold as numbers into the header's lists. `track_*` describe each track over the
    unmasked bins of all windows, as stored (after the transforms); `track_clipped` counts bins at the hard clip.
    """
    table = {
        name: ArraySpec((n_windows,), dtype, (n_windows,))
        for name, dtype in (
            ("window_chrom", "int32"),
            ("window_start", "int64"),
            ("window_fold", "int32"),
            ("window_contig", "int32"),
        )
    }
    statistics = {
        name: ArraySpec((n_tracks,), dtype, (n_tracks,))
        for name, dtype in (
            ("track_mean", "float64"),
            ("track_variance", "float64"),
            ("track_max", "float64"),
            ("track_clipped", "int64"),
        )
    }
    windows_per_chunk = max(1, min(n_windows, 2**20 // n_bins))
    return {
        "targets": ArraySpec((n_windows, n_bins, n_tracks), "float16", (1, n_bins, n_tracks)),
        "mask": ArraySpec((n_windows, n_bins), "bool", (windows_per_chunk, n_bins)),
        **table,
        **statistics,
    }


def target_chunk(folder: Path, row: int) -> Path:
    """The file of one window's targets: all lie beside each other.

    Zarr's default names would make two folders for each, which takes longer than to write the values.
    """
    return folder / "targets" / f"c.{row}.0.0"


def digest(*arrays: np.ndarray) -> str:
    """sha256 over the types, shapes and values of arrays."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def read_header(path: Path, group: zarr.Group) -> StoreHeader:
    """The header of an opened store, checked.

    Raises: StoreError naming the field, what stands there, and what to do.
    """
    attributes = group.attrs.asdict().get(ATTRIBUTES_KEY)
    if not isinstance(attributes, dict):
        raise StoreError(
            path, "not a regact store (a Zarr group without `regact` attributes)", "a built store", REBUILD
        )
    version = attributes.get("schema_version")
    if version != SCHEMA_VERSION:
        raise StoreError(
            path,
            f"schema_version {version!r} (written by regact {attributes.get('regact_version', 'unknown')})",
            f"schema_version {SCHEMA_VERSION}",
            REBUILD if not isinstance(version, int) or version < SCHEMA_VERSION else "update regact",
        )
    if not attributes.get("fingerprint"):
        raise StoreError(path, "its build did not end", "a whole store", "run the same build again: it continues")
    try:
        header = StoreHeader.model_validate_json(json.dumps(attributes))
    except ValidationError as error:
        raise StoreError(path, f"its attributes are damaged: {_first_problem(error)}", "", REBUILD) from error
    if header.compute_fingerprint() != header.fingerprint:
        raise StoreError(
            path, "its attributes were edited: they do not match the fingerprint", header.fingerprint[:12], REBUILD
        )
    return header


def check_arrays(path: Path, group: zarr.Group, header: StoreHeader) -> None:
    """Raise StoreError unless every array of the schema is there with its shape and type."""
    # Asked for by name: listing the group would warn of the text copies that lie beside its arrays.
    start = group.get("window_start")
    n_windows = start.shape[0] if isinstance(start, zarr.Array) and start.ndim == 1 else 0
    for name, spec in array_specs(n_windows, header.config.n_bins, len(header.tracks)).items():
        found = group.get(name)
        if not isinstance(found, zarr.Array):
            raise StoreError(path, f"array {name} is missing", "every array of the schema", REBUILD)
        if found.shape != spec.shape or found.dtype != np.dtype(spec.dtype):
            raise StoreError(
                path,
                f"array {name} is {found.dtype} {found.shape}",
                f"{spec.dtype} {spec.shape} (windows, bins and tracks of the header)",
                REBUILD,
            )


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"field {field} is {problem['input']!r:.60} ({problem['msg']})"
