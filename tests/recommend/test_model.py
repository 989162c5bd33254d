from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError
from farthing.recommend.config import ModelConfig
from farthing.recommend.model import Dlrm
from tests.reference import dlrm as reference

CONFIG = ModelConfig(embedding_dim=3, bottom=(5,), top=(7, 4))


def trained(model: Dlrm) -> Dlrm:
    """A model whose norms have left their neutral start, in evaluation mode."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean = torch.randn_like(module.weight)
            module.running_var = torch.rand_like(module.weight) + 0.5
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias)
    torch.nn.init.normal_(model.embedding.weight)
    return model.eval()


@given(
    num_dense=st.integers(0, 3),
    bags=st.lists(
        st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=2, max_size=2), min_size=1, max_size=3
    ),
)
def test_forward_equals_the_reference(num_dense: int, bags: list[list[list[int]]]) -> None:
    model = trained(Dlrm(num_dense=num_dense, table_rows=(4, 4), config=CONFIG))
    rows = [[[index + start for index in bag] for bag, start in zip(sample, (0, 4), strict=True)] for sample in bags]
    flat = [bag for sample in rows for bag in sample]
    dense = torch.randn(len(bags), num_dense)
    offsets = torch.tensor([0, *np.cumsum([len(bag) for bag in flat])])
    logits = model(dense, torch.tensor([row for bag in flat for row in bag]), offsets)
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    expected = [
        reference.logit(weights, dense[b].tolist(), rows[b], num_bottom=2 if num_dense else 0, num_top=3)
        for b in range(len(bags))
    ]
    np.testing.assert_allclose(logits.detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_published_size_on_criteo() -> None:
    """The MLPs of the published model: 13-512-256-64-16 and 367-512-256-1."""
    model = Dlrm(num_dense=13, table_rows=(2,) * 26, config=ModelConfig())
    linears = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    shapes = [(module.in_features, module.out_features) for module in linears]
    assert shapes == [(13, 512), (512, 256), (256, 64), (64, 16), (367, 512), (512, 256), (256, 1)]


def test_table_starts() -> None:
    assert Dlrm(num_dense=0, table_rows=(4, 2, 3), config=CONFIG).table_starts == (0, 4, 6)


def test_embedding_gradient_is_sparse() -> None:
    model = Dlrm(num_dense=0, table_rows=(4, 4), config=CONFIG)
    model(torch.zeros(2, 0), torch.tensor([0, 4, 1, 5]), torch.arange(5)).sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient is not None
    assert gradient.is_sparse
    assert sorted(gradient.coalesce().indices()[0].tolist()) == [0, 1, 4, 5]


@pytest.mark.parametrize("table_rows", [(), (3, 0)])
def test_table_rows_must_be_positive(table_rows: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="table_rows"):
        Dlrm(num_dense=0, table_rows=table_rows, config=CONFIG)
