"""What bench/kernels.py measures: each case is one kind of call, made ready for every engine that can do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn

from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import EmbeddingBagDescription, LinearDescription, PackedEmbeddingBag, PackedLinear
from farthing.recommend.bench import FARTHING
from farthing.recommend.peers.floats import linear_values
from farthing.recommend.peers.int8 import ENGINES, Int8Linear, RowWiseBag

Call = Callable[[], object]
Limits = Mapping[str, Any]  # Any: what bench/limits.cpp prints
Ids = Literal["uniform", "zipf"]

# Of weights and inputs.
LINEAR_BITS: tuple[tuple[Bits, Bits], ...] = ((8, 8), (4, 8), (1, 1))

# Batches that follow each other in a case on tables, so that rows are not in the caches because of the call before.
_NUM_BATCHES = 16


@dataclass(kw_only=True)
class Case:
    """One row of the table.

    Attributes:
        work: bags, linear, conv, model or parse.
        name: which of them.
        bits: of farthing's codes.
        batch: rows, or images, in a call.
        engines: by engine the variants of the call; the fastest is timed.
        least_us: time that the machine's limits leave no engine of these bits below, by the resource that sets it.
    """

    work: str
    name: str
    bits: int
    batch: int
    engines: dict[str, dict[str, Call]]
    least_us: dict[str, float] = field(default_factory=dict)


def rotate(calls: Sequence[Call]) -> Call:
    """Makes one call after the other, over and over."""
    turn = cycle(calls)

    def call() -> object:
        return next(turn)()

    return call


def draw_ids(table_rows: int, num_tables: int, batch: int, *, kind: Ids, seed: int) -> torch.Tensor:
    """i64 [batch, num_tables]: an id per table, uniform or by Zipf's law with exponent 1."""
    uniform = np.random.default_rng(seed).random((batch, num_tables))
    ids = table_rows * uniform if kind == "uniform" else (table_rows + 1.0) ** uniform - 1
    return torch.from_numpy(np.minimum(ids.astype(np.int64), table_rows - 1))


def random_table(
    bits: Bits, num_rows: int, dim: int, group_starts: tuple[int, ...] | None = None
) -> PackedEmbeddingBag:
    """A packed table of random codes."""
    table = PackedEmbeddingBag(
        EmbeddingBagDescription(
            num_embeddings=num_rows,
            embedding_dim=dim,
            bits=bits,
            granularity="table" if group_starts is None else "group",
            group_starts=group_starts,
            has_offset=False,
            mode="sum",
            include_last_offset=True,
        )
    )
    table.codes.random_(0, 256, generator=torch.Generator().manual_seed(bits))
    table.scale.fill_(0.125)  # a power of two: dot products of signs are exact, and 0 in any order of summation
    return table


def bag_cases(
    limits: Limits,
    *,
    bits: Sequence[Bits],
    batches: Sequence[int],
    table_rows: int,
    num_tables: int = 26,
    dim: int = 16,
) -> Iterator[Case]:
    """One id in each of 26 tables, all tables in one call."""
    for width in bits:
        starts = tuple(range(0, num_tables * table_rows, table_rows))
        table = random_table(width, num_tables * table_rows, dim, starts)
        readers = _table_readers(table, starts, table_rows)
        for kind in get_args(Ids):
            for batch in batches:
                ids = [draw_ids(table_rows, num_tables, batch, kind=kind, seed=seed) for seed in range(_NUM_BATCHES)]
                lookups = batch * num_tables
                yield Case(
                    work="bags",
                    name=f"{num_tables} tables, {kind}",
                    bits=width,
                    batch=batch,
                    engines={engine: {"": rotate([read(drawn) for drawn in ids])} for engine, read in readers.items()},
                    least_us=line_limit(limits, table.codes.numel(), lookups) if kind == "uniform" else {},
                )


def _table_readers(
    table: PackedEmbeddingBag, starts: Sequence[int], table_rows: int
) -> dict[str, Callable[[torch.Tensor], Call]]:
    """By engine what makes the call for ids [batch, tables], each within its own table."""
    num_tables = len(starts)
    joined = RowWiseBag(table)
    readers = {
        FARTHING: lambda ids: _read_joined(table, ids, starts),
        "torch, joined": lambda ids: _read_joined(joined, ids, starts),
        "torch": lambda ids: _read_each(joined, ids, table_rows),
    }
    try:
        from farthing.recommend.peers.fbgemm import BatchedTables
    except ImportError:
        return readers
    batched = BatchedTables(table, (table_rows,) * num_tables).tables

    def read(ids: torch.Tensor) -> Call:
        offsets = torch.arange(ids.numel() + 1, dtype=torch.int32)
        return _call(batched, ids.t().reshape(-1).int(), offsets)

    return readers | {"fbgemm": read}


def _read_joined(bag: nn.Module, ids: torch.Tensor, starts: Sequence[int]) -> Call:
    """One table that holds all, sample by sample."""
    return _call(bag, (ids + torch.tensor(starts)).reshape(-1), torch.arange(ids.numel() + 1))


