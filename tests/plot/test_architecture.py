import pytest

from regact.plot import LayerBox, plot_architecture, plot_dilation


def test_every_layer_has_its_box_shape_and_cost():
    boxes = [
        LayerBox("input", "one-hot", "4 × 8"),
        LayerBox("tower", "conv 3", "5 × 4", "60 parameters"),
        LayerBox("context", "attention", "10 × 4"),
        LayerBox("output", "link", "1 × 4"),
    ]
    ax = plot_architecture(boxes)
    texts = [text.get_text() for text in ax.texts]
    for box in boxes:
        assert {box.label, box.shape, box.cost} <= {*texts, ""}
    assert "tower" in texts
    assert "head" not in texts  # no bracket for a part that is not there
    assert len(ax.patches) == len(boxes)


def test_unknown_part_is_refused():
    with pytest.raises(KeyError, match="neck"):
        plot_architecture([LayerBox("neck", "", "")])


@pytest.mark.parametrize("layers", [1, 4, 7])
def test_dilations_reach_as_far_as_they_add_up(layers: int):
    dilations = [2 ** (i + 1) for i in range(layers)]
    ax = plot_dilation(dilations, bin_bp=128)
    ends = [x for lines in ax.collections for path in lines.get_paths() for x in path.vertices[:, 0]]
    assert (min(ends), max(ends)) == (-128 * sum(dilations), 128 * sum(dilations))
    assert [t.get_text() for t in ax.get_yticklabels()][1:] == [f"dilation {d}" for d in dilations]
