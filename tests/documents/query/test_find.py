from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import ConfigError, DataError
from farthing.documents.filtering.filter import FilterConfig, filter_pages
from farthing.documents.formats import read_annotations
from farthing.documents.judging.metrics import evaluate_pages
from farthing.documents.net.modelfolder import PageModel, load_model
from farthing.documents.page import Page
from farthing.documents.query.find import learn_examples, read_crop
from farthing.documents.query.querylearner import FindConfig
from farthing.documents.training.runs import train_detector
from farthing.vision.images import read_image
from tests.documents.plainpages import small_config, write_pages

pytestmark = pytest.mark.slow
SMALL = FindConfig(name="seal", num_pages=20, num_views=2, num_images=240, batch_size=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("pages") / "data", 40, seed=1)


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> PageModel:
    folder = tmp_path_factory.mktemp("run") / "run"
    train_detector([data], small_config(num_images=400), folder, seed=1, device="cpu")
    return load_model(folder / "model")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Lined pages; every third one shows a ring, which no detector here was trained on."""
    folder = tmp_path / "scans"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(24):
        page = rng.integers(215, 235, (128, 96)).astype(np.uint8)
        page[8:120:6, 8:88] = 90
        if number % 3 == 0:
            y, x = int(rng.integers(4, 90)), int(rng.integers(4, 60))
            page[y : y + 32, x : x + 32] = np.minimum(page[y : y + 32, x : x + 32], ring())
        Image.fromarray(page).save(folder / f"{number:02d}.png")
    return folder


def ring() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    y, x = np.mgrid[:32, :32] - 15.5
    distance = np.hypot(x, y)
    return np.where((distance < 15) & (distance > 8), 40, 230).astype(np.uint8)


@pytest.fixture
def crop(tmp_path: Path) -> Path:
    Image.fromarray(ring()).save(tmp_path / "crop.png")
    return tmp_path / "crop.png"


def test_pages_with_the_object_come_first(model: PageModel, scans: Path, crop: Path, tmp_path: Path) -> None:
    detector = learn_examples(model, scans, tmp_path / "query", like=[crop], config=SMALL, device="cpu")
    assert detector.classes == ("seal",)
    result = filter_pages(detector, scans, tmp_path / "found", FilterConfig(contains=("seal",)))
    assert (result.pages, result.failed) == (24, 0)
    lines = (tmp_path / "found" / "pages.csv").read_text().splitlines()[1:]
    ranked = sorted((line.split(",") for line in lines), key=lambda cells: -float(cells[1]))
    first = [int(cells[0][:2]) % 3 == 0 for cells in ranked[:8]]
    assert sum(first) >= 6


def test_what_was_learned_is_taken_and_never_for_other_examples(
    model: PageModel, scans: Path, crop: Path, tmp_path: Path
) -> None:
    config = FindConfig(name="seal", num_pages=8, num_views=1, num_images=16)
    first = learn_examples(model, scans, tmp_path / "query", like=[crop], config=config, device="cpu")
    weights = (tmp_path / "query" / "second" / "best.safetensors").read_bytes()
    again = learn_examples(model, scans, tmp_path / "query", like=[crop], config=config, device="cpu")
    image = read_image(scans / "00.png")
    page = Page(id="", document="", pixels=image.pixels, width=image.width, height=image.height)
    np.testing.assert_array_equal(first.detect([page])[0].scores, again.detect([page])[0].scores)
    assert first.model_id == again.model_id
    assert (tmp_path / "query" / "second" / "best.safetensors").read_bytes() == weights
    Image.fromarray(255 - ring()).save(crop)
    with pytest.raises(ConfigError, match="was made with query="):
        learn_examples(model, scans, tmp_path / "query", like=[crop], config=config, device="cpu")


@pytest.mark.parametrize("count", [0, 6])
def test_one_to_five_crops(model: PageModel, scans: Path, crop: Path, tmp_path: Path, count: int) -> None:
    with pytest.raises(ConfigError, match=f"give 1 to 5 crops, got {count}"):
        learn_examples(model, scans, tmp_path / "query", like=[crop] * count, device="cpu")


def test_a_crop_of_bare_paper(model: PageModel, scans: Path, tmp_path: Path) -> None:
    Image.new("L", (20, 20), 220).save(tmp_path / "paper.png")
    with pytest.raises(DataError, match=r"paper.png: .*nothing but paper"):
        learn_examples(model, scans, tmp_path / "query", like=[tmp_path / "paper.png"], device="cpu")


def test_a_crop_keeps_its_pixels(crop: Path) -> None:
    np.testing.assert_array_equal(read_crop(crop), ring())


def test_known_objects_are_found_by_example_too(model: PageModel, data: Path, tmp_path: Path) -> None:
    labelled = sorted(read_annotations(data).pages, key=lambda page: page.page)
    page = next(page for page in labelled if "illustration" in page.labels)
    x0, y0, x1, y1 = page.boxes[page.labels.index("illustration")].astype(int).tolist()
    Image.open(data / page.page).crop((x0 - 2, y0 - 2, x1 + 2, y1 + 2)).save(tmp_path / "crop.png")
    config = FindConfig(name="illustration", num_pages=30, num_views=2, num_images=400)
    detector = learn_examples(
        model, data / "images", tmp_path / "query", like=[tmp_path / "crop.png"], config=config, device="cpu"
    )
    images = [read_image(data / page.page) for page in labelled]
    pages = [Page(id="", document="", pixels=image.pixels, width=image.width, height=image.height) for image in images]
    figures = evaluate_pages(detector.detect(pages), labelled)["illustration"]
    assert figures["page_ap"] > 0.85
