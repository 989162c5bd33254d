"""The whole DLRM for bench/kernels.py: Criteo's shape, large tables of random codes; its speed and its memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import torch
from bench.workloads import Limits, line_limit, product_limit, random_table

from farthing.base.config import from_dict, to_dict
from farthing.lowbit.artifact import load_artifact, save_artifact
from farthing.lowbit.convert import pack
from farthing.lowbit.packed import PackedLinear
from farthing.lowbit.state import packed_state, restore
from farthing.recommend.bench import bench_model, draw_batch
from farthing.recommend.config import FLOAT_BITS, RecommendConfig
from farthing.recommend.encoder import EncoderDescription, RowEncoder
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import ClickModel, ModelDescription
from farthing.recommend.peers.engine import Peer
from farthing.recommend.precision import build_model, scale_groups
from farthing.recommend.presets import PRESETS
from farthing.recommend.ranker import Ranker
from farthing.recommend.schema import CRITEO_DENSE, CRITEO_FIELDS, Field, LogSchema

Row = dict[str, Any]

# W4A8 and W1A1 inside, first and last layer W8A8.
MODELS = ("int4", "binary")
_CALIBRATION_ROWS, _CALIBRATION_STEPS = 256, 3


def model_rows(
    limits: Limits,
    *,
    peers: Mapping[str, Peer],
    batches: Sequence[int],
    threads: int,
    table_rows: int,
    seconds: float,
) -> Iterator[Row]:
    """A row for every engine and number of rows on one thread, and for the most rows on `threads`."""
    for preset in MODELS:
        model = random_model(preset, table_rows)
        for sizes, count in ((batches, 1), ([max(batches)], threads)):
            measured = bench_model(model, peers=peers, batches=sizes, threads=[count], seconds=seconds)
            for row in measured.rows:
                yield msgspec.to_builtins(row) | {
                    "case": f"DLRM, {preset}",
                    "variant": measured.variants[row.engine, row.batch, row.threads],
                    "least_us": _least(model, limits, row.batch) if row.threads == 1 else {},
                }


def _least(model: ClickModel, limits: Limits, batch: int) -> dict[str, float]:
    """The products of all layers, and then the lookups: neither can be done faster here."""
    if not limits:
        return {}
    network, total = model.network, 0.0
    for layer in network.modules():
        if isinstance(layer, PackedLinear):
            description = layer.description
            is_binary = description.bits == description.activation_bits == 1
            operations = 2 * batch * description.in_features * description.out_features
            total += sum(product_limit(limits, is_binary=is_binary, operations=operations).values())
    codes = network.get_buffer("embedding.codes")
    total += sum(line_limit(limits, codes.numel(), batch * len(network.table_rows)).values())
    return {"products and random lines": total}


def random_model(preset: str, table_rows: int) -> ClickModel:
    """An untrained model, 13-512-256-64-16, 26 tables, 512-256-1, its scales calibrated on random rows."""
    config = PRESETS[preset]()
    few = (100,) * len(CRITEO_FIELDS)
    network = build_model(num_dense=len(CRITEO_DENSE), table_rows=few, model=config.model, precision=config.precision)
    torch.nn.init.normal_(network.embedding.weight, std=0.3)
    for step in range(_CALIBRATION_STEPS):
        batch = draw_batch(network, _CALIBRATION_ROWS, seed=step)
        network.train()(batch.dense, batch.indices, batch.offsets)
    packed = pack(network.eval())
    assert isinstance(packed, Dlrm), "only its layers are replaced"
    bits = config.precision.embedding
    assert bits != FLOAT_BITS, "a preset of few bits"
    packed.table_rows = (table_rows,) * len(CRITEO_FIELDS)
    starts = scale_groups(packed.table_rows, bits)
    table = random_table(bits, sum(packed.table_rows), config.model.embedding_dim, starts)
    packed.set_submodule("embedding", table)
    return click_model(packed, config)


def click_model(network: Dlrm, config: RecommendConfig) -> ClickModel:
    """A model that knows no values: it scores encoded rows."""
    schema = LogSchema(
        format="criteo",
        separator="\t",
        label="label",
        dense=CRITEO_DENSE,
        fields=tuple(Field(name=name, column=name) for name in CRITEO_FIELDS),
    )
    statistics = tuple(DenseStatistics(name=name, mean=0.0, std=1.0) for name in CRITEO_DENSE)
    encoder = RowEncoder(
        EncoderDescription(schema=schema, dense=statistics, table_rows=network.table_rows),
        [pl.Series(name, [], dtype=pl.String) for name in CRITEO_FIELDS],
    )
    description = ModelDescription(
        settings=to_dict(config),
        num_dense=network.num_dense,
        table_rows=network.table_rows,
        layers=packed_state(network)[0],
        metrics={},
        cost={},
    )
    return ClickModel(network, encoder, description, Ranker.of(network))


def memory_rows(table_rows: int) -> Iterator[Row]:
    """What a loaded model adds to a process, after its first answers, beside the size of its folder."""
    for preset in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            small, large = Path(folder) / "small", Path(folder) / "large"
            _save(random_model(preset, 100), small)
            _save(random_model(preset, table_rows), large)
            size = sum(path.stat().st_size for path in large.iterdir())
            program = f"from bench.dlrm import print_growth; print_growth({str(small)!r}, {str(large)!r})"
            done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
        yield {
            "work": "memory",
            "case": f"DLRM, {preset}",
            "engine": "farthing",
            "file_mb": size / 1e6,
            "resident_mb": int(done.stdout) / 1e6,
        }


def _save(model: ClickModel, out: Path) -> None:
    save_artifact(out, config=msgspec.to_builtins(model.description), tensors=packed_state(model.network)[1])


def print_growth(small: str, large: str) -> None:
    """The bytes by which a large model makes this process grow; a small one before it has brought in all libraries."""
    kept = [_loaded(Path(small))]
    before = _resident_bytes()
    kept.append(_loaded(Path(large)))
    print(_resident_bytes() - before)


def _loaded(folder: Path) -> ClickModel:
    artifact = load_artifact(folder)
    description = msgspec.convert(artifact.config, ModelDescription)
    config = from_dict(RecommendConfig, description.settings)
    with torch.device("meta"):
        network = Dlrm(num_dense=description.num_dense, table_rows=description.table_rows, config=config.model)
    restore(network, description.layers, artifact.tensors)
    model = click_model(network, config)
    for size in (1, 64):
        model.predict(draw_batch(network, size))
    return model


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
