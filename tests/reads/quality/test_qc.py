"""The quality of a sample whose every read is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from regact.genome import load_genome
from regact.reads import GenomeLayout, count_places, cover_sample, coverage_settings, read_bam, share_reads
from regact.reads.quality.description import describe_reads
from regact.reads.quality.qc import ReadsQc
from regact.reads.sources.fragment_length import ChosenLength

LENGTHS = {"c1": 6_000, "c2": 2_000}


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(5)
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{c}\n{''.join(rng.choice(list('ACGT'), n))}\n" for c, n in LENGTHS.items()))
    return load_genome(path)


def write_sam(path: Path, records: list[str]) -> Path:
    header = ["@HD\tVN:1.6\tSO:unsorted\tGO:query", *(f"@SQ\tSN:{c}\tLN:{n}" for c, n in LENGTHS.items())]
    path.write_text("\n".join([*header, *records]) + "\n")
    return path


def single(name: str, flag: int, chrom: str, start: int) -> str:
    place = f"{chrom}\t{start + 1}\t30\t20M" if not flag & 4 else "*\t0\t0\t*"
    return f"{name}\t{flag}\t{place}\t*\t0\t0\t{'A' * 20}\t{'I' * 20}"


def pair(name: str, start: int, length: int) -> list[str]:
    end = start + length
    bases = f"{'A' * 20}\t{'I' * 20}"
    return [
        f"{name}\t99\tc1\t{start + 1}\t30\t20M\t=\t{end - 19}\t{length}\t{bases}",
        f"{name}\t147\tc1\t{end - 19}\t30\t20M\t=\t{start + 1}\t{-length}\t{bases}",
    ]


def quality_of(path, genome, assay, **replaced) -> ReadsQc:
    settings = coverage_settings(assay, **replaced)
    layout = GenomeLayout.from_lengths(genome.lengths)
    reads, _ = read_bam(path, layout, settings)
    alignments = count_places(reads, layout, settings)
    placement = share_reads(alignments, layout, settings)
    weight = placement.weight
    return describe_reads(
        reads, alignments, layout, genome, settings, placement, weight, weight,
        sample="s", source=str(path), fragment=ChosenLength(),
    )  # fmt: skip


def test_single_reads(genome, tmp_path):
    records = [single(f"u{i}", 16 * (i % 2), "c1", 10 * (i // 2)) for i in range(40)]
    records += [single("u40", 0, "c1", 0), single("n", 4, "*", 0), single("d", 1024, "c1", 500)]
    records += [single("m", 0, "c1", 100), single("m", 256, "c2", 100)]
    found = quality_of(write_sam(tmp_path / "s.sam", records), genome, "dnase", keep_duplicates=True)
    assert {fate: count for fate, count in found.fates.items() if count} == {"unique": 42, "multi": 1, "unmapped": 1}
    assert found.reads == 44
    assert found.places[:2] == (42, 1)
    assert found.em.reads == 1
    assert found.coverage.total == pytest.approx(43)
    assert found.coverage.uncovered + sum(found.coverage.bases) == 8_000
    # u0 and u40 share their 5' end; the rest of those with one place stand alone.
    assert (found.library.told_by, found.library.examined, found.library.distinct) == ("five_primes", 42, 41)
    assert found.fragment is None


def test_pairs(genome, tmp_path):
    records = [line for i in range(30) for line in pair(f"p{i}", 100 * i, 150 + i)]
    records += pair("again", 0, 150)
    found = quality_of(write_sam(tmp_path / "p.sam", records), genome, "chip")
    assert (found.fates["unique"], found.fates["multi"], found.em) == (31, 0, None)
    assert found.fragment.told_by == "pairs"
    assert dict(zip(found.fragment.length_bp, found.fragment.value, strict=True))[150] == 2
    assert sum(found.fragment.value) == 31
    assert found.fragment.chosen_bp == 164
    assert (found.library.told_by, found.library.examined, found.library.distinct) == ("fragments", 31, 30)
    # Windows of 1 kb, grouped by GC; groups with one window are left out beside one of four.
    assert found.gc.windows == (4,)


def test_flagged_duplicates_are_left_out_and_counted(genome, tmp_path):
    records = [single(f"u{i}", 0, "c1", 10 * i) for i in range(20)] + [single(f"d{i}", 1024, "c1", 0) for i in range(5)]
    found = quality_of(write_sam(tmp_path / "d.sam", records), genome, "dnase")
    assert (found.fates["duplicate"], found.fates["unique"]) == (5, 20)
    assert (found.library.told_by, found.library.examined, found.library.distinct) == ("flags", 25, 20)
    assert found.library.molecules == pytest.approx(found.library.one_place_molecules)


def test_towers_that_were_cut(genome, tmp_path):
    records = [single(f"t{i}", 16 * (i % 2), "c1", 100 + 19 * (1 - i % 2)) for i in range(20)]
    records += [single(f"u{i}", 0, "c1", 1_000 + 20 * i) for i in range(10)]
    path = write_sam(tmp_path / "s.sam", records)
    # Both strands' towers have their counted base at c1:119.
    for stranded, bases, left in ((False, 1, 1), (True, 2, 2)):
        settings = coverage_settings("dnase", clip=2, gc=False, stranded=stranded)
        sample = cover_sample(path, genome, tmp_path / f"{stranded}.bw", settings)
        assert (sample.qc.clip.ceiling, sample.qc.clip.bases) == (2, bases)
        assert sample.qc.clip.reads == pytest.approx(20 - left, abs=1e-6)
        assert sample.qc.row()["reads_cut_from_towers"] == sample.qc.clip.reads


def test_places_at_the_aligners_own_limit(genome, tmp_path):
    records = [single("m", 256 * bool(i), "c1", 100 * i) for i in range(3)] + [single("u", 0, "c1", 5)]
    path = write_sam(tmp_path / "s.sam", records)
    found = quality_of(path, genome, "dnase")
    assert (found.place_limit, found.row()["reads_at_place_limit"]) == (None, None)
    text = path.read_text().replace("m\t0", "@PG\tID:bowtie2\tPN:bowtie2\tCL:bowtie2-align-s -p 2 -k 3 -x i\nm\t0", 1)
    path.write_text(text)
    sample = cover_sample(path, genome, tmp_path / "x.bw", coverage_settings("dnase", gc=False))
    assert (sample.qc.place_limit, sample.qc.row()["reads_at_place_limit"]) == (3, 1)


def test_it_is_one_json_row_that_comes_back_whole(genome, tmp_path):
    found = quality_of(write_sam(tmp_path / "s.sam", [single("a", 0, "c1", 5)]), genome, "cage")
    text = json.dumps(found.model_dump(mode="json"), allow_nan=False)
    assert ReadsQc.model_validate_json(text) == found
    row = found.row()
    assert (row["sample"], row["assay"], row["reads"], row["unique"], row["library_molecules"]) == (
        "s",
        "CAGE",
        1,
        1,
        None,
    )
    assert all(value is None or isinstance(value, str | int | float | bool) for value in row.values())


def test_records_that_are_no_reads_are_counted_apart(genome, tmp_path):
    records = [
        single("a", 0, "c1", 10),
        single("a", 256, "c2", 10),
        single("a", 2048, "c1", 50),
        single("b", 4, "*", 0),
    ]
    found = quality_of(write_sam(tmp_path / "s.sam", records), genome, "dnase")
    assert found.records == {"all": 4, "secondary": 1, "supplementary": 1}
    assert found.row()["supplementary_records"] == 1
    assert found.reads == 2


def test_a_library_holds_molecules_not_mates(genome, tmp_path):
    """1,000 pairs drawn from 500 fragments: the library is the same, however mates are counted."""
    rng = np.random.default_rng(3)
    starts, spans = rng.integers(0, 5_500, 500), rng.integers(60, 400, 500)
    drawn = rng.integers(0, 500, 1_000)
    records = [row for n, k in enumerate(drawn) for row in pair(f"p{n}", int(starts[k]), int(spans[k]))]
    path = write_sam(tmp_path / "s.sam", records)
    by_mates, by_pairs = (quality_of(path, genome, assay) for assay in ("dnase", "chip"))
    assert by_mates.fragment == by_pairs.fragment
    assert sum(by_pairs.fragment.value) == 1_000
    by_mates, by_pairs = by_mates.library, by_pairs.library
    assert by_mates == by_pairs
    assert by_pairs.examined == 1_000
    assert by_pairs.molecules == pytest.approx(500, rel=0.1)
