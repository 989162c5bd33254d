from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import ConfigError
from farthing.base.files import read_json
from farthing.documents.adaptation import adapt
from farthing.documents.adaptation.accept import Check, Verdict
from farthing.documents.adaptation.adapt import Adaptation, AdaptConfig, Target, adapt_detector
from farthing.documents.net.predict import PageDetector
from farthing.documents.training.runs import load_run, train_detector
from farthing.train.interrupt import Interrupted
from farthing.train.task import NoProgress
from tests.documents.plainpages import small_config, write_pages

SHORT = AdaptConfig(num_images=32, num_quantized_images=16, num_evals=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    train_detector([write_pages(folder / "data", 24)], small_config(), folder / "run", seed=1, device="cpu")
    return folder / "run"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """Faded pages, some labelled."""
    folder = tmp_path_factory.mktemp("target")
    for name, seed in (("labelled", 2), ("pages", 3)):
        for path in sorted((write_pages(folder / name, 32, seed=seed) / "images").iterdir()):
            faded = 130 + 0.4 * (np.asarray(Image.open(path)).astype(float) - 130)
            Image.fromarray(faded.astype(np.uint8)).save(path)
    return Target(pages=folder / "pages" / "images", labelled=[folder / "labelled"])


def verdict(*, is_accepted: bool) -> Verdict:
    return Verdict(
        is_accepted=is_accepted, checks=(Check(name="fitted", before=0.5, after=0.6, low=0.01, holds=is_accepted),)
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_accepted", [True, False])
def test_the_run_holds_the_model_that_is_kept(
    run: Path, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_accepted: bool
) -> None:
    monkeypatch.setattr(adapt, "judge", lambda *_args, **_named: verdict(is_accepted=is_accepted))
    result = adapt_detector(run, target, tmp_path / "out", config=SHORT, device="cpu")
    assert result.kept == ("adapted" if is_accepted else "source")
    assert result.num_pages == 32
    candidate = PageDetector.load(tmp_path / "out" / "candidate").model_id
    source = PageDetector.load(run).model_id
    assert candidate != source
    assert PageDetector.load(tmp_path / "out").model_id == (candidate if is_accepted else source)
    load_run(tmp_path / "out")
    assert read_json(tmp_path / "out" / "adaptation.json", Adaptation) == result
    assert not (tmp_path / "out" / "work").exists()


@pytest.mark.slow
def test_an_interrupted_adaptation_ends_like_one_that_was_not(run: Path, target: Target, tmp_path: Path) -> None:
    class StopAfter(NoProgress):
        def __init__(self, steps: int) -> None:
            self.left = steps

        def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
            self.left -= steps
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGINT)

    whole = adapt_detector(run, target, tmp_path / "whole", config=SHORT, device="cpu")
    with pytest.raises(Interrupted):
        adapt_detector(run, target, tmp_path / "cut", config=SHORT, device="cpu", progress=lambda _: StopAfter(3))
    with pytest.raises(ConfigError, match="--resume"):
        adapt_detector(run, target, tmp_path / "cut", config=SHORT, device="cpu")
    resumed = adapt_detector(run, target, tmp_path / "cut", config=SHORT, device="cpu", resume=True)
    assert resumed == whole
    assert adapt_detector(run, target, tmp_path / "cut", config=SHORT, device="cpu", resume=True) == whole
    ids = [PageDetector.load(tmp_path / name / "candidate").model_id for name in ("whole", "cut")]
    assert ids[0] == ids[1]


@pytest.mark.slow
def test_no_step_on_the_way_leaves_the_source(run: Path, target: Target, tmp_path: Path) -> None:
    config = AdaptConfig(num_images=16, num_quantized_images=16, num_evals=1, share=1e-9)
    adapt_detector(run, target, tmp_path, config=config, device="cpu")
    source, _ = load_run(run)
    near, _ = load_run(tmp_path / "candidate")
    for name, value in near.state_dict().items():
        if name.endswith("weight") and value.ndim == 4:
            np.testing.assert_allclose(value.numpy(), source.state_dict()[name].numpy(), atol=5e-3)


@pytest.mark.parametrize(("name", "value"), [("num_images", 0), ("share", 0.0), ("judged_share", 0.6)])
def test_settings_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        AdaptConfig(**{name: value})  # type: ignore[arg-type]
