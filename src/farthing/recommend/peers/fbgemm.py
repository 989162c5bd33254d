"""FBGEMM: all tables in one call of its batched lookup, in its own rows; the MLPs by torch's int8 operators.

FBGEMM has no MLP in Python; torch's int8 linear layers are FBGEMM's too. A table of 1 bit is stored with 2 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from fbgemm_gpu.split_embedding_configs import SparseType
from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation
from fbgemm_gpu.split_table_batched_embeddings_ops_inference import IntNBitTableBatchedEmbeddingBagsCodegen
from torch import Tensor, nn

from farthing.lowbit.packed import PackedTable
from farthing.lowbit.rowwise import row_wise
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm
from farthing.recommend.peers.engine import Network, Scores, Subject
from farthing.recommend.peers.floats import rebuilt
from farthing.recommend.peers.int8 import int8_layers

_KINDS = {8: SparseType.INT8, 4: SparseType.INT4, 2: SparseType.INT2, 1: SparseType.INT2}


class BatchedTables(nn.Module):
    """The pooled rows of all tables, for offsets and indices in FBGEMM's order: table by table."""

    def __init__(self, table: nn.Module, table_rows: Sequence[int]) -> None:
        super().__init__()
        if isinstance(table, PackedTable):
            dim, kind, rows = table.num_columns, _KINDS[table.description.bits], row_wise(table, "fbgemm")
        else:
            assert isinstance(table, nn.EmbeddingBag), "a DLRM has no other tables"
            dim, kind = table.embedding_dim, SparseType.FP32
            rows = table.weight.detach().view(torch.uint8)
        self.dim = dim
        self.tables = IntNBitTableBatchedEmbeddingBagsCodegen(
            [(f"table{place}", size, dim, kind, EmbeddingLocation.HOST) for place, size in enumerate(table_rows)],
            device="cpu",
            output_dtype=SparseType.FP32,
            row_alignment=1,
        )
        self.tables.initialize_weights()
        places = self.tables.split_embedding_weights(split_scale_shifts=False)
        for (place, _), part in zip(places, rows.split(list(table_rows)), strict=True):
            place.copy_(part)

    def forward(self, indices: Tensor, offsets: Tensor) -> Tensor:
        """f32 [batch * tables, dim]: sample by sample, as the DLRM goes on with."""
        pooled: Tensor = self.tables(indices, offsets)
        return pooled.view(-1, self.dim)


def in_table_order(batch: ClickBatch, table_rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """i32 indices [n], each within its own table, and offsets [tables * batch + 1], of single-valued rows."""
    assert batch.is_single_valued, "drawn batches are"
    starts = torch.tensor([0, *table_rows[:-1]]).cumsum(0)
    ids = batch.indices.view(batch.num_rows, -1) - starts
    return ids.t().reshape(-1).int(), torch.arange(ids.numel() + 1, dtype=torch.int32)


def build(subject: Subject) -> Mapping[str, Network]:
    """Its lookup with two kinds of MLP; all follow torch's threads."""
    table_rows = subject.plain.table_rows
    tables = BatchedTables(subject.model.network.embedding, table_rows)
    rounded = rebuilt(subject.plain, embedding=tables, mlp=int8_layers)
    plain = rebuilt(subject.plain, embedding=tables, mlp=lambda layers: layers)
    return {"int8": _on_batches(rounded, table_rows), "fp32": _on_batches(plain, table_rows)}


def _on_batches(network: Dlrm, table_rows: Sequence[int]) -> Network:
    def prepare(batch: ClickBatch) -> Scores:
        indices, offsets = in_table_order(batch, table_rows)

        def score() -> Tensor:
            logits: Tensor = network(batch.dense, indices, offsets)
            return logits

        return score

    return prepare
