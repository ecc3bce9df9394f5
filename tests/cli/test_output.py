"""How tables are printed."""

import pytest

from regact.cli.output import print_line, print_remark, print_table


def test_table_in_a_pipe_is_tab_separated(capsys: pytest.CaptureFixture[str]):
    print_table(("track", "pearson"), [("a [b]", 0.123456), ("c", 2)], title="ignored")
    assert capsys.readouterr().out == "track\tpearson\na [b]\t0.1235\nc\t2\n"


def test_table_on_a_terminal_is_aligned(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(("track", "r"), [("long [name]", 0.5), ("c", 12.25)])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert len({len(line) for line in lines[1:]}) == 1  # numbers end in the same column
    assert lines[1].startswith("long [name]")


def test_results_and_remarks_go_apart(capsys: pytest.CaptureFixture[str]):
    print_line("x" * 300)
    print_remark("note")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("x" * 300 + "\n", "note\n")
