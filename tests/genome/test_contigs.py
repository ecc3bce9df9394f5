from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError, DataError
from regact.genome import Genome, Interval, Regions, find_contigs, load_genome

MakeGenome = Callable[..., Genome]


def names(genome: Genome, **options: object) -> list[str]:
    return list(dict.fromkeys(contig.chrom for contig in find_contigs(genome, **options).contigs))


def test_long_runs_of_n_break_and_short_ones_do_not(make_genome: MakeGenome) -> None:
    genome = make_genome({"chr1": "N" * 150 + "A" * 50 + "N" * 99 + "C" * 50 + "n" * 100 + "G" * 10, "chr2": "ACGT"})
    found = find_contigs(genome)
    assert found.contigs == (Interval("chr1", 150, 349), Interval("chr1", 449, 459), Interval("chr2", 0, 4))
    assert found.left_out == ("2 gaps on chr1: 250 bp",)
    assert found.total_bp == 213
    assert len(find_contigs(genome, min_gap_bp=99).contigs) == 4
    assert len(find_contigs(genome, min_gap_bp=1000).contigs) == 2


def test_gaps_of_the_users_break_whatever_their_length(make_genome: MakeGenome) -> None:
    genome = make_genome({"chr1": "ACGT" * 25, "chr2": "ACGT"})
    gaps = Regions.from_intervals([Interval("chr1", 10, 11), Interval("chr1", 90, 100), Interval("chrZ", 0, 9)])
    found = find_contigs(genome, gaps=gaps)
    assert found.contigs == (Interval("chr1", 0, 10), Interval("chr1", 11, 90), Interval("chr2", 0, 4))
    assert found.left_out == ("2 gaps on chr1: 11 bp",)


@pytest.mark.parametrize("name", ["chrM", "MT", "Mito", "NC_001224.1 S288C mitochondrion, complete genome"])
def test_mitochondria_are_left_out_and_said_so_unless_asked_for(make_genome: MakeGenome, name: str) -> None:
    genome = make_genome({"chr1": "ACGT", name: "ACGTAC"})
    short = name.split()[0]
    assert find_contigs(genome).left_out == (f"{short} (6 bp): mitochondria are left out unless asked for",)
    assert names(genome) == ["chr1"]
    assert names(genome, keep_mitochondria=True) == ["chr1", short]
    assert names(genome, include=["chr1", short]) == ["chr1", short]
    assert names(genome, include=["*"]) == ["chr1"], "a pattern does not ask for it by name"
    assert names(genome, exclude=[short], keep_mitochondria=True) == ["chr1"]


def test_include_and_exclude_by_name_and_pattern(make_genome: MakeGenome) -> None:
    genome = make_genome(dict.fromkeys(["chr2", "chr10", "chrX", "chr1_alt", "HLA-A*01:01", "HLA-A01:01"], "ACGT"))
    assert names(genome, include=["chr?", "chr??"]) == ["chr2", "chr10", "chrX"]
    assert names(genome, exclude=["*_alt", "HLA*"]) == ["chr2", "chr10", "chrX"]
    assert names(genome, include=["chr*"], exclude=["chrX"]) == ["chr2", "chr10", "chr1_alt"]
    assert names(genome, include=["HLA-A*01:01"])[0] == "HLA-A*01:01"
    left_out = find_contigs(genome, include=["chr*"], exclude=["chrX"]).left_out
    assert left_out == ("HLA-A*01:01, HLA-A01:01 (8 bp): not included", "chrX (4 bp): excluded")


def test_patterns_that_match_nothing_are_refused_together(make_genome: MakeGenome) -> None:
    genome = make_genome({"I": "ACGT", "II": "ACGT"})
    with pytest.raises(ConfigError) as caught:
        find_contigs(genome, include=["chr*", "I"], exclude=["III", "i"])
    assert caught.value.problems == (
        "include 'chr*' matches none of I, II",
        "exclude 'III' matches none of I, II",
        "exclude 'i' matches none of I, II",
    )


def test_short_contigs_are_counted(make_genome: MakeGenome) -> None:
    genome = make_genome({"a": "ACGT", "b": "ACGTA", "c": "ACGTAC"})
    found = find_contigs(genome, min_bp=6)
    assert found.contigs == (Interval("c", 0, 6),)
    assert found.left_out == ("2 contigs shorter than 6 bp: 9 bp",)


def test_nothing_left_is_an_error_that_says_why(make_genome: MakeGenome) -> None:
    genome = make_genome({"a": "ACGT", "chrM": "ACGTACGT"})
    with pytest.raises(DataError, match=r"no contig is left \(chrM .*mitochondria.*shorter than 9 bp.*at least 9 bp"):
        find_contigs(genome, min_bp=9)
    with pytest.raises(ValueError, match="at least 1"):
        find_contigs(genome, min_bp=0)


@given(st.lists(st.tuples(st.sampled_from("AN"), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 9))
def test_contigs_and_gaps_are_all_of_the_chromosome(
    tmp_path_factory: pytest.TempPathFactory, stretches: list[tuple[str, int]], min_gap_bp: int
) -> None:
    bases = "A" + "".join(letter * length for letter, length in stretches)
    path = tmp_path_factory.mktemp("gaps") / "g.fa"
    path.write_text(f">c\n{bases}\n")
    contigs = find_contigs(load_genome(path), min_gap_bp=min_gap_bp).contigs
    kept = np.zeros(len(bases), bool)
    for contig in contigs:
        kept[contig.start : contig.end] = True
        assert "N" * min_gap_bp not in bases[contig.start : contig.end]
    dropped = "".join(letter for letter, keep in zip(bases, kept, strict=True) if not keep)
    assert set(dropped) <= {"N"}
