"""The house's order: who may import whom, and a few habits that keep it readable."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "regact"
FILES = sorted(SOURCE.rglob("*.py"))
# What docs/architecture.md says below its table: who may import a neighbour of the same row, and who only row 1.
SAME_ROW = {("shapes", "errors")}
ONLY_ROW_1 = {"model", "losses", "metrics", "plot", "engine"}
OPTIONAL_EXTRAS = {"ray", "optuna", "huggingface_hub", "tangermeme", "modiscolite", "starlette", "uvicorn"}


def read_rows() -> dict[str, int]:
    """Return the row of every folder and top-level file, as docs/architecture.md gives it."""
    rows = {}
    for line in (ROOT / "docs" / "architecture.md").read_text().splitlines():
        if match := re.match(r"\| (\d+) \| (`[^|]*`) \|", line):
            for name in re.findall(r"`([\w/.]+)`", match[2]):
                rows[name.removesuffix("/").removesuffix(".py")] = int(match[1])
    return rows


ROWS = read_rows()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def part_of(module: str) -> str:
    """Return the folder or top-level file that a dotted module name lies in ("" for the front door)."""
    return module.split(".")[1] if "." in module else ""


def inner_part(module: tuple[str, ...]) -> tuple[str, int]:
    """Return the folder of a folder that has a row of its own, and the row; others lie in row 0 of their folder."""
    name = "/".join(module[:2])
    return (name, ROWS[name]) if name in ROWS else (module[0], 0)


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("regact."):
            yield node.lineno, tuple(node.module.split(".")[1:])


def imported_parts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            if node.module == "regact":
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif node.module and node.module.startswith("regact."):
                yield node.lineno, part_of(node.module)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, part_of(alias.name)) for alias in node.names if alias.name.startswith("regact"))


def may_import(importer: str, imported: str) -> bool:
    if importer == imported or (importer, imported) in SAME_ROW:
        return True
    if importer in ONLY_ROW_1:
        return ROWS[imported] == 1
    return ROWS[imported] < ROWS[importer]


def test_every_folder_has_its_row():
    parts = {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert parts <= set(ROWS), f"not in the table of docs/architecture.md: {sorted(parts - set(ROWS))}"


def test_rule_refuses_an_import_upwards():
    assert may_import("dataset", "genome")
    assert not may_import("genome", "dataset")
    assert not may_import("model", "genome")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
class TestFile:
    def test_imports_only_from_above(self, path: Path):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part == "__init__":  # the front door re-exports from everywhere
            return
        wrong = [
            f"line {line}: {part} imports {imported}"
            for line, imported in imported_parts(parse(path))
            if not may_import(part, imported)
        ]
        assert not wrong

    def test_inner_folders_import_only_from_above(self, path: Path):
        module = path.relative_to(SOURCE).parts
        if module[0] not in {name.partition("/")[0] for name in ROWS if "/" in name} or module[1] == "__init__.py":
            return  # has no folders with rows, or is their front door
        mine, row = inner_part(module)
        wrong = [
            f"line {line}: {mine} imports {'.'.join(other)}"
            for line, other in imported_modules(parse(path))
            if other[0] == module[0]
            if len(other) == 1 or (inner_part(other)[0] != mine and inner_part(other)[1] >= row)
        ]
        assert not wrong

    def test_imports_stand_at_the_top(self, path: Path):
        tree = parse(path)
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        hidden = [
            f"line {node.lineno}"
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom) and not imported_names(node) <= OPTIONAL_EXTRAS
        ]
        assert not hidden

    def test_neither_asserts_nor_prints_nor_exits(self, path: Path):
        tree = parse(path)
        calls = [
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert not {"print", "exit", "quit"} & set(calls)
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]

    def test_init_holds_no_code(self, path: Path):
        if path.name != "__init__.py" or path.parent == SOURCE:  # the front door's is tested in test_public_names.py
            return
        docstring, *rest = parse(path).body
        assert isinstance(docstring, ast.Expr)
        names = [node for node in rest if isinstance(node, ast.Assign)]
        assert all(isinstance(node, ast.ImportFrom | ast.Assign) for node in rest)
        assert all(isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__" for node in names)


def imported_names(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return {name.split(".")[0] for name in names}