def _read_each(bag: RowWiseBag, ids: torch.Tensor, table_rows: int) -> Call:
    """A call per table, and their results side by side."""
    offsets = torch.arange(len(ids) + 1)
    inputs = list(zip(bag.rows.split(table_rows), ids.t().contiguous(), strict=True))

    def call() -> object:
        return torch.cat([bag.operator(rows, i, offsets, mode=0, include_last_offset=True) for rows, i in inputs], 1)

    return call


def line_limit(limits: Limits, table_bytes: int, num_rows: int) -> dict[str, float]:
    """Every row is a line of memory of its own, read as fast as random lines of a block of the table's size."""
    if not limits:
        return {}
    sizes = {int(size): ns for size, ns in limits["line_ns_of_mib"].items()}
    nearest = min(sizes, key=lambda size: abs(np.log(size * 2**20 / table_bytes)))
    return {f"random lines of {nearest} MiB": 1e-3 * num_rows * sizes[nearest]}


def linear_cases(limits: Limits, *, batches: Sequence[int], threads: int, size: int = 1024) -> Iterator[Case]:
    """A linear layer, float32 in and out; the input is rounded on the way."""
    for bits, activation_bits in LINEAR_BITS:
        layer = random_linear(bits, activation_bits, size)
        plain = linear_values_of(layer)
        for batch in batches:
            x = torch.randn(batch, size, generator=torch.Generator().manual_seed(batch))
            engines: dict[str, dict[str, Call]] = {
                FARTHING: {"": apply(layer, x)},
                "torch": {"fp32": apply(plain, x)},
                "torch-int8": _int8_calls(plain, x),
            }
            onnx = _onnx_calls(plain, x, threads)
            if onnx is not None:
                engines["onnxruntime"] = onnx
            name = f"linear {size} x {size}, W{bits}A{activation_bits}"
            yield Case(
                work="linear", name=name, bits=bits, batch=batch, engines=engines,
                least_us=product_limit(limits, bits * activation_bits == 1, 2 * batch * size * size),
            )  # fmt: skip


def random_linear(bits: Bits, activation_bits: Bits, size: int) -> PackedLinear:
    """A packed layer of random codes."""
    layer = PackedLinear(
        LinearDescription(
            out_features=size,
            in_features=size,
            bits=bits,
            activation_bits=activation_bits,
            has_bias=True,
            num_scales=size,
        )
    )
    generator = torch.Generator().manual_seed(bits)
    layer.codes.random_(0, 256, generator=generator)
    layer.scale.copy_(torch.rand(size, generator=generator) + 0.5).mul_(1 / size)
    assert layer.activation_scale is not None, "it has activation bits"
    layer.activation_scale.fill_(4 / 128 if activation_bits == 8 else 1.0)
    return layer


@torch.no_grad()
def linear_values_of(layer: PackedLinear) -> nn.Linear:
    """The layer in float32."""
    return linear_values(layer)


def product_limit(limits: Limits, is_binary: bool, operations: int) -> dict[str, float]:
    """Multiplies and adds at the machine's peak; of signs, a byte looked up by pshufb stands for four of each.

    Looked up for two rows at once it stands for eight, but takes two more instructions that part and add the counts.
    """
    if not limits:
        return {}
    if is_binary:
        return {"pshufb": 1e-3 * operations / (8 * limits["pshufb_gops"])}
    return {"int8 products": 1e-3 * operations / limits["int8_gops"]}


def apply(module: nn.Module, x: torch.Tensor) -> Call:
    """The call of a module."""
    return _call(module, x)


def _call(module: nn.Module, *inputs: torch.Tensor) -> Call:
    def call() -> object:
        return module(*inputs)

    return call


def _int8_calls(layer: nn.Linear, x: torch.Tensor) -> dict[str, Call]:
    calls = {}
    before = torch.backends.quantized.engine
    try:
        for engine in ENGINES:
            if engine in torch.backends.quantized.supported_engines:
                torch.backends.quantized.engine = engine
                calls[engine] = apply(Int8Linear(layer, has_relu=False), x)
    finally:
        torch.backends.quantized.engine = before
    return calls


def _onnx_calls(layer: nn.Linear, x: torch.Tensor, threads: int) -> dict[str, Call] | None:
    try:
        from farthing.recommend.peers.graph import dynamic_linear, linear_graph, static_linear
        from farthing.recommend.peers.ort import largest_weight, open_session
    except ImportError:
        return None
    largest = largest_weight()
    ranges = {layer: (float(x.min()), float(x.max()))}
    forms = {"static": static_linear(largest, ranges), "dynamic": dynamic_linear(largest)}
    feeds = {"x": x.numpy()}
    sessions = {name: open_session(linear_graph(layer, form), threads, {}) for name, form in forms.items()}
    return {name: (lambda s=session: s.run(None, feeds)) for name, session in sessions.items()}  # type: ignore[misc]
