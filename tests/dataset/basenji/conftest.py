"""Files of Basenji's layouts by a writer of its own: framing, checksums and messages from their definitions."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

WINDOW_BP, BIN_BP = 256, 32
BASES = "ACGT"


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def masked_crc(data: bytes) -> bytes:
    """The masked CRC-32C of TensorFlow's record writer, byte by byte."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field_of(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(features: dict[str, bytes | np.ndarray], *, packed: bool = True) -> bytes:
    """A tf.train.Example: bytes become a bytes_list, arrays a float_list."""
    entries = b""
    for name, value in features.items():
        if isinstance(value, bytes):
            feature = field_of(1, field_of(1, value))
        elif packed:
            feature = field_of(2, field_of(1, value.astype("<f4").tobytes()))
        else:
            feature = field_of(2, b"".join(varint(1 << 3 | 5) + struct.pack("<f", one) for one in value.ravel()))
        entries += field_of(1, field_of(1, name.encode()) + field_of(2, feature))
    return field_of(1, entries)


def framed(records: Sequence[bytes]) -> bytes:
    """Records as a TFRecord file, not compressed."""
    out = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        out += length + masked_crc(length) + record + masked_crc(record)
    return out


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"zlib": zlib.compress, "gzip": gzip.compress, "none": bytes}


def one_hot(sequence: str) -> np.ndarray:
    return np.array([[base == other for other in BASES] for base in sequence], dtype=np.uint8)


def index_codes(sequence: str) -> np.ndarray:
    return np.array([(BASES + "N").index(base) for base in sequence], dtype=np.uint8)


@dataclass
class Written:
    """A data set as it was written: where, and what is in each of its windows, in the order of `sequences.bed`."""

    path: Path
    genome: Path
    chrom: list[str]
    start: list[int]  # of the model's input
    label: list[str]
    sequence: list[str]
    targets: np.ndarray  # window, bin, track
    unmappable: np.ndarray | None
    pieces: dict[str, str] = field(default_factory=dict)

    def order(self) -> list[int]:
        """The windows in the order of the genome."""
        return sorted(range(len(self.start)), key=lambda i: (self.chrom[i], self.start[i]))


