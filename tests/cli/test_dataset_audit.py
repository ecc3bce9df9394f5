import pytest

from regact.cli.app import main
from regact.dataset import DatasetConfig, build_dataset


def audit(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["dataset", "audit", *map(str, arguments)])
    streams = capsys.readouterr()
    return end.value.code or 0, streams.out, streams.err


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Three chromosomes of which the third, the test split, is the first again; one track is silent there."""
    folder = tmp_path_factory.mktemp("store")
    sequence, other = "ACGTTGCAAGGCTT" * 300, "TTGACCAGTAACGC" * 300
    (folder / "genome.fa").write_text(f">chr1\n{sequence}\n>chr2\n{other}\n>chr3\n{sequence}\n")
    rows = [f"chr{c}\t{i * 100}\t{i * 100 + 50}\t{1 + (7 * i) % 5}" for c in (1, 2, 3) for i in range(40)]
    (folder / "a.bedgraph").write_text("\n".join(rows) + "\n")
    (folder / "b.bedgraph").write_text("\n".join(row for row in rows if not row.startswith("chr3")) + "\n")
    (folder / "targets.txt").write_text("identifier\tfile\na\ta.bedgraph\nb\tb.bedgraph\n")
    config = DatasetConfig.model_validate(
        {"window_bp": 1024, "split": {"by": "chromosomes", "valid": ["chr2"], "test": ["chr3"]}}
    )
    return build_dataset(folder / "genome.fa", folder / "targets.txt", config, folder / "store", workers=1).path


def test_findings_are_printed_and_written(store, capsys, tmp_path):
    code, out, _ = audit(capsys, store, "--out", tmp_path / "audit")
    assert code == 0
    assert "warning\tsilent\ttest\tb\t0 in all" in out
    assert "warning\tsimilar sequence\ttest\tchr3:1-1024\t100%" in out
    assert "silent: 0 everywhere in a split" in out
    assert out.splitlines()[-1] == str(tmp_path / "audit" / "audit.html")
    assert (tmp_path / "audit" / "audit.html").exists()
    assert (tmp_path / "audit" / "findings.tsv").exists()


def test_an_output_that_is_there_is_not_replaced_unasked(store, capsys, tmp_path):
    (tmp_path / "audit").mkdir()
    code, _, err = audit(capsys, store, "--out", tmp_path / "audit")
    assert code == 1
    assert "already there" in err
    assert audit(capsys, store, "--out", tmp_path / "audit", "--overwrite")[0] == 0
    assert (tmp_path / "audit" / "audit.html").exists()
    assert audit(capsys, store, "--out", tmp_path / "audit", "--overwrite")[0] == 0


def test_nothing_but_an_audit_is_replaced(store, capsys, thesis):
    code, _, err = audit(capsys, store, "--out", thesis, "--overwrite")
    assert code == 1
    assert "holds no audit.html" in err
    assert (thesis / "chapter.txt").exists()


def test_what_is_no_store_is_named(capsys, tmp_path):
    code, _, err = audit(capsys, tmp_path)
    assert code == 1
    assert "regact: error:" in err
