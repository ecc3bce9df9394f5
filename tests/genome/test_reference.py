import gzip
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ContigError, FormatError
from regact.genome import Genome, Interval, decode, encode, load_genome

SEQUENCES = {"I the first": "acgtNNNACGT", "II": "GGGTTTCCCAAA", "Mito": "NNAT"}


def test_a_genome_says_what_it_holds(make_genome: Callable[..., Genome], tmp_path: Path) -> None:
    genome = make_genome(SEQUENCES, "yeast.v2.fa")
    assert genome.lengths == {"I": 11, "II": 12, "Mito": 4}
    assert list(genome.lengths) == ["I", "II", "Mito"]
    assert genome.descriptions == {"I": "the first", "II": "", "Mito": ""}
    assert (genome.name, genome.path, genome.total_bp) == ("yeast.v2", tmp_path / "yeast.v2.fa", 27)
    for header, bases in SEQUENCES.items():
        assert decode(genome.contig(header.split()[0])) == bases.upper()
    np.testing.assert_array_equal(genome.n_runs("I"), [[4, 7]])
    np.testing.assert_array_equal(genome.n_runs("Mito"), [[0, 2]])
    assert genome.n_runs("II").shape == (0, 2)


@given(start=st.integers(-30, 30), length=st.integers(0, 60))
def test_fetch_pads_with_n_beyond_both_ends(tmp_path_factory: pytest.TempPathFactory, start: int, length: int) -> None:
    path = tmp_path_factory.getbasetemp() / "fetch.fa"
    if not path.exists():
        path.write_text("".join(f">{name}\n{bases}\n" for name, bases in SEQUENCES.items()))
    padded = "N" * 100 + SEQUENCES["II"] + "N" * 100
    codes = load_genome(path).fetch(Interval("II", start, start + length))
    assert decode(codes) == padded[start + 100 : start + 100 + length]
    assert codes.dtype == np.uint8
    assert codes.flags.writeable


def test_the_code_file_is_read_only_and_fetch_is_a_copy(make_genome: Callable[..., Genome]) -> None:
    genome = make_genome(SEQUENCES)
    genome.fetch(Interval("I", 0, 4))[:] = 3
    assert decode(genome.fetch(Interval("I", 0, 4))) == "ACGT"
    with pytest.raises(ValueError, match="read-only"):
        genome.contig("I")[0] = 1


def test_a_pickled_genome_is_small_and_reads_the_same(make_genome: Callable[..., Genome]) -> None:
    genome = make_genome({"I": "ACGT" * 50_000})
    genome.contig("I")
    sent = pickle.dumps(genome)
    assert len(sent) < 2_000
    copy = pickle.loads(sent)
    np.testing.assert_array_equal(copy.contig("I"), genome.contig("I"))
    assert copy.checksum == genome.checksum


def test_an_unknown_contig_is_named_with_its_neighbours(make_genome: Callable[..., Genome]) -> None:
    genome = make_genome({"chrI": "ACGT", "chrII": "ACGT"})
    for ask in (genome.contig, genome.n_runs, lambda chrom: genome.fetch(Interval(chrom, 0, 1))):
        with pytest.raises(ContigError, match="no contig 'I'; needed one of its own, such as chrI"):
            ask("I")