def draw(
    folder: Path,
    labels: Sequence[str],
    *,
    n_tracks: int,
    crop_bins: int = 0,
    gap_bp: int = 0,
    inside: bool = False,
    seed: int = 0,
    unmappable: bool = True,
) -> Written:
    """A genome of two contigs, and windows on it whose targets lie side by side (`gap_bp` apart).

    Inputs reach beyond the contigs by the crop unless they shall lie inside.
    """
    rng = np.random.default_rng(seed)
    target_bp = WINDOW_BP - 2 * crop_bins * BIN_BP
    per_contig = -(-len(labels) // 2)
    length = per_contig * (target_bp + gap_bp)
    contigs = {name: "".join(rng.choice(list(BASES), length)) for name in ("chr1", "chr2")}
    contigs["chr1"] = "NNNNN" + contigs["chr1"][5:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    first = 0 if inside else -crop_bins * BIN_BP
    places = [(name, i * (target_bp + gap_bp) + first) for name in contigs for i in range(per_contig)]
    chosen = rng.permutation(len(places))[: len(labels)]
    chrom, start = [places[i][0] for i in chosen], [places[i][1] for i in chosen]
    sequence = []
    for name, first in zip(chrom, start, strict=True):
        padded = "N" * WINDOW_BP + contigs[name] + "N" * WINDOW_BP
        sequence.append(padded[first + WINDOW_BP : first + 2 * WINDOW_BP])
    shape = (len(labels), target_bp // BIN_BP, n_tracks)
    targets = (rng.gamma(0.4, 6, shape) * (rng.random(shape) < 0.6)).astype(np.float16)
    bad = rng.random(shape[:2]) < 0.2 if unmappable else None
    return Written(folder, folder / "genome.fa", chrom, start, list(labels), sequence, targets, bad, contigs)


def write_sheet(path: Path, n_tracks: int, *, sum_stat: str = "sum", clip: float = 32) -> None:
    rows = ["\tidentifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription"]
    for track in range(n_tracks):
        pair = {0: 1, 1: 0}.get(track, track)
        rows.append(f"{track}\tENC{track}\t/home/x/{track}.w5\t{clip}\t1\t{sum_stat}\t{pair}\tCAGE:cell {track}")
    path.write_text("\n".join(rows) + "\n")


@dataclass
class WriteDirectory:
    """`write(folder, **options)` -> the data directory that was written."""

    def __call__(
        self,
        folder: Path,
        *,
        labels: Sequence[str] = ("train",) * 7 + ("valid",) * 2 + ("test",) * 2,
        n_tracks: int = 4,
        crop_bins: int = 1,
        gap_bp: int = 0,
        per_file: int = 3,
        sequence_as: str = "index",
        target_as: str = "bytes",
        cropped_bed: bool = True,
        unmappable: bool = False,
        empty_last: bool = False,
        compression: str = "zlib",
        target_first: bool = False,
        sum_stat: str = "sum",
        change: Callable[[int, dict[str, bytes | np.ndarray]], None] | None = None,
        seed: int = 0,
    ) -> Written:
        made = draw(
            folder,
            labels,
            n_tracks=n_tracks,
            crop_bins=crop_bins,
            gap_bp=gap_bp,
            inside=not cropped_bed,
            seed=seed,
            unmappable=unmappable,
        )
        self._write_tables(made, crop_bins, n_tracks, sequence_as, cropped_bed, sum_stat)
        (folder / "tfrecords").mkdir()
        for label in dict.fromkeys(labels):
            rows = [i for i, name in enumerate(labels) if name == label]
            files = [rows[i : i + per_file] for i in range(0, len(rows), per_file)]
            for number, part in enumerate([*files, *([[]] if empty_last else [])]):
                records = []
                for row in part:
                    features = self._features(made, row, sequence_as, target_as)
                    if change is not None:
                        change(row, features)
                    names = sorted(features, reverse=target_first is False)
                    records.append(
                        example({name: features[name] for name in names}, packed=target_as != "loose floats")
                    )
                content = COMPRESS[compression](framed(records))
                (folder / "tfrecords" / f"{label}-{number}.tfr").write_bytes(content)
        return made

    def _write_tables(
        self, made: Written, crop_bins: int, n_tracks: int, sequence_as: str, cropped_bed: bool, sum_stat: str
    ) -> None:
        crop_bp = crop_bins * BIN_BP
        counts = {f"{label}_seqs": made.label.count(label) for label in dict.fromkeys(made.label)}
        statistics = {
            "num_targets": n_tracks,
            "seq_length": WINDOW_BP,
            "pool_width": BIN_BP,
            "crop_bp": crop_bp,
            "target_length": (WINDOW_BP - 2 * crop_bp) // BIN_BP,
            **counts,
        }
        if sequence_as == "index":
            statistics["seq_1hot"] = True
        (made.path / "statistics.json").write_text(json.dumps(statistics))
        write_sheet(made.path / "targets.txt", n_tracks, sum_stat=sum_stat)
        crop = crop_bp if cropped_bed else 0
        lines = [
            f"{chrom}\t{start + crop}\t{start + WINDOW_BP - crop}\t{label}\n"
            for chrom, start, label in zip(made.chrom, made.start, made.label, strict=True)
        ]
        (made.path / "sequences.bed").write_text("".join(lines))

    def _features(self, made: Written, row: int, sequence_as: str, target_as: str) -> dict[str, bytes | np.ndarray]:
        code = index_codes if sequence_as == "index" else one_hot
        targets = made.targets[row]
        features: dict[str, bytes | np.ndarray] = {
            "sequence": code(made.sequence[row]).tobytes(),
            "target": targets.astype("<f2").tobytes() if target_as == "bytes" else targets.astype(np.float32),
        }
        if made.unmappable is not None:
            features["umap"] = made.unmappable[row].tobytes()
        return features


@pytest.fixture(scope="session")
def writer() -> SimpleNamespace:
    """The independent writer's functions."""
    return SimpleNamespace(framed=framed, example=example, compress=COMPRESS)


@pytest.fixture(scope="session")
def write_directory() -> WriteDirectory:
    return WriteDirectory()


@dataclass
class WriteH5:
    """`write(folder, **options)` -> the HDF5 of 2018's layout, its BED and its samples, as they were written."""

    def __call__(
        self,
        folder: Path,
        *,
        labels: Sequence[str] = ("train",) * 6 + ("valid",) * 2 + ("test",) * 3,
        n_tracks: int = 3,
        chunks: tuple[int, ...] | None = (2, 4, 2),
        leave_out: Sequence[str] = (),
        seed: int = 0,
    ) -> Written:
        made = draw(folder, labels, n_tracks=n_tracks, seed=seed)
        assays = ("CAGE:a", "DNASE:b", "CHIP:H3K4me3:c")
        with h5py.File(folder / "l131k_w128.h5", "w") as file:
            file["pool_width"] = BIN_BP
            file["target_ids"] = np.array([f"id{i}" for i in range(n_tracks)], dtype="S")
            file["target_labels"] = np.array([assays[i % 3] for i in range(n_tracks)], dtype="S")
            for split in ("train", "valid", "test"):
                rows = [i for i, label in enumerate(labels) if label == split]
                arrays = {
                    "in": np.array([one_hot(made.sequence[i]) for i in rows], dtype=bool).reshape(-1, WINDOW_BP, 4),
                    "out": made.targets[rows],
                    "na": made.unmappable[rows],
                }
                for name, array in arrays.items():
                    if f"{split}_{name}" not in leave_out:
                        settings = {}
                        if name == "out" and chunks:
                            fitting = tuple(min(pair) for pair in zip(chunks, array.shape, strict=True))
                            settings = {"chunks": fitting, "compression": "gzip"}
                        file.create_dataset(f"{split}_{name}", data=array, **settings)
        lines = [
            f"{chrom}\t{start}\t{start + WINDOW_BP}\t{label}\n"
            for chrom, start, label in zip(made.chrom, made.start, labels, strict=True)
        ]
        (folder / "l131k_w128.bed").write_text("".join(lines))
        samples = [f"id{i}\t/data/{i}.bw\tlabel {i}\n" for i in range(n_tracks)]
        (folder / "sample_wigs.txt").write_text("".join(samples))
        return made


@pytest.fixture(scope="session")
def write_h5() -> WriteH5:
    return WriteH5()
