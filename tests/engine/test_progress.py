import io
import time

import pytest

from regact.engine import progress, without_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_short_work_leaves_no_trace_in_a_log() -> None:
    log = io.StringIO()
    with progress("Building", 100, stream=log) as bar:
        for _ in range(100):
            bar.advance()
    assert log.getvalue() == ""


def test_long_work_writes_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 3723.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    log = io.StringIO()
    with progress("Building", 1000, unit="windows", stream=log) as bar:
        bar.advance()
        bar.advance(249)
        bar.note("loss 0.5")
        bar.advance(50)
        bar.advance(700)
    assert log.getvalue().splitlines() == [
        "Building: 250 of 1,000 windows (25%) after 0:00:31, about 0:01:33 left",
        "Building: 1,000 of 1,000 windows (100%) after 1:02:03; loss 0.5",
    ]


@pytest.mark.parametrize("unit", ["windows", "bytes", ""])
def test_a_terminal_sees_a_bar_that_goes_away(unit: str) -> None:
    screen = Terminal()
    with progress("Reading [x]", 3, unit=unit, stream=screen) as bar:
        bar.note("loss [0.5]")
        bar.advance(2)
        bar.advance()
    shown = screen.getvalue()
    assert "Reading [x]" in shown
    assert "loss [0.5]" in shown


def test_nothing_to_do_is_no_error() -> None:
    with progress("Building", 0, stream=Terminal()):
        pass
    with progress("Building", 0, stream=io.StringIO()) as bar:
        bar.advance(0)


def test_one_of_several_processes_shows_nothing() -> None:
    screen = Terminal()
    with without_progress(), progress("Building", 3, stream=screen) as bar:
        bar.advance(2)
        bar.note("loss 0.5")
    assert screen.getvalue() == ""
    with progress("Building", 3, stream=screen) as bar:
        bar.advance()
    assert "Building" in screen.getvalue()
