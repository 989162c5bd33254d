from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from farthing.base.errors import ConfigError, FormatError
from farthing.documents.config import DocumentsConfig, Precision
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.modelfolder import load_model, save_model
from farthing.documents.net.predict import PageDetector
from farthing.documents.page import Page
from farthing.documents.training.runs import RESULT_FILE, load_run, train_detector
from farthing.train.folder import RunFolder
from farthing.train.interrupt import Interrupted
from farthing.train.task import NoProgress
from farthing.vision.images import read_image
from tests.documents.plainpages import NAMES, small_config, write_pages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("pages") / "data", 24)


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    train_detector([data], small_config(), folder, seed=1, device="cpu")
    return folder


def pages_of(data: Path, *numbers: int) -> list[Page]:
    images = [read_image(data / "images" / f"{number:04d}.png") for number in numbers]
    return [
        Page(id=str(number), document="", pixels=image.pixels, width=image.width, height=image.height)
        for number, image in zip(numbers, images, strict=True)
    ]


class StopAfter(NoProgress):
    """Presses Ctrl-C after some steps."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        self._left -= steps
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("float_steps", "quantized_steps"), [(3, 99), (99, 3)])
def test_a_stopped_run_ends_with_the_same_bits(
    data: Path, run: Path, tmp_path: Path, float_steps: int, quantized_steps: int
) -> None:
    stops = {"float": StopAfter(float_steps), "quantized": StopAfter(quantized_steps)}
    with pytest.raises(Interrupted):
        train_detector([data], small_config(), tmp_path, seed=1, device="cpu", progress=stops.__getitem__)
    assert not (tmp_path / RESULT_FILE).exists()
    train_detector([data], small_config(), tmp_path, seed=1, device="cpu", resume=True)
    for part in ("float", "quantized"):
        whole, stopped = (RunFolder(folder / part, {}).best_weights() for folder in (run, tmp_path))
        assert whole.keys() == stopped.keys()
        assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    assert load_model(run / "model").id == load_model(tmp_path / "model").id


def test_a_finished_run_says_what_it_measured(run: Path, data: Path) -> None:
    result = train_detector([data], small_config(), run, seed=1, device="cpu", resume=True)
    assert result.num_images == 64 + 32
    assert result.num_pages == 22
    assert result.device == "cpu"
    assert len(result.history) == 4
    assert result.metrics.keys() == result.float_metrics.keys() >= {"score", "page_ap", "ap50"}
    assert not (run / "cache").exists()


def test_a_folder_holds_one_run(run: Path, data: Path) -> None:
    with pytest.raises(ConfigError, match="holds a run already"):
        train_detector([data], small_config(), run, seed=1, device="cpu")
    with pytest.raises(ConfigError, match="other seed"):
        train_detector([data], small_config(), run, seed=2, device="cpu", resume=True)
    with pytest.raises(ConfigError, match="other config"):
        train_detector([data], small_config(lr=1e-3), run, seed=1, device="cpu", resume=True)


def test_the_packed_model_finds_what_the_trained_one_finds(run: Path, data: Path) -> None:
    from farthing.documents.net.inference import detect_greys
    from farthing.documents.net.transforms import to_grey

    pages = pages_of(data, *range(6))
    found = PageDetector.load(run).detect(pages)
    model, _ = load_run(run)
    greys = [to_grey(page.pixels, 64) for page in pages]
    with torch.no_grad():
        expected = detect_greys(model, greys, [(128, 96)] * 6, classes=NAMES, long_side=64, device=torch.device("cpu"))
    for ours, theirs in zip(found, expected, strict=True):
        assert list(ours.page_scores().values()) == pytest.approx(list(theirs.page_scores().values()), abs=0.02)


def test_a_page_is_judged_alone_and_whatever_its_size(run: Path, data: Path) -> None:
    detector = PageDetector.load(run / "model")
    assert detector.classes == NAMES
    assert detector.decode_pixels == 64
    assert len(detector.model_id) == 12
    pages = pages_of(data, 0, 1, 2)
    wide = Page(id="w", document="", pixels=np.full((40, 90, 3), 200, np.uint8), width=900, height=400)
    together = detector.detect([pages[0], wide, pages[1], pages[2]])
    for page, found in zip([pages[0], wide, pages[1], pages[2]], together, strict=True):
        alone = detector.detect([page])[0]
        np.testing.assert_array_equal(found.labels, alone.labels)
        np.testing.assert_array_equal(found.scores, alone.scores)
        np.testing.assert_array_equal(found.boxes, alone.boxes)
        assert (found.boxes >= 0).all()
        assert (found.boxes <= [page.width, page.height] * 2).all()
        assert (np.diff(found.scores) <= 0).all()
    assert detector.detect([]) == []


def test_a_run_starts_from_another_by_the_names_of_its_classes(run: Path, data: Path, tmp_path: Path) -> None:
    config = replace(small_config(lr=1e-9), classes=("stamp", "seal", "illustration"))
    train_detector([data], config, tmp_path, seed=3, device="cpu", init=run)
    old, new = (RunFolder(folder / "float", {}).best_weights() for folder in (run, tmp_path))
    torch.testing.assert_close(new["class_head.weight"][2], old["class_head.weight"][0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(new["class_head.weight"][0], old["class_head.weight"][1], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(new["trunk.0.weight"], old["trunk.0.weight"], rtol=1e-3, atol=1e-5)
    other = replace(config, model=replace(config.model, neck=16))
    with pytest.raises(ConfigError, match="another architecture"):
        train_detector([data], other, tmp_path / "other", seed=3, device="cpu", init=run)


def test_a_float_run_has_one_part(data: Path, tmp_path: Path) -> None:
    config = replace(small_config(), precision=Precision(weight=32, edge=32, activation=32))
    result = train_detector([data], config, tmp_path, seed=0, device="cpu")
    assert result.metrics == result.float_metrics
    assert not (tmp_path / "quantized").exists()
    assert len(PageDetector.load(tmp_path).detect(pages_of(data, 0))) == 1
    assert not load_run(tmp_path)[0].training


def save(config: DocumentsConfig, out: Path) -> None:
    save_model(out, build_detector(config).eval(), config, metrics={})


def test_a_foreign_or_damaged_folder_is_refused(tmp_path: Path) -> None:
    config = replace(small_config(), precision=Precision(weight=32, edge=32, activation=32))
    save(config, tmp_path / "model")
    content = bytearray((tmp_path / "model" / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model" / "model.safetensors").write_bytes(bytes(content))
    with pytest.raises(FormatError, match="SHA-256"):
        PageDetector.load(tmp_path / "model")
    with pytest.raises(FormatError):
        PageDetector.load(tmp_path / "nothing")


def test_settings_that_do_not_fit_the_tensors_are_refused(tmp_path: Path) -> None:
    config = replace(small_config(), precision=Precision(weight=32, edge=32, activation=32))
    other = replace(config, model=replace(config.model, neck=16))
    save_model(tmp_path / "m", build_detector(config).eval(), other, metrics={})
    with pytest.raises(FormatError, match="the model takes"):
        load_model(tmp_path / "m")
