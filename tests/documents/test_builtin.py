"""The model that the package ships."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from farthing.documents.classes import CLASSES
from farthing.documents.judging.metrics import evaluate_pages
from farthing.documents.net.predict import BUILTIN, PageDetector
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.write import make_page
from farthing.lowbit.artifact import verify_artifact

MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def detector() -> PageDetector:
    return PageDetector.load(BUILTIN)


def test_it_is_small_whole_and_in_eight_bits() -> None:
    folder = Path(str(files("farthing.documents") / BUILTIN))
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    assert verify_artifact(folder) == []


def test_it_knows_every_class(detector: PageDetector) -> None:
    assert detector.classes == CLASSES


@pytest.mark.slow
def test_it_finds_pictures_on_pages_it_has_not_seen(detector: PageDetector) -> None:
    config = SynthesisConfig(classes=("illustration",))
    pages = [make_page(987_654, number, config) for number in range(40)]
    found = detector.detect([page.page for page in pages])
    figures = evaluate_pages(found, [page.labels for page in pages])["illustration"]
    assert figures["positive"] >= 10
    assert figures["page_ap"] > 0.8


def test_an_empty_page_shows_nothing(detector: PageDetector) -> None:
    (page,) = [make_page(3, 0, SynthesisConfig())]
    blank = type(page.page)(
        id="blank", document=".", pixels=np.full((600, 400, 3), 235, np.uint8), width=400, height=600
    )
    (found,) = detector.detect([blank])
    assert max(found.page_scores().values()) < 0.2
