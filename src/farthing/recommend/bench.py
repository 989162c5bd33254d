"""A packed model against other engines on the same weights: one process, in turns, after a check of every logit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import torch
from torch import Tensor

from farthing.base.config import from_dict
from farthing.base.errors import ConfigError, KernelError
from farthing.recommend.clicks import ClickBatch, EncodedRows
from farthing.recommend.config import RecommendConfig
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import ClickModel
from farthing.recommend.peers.engine import Network, Peer, Subject
from farthing.recommend.peers.floats import Rounding, float_network
from farthing.recommend.timing import interleave, num_threads

FARTHING: Final = "farthing"
SECONDS_PER_ENGINE = 1.0
TRIAL_SECONDS = 0.1
CHECKED_ROWS = 512

# Both compute the same integers; a value on the border of two levels may fall to either side. Of one-bit inputs that
# border is 0, where the dot product of two vectors of signs often is, but for the rounding of its sum.
_OWN_TOLERANCE, _OWN_TOLERANCE_OF_SIGNS = 0.02, 0.5


class BenchRow(msgspec.Struct, frozen=True, kw_only=True):
    """How long one engine takes for one call.

    Attributes:
        work: what a call does.
        bits: of the embedding codes that farthing reads; all engines of the same work have the same.
        batch: rows in a call.
        threads: that it may use.
        engine: `farthing` or a peer's name.
        median_us: microseconds; so are the 10th and the 90th percentile.
        rows_per_second: batch / median.
    """

    work: str
    bits: int
    batch: int
    threads: int
    engine: str
    median_us: float
    p10_us: float
    p90_us: float
    rows_per_second: float


@dataclass(kw_only=True)
class Measured:
    """What came out, beside the times.

    Attributes:
        rows: the times.
        deviations: by engine, distance of its logits from those that it should give: root mean square, in standard
            deviations of the logits; the worst of the variants that were timed.
        variants: by engine, batch and threads, which of its variants was the fastest and was timed.
    """

    rows: list[BenchRow] = field(default_factory=list)
    deviations: dict[str, float] = field(default_factory=dict)
    variants: dict[tuple[str, int, int], str] = field(default_factory=dict)


def bench_model(
    model: ClickModel,
    *,
    peers: Mapping[str, Peer],
    batches: Sequence[int],
    threads: Sequence[int],
    seconds: float = SECONDS_PER_ENGINE,
    progress: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Times `model` and its peers at every number of rows and of threads.

    The clock covers what lies between encoded rows in the engine's own form and logits. Of several variants of a peer
    the fastest is timed, chosen anew for every number of rows and threads among those whose logits are right.

    Args:
        model: the packed model.
        peers: what to compare with, by name.
        batches: rows in a call, >= 1.
        threads: that a call may use, >= 1.
        seconds: spent on every engine, number of rows and number of threads, about.
        progress: is told what is measured next.

    Raises:
        ConfigError: a number of rows or threads below 1.
        KernelError: an engine's logits are wrong.
    """
    _check_counts("--batch", batches)
    _check_counts("--threads", threads)
    result, plain = Measured(), float_network(model)
    bits = from_dict(RecommendConfig, model.description.settings).precision.embedding
    for number in dict.fromkeys(threads):
        with num_threads(number):
            progress(f"loading, {number} threads")
            subject = Subject(model=model, plain=plain, sample=draw_batch(model.network, CHECKED_ROWS), threads=number)
            engines = {FARTHING: _checked_self(subject, result)}
            engines |= {name: _checked(name, peer, subject, result) for name, peer in peers.items()}
            for size in dict.fromkeys(batches):
                progress(f"batch {size}, {number} threads")
                batch, calls = draw_batch(model.network, size), {}
                for name, variants in engines.items():
                    variant, calls[name] = _fastest({key: prepare(batch) for key, prepare in variants.items()})
                    result.variants[name, size, number] = variant
                for name, samples in interleave(calls, seconds=seconds).items():
                    result.rows.append(
                        bench_row(samples, work="model", bits=bits, batch=size, threads=number, engine=name)
                    )
    return result


