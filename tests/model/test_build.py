import torch

from regact.model import build_model, preset_spec


def test_weights_are_a_function_of_spec_and_seed(small_spec):
    spec = small_spec()
    one, same, other = (build_model(spec, seed=s).state_dict() for s in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["tower.blocks.0.conv.weight"], other["tower.blocks.0.conv.weight"])


def test_seed_leaves_torchs_generator_alone(small_spec):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    build_model(small_spec(), seed=9)
    assert torch.equal(torch.rand(3), expected)


def test_without_a_seed_torchs_generator_decides(small_spec):
    torch.manual_seed(1)
    one = build_model(small_spec()).state_dict()
    torch.manual_seed(1)
    two = build_model(small_spec()).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_batch_norm_and_dropout_are_the_papers():
    spec = preset_spec("basenji", tracks=1, width=0.02)
    model = build_model(spec, seed=0)
    blocks = [*model.tower.blocks, *model.context[0].blocks, model.head.block]
    assert {(block.norm.eps, block.norm.momentum) for block in blocks} == {(1e-3, 0.1)}
    assert [block.dropout.rate for block in blocks] == [0.05] * 6 + [0.1] * 7 + [0.05]
    assert all(block.conv.bias is None for block in blocks)
