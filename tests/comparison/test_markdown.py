"""The text of a comparison says what its tables say, in the words of the paper's figure."""

import math

from regact.comparison.markdown import write_results_text
from regact.comparison.summary import Difference, ModelSummary, Summary
from regact.evaluation import Estimate

NO_MEASURE = Estimate(math.nan)


def row(attention_layers, heads, distance, dilated_layers=0):
    return {
        "preset": "some",
        "attention_layers": attention_layers,
        "dilated_layers": dilated_layers,
        "heads": heads,
        "distance": distance,
    }


def summary(name, rows, pearson, r2, distal):
    estimates = {"pearson": pearson, "r2": r2, "distal_accuracy": distal, "pearson_CAGE": pearson}
    return ModelSummary(name, "valid", tuple(rows), ("CAGE",), 25, "", "7 blocks", estimates)


def test_rows_are_those_of_figure_6_best_first(tmp_path):
    models = (
        summary("4-mer ridge", [{"model": "4-mer ridge"}], Estimate(0.2, 0.1, 0.3), NO_MEASURE, NO_MEASURE),
        summary("exp", [row(0, "5", "constant")], Estimate(0.5361), Estimate(0.235), NO_MEASURE),
        summary("stacked", [row(2, "5,5", "variable")] * 3, Estimate(0.571, 0.55, 0.59), Estimate(0.325), NO_MEASURE),
        summary("two", [row(1, "5", "two_sided")], Estimate(0.589), Estimate(0.356), Estimate(0.61, 0.5, 0.7)),
        summary("basenji", [row(0, "", "", 7)], Estimate(0.628), Estimate(0.412), NO_MEASURE),
        summary("none", [row(1, "5", "none")], NO_MEASURE, NO_MEASURE, NO_MEASURE),
    )
    differences = (
        Difference("valid", "pearson", "exp", "two", Estimate(-0.053, -0.08, -0.02, 0.001), 0.003),
        Difference("valid", "pearson", "exp", "stacked", Estimate(-0.035, -0.08, 0.01, 0.2), 0.4),
        Difference("valid", "pearson", "stacked", "two", Estimate(-0.02, -0.04, -0.01, 0.02), 0.06),
        Difference("test", "pearson", "exp", "two", Estimate(0.9, 0.8, 1.0, 0.0), 0.0),
    )
    write_results_text(tmp_path / "results.md", "study", Summary(models, differences))
    text = (tmp_path / "results.md").read_text()
    table = text[text.index("| Model") : text.index("| ρ | CAGE |")].strip().splitlines()
    assert table == [
        "| Model | Dilated Convs. | Attn. Layers | Attn. Heads | Exp. Fn. | ρ | r² | distal accuracy | Seeds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| basenji | 7 | 0 | 0 | NONE | 0.628 | 0.412 | – | 1 |",
        "| two | 0 | 1 | 5 | 2-SIDED | 0.589 | 0.356 | 0.610 [0.500, 0.700] | 1 |",
        "| stacked | 0 | 2 | 5, 5 | VARIABLE | 0.571 [0.550, 0.590] | 0.325 | – | 3 |",
        "| exp | 0 | 0 | 0 | CONSTANT | 0.536 | 0.235 | – | 1 |",
        "| 4-mer ridge |  |  |  |  | 0.200 [0.100, 0.300] | – | – |  |",
        "| none | 0 | 1 | 5 | NONE | – | – | – | 1 |",
    ]
    # An interval that holds 0 is no difference, and one that p does not bear out is none either.
    assert "Pairs of models that differ in ρ: 1 of 3 (" in text
    assert "- two above exp by 0.053 [0.020, 0.080], p 0.003" in text
    assert text.count(" above ") == 1
    assert text.startswith("# study\n")
    assert "No interval of distal accuracy: 7 blocks." in text
    assert "## Validation" in text
    assert "## Test" not in text
