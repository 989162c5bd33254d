"""Recommenders in the formats of others, against the packed model that they were made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from farthing.base.errors import ConfigError, FormatError
from farthing.lowbit.operators import traceable
from farthing.lowbit.packed import PackedEmbeddingBag
from farthing.recommend.bitorch import model_inputs
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.config import ModelConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.export import dlrm_to_onnx, export_to, row_bits, rows_by_field
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import export_run, load_model
from farthing.recommend.presets import PRESETS
from tests.lowbit.test_onnx import run as run_onnx
from tests.recommend import small


def packed(trained: small.Trainings, shape: str, preset: str, folder: Path) -> Dlrm:
    export_run(trained(shape, preset), folder)
    return load_model(folder).network


def one_value_each(network: Dlrm, num_rows: int = 64) -> ClickBatch:
    ids = torch.stack([torch.randint(0, rows, (num_rows,)) for rows in network.table_rows], 1)
    indices = (ids + torch.tensor(network.table_starts)).flatten()
    dense = torch.randn(num_rows, network.num_dense)
    return ClickBatch(dense, indices, torch.arange(len(indices) + 1), torch.zeros(num_rows))


def without_ties(network: Dlrm) -> Dlrm:
    """Scales of 1-bit tables become powers of two, so that products of two signs are exact.

    Their dot products are often 0. Otherwise a 0 is 0 or a rounding error of any sign, depending on the order of the
    sum and on fused multiplications, and a 1-bit layer turns that into 1 or -1.
    """
    table = network.get_submodule("embedding")
    if isinstance(table, PackedEmbeddingBag) and table.description.bits == 1:
        table.scale.copy_(torch.exp2(table.scale.log2().round()))
    return network


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", ["mixed", "ids_only"])
def test_the_onnx_graph_gives_the_probabilities(
    trained: small.Trainings, tmp_path: Path, shape: str, preset: str
) -> None:
    pytest.importorskip("onnx", reason="ONNX is not installed: pip install 'farthing[onnx]'")
    network = without_ties(packed(trained, shape, preset, tmp_path / "model"))
    batch = one_value_each(network)
    _, (fields, _) = model_inputs(batch, network.table_rows)
    inputs = {"ids": torch.stack(fields, 1)} | ({"dense": batch.dense} if network.num_dense else {})
    logit, probability = run_onnx(dlrm_to_onnx(network), **inputs)
    expected = network(batch.dense, batch.indices, batch.offsets)
    distance = (logit - expected).abs()
    # As for a packed model against the trained one: float32 in another order, and codes of values that it moves over a
    # border of two.
    assert float((distance > 1e-5).double().mean()) <= 0.05
    assert float(distance.max()) < 0.1
    assert torch.allclose(probability, logit.sigmoid(), atol=1e-6)


@pytest.mark.parametrize("layout", ["torch", "fbgemm"])
def test_tables_of_every_field(trained: small.Trainings, tmp_path: Path, layout: str) -> None:
    network = packed(trained, "mixed", "int4", tmp_path / "model")
    out = tmp_path / "tables.safetensors"
    size = export_to(tmp_path / "model", layout, out)  # type: ignore[arg-type]
    assert size == out.stat().st_size
    tables = safetensors.torch.load_file(out)
    with safetensors.safe_open(out, "pt") as file:
        about = file.metadata()
    assert (about["layout"], about["embedding_dim"]) == (layout, str(network.embedding_dim))
    table, fields = network.get_submodule("embedding"), json.loads(about["fields"])
    assert isinstance(table, PackedEmbeddingBag)
    assert [len(tables[name]) for name in fields] == list(network.table_rows)
    assert {rows.shape[1] for rows in tables.values()} == {network.embedding_dim // 2 + 4}
    assert size <= table.codes.numel() + 4 * sum(network.table_rows) + 2000
    if layout == "torch":
        rows = tables[fields[1]]
        out_rows = torch.ops.quantized.embedding_bag_4bit_rowwise_offsets(
            rows, torch.arange(len(rows)), torch.arange(len(rows))
        )
        own = table.lookup(torch.arange(len(rows)) + network.table_starts[1])
        assert torch.allclose(out_rows, own, atol=2e-2 * float(own.abs().max()))


@pytest.mark.slow
def test_a_packed_dlrm_is_exported_by_torch(trained: small.Trainings, tmp_path: Path) -> None:
    network = packed(trained, "mixed", "int4", tmp_path / "model")
    batch, rows = one_value_each(network, 8), torch.export.Dim("rows", min=2)
    ends = len(network.table_rows) * rows
    program = torch.export.export(
        traceable(network),
        (batch.dense, batch.indices, batch.offsets),
        dynamic_shapes=({0: rows}, {0: ends}, {0: ends + 1}),
    )
    other = one_value_each(network, 21)
    out = program.module()(other.dense, other.indices, other.offsets)
    assert torch.equal(out, network(other.dense, other.indices, other.offsets))


def test_a_run_is_packed_on_the_way(trained: small.Trainings, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="ONNX is not installed: pip install 'farthing[onnx]'")
    export_run(trained("ids_only", "int4"), tmp_path / "model")
    export_to(tmp_path / "model", "onnx", tmp_path / "a.onnx")
    export_to(trained("ids_only", "int4"), "onnx", tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_what_cannot_be_exported_is_said(trained: small.Trainings, mixed: Dataset, tmp_path: Path) -> None:
    run = trained("mixed")
    with pytest.raises(ConfigError, match=r"must end in .onnx for --to onnx, got 'x.bin'"):
        export_to(run, "onnx", tmp_path / "x.bin")
    with pytest.raises(ConfigError, match="ONNX keeps the model's own"):
        export_to(run, "onnx", tmp_path / "x.onnx", bits=8)
    with pytest.raises(ConfigError, match="float ones need no rows"):
        export_to(run, "torch", tmp_path / "x.safetensors")
    with pytest.raises(FormatError, match="neither a run nor a model folder"):
        export_to(tmp_path / "none", "torch", tmp_path / "x.safetensors")
    with pytest.raises(ConfigError, match="8, 4 or 2 bits, got '3'"):
        row_bits("3")
    assert [row_bits(text) for text in (None, "8", "2")] == [None, 8, 2]
    assert not list(tmp_path.iterdir())


def test_an_onnx_file_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farthing.recommend.export.MAX_ONNX_BYTES", 100)
    network = Dlrm(num_dense=2, table_rows=(3, 4), config=ModelConfig(bottom=(4,), top=(4,)))
    with pytest.raises(ConfigError, match="at most 2 GiB"):
        dlrm_to_onnx(network)
    with pytest.raises(ConfigError, match="float ones"):
        rows_by_field(network, ("a", "b"), "torch")