def test_the_checksum_knows_names_order_and_bases_but_not_layout(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        path = tmp_path / f"{abs(hash(text))}.fa.gz"
        path.write_bytes(gzip.compress(text.encode()))
        return load_genome(path).checksum

    first = checksum(">I a\nACGTAC\n>II\nGG\n")
    assert checksum(">I\r\nacg\r\nTAC\r\n>II other\r\nGg") == first
    others = [">I\nACGTAC\n>III\nGG\n", ">II\nGG\n>I\nACGTAC\n", ">I\nACGTACG\n>II\nG\n", ">I\nACGTAN\n>II\nGG\n"]
    assert len({first, *map(checksum, others)}) == 1 + len(others)


def test_the_code_file_lies_beside_the_fasta_and_is_used_again(
    make_genome: Callable[..., Genome], tmp_path: Path
) -> None:
    genome = make_genome(SEQUENCES)
    folder = tmp_path / "genome.fa.regact"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(before) == 3
    assert load_genome(genome.path).checksum == genome.checksum
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_changed_fasta_is_read_again_and_the_old_code_file_removed(
    make_genome: Callable[..., Genome], tmp_path: Path
) -> None:
    former = make_genome(SEQUENCES)
    unopened = pickle.loads(pickle.dumps(former))
    former.contig("I")
    path = former.path
    path.write_text(">I\nTTTT\n")
    genome = load_genome(path)
    assert genome.lengths == {"I": 4}
    assert decode(genome.contig("I")) == "TTTT"
    assert len(list((tmp_path / "genome.fa.regact").iterdir())) == 3
    assert decode(former.contig("I")) == "ACGTNNNACGT", "what is mapped stays"
    with pytest.raises(FormatError, match=r"genome\.fa: its code file .* is gone.*run again"):
        unopened.contig("I")


@pytest.mark.parametrize("damage", ["codes", "n_runs", "index", "schema"])
def test_a_damaged_code_file_is_made_again(make_genome: Callable[..., Genome], tmp_path: Path, damage: str) -> None:
    genome = make_genome(SEQUENCES)
    folder = tmp_path / "genome.fa.regact"
    if damage == "schema":
        index = json.loads((folder / "index.json").read_text())
        (folder / "index.json").write_text(json.dumps({**index, "schema": 0}))
    elif damage == "index":
        (folder / "index.json").write_text("{")
    elif damage == "codes":
        os.truncate(next(folder.glob("codes.*")), 3)
    else:
        next(folder.glob("n_runs.*")).unlink()
    again = load_genome(genome.path)
    assert again.checksum == genome.checksum
    assert decode(again.contig("II")) == SEQUENCES["II"]
    np.testing.assert_array_equal(again.n_runs("I"), [[4, 7]])


def test_a_place_that_cannot_be_written_sends_the_codes_to_the_cache(
    make_genome: Callable[..., Genome], tmp_path: Path
) -> None:
    (tmp_path / "genome.fa.regact").touch()  # no folder can be made here, not even by root
    genome = make_genome(SEQUENCES)
    assert decode(genome.contig("I")) == "ACGTNNNACGT"
    (made,) = (tmp_path / "cache" / "regact").iterdir()
    assert made.name.startswith("genome.fa-")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "genome.fa").write_text(">I\nAC\n")
    (tmp_path / "other" / "genome.fa.regact").touch()
    assert load_genome(tmp_path / "other" / "genome.fa").lengths == {"I": 2}, "the cache tells equal file names apart"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_sends_the_codes_to_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir()
    (folder / "genome.fa").write_text(">I\nACGT\n")
    folder.chmod(0o555)
    try:
        assert decode(load_genome(folder / "genome.fa").contig("I")) == "ACGT"
        assert [path.name for path in folder.iterdir()] == ["genome.fa"]
    finally:
        folder.chmod(0o755)


def test_nowhere_to_write_is_one_clear_error(
    make_genome: Callable[..., Genome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "genome.fa.regact").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "genome.fa.regact"))
    with pytest.raises(FormatError, match=r"can be written neither to .* nor .*XDG_CACHE_HOME"):
        make_genome(SEQUENCES)


def test_cache_dir_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">I\nACGT\n")
    load_genome(tmp_path / "g.fa", cache_dir=tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.fa", "mine"]


def test_a_bad_fasta_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_text(">I\nACGT\n>II\nAC!\n")
    with pytest.raises(FormatError, match="line 4, contig II: character '!'"):
        load_genome(tmp_path / "bad.fa")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.fa"]


def test_a_missing_fasta_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"none\.fa: no such file"):
        load_genome(tmp_path / "none.fa")
    with pytest.raises(FormatError, match="a folder"):
        load_genome(tmp_path)


def test_processes_that_make_it_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_text(">I\n" + "ACGTTGCAN\n" * 200_000)
    script = (
        f"from regact.genome import load_genome; g = load_genome({str(path)!r}); print(g.checksum, g.contig('I').sum())"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {run.communicate(timeout=60)[0] for run in runs}
    assert all(run.returncode == 0 for run in runs)
    codes = np.tile(encode("ACGTTGCAN"), 200_000)
    assert answers == {f"{load_genome(path).checksum} {codes.sum()}\n"}
    assert len(list((tmp_path / "g.fa.regact").iterdir())) == 3, "no temporary file is left"


@pytest.mark.data
@pytest.mark.parametrize(
    ("species", "contigs", "total_bp", "checksum", "first"),
    [
        ("yeast", 17, 12_157_105, "79999e02", ("I", "CCACACCACACCCACACACC")),
        ("worm", 7, 100_286_070, "7fe828bf", ("chrI", "GCCTAAGCCTAAGCCTAAGC")),
    ],
)
def test_real_genomes(
    data_dir: Path, tmp_path: Path, species: str, contigs: int, total_bp: int, checksum: str, first: tuple[str, str]
) -> None:
    genome = load_genome(data_dir / species / "genome.fa.gz", cache_dir=tmp_path)
    assert (len(genome.lengths), genome.total_bp) == (contigs, total_bp)
    assert genome.checksum.startswith(checksum)
    assert decode(genome.fetch(Interval(first[0], 0, 20))) == first[1]
