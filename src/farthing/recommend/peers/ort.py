"""ONNX Runtime: the DLRM in float32, and with int8 products in the two forms that its CPU provider is fast at.

Its products of u8 inputs and i8 weights add pairs in 16 bits on CPUs without VNNI. These sums saturate, unless weights
have 7 bits: that is what its documentation advises there, and it is as fast.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
import torch
from torch import nn

from farthing.lowbit import native
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm
from farthing.recommend.peers.engine import Network, Scores, Subject
from farthing.recommend.peers.graph import TABLE, AddLinear, Array, add_float, dlrm_graph, dynamic_linear, static_linear


def build(subject: Subject) -> Mapping[str, Network]:
    """Three variants; the table is float32 in all of them, and shared."""
    network = subject.plain
    table = network.embedding.weight.detach().numpy()
    forms: dict[str, AddLinear] = {
        "int8 static": static_linear(largest_weight(), input_ranges(network, subject.sample)),
        "int8 dynamic": dynamic_linear(largest_weight()),
        "fp32": add_float,
    }
    return {
        name: _on_batches(open_session(dlrm_graph(network, form), subject.threads, {TABLE: table}))
        for name, form in forms.items()
    }


def largest_weight() -> int:
    """The largest integer of a weight: 7 bits where sums of two products with 8 bits would saturate."""
    features = (native.info() or {}).get("features", {})
    return 127 if features.get("avx512vnni") or features.get("neon") else 63


def open_session(model: bytes, threads: int, external: Mapping[str, Array]) -> onnxruntime.InferenceSession:
    """A session on this many threads, which do not spin once a run has ended: other engines run in between."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in external.values()]
    if external:
        options.add_external_initializers(list(external), values)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@torch.inference_mode()
def input_ranges(network: Dlrm, sample: ClickBatch) -> dict[nn.Linear, tuple[float, float]]:
    """The smallest and largest input of every linear layer on the rows of `sample`; zero is always within."""
    ranges: dict[nn.Linear, tuple[float, float]] = {}

    def note(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        assert isinstance(module, nn.Linear), "only linear layers are watched"
        ranges[module] = (min(0.0, float(inputs[0].min())), max(0.0, float(inputs[0].max())))

    watched = [m.register_forward_pre_hook(note) for m in network.modules() if isinstance(m, nn.Linear)]
    network(sample.dense, sample.indices, sample.offsets)
    for handle in watched:
        handle.remove()
    return ranges


def _on_batches(session: onnxruntime.InferenceSession) -> Network:
    names = [value.name for value in session.get_inputs()]

    def prepare(batch: ClickBatch) -> Scores:
        arrays: dict[str, Array] = {
            "dense": batch.dense.numpy(),
            "ids": batch.indices.numpy().reshape(batch.num_rows, -1),
        }
        feeds = {name: np.ascontiguousarray(arrays[name]) for name in names}

        def score() -> torch.Tensor:
            return torch.from_numpy(session.run(None, feeds)[0]).squeeze(1)

        return score

    return prepare