def bench_row(samples: Sequence[float], *, work: str, bits: int, batch: int, threads: int, engine: str) -> BenchRow:
    """The row of calls that took `samples` seconds."""
    low, median, high = (1e6 * float(value) for value in np.percentile(samples, (10, 50, 90)))
    return BenchRow(
        work=work,
        bits=bits,
        batch=batch,
        threads=threads,
        engine=engine,
        median_us=median,
        p10_us=low,
        p90_us=high,
        rows_per_second=1e6 * batch / median,
    )


def draw_batch(network: Dlrm, num_rows: int, *, seed: int = 0) -> ClickBatch:
    """Rows that a DLRM could be asked about: one id per field, numbers from the normal distribution.

    Ids are numbered by falling frequency and follow Zipf's law with exponent 1: P(id < k) = log(k + 1) / log(n + 1).
    """
    generator = np.random.default_rng(seed)
    sizes = np.array(network.table_rows)
    ids = (sizes + 1.0) ** generator.random((num_rows, len(sizes))) - 1
    starts = np.cumsum(sizes) - sizes
    indices = np.minimum(ids.astype(np.int64), sizes - 1) + starts
    dense = generator.standard_normal((num_rows, network.num_dense), dtype=np.float32)
    return EncodedRows(dense, indices.reshape(-1), None, np.zeros(num_rows, np.float32), len(sizes)).batch()


def best_peer(rows: Sequence[BenchRow], row: BenchRow) -> BenchRow | None:
    """The fastest engine but farthing at the same work as `row`, or None where farthing is alone."""
    place = (row.work, row.bits, row.batch, row.threads)
    others = [
        other
        for other in rows
        if other.engine != FARTHING and (other.work, other.bits, other.batch, other.threads) == place
    ]
    return min(others, key=lambda other: other.median_us, default=None)


def _check_counts(option: str, counts: Sequence[int]) -> None:
    if not counts or min(counts) < 1:
        raise ConfigError(f"{option} takes whole numbers from 1 on, got {', '.join(map(str, counts)) or 'none'}")


def _checked_self(subject: Subject, result: Measured) -> dict[str, Network]:
    def network(batch: ClickBatch) -> Callable[[], Tensor]:
        return lambda: subject.model.logits(batch.dense, batch.indices, batch.offsets)

    rounded = float_network(subject.model, keep_rounding=True, bag=subject.plain.embedding)
    wanted, logits = _logits(rounded, subject.sample), network(subject.sample)()
    has_signs = any(isinstance(layer, Rounding) and layer.activation.bits == 1 for layer in rounded.modules())
    _check(FARTHING, deviation(logits, wanted), _OWN_TOLERANCE_OF_SIGNS if has_signs else _OWN_TOLERANCE, result)
    return {"packed": network}


def _checked(name: str, peer: Peer, subject: Subject, result: Measured) -> dict[str, Network]:
    """The variants of a peer that give the right logits."""
    variants = dict(peer.build()(subject))
    wanted = _logits(subject.plain, subject.sample)
    with torch.inference_mode():
        deviations = {key: deviation(prepare(subject.sample)(), wanted) for key, prepare in variants.items()}
    right = {key for key, value in deviations.items() if value <= peer.tolerance}
    _check(name, max((deviations[key] for key in right), default=min(deviations.values())), peer.tolerance, result)
    return {key: variants[key] for key in variants if key in right}


def _check(name: str, value: float, tolerance: float, result: Measured) -> None:
    # A NaN is no small deviation.
    if not value <= tolerance:
        raise KernelError(
            f"{name}: its logits are {value:.3g} standard deviations from the model's, at most {tolerance} are due to "
            "rounding; its speed says nothing"
        )
    result.deviations[name] = max(value, result.deviations.get(name, 0.0))


def deviation(logits: Tensor, wanted: Tensor) -> float:
    """The root mean square of the differences, in standard deviations of `wanted`."""
    return float((logits.double() - wanted.double()).square().mean().sqrt() / wanted.double().std())


@torch.inference_mode()
def _logits(network: torch.nn.Module, batch: ClickBatch) -> Tensor:
    logits: Tensor = network(batch.dense, batch.indices, batch.offsets)
    return logits


def _fastest(calls: Mapping[str, Callable[[], Tensor]]) -> tuple[str, Callable[[], Tensor]]:
    if len(calls) == 1:
        return next(iter(calls.items()))
    samples = interleave(calls, seconds=TRIAL_SECONDS)
    name = min(samples, key=lambda key: float(np.median(samples[key])))
    return name, calls[name]
