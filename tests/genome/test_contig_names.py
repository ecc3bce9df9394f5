from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError, ContigError, FormatError
from regact.genome import ContigAlias, is_mitochondrial, match_contigs, natural_order, parse_contig_alias

YEAST = {"I": 230, "II": 813, "XVI": 948, "Mito": 85}
UCSC_YEAST = {"chrI": 230, "chrII": 813, "chrXVI": 948, "chrM": 85}
CHR = parse_contig_alias("chr")


def match(
    genome: Mapping[str, int], other: Mapping[str, int | None], alias: ContigAlias | None = None
) -> dict[str, str]:
    return match_contigs(genome, other, where="tracks/a.bw", alias=alias)


@given(st.dictionaries(st.text("ab1", min_size=1), st.integers(1, 9)), st.data())
def test_equal_names_match_in_the_genomes_order_and_the_rest_is_left_out(
    genome: dict[str, int], data: st.DataObject
) -> None:
    shared = data.draw(st.lists(st.sampled_from(sorted(genome)), unique=True)) if genome else []
    other = {**{name: genome[name] for name in shared}, "elsewhere": 5}
    if shared:
        assert match(genome, other) == {name: name for name in genome if name in shared}
        assert list(match(genome, other)) == [name for name in genome if name in shared]
    else:
        with pytest.raises(ContigError):
            match(genome, other)


def test_names_that_differ_by_the_prefix_are_refused_with_the_option_that_maps_them() -> None:
    for genome, other in ((YEAST, UCSC_YEAST), (UCSC_YEAST, YEAST)):
        with pytest.raises(ContigError, match=r"a\.bw: contigs .*I.* needed the genome's .*--contig-alias chr"):
            match(genome, other)


def test_the_prefix_alias_maps_both_ways_with_mitochondria_under_any_name() -> None:
    assert match(YEAST, UCSC_YEAST, CHR) == {"I": "chrI", "II": "chrII", "XVI": "chrXVI", "Mito": "chrM"}
    assert match(UCSC_YEAST, YEAST, CHR) == {"chrI": "I", "chrII": "II", "chrXVI": "XVI", "chrM": "Mito"}
    assert match({"Chr1": 5, "ChrM": 3}, {"1": 5, "mitochondrion": 3}, CHR) == {"Chr1": "1", "ChrM": "mitochondrion"}
    assert match(YEAST, YEAST, CHR) == {name: name for name in YEAST}, "equal names stay equal"


def test_main_chromosomes_lost_behind_matching_scaffolds_are_refused() -> None:
    genome = {"chr1": 50, "chr2": 40, "KI270706.1": 3, "chrM": 2}
    other = {"1": 50, "2": 40, "KI270706.1": 3, "MT": 2}
    with pytest.raises(ContigError, match=r"other spellings: 1 for chr1, 2 for chr2;.*--contig-alias chr"):
        match(genome, other)
    assert match(genome, other, CHR) == {"chr1": "1", "chr2": "2", "KI270706.1": "KI270706.1", "chrM": "MT"}


def test_names_of_another_world_ask_for_a_table() -> None:
    with pytest.raises(ContigError, match=r"contigs NC_001133\.9; needed the genome's .*TSV of two columns"):
        match(YEAST, {"NC_001133.9": 230})
    with pytest.raises(ContigError, match="contigs none"):
        match(YEAST, {})


def test_another_assembly_is_named_with_contig_and_both_lengths() -> None:
    with pytest.raises(ContigError, match=r"'chr1' has 249,250,621 bp; needed 248,956,422 bp .*different assemblies"):
        match({"chr1": 248_956_422}, {"chr1": 249_250_621})
    with pytest.raises(ContigError, match=r"'1' has 249,250,621 bp.*as 'chr1' has"):
        match({"chr1": 248_956_422}, {"1": 249_250_621}, CHR)
    assert match({"chr1": 5}, {"chr1": None}) == {"chr1": "chr1"}, "a file without lengths cannot disagree"


