"""Small networks for the tests of this folder."""

from collections.abc import Callable

import pytest
import torch

from regact.model import ModelSpec, SequenceModel, build_model, preset_spec


@pytest.fixture
def small_spec() -> Callable[..., ModelSpec]:
    """A preset at a 25th of the paper's width on 16 bins of 128 bases."""

    def make(name: str = "attention_two_sided", **changes) -> ModelSpec:
        return preset_spec(name, **{"tracks": 3, "window_bp": 2048, "width": 0.04, **changes})

    return make


@pytest.fixture
def small_model(small_spec) -> Callable[..., SequenceModel]:
    def make(name: str = "attention_two_sided", **changes) -> SequenceModel:
        return build_model(small_spec(name, **changes), seed=0)

    return make


@pytest.fixture
def codes() -> torch.Tensor:
    """Three sequences of 2,048 bases, some of them N."""
    return torch.randint(0, 5, (3, 2048), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
