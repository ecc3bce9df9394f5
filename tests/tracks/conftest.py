import numpy as np
import pyBigWig
import pytest

LENGTHS = {"chr1": 6_000, "chr2": 1_500}


@pytest.fixture(scope="session")
def reference(module_at):
    """The independent per-base reading."""
    return module_at("tracks/per_base_reference.py")


@pytest.fixture(scope="session")
def write_rows():
    """Writes (chrom, start, end, value) rows with pyBigWig itself, not with the code under test."""

    def write(path, rows, lengths=LENGTHS):
        with pyBigWig.open(str(path), "w") as file:
            file.addHeader(list(lengths.items()))
            for chrom in lengths:
                mine = sorted(row for row in rows if row[0] == chrom)
                if mine:
                    _, starts, ends, values = (list(column) for column in zip(*mine, strict=True))
                    file.addEntries([chrom] * len(mine), starts, ends=ends, values=[float(v) for v in values])
        return path

    return write


@pytest.fixture
def random_rows():
    """Non-overlapping rows on chr1 that start anywhere, with holes between them and float32 values."""

    def rows(seed, *, chrom="chr1", length=6_000, count=300, highest=50.0):
        rng = np.random.default_rng(seed)
        edges = np.sort(rng.choice(length, size=2 * count, replace=False))
        values = rng.uniform(0, highest, size=count).astype(np.float32)
        return [(chrom, int(s), int(e), float(v)) for s, e, v in zip(edges[::2], edges[1::2], values, strict=True)]

    return rows
