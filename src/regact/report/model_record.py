"""What was judged, as a report shows it: a model with all its runs, which differ by their seed alone, or the floor."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from regact.evaluation import Judgement
from regact.model import Cost, ModelSpec, count, reach_bp
from regact.plot import Score
from regact.report.run_record import RunRecord

Interval95 = tuple[float, float]


@dataclass(frozen=True)
class Judged:
    """A predictor by its label, judged once for each seed, with the 95 % intervals of a comparison by measure."""

    label: str
    judgements: tuple[Judgement, ...]
    intervals: Mapping[str, Interval95] = field(default_factory=dict)
    is_floor: bool = False

    def score(self, measure: str) -> Score:
        """Return the mean over tracks of a measure."""
        return self._score(measure, lambda judged: judged.accuracy.means[measure])

    def assay_score(self, assay: str, measure: str) -> Score:
        """Return the mean of a measure over the tracks of one assay."""
        return self._score(
            f"{measure}_{assay}", lambda judged: float(judged.accuracy.assays.set_index("assay")[measure].loc[assay])
        )

    def distal_score(self) -> Score:
        """Return distal accuracy, NaN where it was not computed."""
        return self._score("distal_accuracy", lambda judged: math.nan if judged.distal is None else judged.distal.value)

    def track_scores(self, measure: str) -> Float[np.ndarray, "track"]:
        """Return every track's measure, mean over seeds."""
        return np.mean([judged.accuracy.tracks[measure].to_numpy(dtype=float) for judged in self.judgements], axis=0)

    def _score(self, name: str, value_of: Callable[[Judgement], float]) -> Score:
        values = tuple(value_of(judged) for judged in self.judgements)
        low, high = self.intervals.get(name, (math.nan, math.nan))
        return Score(self.label, float(np.mean(values)), low, high, values, is_floor=self.is_floor)


@dataclass(frozen=True)
class ModelRecord(Judged):
    """A trained model: its runs, one for each judgement."""

    runs: tuple[RunRecord, ...] = ()

    @property
    def shown(self) -> RunRecord:
        """The run whose weights are drawn: the first, whatever it reached, so that no figure shows a chosen one."""
        return self.runs[0]

    @property
    def spec(self) -> ModelSpec:
        """The network of all its runs."""
        return self.shown.spec

    @property
    def cost(self) -> Cost:
        """Its parameters and multiply-accumulates."""
        return count(self.spec)

    @property
    def reach(self) -> str:
        """How far its bins see to either side."""
        reach = reach_bp(self.spec)
        return "whole window" if reach is None or reach >= self.spec.window_bp else f"{reach / 1000:.3g} kb"

    @property
    def seconds(self) -> float:
        """Wall-clock time of one training, mean over runs."""
        return float(np.mean([run.seconds for run in self.runs]))

    @property
    def seeds(self) -> str:
        """The seeds of its runs."""
        return ", ".join(str(run.seed) for run in self.runs)
