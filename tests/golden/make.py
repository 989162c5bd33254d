"""Makes the golden files of this folder: `python -m tests.golden.make FOLDER`. They change with the format only.

Every number follows from a formula, not from a random generator. `expected.json` comes from the slow reference
(tests/reference/packed.py), which reads the files by docs/format.md alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from farthing.lowbit.artifact import save_artifact
from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ConvGeometry
from farthing.lowbit.packed import (
    ConvDescription,
    Description,
    EmbeddingBagDescription,
    EmbeddingDescription,
    LinearDescription,
    PackedProduct,
    PackedTable,
    build,
)
from farthing.lowbit.packing import pack
from farthing.lowbit.state import packed_state
from tests.reference import packed as reference
from tests.reference.packing import pack_row

WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
COLUMNS = (0, 1, 3, 8, 9, 16)


def pattern(count: int, *, step: int, modulus: int) -> Tensor:
    """The numbers 0, step, 2 step, .. modulo `modulus`, as int64."""
    return torch.arange(count) * step % modulus


def skeleton() -> nn.ModuleDict:
    """The float model whose packed form the golden folder holds."""
    return nn.ModuleDict(
        {
            "w8a8": nn.Linear(9, 3),
            "w4a8": nn.Linear(9, 3),
            "w2a4": nn.Linear(9, 3, bias=False),
            "w1a1": nn.Linear(9, 3),
            "w4": nn.Linear(9, 3),
            "image": nn.Conv2d(4, 2, (3, 2), padding=(1, 0), groups=2),
            "bag8": nn.EmbeddingBag(11, 5, mode="sum", include_last_offset=True),
            "bag4": nn.EmbeddingBag(11, 5, mode="mean", include_last_offset=True),
            "bag2": nn.EmbeddingBag(11, 5, mode="sum"),
            "word1": nn.Embedding(11, 5, padding_idx=2),
        }
    )


def _linear(bits: Bits, activation_bits: Bits | None, *, has_bias: bool = True, num_scales: int = 3) -> Description:
    return LinearDescription(
        out_features=3,
        in_features=9,
        bits=bits,
        activation_bits=activation_bits,
        has_bias=has_bias,
        num_scales=num_scales,
    )


def _bag(bits: Bits, granularity: Any, *, mode: Any = "sum", include_last_offset: bool = True) -> Description:
    return EmbeddingBagDescription(
        num_embeddings=11,
        embedding_dim=5,
        bits=bits,
        granularity=granularity,
        group_starts=(0, 4, 9) if granularity == "group" else None,
        has_offset=granularity == "row",
        mode=mode,
        include_last_offset=include_last_offset,
    )


DESCRIPTIONS: dict[str, Description] = {
    "w8a8": _linear(8, 8),
    "w4a8": _linear(4, 8),
    "w2a4": _linear(2, 4, has_bias=False, num_scales=1),
    "w1a1": _linear(1, 1),
    "w4": _linear(4, None),
    "image": ConvDescription(
        weight_shape=(2, 2, 3, 2),
        geometry=ConvGeometry(stride=(1, 1), padding=(1, 0), dilation=(1, 1), groups=2),
        bits=4,
        activation_bits=8,
        has_bias=True,
        num_scales=2,
    ),
    "bag8": _bag(8, "table"),
    "bag4": _bag(4, "group", mode="mean"),
    "bag2": _bag(2, "row", include_last_offset=False),
    "word1": EmbeddingDescription(
        num_embeddings=11,
        embedding_dim=5,
        bits=1,
        granularity="dimension",
        group_starts=None,
        has_offset=False,
        padding_idx=2,
    ),
}
# Quarters and eighths: exact in binary, with ties (.125 / .25 is half a step) and values beyond the last level.
INPUTS = [[0.125 * (7 * i + 5 * j - 20) for j in range(9)] for i in range(2)]
IMAGE = [[[0.25 * ((3 * c + 5 * y + 7 * x) % 17 - 8) for x in range(3)] for y in range(2)] for c in range(4)]
BAGS = [[0, 10], [], [2, 3, 4], [8]]


def model() -> nn.Module:
    """The packed model, its tensors filled by formula."""
    packed = nn.ModuleDict()
    for place, (name, description) in enumerate(DESCRIPTIONS.items()):
        layer = build(description)
        assert isinstance(layer, PackedProduct | PackedTable)
        packed[name] = layer
        for tensor_name, tensor in layer.state_dict().items():
            numbers = pattern(tensor.numel(), step=37 + place, modulus=64) + 1
            if tensor_name == "codes":
                bits = layer.description.bits
                codes = pattern(len(tensor) * layer.num_columns, step=89 + place, modulus=251) % 2**bits
                tensor.copy_(pack(codes.to(torch.uint8).view(len(tensor), -1), bits))
            else:
                tensor.copy_((numbers / 32).view(tensor.shape))
    return packed


def expected(folder: Path) -> dict[str, Any]:
    """What every layer of the folder gives on the inputs above."""
    config = json.loads((folder / "config.json").read_text())
    arrays = reference.read_safetensors((folder / "model.safetensors").read_bytes())
    answers: dict[str, Any] = {}
    for name, description in config["config"]["layers"].items():
        own = {key.rpartition(".")[2]: array for key, array in arrays.items() if key.startswith(f"{name}.")}
        layer = reference.Layer(description, own)
        match description["type"]:
            case "linear":
                answers[name] = reference.linear(layer, INPUTS)
            case "conv2d":
                answers[name] = reference.conv2d(layer, IMAGE)
            case "embedding":
                answers[name] = [reference.lookup(layer, index) for index in range(11)]
            case "embedding_bag":
                answers[name] = [reference.bag(layer, indices) for indices in BAGS]
    return answers


def packed_rows() -> list[dict[str, Any]]:
    """Codes and their bytes, for every width and several lengths."""
    rows = []
    for bits in WIDTHS:
        for num_columns in COLUMNS:
            codes = (pattern(num_columns, step=73, modulus=257) % 2**bits).tolist()
            rows.append({"bits": bits, "codes": codes, "packed": pack_row(codes, bits).hex()})
    return rows


def make(folder: Path) -> None:
    """Writes everything."""
    layers, tensors = packed_state(model())
    save_artifact(folder / "model", config={"layers": layers}, tensors=tensors, files={"note.txt": b"golden\n"})
    for name, value in (("expected.json", expected(folder / "model")), ("packed_rows.json", packed_rows())):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
