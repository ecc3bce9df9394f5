"""Small FASTA files and genomes for the tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regact.genome import Genome, load_genome


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def make_genome(tmp_path: Path) -> Callable[..., Genome]:
    """Return a genome of the sequences given, name (or whole header) -> bases."""

    def make(sequences: dict[str, str], name: str = "genome.fa") -> Genome:
        path = tmp_path / name
        path.write_text("".join(f">{header}\n{bases}\n" for header, bases in sequences.items()))
        return load_genome(path)

    return make
