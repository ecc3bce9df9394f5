"""Published weights as an experiment names them: of which format, in which files."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Weights(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tracks: Path | None = Field(default=None, description="Their tracks, in the order of the outputs (targets.txt).")
    trained_on: Path | None = Field(default=None, description="BED of the windows that they were trained on.")


class Basenji2018Weights(_Weights):
    """A TensorFlow 1 checkpoint of Basenji (2018), as `regact weights import-basenji-2018` takes it."""

    format: Literal["basenji_2018"] = "basenji_2018"
    index: Path = Field(description="PREFIX.index, such as model.tf.index; the data files lie beside it.")
    params: Path | None = Field(default=None, description="The network's params.txt, if it is not the published one.")
    samples: Path | None = Field(default=None, description="Its samples instead of tracks: identifier, file, label.")


class KerasWeights(_Weights):
    """A Keras file of Basenji2's or Borzoi's kind, as `regact weights import-keras` takes it."""

    format: Literal["keras"] = "keras"
    file: Path = Field(description="The file that Keras 2 wrote.")
    params: Path = Field(description="The network's params.json.")
    head: str | None = Field(default=None, description="Which of several heads.")
    gelu: Literal["sigmoid", "tanh", "erf"] | None = Field(default=None, description="The form of GELU.")


Weights = Annotated[Basenji2018Weights | KerasWeights, Field(discriminator="format")]
