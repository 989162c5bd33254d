"""A made-up click log in Criteo's format whose best reachable AUC is known.

Clicks are drawn from a hidden model: logit = bias + sum over categorical fields of an effect of the id + sum over some
pairs of fields of <latent of the one id, latent of the other> + sum over numbers of weight * log(1 + x). Ids follow a
power law, as in real logs: few are frequent, and most are seen a handful of times. The pairs are what a linear model
cannot learn and a factorisation (DLRM) can.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import ConfigError
from farthing.base.files import atomic_path

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

# Ids per field: a tenth of Criteo's Kaggle log for the largest, as there for the smallest.
CARDINALITIES = (
    *(1_400, 550, 200_000, 100_000, 300, 20, 12_000, 600, 3, 30_000, 5_000, 150_000, 3_000),
    *(26, 10_000, 120_000, 10, 4_000, 2_000, 4, 130_000, 17, 15, 40_000, 80, 30_000),
)
# Between fields with few ids, so that a hundred thousand rows show each pair of ids often enough to be learned.
PAIRS = ((5, 13), (5, 16), (8, 13), (13, 21), (16, 22), (21, 22))
NUM_NUMBERS = 13
CLICK_RATE = 0.25

_DRAW_ROWS = 65_536
_LATENT_DIM = 2
_POWER = 1.15
_MAIN_STD = 0.9
_PAIR_STD = 0.9
_NUMBER_STD = 0.5
_CALIBRATION_ROWS = 50_000
_MAX_LOGIT = 16.0
_BINS = 32_000


@dataclass(frozen=True, slots=True)
class SyntheticLog:
    """What is known of a log that was made up.

    Attributes:
        num_rows: its lines.
        num_clicks: lines with label 1.
        best_auc: the expected ROC AUC of the hidden model's own probabilities, which no model can beat but by chance.
    """

    num_rows: int
    num_clicks: int
    best_auc: float


def synthesize(num_rows: int, seed: int, out: Path, *, progress: Callable[[int], None] | None = None) -> SyntheticLog:
    """Writes a log of `num_rows` lines; the same seed gives the same bytes, and the first lines of any longer log.

    Args:
        num_rows: at least 1.
        seed: of the hidden model and of the rows.
        out: the file; gzip-compressed where its name ends in `.gz`.
        progress: told the number of lines written since it was last called.

    Raises:
        ConfigError: `num_rows` is below 1, or `seed` below 0.
        DataError: `out` cannot be written.
    """
    if num_rows < 1:
        raise ConfigError(f"rows is at least 1, not {num_rows}")
    if seed < 0:
        raise ConfigError(f"seed is at least 0, not {seed}")
    world = HiddenModel(seed)
    histogram = np.zeros((2, _BINS))
    num_clicks = 0
    with atomic_path(out) as temporary, _writer(temporary, is_gzip=out.suffix == ".gz") as stream:
        for draw, first in enumerate(range(0, num_rows, _DRAW_ROWS)):
            rows, logit = world.draw(draw)
            size = min(_DRAW_ROWS, num_rows - first)
            rows.head(size).write_csv(stream, include_header=False, separator="\t", quote_style="never")
            histogram += _count(logit[:size])
            num_clicks += int(rows["label"].head(size).sum())
            if progress:
                progress(size)
    return SyntheticLog(num_rows=num_rows, num_clicks=num_clicks, best_auc=_expected_auc(histogram))


class HiddenModel:
    """The model that clicks are drawn from."""

    def __init__(self, seed: int) -> None:
        """Draws the effects.

        Args:
            seed: equal seeds make equal models.
        """
        self._seed = seed
        generator = np.random.default_rng([seed, 0])
        self._missing = np.where(generator.random(len(CARDINALITIES)) < 0.3, generator.uniform(0.02, 0.45), 0.0)
        # The place after the last id of a field is for a missing value.
        sizes = [cardinality + 1 for cardinality in CARDINALITIES]
        weights = 1.0 / np.log(sizes)
        weights *= _MAIN_STD / np.sqrt(np.sum(weights**2))
        self._effects = [weight * generator.normal(size=size) for weight, size in zip(weights, sizes, strict=True)]
        scale = np.sqrt(_PAIR_STD / np.sqrt(len(PAIRS) * _LATENT_DIM))
        paired = sorted({field for pair in PAIRS for field in pair})
        self._latents = {field: scale * generator.normal(size=(sizes[field], _LATENT_DIM)) for field in paired}
        self._names = [_names(field, cardinality) for field, cardinality in enumerate(CARDINALITIES)]
        self._location = generator.uniform(0.5, 5.0, NUM_NUMBERS)
        self._spread = generator.uniform(0.8, 1.6, NUM_NUMBERS)
        self._number_missing = generator.uniform(0.0, 0.4, NUM_NUMBERS) * (generator.random(NUM_NUMBERS) < 0.7)
        slopes = generator.normal(size=NUM_NUMBERS) / self._spread
        self._slopes = slopes * _NUMBER_STD / np.sqrt(np.sum((slopes * self._spread) ** 2))
        self._bias = 0.0
        self._bias = self._calibrate(np.random.default_rng([seed, 1]))

    def draw(self, number: int) -> tuple[pl.DataFrame, Floats]:
        """Rows `number * 65536` and on.

        Returns:
            65,536 rows of 40 columns (label, 13 Int64 with nulls, 26 String with nulls), and the true logit of each.
        """
        generator = np.random.default_rng([self._seed, 2, number])
        ids, numbers, is_missing = self._features(generator, _DRAW_ROWS)
        logit = self._logit(ids, numbers, is_missing)
        label = (generator.random(_DRAW_ROWS) < 1.0 / (1.0 + np.exp(-logit))).astype(np.uint8)
        dense = {f"I{i + 1}": pl.Series(numbers[i]).set(pl.Series(is_missing[i]), None) for i in range(NUM_NUMBERS)}
        fields = {f"C{i + 1}": self._names[i].gather(ids[i]) for i in range(len(CARDINALITIES))}
        return pl.DataFrame({"label": label} | dense | fields), logit

    def _features(
        self, generator: np.random.Generator, num_rows: int
    ) -> tuple[list[Ids], list[Ids], list[npt.NDArray[np.bool_]]]:
        """Per field the ids, per number its values, and where these are missing; each [rows]."""
        ids = []
        for cardinality, missing in zip(CARDINALITIES, self._missing, strict=True):
            drawn = _power_law(generator.random(num_rows), cardinality)
            ids.append(np.where(generator.random(num_rows) < missing, cardinality, drawn) if missing else drawn)
        numbers, is_missing = [], []
        for location, spread, missing in zip(self._location, self._spread, self._number_missing, strict=True):
            numbers.append(np.exp(location + spread * generator.standard_normal(num_rows)).astype(np.int64))
            is_missing.append(generator.random(num_rows) < missing)
        return ids, numbers, is_missing

    def _logit(self, ids: list[Ids], numbers: list[Ids], is_missing: list[npt.NDArray[np.bool_]]) -> Floats:
        logit = np.full(len(ids[0]), self._bias)
        for field, effects in enumerate(self._effects):
            logit += effects[ids[field]]
        for first, second in PAIRS:
            logit += np.einsum("nd,nd->n", self._latents[first][ids[first]], self._latents[second][ids[second]])
        for column, values in enumerate(numbers):
            centred = np.log1p(values) - self._location[column]
            logit += np.where(is_missing[column], 0.0, self._slopes[column] * centred)
        return logit

    def _calibrate(self, generator: np.random.Generator) -> float:
        """The bias at which a share CLICK_RATE of rows is clicked, by bisection."""
        logit = self._logit(*self._features(generator, _CALIBRATION_ROWS))
        low, high = -10.0, 10.0
        for _ in range(40):
            middle = (low + high) / 2
            is_high = np.mean(1.0 / (1.0 + np.exp(-logit - middle))) > CLICK_RATE
            low, high = (low, middle) if is_high else (middle, high)
        return low


def _power_law(uniform: Floats, cardinality: int) -> Ids:
    """Ids k = 0... with P(k) proportional to the integral of x^-1.15 from k + 1 to k + 2, by inversion."""
    tail = (cardinality + 1.0) ** (1.0 - _POWER)
    values: Floats = (1.0 + uniform * (tail - 1.0)) ** (1.0 / (1.0 - _POWER))
    return np.minimum(values.astype(np.int64) - 1, cardinality - 1)


def _names(field: int, cardinality: int) -> pl.Series:
    """Eight hexadecimal digits per id, all different, in no order, and a null at the end for a missing value."""
    # Multiplying by an odd number, and xor with a shift of itself, are one to one modulo 2^32.
    mixed = np.arange(cardinality, dtype=np.uint32) * np.uint32(2_654_435_761) + np.uint32((field + 1) * 40_503_001)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(2_246_822_519)
    digits = mixed.astype(">u4").tobytes().hex()
    names = np.frombuffer(digits.encode(), dtype="S8").astype(str).tolist()
    return pl.Series([*names, None], dtype=pl.String)


def _count(logit: Floats) -> Floats:
    """[2, bins]: expected rows without and with a click, by logit."""
    scaled = (logit + _MAX_LOGIT) * (_BINS / (2 * _MAX_LOGIT))
    bins = np.clip(scaled, 0, _BINS - 1).astype(np.int64)
    probability = 1.0 / (1.0 + np.exp(-logit))
    return np.stack([np.bincount(bins, weights=w, minlength=_BINS) for w in (1.0 - probability, probability)])


def _expected_auc(histogram: Floats) -> float:
    """P(logit of a click > logit of a row without) + 1/2 P(equal), with expected counts."""
    negatives, clicks = histogram
    below = np.cumsum(negatives) - negatives
    return float(np.sum(clicks * (below + negatives / 2)) / (clicks.sum() * negatives.sum()))


@contextmanager
def _writer(path: Path, *, is_gzip: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if is_gzip:
            # No name and no time in the header: the same rows give the same bytes.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as stream:
                yield cast("IO[bytes]", stream)
        else:
            yield raw
