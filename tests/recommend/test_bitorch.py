"""BITorch's DLRM as a model folder: equal probabilities, one bit per weight, and errors that say what does not fit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.artifact import verify_artifact
from farthing.lowbit.packed import PackedLinear
from farthing.recommend.bitorch import model_inputs, save_dlrm, to_dlrm
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.modelfolder import load_model
from farthing.recommend.predict import predict_log
from farthing.recommend.schema import Field
from tests.recommend import small

ROWS, DIM = (5, 7, 4, 6), 8

# Floats are summed in another order: some 1e-6 of a logit around 1. Where that moves a value over 0, a sign flips in
# the layer behind it, which happens to less than one row in a hundred and moves its logit by some hundredths.
ROUNDING_BOUND, SHARE_OF_FLIPS, FLIP_BOUND = 1e-5, 0.01, 0.2


class Sign(nn.Module):
    """What BITorch's `sign` gives, under its name."""

    name, bit_width = "sign", 1

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x < 0, -1.0, 1.0)


class QLinear(nn.Linear):
    """What BITorch's QLinear computes, with its attributes."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)
        self.weight_quantization, self.input_quantization = Sign(), Sign()

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = Sign()(input) @ Sign()(self.weight).t()
        return out


class QEmbeddingBag(nn.EmbeddingBag):
    """What BITorch's QEmbeddingBag computes, with its attributes."""

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__(rows, dim, mode="mean")
        self.embedding_weight_quantization, self.embedding_input_quantization = Sign(), Sign()

    def forward(self, input: Tensor, offsets: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        out: Tensor = Sign()(nn.functional.embedding_bag(input, Sign()(self.weight), offsets, mode="mean"))
        return out


class StandIn(nn.Module):
    """The structure of BITorch's DLRM, written from its documented layers; runs without BITorch."""

    interaction_operation = "product"

    def __init__(self, *, binary: bool, num_dense: int = 3) -> None:
        super().__init__()
        tables = [QEmbeddingBag(rows, DIM) if binary else nn.EmbeddingBag(rows, DIM, mode="sum") for rows in ROWS]
        self.embedding_layers = nn.ModuleList(tables)
        self.bottom_mlp = self._mlp([num_dense, 16, DIM], nn.Linear)
        self.top_mlp = self._mlp([DIM + 10, 32, 16, 1], QLinear if binary else nn.Linear)
        self.top_mlp[-1] = nn.Sigmoid()
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                for values in (module.running_mean, module.running_var, module.weight, module.bias):
                    assert values is not None
                    nn.init.uniform_(values, 0.5, 1.5)

    @staticmethod
    def _mlp(sizes: list[int], kind: Any) -> nn.Sequential:  # Any: a class with nn.Linear's constructor
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.BatchNorm1d(fan_in), kind(fan_in, fan_out), nn.BatchNorm1d(fan_out), nn.PReLU()]
        return nn.Sequential(*layers)

    def forward(self, dense: Tensor, categorical: tuple[list[Tensor], list[Tensor]]) -> Tensor:
        first = self.bottom_mlp(dense)
        bags = [table(i, o) for table, i, o in zip(self.embedding_layers, *categorical, strict=True)]
        vectors = [first, *bags]
        products = [(vectors[i] * vectors[j]).sum(1) for i in range(len(vectors)) for j in range(i)]
        out: Tensor = self.top_mlp(torch.cat([first, torch.stack(products, 1)], 1))
        return out


def clicks(num_rows: int = 300) -> ClickBatch:
    """A batch for the stand-in."""
    ids = torch.stack([torch.randint(0, rows, (num_rows,)) for rows in ROWS], 1)
    indices = (ids + torch.tensor([0, *ROWS[:-1]]).cumsum(0)).flatten()
    return ClickBatch(torch.randn(num_rows, 3), indices, torch.arange(len(indices) + 1), torch.zeros(num_rows))


def assert_agree(ours: Tensor, theirs: Tensor) -> None:
    """Logits within the bounds above."""
    distance = (ours - theirs).abs()
    assert float((distance > ROUNDING_BOUND).double().mean()) <= SHARE_OF_FLIPS
    assert float(distance.max()) < FLIP_BOUND


@torch.no_grad()
@pytest.mark.parametrize("binary", [True, False])
def test_the_twin_gives_the_logits(binary: bool) -> None:
    theirs, batch = StandIn(binary=binary).eval(), clicks()
    ours, config = to_dlrm(theirs)
    probability = theirs(*model_inputs(batch, ROWS)).squeeze(1).double()
    assert_agree(ours(batch.dense, batch.indices, batch.offsets), probability.logit())
    assert (config.model.bottom, config.model.top, config.precision.embedding) == ((16,), (32, 16), 1 if binary else 32)


