"""Every peer against the packed model that it was built from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from farthing.lowbit.packed import PackedEmbeddingBag
from farthing.recommend.bench import deviation, draw_batch
from farthing.recommend.modelfolder import ClickModel, export_run, load_model
from farthing.recommend.peers.engine import PEERS, Subject
from farthing.recommend.peers.floats import float_network, table_values
from farthing.recommend.peers.int8 import round_weight
from tests.recommend import small

Models = Callable[[str, str], ClickModel]

CASES = [("mixed", "fp32"), ("mixed", "int8"), ("mixed", "int4"), ("ids_only", "int4"), ("mixed", "binary")]


@pytest.fixture(scope="module")
def models(trained: small.Trainings, tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")

    def load(shape: str, preset: str) -> ClickModel:
        out: Path = folder / shape / preset
        if not out.exists():
            export_run(trained(shape, preset), out)
        return load_model(out)

    return load


def logits(network: nn.Module, model: ClickModel) -> torch.Tensor:
    batch = draw_batch(model.network, 64)
    with torch.inference_mode():
        result: torch.Tensor = network(batch.dense, batch.indices, batch.offsets)
    return result


@pytest.mark.parametrize(("shape", "preset"), CASES)
def test_with_its_rounding_the_float_network_is_the_packed_one(models: Models, shape: str, preset: str) -> None:
    model = models(shape, preset)
    rounded = float_network(model, keep_rounding=True)
    assert deviation(logits(rounded, model), logits(model.network, model)) < 1e-2


def test_a_float_model_stays_what_it_is_when_norms_are_folded(models: Models) -> None:
    model = models("mixed", "fp32")
    plain = float_network(model)
    assert {type(layer).__name__ for layer in plain.top} == {"Linear", "ReLU"}
    torch.testing.assert_close(logits(plain, model), logits(model.network, model))


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(("shape", "preset"), CASES)
def test_every_variant_of_a_peer_gives_the_logits_of_the_weights(
    models: Models, name: str, shape: str, preset: str
) -> None:
    peer = PEERS[name]
    for package in peer.packages:
        pytest.importorskip(package, reason="make peers")
    model = models(shape, preset)
    plain, batch = float_network(model), draw_batch(model.network, 64)
    variants = peer.build()(Subject(model=model, plain=plain, sample=batch, threads=1))
    assert variants
    wanted = logits(plain, model)
    for variant, prepare in variants.items():
        with torch.inference_mode():
            found = prepare(batch)()
        assert found.shape == (64,), variant
        assert deviation(found, wanted) < peer.tolerance, variant


def test_a_table_is_unpacked_row_by_row(models: Models) -> None:
    table: nn.Module = models("mixed", "int4").network.embedding
    assert isinstance(table, PackedEmbeddingBag)
    rows = torch.arange(table.description.num_embeddings)
    assert torch.equal(table_values(table), table.lookup(rows))


def test_weights_are_rounded_per_row() -> None:
    integers, scale = round_weight(torch.tensor([[1.0, -2.0], [0.0, 0.0], [127.0, 63.4]]))
    assert integers.tolist() == [[64, -127], [0, 0], [127, 63]]
    assert scale[[0, 2]].tolist() == pytest.approx([2 / 127, 1.0])
