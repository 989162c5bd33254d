"""Filters in a process of its own, for tests that kill it or watch its memory: `python -m ... PAGES OUT [SECONDS]`.

Waits SECONDS before each batch, prints "batch" after each, and at the end how many bytes it had in memory at most.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from farthing.documents.detections import Detections
from farthing.documents.filtering.filter import FilterConfig, filter_pages
from farthing.documents.page import Page
from tests.documents.fakes import ColorDetector

CONFIG = FilterConfig(threshold=0.2, group="folder", crop_pixels=64, batch_size=4, workers=2)


class SlowDetector(ColorDetector):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        time.sleep(self._seconds)
        sys.stdout.write("batch\n")
        sys.stdout.flush()
        return super().detect(pages)


def main(pages: Path, out: Path, seconds: float) -> None:
    filter_pages(SlowDetector(seconds), pages, out, CONFIG, resume=True)
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