def test_inputs_are_ids_of_each_field() -> None:
    batch = ClickBatch(torch.zeros(2, 0), torch.tensor([0, 7, 4, 5]), torch.arange(5), torch.zeros(2))
    _, (indices, offsets) = model_inputs(batch, (5, 3))
    assert [field.tolist() for field in indices] == [[0, 4], [2, 0]]
    assert [field.tolist() for field in offsets] == [[0, 1], [0, 1]]
    with pytest.raises(ConfigError, match="exactly one value"):
        model_inputs(ClickBatch(batch.dense, torch.arange(5), torch.tensor([0, 2, 3, 4, 5]), batch.label), (5, 3))


def test_what_does_not_fit_is_said() -> None:
    def refused(message: str, **changes: Any) -> None:  # Any: modules or settings
        model = StandIn(binary=True)
        for name, value in changes.items():
            setattr(model, name, value)
        with pytest.raises(ConfigError, match=message):
            to_dlrm(model)

    refused("interaction_operation='product'", interaction_operation="concat")
    refused("BITorch's own", top_mlp=nn.Sequential(nn.Linear(18, 1)))
    refused("must end in 1, got 2", top_mlp=StandIn._mlp([18, 2], QLinear))
    refused(r"layer 0 must be \[1, 18\], got \[1, 17\]", top_mlp=StandIn._mlp([17, 1], QLinear))
    tables = [QEmbeddingBag(4, DIM), nn.EmbeddingBag(4, DIM)]
    refused("all of them quantized", embedding_layers=nn.ModuleList(tables))
    for part, message in (("weight_quantization", "must give signs"), ("input_quantization", r"sign\(0\) = 1")):
        model, other = StandIn(binary=True), nn.Tanh()
        other.name, other.bit_width = "tanh", 32  # type: ignore[assignment]
        setattr(model.top_mlp[1], part, other)
        with pytest.raises(ConfigError, match=message):
            to_dlrm(model)
    model = StandIn(binary=True)
    model.embedding_layers[0].embedding_input_quantization = nn.Tanh()
    with pytest.raises(ConfigError, match="must be signs"):
        to_dlrm(model)


def test_an_encoder_of_other_data_is_refused(mixed: Dataset, tmp_path: Path) -> None:
    encoder = RowEncoder.from_dataset(mixed, table_rows=mixed.table_rows(1))
    schema = msgspec.structs.replace(encoder.description.schema, fields=(Field(name="a", column="a"),))
    encoder.description = msgspec.structs.replace(encoder.description, schema=schema)
    with pytest.raises(ConfigError, match="train with the tables"):
        save_dlrm(tmp_path / "model", StandIn(binary=True), encoder)
    several = msgspec.structs.replace(schema, fields=(Field(name="genres", column="g", separator="|"),))
    encoder.description = msgspec.structs.replace(encoder.description, schema=several)
    with pytest.raises(ConfigError, match="genres: BITorch's DLRM takes the sign"):
        save_dlrm(tmp_path / "model", StandIn(binary=True), encoder)


# What follows needs BITorch itself: GPL-3, optional, installed by `make bitorch`.


@pytest.mark.slow
def test_a_trained_dlrm_of_bitorch_becomes_a_folder_that_scores_logs(tmp_path: Path) -> None:
    models = pytest.importorskip("bitorch.models", reason="BITorch is not installed: make bitorch")
    frame = small.clicks(2000, seed=1, with_numbers=True).drop("tags")  # a list; the other columns have one value
    dataset = small.prepare_frame(frame, tmp_path / "data")
    rows = tuple(dataset.table_rows(2))
    model = models.DLRM(
        dense_feature_size=len(dataset.manifest.dense),
        embedding_layer_sizes=list(rows),
        bottom_mlp_layer_sizes=[64, 32],
        top_mlp_layer_sizes=[64, 32, 1],
        embedding_dimension=DIM,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(3):
        for batch in dataset.batches("train", table_rows=rows, batch_size=200, shuffle_seed=epoch):
            loss = nn.functional.binary_cross_entropy(model(*model_inputs(batch, rows)).squeeze(1), batch.label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    save_dlrm(tmp_path / "model", model.eval(), RowEncoder.from_dataset(dataset, table_rows=rows))

    assert not verify_artifact(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    (batch,) = dataset.batches("test", table_rows=rows, batch_size=1000, shuffle_seed=None)
    with torch.no_grad():
        theirs = model(*model_inputs(batch, rows)).squeeze(1).double()
    assert_agree(loaded.predict(batch).logit(), theirs.logit())
    assert float(theirs.std()) > 0.01  # the model has learned to tell rows apart

    packed = [layer for layer in loaded.network.modules() if isinstance(layer, PackedLinear)]
    assert [layer.codes.numel() for layer in packed] == [64 * -(-(DIM + 3) // 8), 32 * 64 // 8, 32 // 8]
    assert loaded.network.embedding.codes.shape == (sum(rows), DIM // 8)

    predict_log(loaded, [tmp_path / "data" / "log.parquet"], tmp_path / "scores.csv")
    assert np.isfinite(pl.read_csv(tmp_path / "scores.csv")["probability"].to_numpy()).all()
