"""Charts as inline SVG that takes its colours from the page, so that one drawing serves light and dark.

Colours are names of the page's CSS variables (`ink`, `muted`, `line`, `paper`, `series-1` ...). matplotlib draws with a
stand-in colour for each, and the finished SVG gets `var(--name)` in its place. Text stays text, ids are stable, and no
date is written: equal numbers make equal bytes.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from farthing.results.placement import Mark, place_names

COLORS = ("ink", "muted", "line", "paper", *(f"series-{number}" for number in range(1, 9)))
_STAND_INS = {name: f"#{index + 1:02x}fe{index + 1:02x}" for index, name in enumerate(COLORS)}
_SETTINGS: dict[Any, Any] = {  # Any: matplotlib types the keys as a union of all their names
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 1.0,
    "grid.linewidth": 0.8,
    "axes.edgecolor": _STAND_INS["muted"],
    "axes.labelcolor": _STAND_INS["muted"],
    "text.color": _STAND_INS["ink"],
    "grid.color": _STAND_INS["line"],
    "xtick.color": _STAND_INS["muted"],
    "ytick.color": _STAND_INS["muted"],
    "ytick.major.size": 0,
    "xtick.major.size": 4,
    "xtick.minor.size": 0,
    "legend.frameon": False,
}
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 32, 44  # px around the axes: tick labels, last tick, y label, x label
_SMALLEST_BAR = 0.6  # where bars begin on a logarithmic axis, so that 1 is seen
_DASHES = ("solid", (0, (5, 2)), (0, (1.2, 1.6)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        x, y: its points.
        color: one of `COLORS`.
        dash: 0 solid, 1 dashed, 2 dotted.
        is_faint: drawn thin and pale, as a companion of another line.
        areas: size of a round mark at each point, px^2; None draws no marks.
    """

    x: Sequence[float]
    y: Sequence[float]
    color: str
    dash: int = 0
    is_faint: bool = False
    areas: Sequence[float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One labelled mark of a chart.

    Attributes:
        name: its label.
        x, y: its place, x > 0.
        error: half the length of the error bar in y; 0 draws none.
        color: one of `COLORS`.
        is_hollow: an outline instead of a filled mark.
    """

    name: str
    x: float
    y: float
    error: float
    color: str
    is_hollow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """One group of bars of a histogram.

    Attributes:
        counts: the number in each bin.
        color: one of `COLORS`.
        is_faint: drawn pale, as the rest beside what matters.
    """

    counts: Sequence[int]
    color: str
    is_faint: bool = False


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    size: tuple[int, int] = (430, 330),
    diagonal: bool = False,
) -> Markup:
    """The lines over common axes, as an SVG element.

    Args:
        series: later ones are drawn over earlier ones.
        title: what a screen reader says.
        x_label: below the axes.
        y_label: above the axes.
        size: width and height at which text has its natural size, px.
        diagonal: draws y = x behind the lines.
    """
    with _axes(size) as (figure, axes):
        _label(axes, x_label, y_label)
        if diagonal:
            axes.axline((0, 0), slope=1, color=_STAND_INS["muted"], linewidth=1, linestyle=_DASHES[1])
        for line in series:
            width, alpha = (1.0, 0.55) if line.is_faint else (1.8, 1.0)
            color = _STAND_INS[line.color]
            axes.plot(line.x, line.y, color=color, linewidth=width, alpha=alpha, linestyle=_DASHES[line.dash])
            if line.areas is not None:
                axes.scatter(line.x, line.y, s=line.areas, color=color, linewidths=0, zorder=3)
        return _svg(figure, title)


def point_chart(
    points: Sequence[Point], *, title: str, x_label: str, y_label: str, size: tuple[int, int] = (880, 420)
) -> Markup:
    """The marks over a logarithmic x axis, each with its name beside it, as an SVG element.

    A pale line joins the points that no other beats, which are those with the largest y among all with at most their x.
    """
    with _axes(size) as (figure, axes):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: _short(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(y=0.16)
        least, most = min(point.x for point in points), max(point.x for point in points)
        room = max(1.6, (most / least) ** 0.12)
        axes.set_xlim(least / room, most * room)
        _label(axes, x_label, y_label)
        best = _frontier(points)
        axes.plot(*zip(*best, strict=True), color=_STAND_INS["line"], linewidth=5, zorder=1)
        for point in points:
            color = _STAND_INS[point.color]
            face = _STAND_INS["paper"] if point.is_hollow else color
            bar = point.error or None
            axes.errorbar(point.x, point.y, yerr=bar, color=color, elinewidth=1.4, capsize=3, zorder=2)
            axes.plot(point.x, point.y, "o", markersize=8, markerfacecolor=face, markeredgecolor=color, zorder=3)
        marks = [Mark(_printable(p.name), p.x, p.y - p.error, p.y, p.y + p.error) for p in points]
        place_names(figure, axes, marks, line=best, color=_STAND_INS["ink"])
        return _svg(figure, title)


def histogram_chart(
    groups: Sequence[Bars],
    *,
    title: str,
    x_label: str,
    y_label: str,
    mark: float | None = None,
    size: tuple[int, int] = (1000, 300),
) -> Markup:
    """Counts in equal bins over [0, 1] as bars on each other, as an SVG element.

    Heights grow with the square root of the count, so that a few stay visible beside many.

    Args:
        groups: all with the same number of bins; the first one stands at the bottom.
        title: what a screen reader says.
        x_label: below the axes.
        y_label: above the axes.
        mark: where a vertical line is drawn.
        size: width and height at which text has its natural size, px.
    """
    with _axes(size) as (figure, axes):
        axes.set_yscale("function", functions=(_root, _square))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: _short(value)))
        axes.grid(visible=False, axis="x")
        _label(axes, x_label, y_label)
        num_bins = len(groups[0].counts)
        below = np.zeros(num_bins)
        for bars in groups:
            lefts, width, color = np.arange(num_bins) / num_bins, 0.84 / num_bins, _STAND_INS[bars.color]
            alpha = 0.5 if bars.is_faint else 1.0
            axes.bar(lefts, bars.counts, width, below, align="edge", color=color, alpha=alpha, linewidth=0)
            below += bars.counts
        axes.set_xlim(0, 1)
        most = max(1.0, float(below.max()))
        axes.set_ylim(0, most * 1.08)
        axes.set_yticks([0, *_root_ticks(most)])
        if mark is not None:
            axes.axvline(mark, color=_STAND_INS["ink"], linewidth=1.2, linestyle=_DASHES[1])
        return _svg(figure, title)


def rank_chart(
    values: Sequence[int],
    colors: Sequence[str],
    *,
    names: Sequence[str] = (),
    title: str,
    x_label: str,
    y_label: str,
    size: tuple[int, int],
) -> Markup:
    """Whole numbers as bars over a logarithmic axis in the order in which they are given, as an SVG element.

    Args:
        values: each at least 1.
        colors: one of `COLORS` for each.
        names: below each bar; without them bars are numbered.
        title: what a screen reader says.
        x_label: below the axes.
        y_label: above the axes.
        size: width and height at which text has its natural size, px.
    """
    with _axes(size) as (figure, axes):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if max(values) >= 100 else (1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: _short(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(visible=False, axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _label(axes, x_label, y_label)
        width = 0.86 if len(values) <= 200 else 1.0
        heights = np.asarray(values) - _SMALLEST_BAR
        faces = [_STAND_INS[color] for color in colors]
        axes.bar(np.arange(1, len(values) + 1), heights, width, _SMALLEST_BAR, color=faces, linewidth=0)
        if names:
            axes.set_xticks(np.arange(1, len(values) + 1), list(map(_printable, names)), parse_math=False)
        axes.set_xlim(0.4, len(values) + 0.6)
        axes.set_ylim(_SMALLEST_BAR, max(values) * 1.25)
        return _svg(figure, title)


def _root(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.sqrt(np.maximum(values, 0))


def _square(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.square(values)


def _root_ticks(most: float) -> list[float]:
    """Round numbers up to `most` that stand well apart under a square root."""
    candidates = [digit * 10.0**power for power in range(int(math.log10(most)) + 1) for digit in (1, 2, 5)]
    ticks: list[float] = []
    for tick in sorted(candidates, reverse=True):
        above = math.sqrt(ticks[-1]) if ticks else math.inf
        if tick <= most and above - math.sqrt(tick) >= 0.17 * math.sqrt(most):
            ticks.append(tick)
    return ticks


def _frontier(points: Sequence[Point]) -> list[tuple[float, float]]:
    """The places of the points with a larger y than all before them, in the order of x."""
    best: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not best or point.y > best[-1][1]:
            best.append((point.x, point.y))
    return best


@contextmanager
def _axes(size: tuple[int, int]) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure of `size` px at 72 dpi, where 1 pt is 1 px, with one pair of axes."""
    width, height = size
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # the page's fonts draw the text, not the one that it is measured with
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        box = (_LEFT / width, _BOTTOM / height, 1 - (_LEFT + _RIGHT) / width, 1 - (_TOP + _BOTTOM) / height)
        axes = figure.add_axes(box)
        axes.patch.set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(_plain_formatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: _short(value)))
        yield figure, axes