def test_a_mitochondrion_of_another_length_is_taken_as_lacking() -> None:
    assert match({"chr1": 5, "chrM": 16_569}, {"chr1": 5, "chrM": 16_571}) == {"chr1": "chr1"}


def test_two_names_for_one_contig_are_refused() -> None:
    with pytest.raises(ContigError, match="'1' and 'chr1' both mean contig 'chr1' by --contig-alias chr"):
        match({"chr1": 5}, {"1": 5, "chr1": 5}, CHR)


def test_a_table_maps_names_and_leaves_others_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("# RefSeq\tEnsembl\nNC_001133.9\tI\n\nNC_001134.8\tII\nNC_xyz\tabsent\n")
    alias = parse_contig_alias(path)
    assert match(YEAST, {"NC_001134.8": 813, "NC_001133.9": 230, "XVI": 948, "NC_xyz": 1}, alias) == {
        "I": "NC_001133.9",
        "II": "NC_001134.8",
        "XVI": "XVI",
    }


def test_a_table_from_a_windows_program_loses_no_name(tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_bytes(b"\xef\xbb\xbfone\tI\r\ntwo\tII\r\n")
    alias = parse_contig_alias(tmp_path / "names.tsv")
    assert match(YEAST, {"one": 230, "two": 813}, alias) == {"I": "one", "II": "two"}


def test_a_table_with_its_columns_exchanged_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("I\tNC_001133.9\n")
    with pytest.raises(ContigError, match=r"exchange the columns of .*names\.tsv"):
        match(YEAST, {"NC_001133.9": 230}, parse_contig_alias(path))


def test_every_bad_row_of_a_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("chrI I\nchrI\tI\nchrII\t\nchrI\tII\na\tb\tc\n")
    with pytest.raises(ConfigError) as caught:
        parse_contig_alias(path)
    assert [problem[:6] for problem in caught.value.problems] == ["line 1", "line 3", "line 4", "line 5"]
    path.write_text("# nothing\n")
    with pytest.raises(ConfigError, match="no row"):
        parse_contig_alias(path)


def test_what_is_neither_prefix_nor_table_is_refused(tmp_path: Path) -> None:
    assert parse_contig_alias(None) is None
    for text in ("ucsc", str(tmp_path)):
        with pytest.raises(FormatError, match=f"--contig-alias {text}: not readable.*needed 'chr', or a TSV"):
            parse_contig_alias(text)


def test_mitochondria_are_known_by_their_names_and_descriptions() -> None:
    names = ["M", "MT", "Mt", "chrM", "chrMT", "CHRM", "Mito", "chrMito", "MtDNA", "mitochondrion_genome"]
    assert all(is_mitochondrial(name) for name in names)
    assert not any(is_mitochondrial(name) for name in ["chr1", "I", "MITF", "chrUn_M", "X", "chr"])
    assert is_mitochondrial("NC_001224.1", "Saccharomyces cerevisiae S288C mitochondrion, complete genome")
    assert not is_mitochondrial("NC_001133.9", "Saccharomyces cerevisiae S288C chromosome I, complete sequence")


def test_many_scaffolds_match_in_no_time() -> None:
    genome = {f"scaffold_{number}": 1000 for number in range(200_000)}
    assert len(match(genome, genome, CHR)) == len(match(genome, genome)) == 200_000


def test_names_are_sorted_by_the_numbers_in_them() -> None:
    names = ["chr10", "chrX", "chr2", "chr2_random", "scaffold1", "2", "10", "chrUn_9b", "chrUn_10a"]
    expected = ["2", "10", "chr2", "chr2_random", "chr10", "chrUn_9b", "chrUn_10a", "chrX", "scaffold1"]
    assert natural_order(reversed(names)) == expected


@given(st.lists(st.from_regex(r"[a1-9²]{0,5}", fullmatch=True)))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert sorted(natural_order(names)) == sorted(names)
