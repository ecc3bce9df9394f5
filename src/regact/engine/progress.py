"""How far a long piece of work is: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 30.0
_shown = ContextVar("shown", default=True)


class ProgressBar(Protocol):
    """What the block inside `progress` is given."""

    def advance(self, amount: float = 1) -> None:
        """Count `amount` more as done."""

    def note(self, text: str) -> None:
        """Show `text` (such as a loss) beside the bar from now on."""


@contextmanager
def without_progress() -> Iterator[None]:
    """Show no progress inside the block: for one of several processes that share a terminal."""
    token = _shown.set(False)
    try:
        yield
    finally:
        _shown.reset(token)


@contextmanager
def progress(label: str, total: int, *, unit: str = "", stream: TextIO | None = None) -> Iterator[ProgressBar]:
    """Show on `stream` (stderr) how much of `total` is done; `unit="bytes"` prints sizes.

    On a terminal it is a bar that is taken away at the end. Elsewhere it is silent for the first 30 s and then prints
    one line every 30 s, so that short work leaves no trace in a log.
    """
    out = sys.stderr if stream is None else stream
    if not _shown.get():
        yield _Nothing()
        return
    if not out.isatty():
        yield _LogLines(label, total, unit, out)
        return
    size: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        size,
        TextColumn("{task.fields[unit]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(file=out), transient=True) as bars:
        yield _TerminalBar(bars, label, total, unit)


class _Nothing:
    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _TerminalBar:
    def __init__(self, bars: Progress, label: str, total: int, unit: str) -> None:
        self._bars = bars
        self._task = bars.add_task(label, total=total, unit="" if unit == "bytes" else unit, note="")

    def advance(self, amount: float = 1) -> None:
        self._bars.advance(self._task, amount)

    def note(self, text: str) -> None:
        self._bars.update(self._task, note=text)


class _LogLines:
    def __init__(self, label: str, total: int, unit: str, out: TextIO) -> None:
        self._label, self._total, self._unit, self._out = label, total, unit, out
        self._done, self._note = 0.0, ""
        self._started = self._printed = time.monotonic()

    def advance(self, amount: float = 1) -> None:
        self._done += amount
        now = time.monotonic()
        if now - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = now
            self._out.write(self._line(now - self._started) + "\n")
            self._out.flush()

    def note(self, text: str) -> None:
        self._note = text

    def _line(self, elapsed: float) -> str:
        share = self._done / self._total if self._total else 1.0
        left = f", about {_minutes(elapsed * (1 - share) / share)} left" if 0 < share < 1 else ""
        count = f"{self._done:,.0f} of {self._total:,} {self._unit}".rstrip()
        note = f"; {self._note}" if self._note else ""
        return f"{self._label}: {count} ({share:.0%}) after {_minutes(elapsed)}{left}{note}"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}"
