"""What is served: a finished run, with its images where they are now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError, FormatError
from farthing.discover.gallery.server import find_images, kept_space, serve_gallery


def refuse(_: str) -> None:
    raise AssertionError("nothing is served")


@pytest.mark.parametrize("missing", ["discovery.json", "summary.json"])
def test_a_run_that_is_not_finished_is_not_served(run: Path, missing: str) -> None:
    (run / missing).unlink()
    with pytest.raises(FormatError, match="is not"):
        serve_gallery(run, port=0, announce=refuse)
    assert not (run / "decisions.sqlite").exists()


def test_images_that_moved_are_asked_for(run: Path) -> None:
    moved = (run.parent / "images").rename(run.parent / "moved")
    with pytest.raises(DataError, match="say with --images where they are"):
        serve_gallery(run, port=0, announce=refuse)
    assert find_images(run, moved) == moved


def test_without_features_there_is_no_space(run: Path) -> None:
    assert kept_space(run) is None


def test_features_are_seen_as_the_classes_see_them(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from farthing.discover import kept, modelfolder  # bring torch

    class Turned:
        """A model whose whitening turns features around."""

        def __init__(self) -> None:
            self.classifier = self.whitening = self

        def transform(self, features: np.ndarray) -> np.ndarray:
            assert features.any(axis=1).all()
            return -features

    (run / "features.safetensors").write_bytes(b"")
    monkeypatch.setattr(kept, "read_features", lambda _: np.array([[0, 1], [0, 0], [1, 0]], np.float32))
    monkeypatch.setattr(modelfolder, "load_model", lambda _: Turned())
    space = kept_space(run)
    assert space is not None
    assert space.tolist() == [[0, -1], [0, 0], [-1, 0]]
