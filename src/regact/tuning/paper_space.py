"""The ready search space: what the paper tuned, as far as a model has it."""

from regact.experiment import Domain, Experiment
from regact.model.spec import AttentionSpec, DilatedSpec, PoolingSpec


def paper_space(experiment: Experiment) -> dict[str, Domain]:
    """Where to search what the paper tuned; paths that mean nothing for the experiment's model are left out.

    Section 4.2 names the number of attention layers, the decay factor, the strength of L2 and the rate of dropout; its
    table compares 5 heads with 16, and one attention layer with two; the decays of Eq. 3 are five constants. It gives
    no ranges. Learning rates were Adam's; where it starts is searched too, since L2 and dropout shift the best one.
    """
    context = experiment.model_spec(n_tracks=1).context
    space = {
        "training.learning_rate": Domain(low=1e-4, high=1e-2, log=True),
        "training.l2": Domain(low=1e-9, high=1e-4, log=True),
        "model.dropout": Domain(low=0.0, high=0.4),
    }
    if any(isinstance(layer, DilatedSpec) for layer in context):
        space["model.dilated_dropout"] = Domain(low=0.0, high=0.4)
    distant = [layer for layer in context if isinstance(layer, AttentionSpec | PoolingSpec)]
    if not distant:
        return space
    if any(isinstance(layer, AttentionSpec) for layer in distant):
        space["model.layers"] = Domain(choose=(1, 2))
    kind, heads = distant[0].distance.kind, distant[0].heads
    if kind == "constant":
        return space | {"model.alphas": Domain(low=0.002, high=0.5, log=True, length=heads)}
    if experiment.model.alphas is None:  # else there is one alpha per head
        space["model.heads"] = Domain(choose=(2, 5, 8, 16))
    if kind in ("variable", "two_sided"):
        space["model.alpha_scale"] = Domain(low=0.25, high=4.0, log=True)
    return space
