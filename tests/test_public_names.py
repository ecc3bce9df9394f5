"""The front door: `import regact` offers these names, quickly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import regact

# A name that goes away, or changes its meaning, breaks users: CHANGELOG says so, and this list with it.
PUBLIC_NAMES = {
    "Genome",
    "Interval",
    "RegactError",
    "Store",
    "align",
    "audit_dataset",
    "build_dataset",
    "compare",
    "cover_samples",
    "coverage",
    "evaluate",
    "export_weights",
    "from_pretrained",
    "import_basenji",
    "import_basenji_2018",
    "import_basenji_h5",
    "import_keras",
    "load_experiment",
    "load_genome",
    "load_model",
    "open_store",
    "parse_region",
    "plan",
    "predict_codes",
    "read_sample_sheet",
    "push_to_hub",
    "simulate",
    "train",
    "tune",
    "write_report",
}


def test_public_names():
    assert set(regact.__all__) == PUBLIC_NAMES
    assert regact.__all__ == sorted(regact.__all__)
    assert dir(regact) == regact.__all__


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES))
def test_name_is_there_and_described(name: str):
    value = getattr(regact, name)
    assert callable(value)
    assert value.__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = regact.no_such_name


def test_type_checkers_see_what_python_sees():
    tree = ast.parse(Path(regact.__file__).read_text())
    checking = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in checking.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname or alias.name: (node.module, alias.name) for node in imports for alias in node.names}
    assert seen == regact._HOMES


def test_import_is_quick_because_it_is_lazy():
    code = "import sys, regact; print(sorted({'torch', 'numpy', 'pandas', 'zarr', 'pydantic'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout == "[]\n", result.stderr


def test_no_folder_hides_a_public_name():
    # Python binds a folder's module in its parent on import; one called `train` would replace the function.
    modules = {path.stem for path in Path(regact.__file__).parent.iterdir()}
    assert not modules & PUBLIC_NAMES


@pytest.mark.parametrize(
    "path", sorted(Path(regact.__file__).parent.glob("*/__init__.py")), ids=lambda p: p.parent.name
)
def test_packages_say_what_they_offer(path: Path):
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    offered = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    ]
    assert len(offered) <= 1
    assert set(offered[0] if offered else ()) == imported
