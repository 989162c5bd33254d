"""A recommender in the formats of others: all of it as an ONNX graph, or its tables as rows of torch or FBGEMM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor

from farthing.base.errors import ConfigError, FormatError
from farthing.base.files import atomic_path, write_bytes
from farthing.lowbit.convert import pack
from farthing.lowbit.onnx import OnnxGraph, add_module, add_rows, group_of
from farthing.lowbit.packed import PackedEmbeddingBag
from farthing.lowbit.rowwise import Layout, RowBits, row_wise
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import load_model
from farthing.recommend.runs import RUN_FILE, load_run

Target = Literal["onnx", "torch", "fbgemm"]

# A row that no table has; a power of two, because torch pads with the float64 next to it.
UNREACHED = 2**62
# What one protobuf message may hold.
MAX_ONNX_BYTES = 2**31 - 1


def export_to(source: Path, to: Target, out: Path, *, bits: RowBits | None = None) -> int:
    """Writes a run or a model folder in another format; returns the bytes of the file.

    Args:
        source: a finished run or a model folder.
        to: `onnx`: a model from ids and numbers to a probability. `torch`, `fbgemm`: a safetensors file with one tensor
            of rows for each field.
        out: the file, .onnx or .safetensors.
        bits: of `torch` and `fbgemm` rows; see `lowbit.rowwise`.

    Raises:
        ConfigError: the suffix is another, or the model has what the format cannot say.
        FormatError: `source` holds neither a run nor a model.
    """
    suffix = ".onnx" if to == "onnx" else ".safetensors"
    if out.suffix != suffix:
        raise ConfigError(f"--out must end in {suffix} for --to {to}, got {out.name!r}")
    network, encoder = _packed(source)
    if to == "onnx":
        if bits is not None:
            raise ConfigError("--bits: goes with --to torch and --to fbgemm; ONNX keeps the model's own")
        several = [field.name for field in encoder.description.schema.fields if field.separator]
        if several:
            raise ConfigError(f"fields {', '.join(several)}: ONNX has no operator for several values; use --to torch")
        write_bytes(out, dlrm_to_onnx(network).SerializeToString())
    else:
        tables = rows_by_field(network, encoder.fields, to, bits=bits)
        about = {"layout": to, "embedding_dim": str(network.embedding_dim), "fields": json.dumps(encoder.fields)}
        with atomic_path(out) as temporary:
            safetensors.torch.save_file(tables, temporary, metadata=about)
    return out.stat().st_size


def row_bits(text: str | None) -> RowBits | None:
    """The bits of a row from the text of an option.

    Raises:
        ConfigError: no layout has rows of these bits.
    """
    bits: dict[str | None, RowBits | None] = {None: None, "8": 8, "4": 4, "2": 2}
    if text not in bits:
        raise ConfigError(f"--bits: rows have 8, 4 or 2 bits, got {text!r}")
    return bits[text]


def rows_by_field(
    network: Dlrm, fields: tuple[str, ...], layout: Layout, *, bits: RowBits | None = None
) -> dict[str, Tensor]:
    """u8 [rows, stride] of each field: its table as rows of torch or FBGEMM.

    Raises:
        ConfigError: the tables are float, or rows cannot hold them.
    """
    table = network.get_submodule("embedding")
    if not isinstance(table, PackedEmbeddingBag):
        raise ConfigError("tables: float ones need no rows of codes; export a model whose embeddings have few bits")
    parts = row_wise(table, layout, bits=bits).split(list(network.table_rows))
    return {name: part.contiguous() for name, part in zip(fields, parts, strict=True)}


def dlrm_to_onnx(network: Dlrm) -> Any:  # Any: an onnx.ModelProto
    """The graph of a packed (or float) DLRM: `dense` f32 [batch, numbers] and `ids` i64 [batch, fields] in.

    Out come `logit` and `probability`, f32 [batch]. An id counts from 0 in its field's table. Every field has one
    value: ONNX has no operator for bags.

    Raises:
        ConfigError: ONNX is not installed, or the model is too large for one ONNX file.
    """
    num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if num_bytes > MAX_ONNX_BYTES:
        raise ConfigError(f"model: an ONNX file holds at most 2 GiB, got {num_bytes:,} bytes; --to torch has no limit")
    graph = OnnxGraph()
    vectors = _embedded(graph, network)
    inputs: dict[str, tuple[str, list[Any]]] = {"ids": ("INT64", ["batch", len(network.table_rows)])}
    if network.bottom is None:
        passed_on = graph.node("Flatten", vectors)
    else:
        inputs = {"dense": ("FLOAT", ["batch", network.num_dense]), **inputs}
        passed_on = add_module(graph, "dense", network.bottom)
        first = graph.node("Unsqueeze", passed_on, graph.constant([1]))
        vectors = graph.node("Concat", first, vectors, axis=1)
    products = graph.node("MatMul", vectors, graph.node("Transpose", vectors, perm=[0, 2, 1]))
    pairs = graph.node("Gather", graph.node("Flatten", products), graph.constant(network.pairs), axis=1)
    top = add_module(graph, graph.node("Concat", passed_on, pairs, axis=1), network.top)
    logit = graph.node("Squeeze", top, graph.constant([1]))
    probability = graph.node("Sigmoid", logit)
    outputs = {"logit": (logit, "FLOAT", ["batch"]), "probability": (probability, "FLOAT", ["batch"])}
    return graph.model(inputs, outputs)


def _embedded(graph: OnnxGraph, network: Dlrm) -> str:
    """The rows [batch, fields, dim] of `ids`."""
    starts = torch.tensor(network.table_starts)
    indices = graph.node("Add", "ids", graph.constant(starts))
    table = network.get_submodule("embedding")
    groups = None
    if isinstance(table, PackedEmbeddingBag) and table.group_starts is not None:
        groups = _groups(graph, indices, table.group_starts, starts)
    return add_rows(graph, indices, table, groups=groups)


def _groups(graph: OnnxGraph, indices: str, group_starts: Tensor, table_starts: Tensor) -> str:
    """The scale of each index: an index is compared with the groups of its own field only."""
    firsts = torch.searchsorted(group_starts, table_starts, right=True).sub(1).tolist()
    ends = [*torch.searchsorted(group_starts, table_starts[1:]).tolist(), len(group_starts)]
    own = [group_starts[first:end] for first, end in zip(firsts, ends, strict=True)]
    # A start that no index reaches fills up the fields with fewer groups.
    padded = torch.nn.utils.rnn.pad_sequence(own, batch_first=True, padding_value=UNREACHED)
    within = group_of(graph, graph.node("Unsqueeze", indices, graph.constant([-1])), padded)
    return graph.node("Add", within, graph.constant(torch.tensor(firsts)))


def _packed(source: Path) -> tuple[Dlrm, RowEncoder]:
    if (source / RUN_FILE).exists():
        network = pack(load_run(source))
        assert isinstance(network, Dlrm), "packing keeps the kind of model"
        return network, RowEncoder.load(source)
    if not source.is_dir():
        raise FormatError(f"{source}: neither a run nor a model folder")
    model = load_model(source)
    return model.network, model.encoder
