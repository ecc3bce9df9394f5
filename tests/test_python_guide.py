"""docs/python.md runs as it stands, and prints what its comments say."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "python.md"


def python_blocks(text: str) -> list[tuple[int, str]]:
    """Return the page's Python blocks in order, each with the line that it begins at."""
    blocks = re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [(text[: block.start(1)].count("\n") + 1, block[1]) for block in blocks]


def promised_output(code: str) -> str:
    """Return what the comments behind `print(...)` say that it prints, a line each; `...` stands for anything."""
    prints = [line for line in code.splitlines() if "print(" in line]
    promises = [re.fullmatch(r"print\(.*?\)  # (.+)", line) for line in prints]
    assert all(promises), "a print without its output in a comment behind it"
    return "".join(f"{promise[1]}\n" for promise in promises if promise)


def test_the_guide_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    for line, code in python_blocks(GUIDE.read_text()):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * (line - 1) + code, str(GUIDE), "exec"), names)  # errors name the page's own lines
        promised = promised_output(code)
        same = doctest.OutputChecker().check_output(promised, printed.getvalue(), doctest.ELLIPSIS)
        assert same, f"the block at line {line} promises\n{promised}and prints\n{printed.getvalue()}"
    assert (tmp_path / "guide" / "distance.png").stat().st_size > 10_000


def test_a_wrong_comment_would_be_seen():
    assert promised_output("x = 1\nprint(x, (2,))  # 1 (2,)\n") == "1 (2,)\n"
    with pytest.raises(AssertionError, match="a print without its output"):
        promised_output("print(1)\n")