def _short(value: float) -> str:
    """`0.2`, `50`, `250k`, `1.5M`, `4G`: short enough for a tick."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{round(value, 10):g}"


def _printable(text: str) -> str:
    """The text with a replacement character for each that XML forbids or that draws nothing."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _plain_formatter() -> ScalarFormatter:
    formatter = ScalarFormatter(useOffset=False)
    formatter.set_scientific(False)
    return formatter


def _label(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlabel(_printable(x_label), labelpad=7)
    place = (4 - _LEFT, 16)
    label = axes.annotate(
        _printable(y_label), (0, 1), place, "axes fraction", "offset points", color=_STAND_INS["muted"]
    )
    label.set_verticalalignment("center")


def _svg(figure: Figure, title: str) -> Markup:
    """The figure as an `<svg>` element that fills its container's width, with the page's colours and font."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="\w+_\d+">', "<g>", text)
    text = re.sub(r"""(?<=[";]) ?font-family: 'DejaVu Sans';?""", "", text)
    text = re.sub(r"""(?<=style=")font: ([\d.]+px) 'DejaVu Sans'""", r"font-size: \1", text)
    text = text.replace("xlink:href", "href")
    for name, stand_in in _STAND_INS.items():
        text = text.replace(stand_in, f"var(--{name})")
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None
    start = f'<svg viewBox="{box.group(1)}" role="img" aria-label="{escape(_printable(title))}">'
    return Markup(start + text[text.index(">", text.index("<svg")) + 1 :])  # noqa: S704 - matplotlib escapes all text
