import re

import pytest

from regact.model import PRESETS, count, preset_spec
from regact.report.architecture import draw_architecture, save_architecture


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_drawn(name: str):
    spec = preset_spec(name, tracks=5, window_bp=4096, width=0.05)
    upper, *lower = draw_architecture(spec).axes
    shapes = [text.get_text() for text in upper.texts]
    for layer in count(spec).layers:
        assert f"{layer.channels:,} × {layer.positions:,}" in shapes
    assert len(lower) == (name not in ("standard", "attention_none"))


def test_file_is_the_same_twice(tmp_path):
    spec = preset_spec("attention_two_sided", tracks=5, window_bp=4096, width=0.05)
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    save_architecture(spec, one)
    save_architecture(spec, two)
    assert one.read_bytes() == two.read_bytes()
    assert re.search(rb"<svg[^>]*>", one.read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.svg", "two.svg"]


def test_other_formats_follow_the_files_ending(tmp_path):
    save_architecture(preset_spec("standard", tracks=5, window_bp=4096, width=0.05), tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_unknown_ending_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="docx"):
        save_architecture(preset_spec("standard", tracks=5, window_bp=4096, width=0.05), tmp_path / "one.docx")
    assert not list(tmp_path.iterdir())
