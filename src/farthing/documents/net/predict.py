"""Finding objects on pages with a trained detector."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import torch

from farthing.base.errors import FormatError
from farthing.documents.detections import Detections
from farthing.documents.net.inference import detect_greys, place_on
from farthing.documents.net.modelfolder import PageModel, load_model
from farthing.documents.net.transforms import to_grey
from farthing.documents.page import Page
from farthing.documents.training.runs import MODEL_FOLDER, RUN_FILE
from farthing.train.devices import Device, choose_device

BUILTIN = "builtin"


class PageDetector:
    """Finds objects on pages.

    Args:
        model: a loaded model folder.
        device: to run it on.
    """

    def __init__(self, model: PageModel, *, device: Device = "cpu") -> None:
        self._device = choose_device(device)
        self._network = place_on(model.network, self._device)
        self._long_side = model.config.model.long_side
        self.classes: tuple[str, ...] = model.config.classes
        self.model_id = model.id

    @classmethod
    def load(cls, source: str | Path, *, device: Device = "cpu") -> PageDetector:
        """The detector that `source` names: "builtin", a run, or a model folder.

        Raises:
            FormatError: there is no model, or a damaged one.
            ConfigError: "cuda" without a GPU that torch can use.
        """
        return cls(load_named(source), device=device)

    @property
    def decode_pixels(self) -> int:
        """The long side in pixels that a page needs at least; detail beyond it is not looked at."""
        return self._long_side

    @torch.inference_mode()
    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        """What is found on each page: boxes in page pixels, at most 100, best first.

        Objects that score below 0.05 are left out, but for every class the best one stays, however low its score:
        pages are ranked by it. What is found on a page does not depend on the pages beside it.
        """
        greys = [to_grey(page.pixels, self._long_side) for page in pages]
        sizes = [(page.height, page.width) for page in pages]
        return detect_greys(
            self._network, greys, sizes, classes=self.classes, long_side=self._long_side, device=self._device
        )


def load_named(source: str | Path) -> PageModel:
    """The model that `source` names: "builtin", a run, or a model folder.

    Raises:
        FormatError: there is no model, or a damaged one.
    """
    if str(source) == BUILTIN:
        with as_file(files("farthing.documents") / BUILTIN) as folder:
            if not folder.is_dir():
                raise FormatError("builtin: this installation has no model of its own; train one, or install again")
            return load_model(folder)
    folder = Path(source)
    return load_model(folder / MODEL_FOLDER if (folder / RUN_FILE).exists() else folder)
