"""Query by example: the pages of a collection that show what one to five crops show.

The crops are planted on pages of the collection itself, and a head over a trained detector learns to find them there
(`querylearner.py`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from farthing.base.config import to_dict
from farthing.base.errors import ConfigError
from farthing.documents.adaptation.unlabelled import read_collection
from farthing.documents.detections import Detections
from farthing.documents.net.detector import PageNet
from farthing.documents.net.inference import detect_greys, place_on
from farthing.documents.net.modelfolder import PageModel
from farthing.documents.net.transforms import to_grey
from farthing.documents.page import Page
from farthing.documents.query.planting import cut_out
from farthing.documents.query.query import QueryNet
from farthing.documents.query.querylearner import LEAST_PAGES, FindConfig, QueryLearner
from farthing.documents.training.cache import PageCache
from farthing.documents.training.runs import NewProgress
from farthing.train.devices import Device, choose_device
from farthing.vision.images import Pixels, read_image

MOST_EXAMPLES = 5
PAGES_FOLDER = "pages"


class QueryDetector:
    """Finds what looks like the examples; a `filter.Detector`.

    Args:
        net: trained.
        name: of the class.
        long_side: of a page as the net sees it.
        model_id: of the detector and the examples.
        device: of the net.
    """

    def __init__(self, net: QueryNet, *, name: str, long_side: int, model_id: str, device: torch.device) -> None:
        self._net, self._device, self._long_side = net.eval(), device, long_side
        self.classes: tuple[str, ...] = (name,)
        self.model_id = model_id

    @property
    def decode_pixels(self) -> int:
        """The long side in pixels that a page needs at least."""
        return self._long_side

    @torch.inference_mode()
    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        """What is found on each page: boxes in page pixels, best first, at least one."""
        greys = [to_grey(page.pixels, self._long_side) for page in pages]
        sizes = [(page.height, page.width) for page in pages]
        return detect_greys(
            self._net, greys, sizes, classes=self.classes, long_side=self._long_side, device=self._device
        )


def learn_examples(
    model: PageModel,
    location: Path | str,
    folder: Path,
    *,
    like: Sequence[Path],
    config: FindConfig | None = None,
    seed: int = 0,
    device: Device = "auto",
    progress: NewProgress | None = None,
) -> QueryDetector:
    """A detector of what the crops show, learned on pages of a collection; `filter_pages` runs it over all of them.

    What was learned in `folder` before from the same crops, pages and settings is taken, not learned again.

    Args:
        model: the trained detector that does the seeing.
        location: the pages, as `open_collection` takes them.
        folder: for what is learned.
        like: one to five image files, each cut closely around one example, at the scale of the pages.
        config: how the examples are learned.
        seed: of planting and learning.
        device: to compute on.
        progress: makes the display of one round of learning from its title.

    Raises:
        ConfigError: no or more than five crops, a detector of another architecture than "tiny", or `folder` holds what
            was learned from others.
        DataError: a crop shows nothing, or the pages cannot be read.
    """
    if not 1 <= len(like) <= MOST_EXAMPLES:
        raise ConfigError(f"--like: give 1 to {MOST_EXAMPLES} crops, got {len(like)}")
    if not isinstance(model.network, PageNet):
        raise ConfigError(f"find: needs a detector of architecture 'tiny', got {model.config.model.architecture!r}")
    config, chosen = config or FindConfig(), choose_device(device)
    crops = [read_crop(path) for path in like]
    long_side = model.config.model.long_side
    pages = read_collection(
        location,
        folder / PAGES_FOLDER,
        long_side=model.config.train.cache_side,
        max_pages=config.num_pages,
        seed=seed,
        least=LEAST_PAGES,
    )
    page_side = float(np.median([max(page.labels.width, page.labels.height) for page in pages.pages]))
    cutouts = [cut_out(crop, page_side=page_side, name=str(path)) for path, crop in zip(like, crops, strict=True)]
    net = QueryNet(place_on(model.network, chosen), device=chosen)
    query_id = _id_of(model, crops, pages, config)
    learner = QueryLearner(net, pages, cutouts=cutouts, config=config, long_side=long_side, folder=folder, seed=seed)
    learner.look_around()
    learner.learn("first", range(len(pages)), config.num_images, query_id=query_id, progress=progress)
    learner.learn("second", learner.doubtless(), 2 * config.num_images, query_id=query_id, progress=progress)
    if config.known and config.name in model.config.classes:
        learner.join(model.config.classes.index(config.name))
    shutil.rmtree(folder / PAGES_FOLDER)
    return QueryDetector(net, name=config.name, long_side=long_side, model_id=f"{query_id}-{seed}", device=chosen)


def _id_of(model: PageModel, crops: Sequence[Pixels], pages: PageCache, config: FindConfig) -> str:
    """Names what is learned, and from what: the model's name and the first digits of a SHA-256."""
    names = [page.labels.page for page in pages.pages]
    digest = hashlib.sha256(msgspec.json.encode([to_dict(config), names, [crop.shape for crop in crops]]))
    for crop in crops:
        digest.update(crop.tobytes())
    return f"{model.id}-{digest.hexdigest()[:12]}"


def read_crop(path: Path) -> Pixels:
    """u8 [height, width]: luminance of an image file.

    Raises:
        DataError: it cannot be read.
    """
    pixels = read_image(path).pixels
    return to_grey(pixels, max(pixels.shape[:2]))
