"""`regact evaluate --measures` as users run it: what it prints and writes, and what it refuses before it predicts."""

from pathlib import Path

import pytest

from regact.cli import main
from regact.experiment import train_experiment

GTF = "".join(
    f'{chrom}\tx\tgene\t{start}\t{start + 99}\t.\t{strand}\t.\tgene_id "{chrom}_{start}";\n'
    for chrom in ("chrA", "chrT")
    for start, strand in ((300, "+"), (2500, "-"), (5300, "+"), (7500, "-"), (9500, "+"))
)


@pytest.fixture
def evaluate(folder, monkeypatch, capsys):
    """Runs `regact evaluate` in the folder of the run; returns exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", *arguments])
        return int(ended.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def folder(planted, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    train_experiment(planted.experiment, folder / "run", device="cpu")
    (folder / "genes.gtf").write_text(GTF)
    return folder


def test_measures_are_printed_and_written_beside_the_others(evaluate, folder: Path) -> None:
    options = ("--split", "test", "--no-baseline", "--device", "cpu")
    code, out, err = evaluate("run", *options, "--measures", "all", "--genes", "genes.gtf")
    assert code == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    measured = next(line for line in lines if "spearman" in line)
    assert measured[0] == "assay"
    assert {"spearman", "auroc", "auprc", "specificity", "pearson_genes", "slope"} < set(measured)
    rows = {line[0]: line for line in lines[lines.index(measured) + 1 :]}
    assert {"CAGE", "CHIP", "all"} < set(rows)
    assert 0 < float(rows["CAGE"][measured.index("spearman")]) <= 1
    assert "genes: 5 start in split test" in err
    written = [line[0] for line in lines if line[0].startswith("run/")]
    assert "run/metrics_test.tsv" in written
    assert "run/calibration_test.png" in written
    assert all((folder / path).is_file() for path in written)
    assert not list((folder / "run").glob("predictions*"))


def test_tables_of_the_ensemble_and_of_the_floor_have_names_of_their_own(evaluate, folder: Path) -> None:
    code, out, err = evaluate("run", "--split", "test", "--ensemble", "--measures", "spearman")
    assert code == 0, err
    assert "run/spearman_test_ensemble.tsv" in out.splitlines()
    assert out.splitlines()[-1] == "run/spearman_test_ridge.tsv"
    assert (folder / "run/metrics_test_ensemble.tsv").is_file()


def test_wrong_measures_and_bad_annotations_are_told_before_predicting(evaluate, folder: Path) -> None:
    code, _, err = evaluate("run", "--measures", "spaerman,genes")
    assert code == 1
    assert [line.partition("measures: ")[2] for line in err.splitlines()] == [
        "unknown measure 'spaerman'; did you mean spearman?",
        "genes: needed an annotation (GTF, GFF3 or BED); say with --genes where it is",
    ]
    (folder / "bad.gtf").write_text(GTF.replace("\t-\t", "\t.\t"))
    code, _, err = evaluate("run", "--genes", "bad.gtf")
    assert code == 1
    assert err.count("strand '.'; needed + or -") == 4
    (folder / "ensembl.gtf").write_text(GTF.replace("chr", ""))
    code, _, err = evaluate("run", "--genes", "ensembl.gtf")
    assert code == 1
    assert "use --contig-alias chr" in err
    assert not list((folder / "run").glob("spearman_valid*"))
