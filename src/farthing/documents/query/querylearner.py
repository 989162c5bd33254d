"""How a `QueryNet` learns from examples that are planted on pages of the collection it is to search.

Some of those pages already show such an object, unplanted and unmarked. A first round learns as if they did not; then
pages that look as sure as planted ones are left out, and a second round goes on without them.

Source: the two rounds are the spies of Liu, Lee, Yu and Li, Partially Supervised Classification of Text Documents,
    ICML 2002, section 3. Difference: the spies are planted objects, and doubtful pages are dropped, not relabelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from farthing.base.errors import ConfigError, DataError
from farthing.documents.config import AugmentConfig
from farthing.documents.net.inference import detect_greys
from farthing.documents.net.transforms import normalise, resize, to_batch
from farthing.documents.query.planting import Cutout, PlantConfig, cut_out, plant_page
from farthing.documents.query.query import QueryNet, Sight
from farthing.documents.query.querytask import QueryTask
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.documents.training.data import TrainBatches, split_pages
from farthing.documents.training.runs import NewProgress
from farthing.train.loop import FitConfig, fit
from farthing.train.task import NoProgress
from farthing.vision.images import Pixels

CLIP_NORM = 10.0
HOLDOUT, MAX_HELD_OUT = 0.15, 60
LEAST_PAGES = 4
NUM_DECOYS = 150
_VIEWS_OF_AN_EXAMPLE = 12
_LOOKED_AT, _BOXES_OF_A_PAGE = 48, 64


@dataclass(frozen=True, kw_only=True, slots=True)
class FindConfig:
    """How examples are learned.

    Attributes:
        name: what the class is called in the results.
        known: whether a class of that name that the detector knows counts as much as the examples.
        num_pages: pages of the collection to learn on, at most, >= 4.
        num_views: times that each of them is planted on, >= 1.
        num_images: pages seen in the first round, and twice as many in the second, >= 1.
        spies: share of planted objects that look less sure than a page that is left out of the second round, in [0, 1].
        batch_size: pages per step, >= 1.
        lr: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        plant: how planted objects vary.
        augment: how planted pages vary.
    """

    name: str = "example"
    known: bool = True
    num_pages: int = 200
    num_views: int = 3
    num_images: int = 800
    spies: float = 0.1
    batch_size: int = 8
    lr: float = 2e-3
    weight_decay: float = 0.05
    plant: PlantConfig = field(default_factory=lambda: PlantConfig(decoys=(1, 3)))
    augment: AugmentConfig = field(default_factory=lambda: AugmentConfig(flip=0.0, cutout=0.0))

    def __post_init__(self) -> None:
        least = {"num_pages": 4, "num_views": 1, "num_images": 1, "batch_size": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        if not 0 <= self.spies <= 1:
            raise ConfigError(f"spies must be from 0 to 1, got {self.spies}")


class QueryLearner:
    """Teaches one net.

    Args:
        net: on its device.
        pages: of the collection.
        cutouts: the examples.
        config: how they are learned.
        long_side: of a page as the net sees it.
        folder: for planted pages and what is learned.
        seed: of planting and learning.
    """

    def __init__(
        self,
        net: QueryNet,
        pages: PageCache,
        *,
        cutouts: Sequence[Cutout],
        config: FindConfig,
        long_side: int,
        folder: Path,
        seed: int,
    ) -> None:
        self._net, self._pages, self._cutouts, self._config = net, pages, cutouts, config
        self._long_side, self._folder, self._seed = long_side, folder, seed
        self._device = net.center.device
        self._decoys = self._cut_decoys()

    @torch.no_grad()
    def look_around(self) -> None:
        """Learns what the collection looks like, and what the examples look like on its pages."""
        rng = np.random.default_rng([self._seed, 6])
        torch.manual_seed(self._seed)
        chosen = rng.permutation(len(self._pages))[:_LOOKED_AT]
        branches: list[Tensor] = []
        contents: list[Tensor] = []
        for index in chosen:
            sight = self._look(self._pages.pixels(index))
            points = torch.from_numpy(rng.integers(len(sight.candidates.centers), size=_BOXES_OF_A_PAGE))
            boxes = sight.candidates.boxes[:, points.to(self._device)]
            contents.append(self._net.contents(sight, boxes)[0])
            branches.extend(level[0].flatten(1) for level in sight.branches)
        self._net.head.standardise(torch.cat(branches, 1))
        self._net.learn_collection(torch.cat(contents))
        self._net.learn_examples(torch.stack([self._look_at(cutout, rng) for cutout in self._cutouts]))

    def learn(
        self, round: str, indices: Sequence[int], num_images: int, *, query_id: str, progress: NewProgress | None
    ) -> None:
        """One round of learning.

        Args:
            round: names its folder and its display.
            indices: pages to plant on.
            num_images: pages seen, repeats counted.
            query_id: of what is learned; the folder of another one is refused.
            progress: makes the display.
        """
        config, folder = self._config, self._folder / round
        planted = PageCache.store(self._planted(indices), folder / "pages")
        trained_on, held_out = split_pages(len(planted), share=HOLDOUT, at_most=MAX_HELD_OUT, seed=self._seed)
        task = QueryTask(
            self._net,
            cache=planted,
            held_out=held_out,
            name=config.name,
            long_side=self._long_side,
            augment=config.augment,
            lr=config.lr,
            weight_decay=config.weight_decay,
        )
        batches = TrainBatches(
            cache=planted,
            indices=trained_on,
            classes=(config.name,),
            batch_size=config.batch_size,
            num_batches=-(-num_images // config.batch_size),
            long_side=self._long_side,
            seed=self._seed,
        )
        settings = FitConfig(max_epochs=1, monitor="score", clip_norm=CLIP_NORM, warmup_steps=10)
        shown = progress(round) if progress else NoProgress()
        fit(
            task,
            batches,
            settings,
            folder=folder,
            seed=self._seed,
            resume=True,
            progress=shown,
            settings={"query": query_id},
        )

    def doubtless(self) -> list[int]:
        """The pages that do not look as if they showed the object already, at least half of all.

        A page is doubtful if it scores above the `spies` quantile of the pages that an example was planted on.
        """
        own = self._scores([self._pages.pixels(index) for index in range(len(self._pages))])
        planted = [grey for page, grey in self._planted(range(len(self._pages))) if page.labels.labels]
        if not planted:
            return list(range(len(own)))
        limit = max(np.quantile(self._scores(planted), self._config.spies), np.median(own))
        return np.flatnonzero(own <= limit).tolist()

    @torch.no_grad()
    def join(self, kin: int) -> None:
        """Lets what the detector says of a class count as much as what was learned.

        Args:
            kin: index of the class, which the examples are of.
        """
        self._net.eval()
        own: list[Tensor] = []
        theirs: list[Tensor] = []
        for index in range(len(self._pages)):
            sight = self._look(self._pages.pixels(index))
            own.append(self._net.judge(sight).logits.amax())
            theirs.append(sight.candidates.logits[..., kin].amax())
        self._net.learn_kin(kin, torch.stack(own), torch.stack(theirs))

    def _planted(self, indices: Sequence[int]) -> Iterator[tuple[LabelledPage, Pixels]]:
        """Every page `num_views` times, with examples planted on most."""
        config = self._config
        for index in indices:
            for view in range(config.num_views):
                rng = np.random.default_rng([self._seed, 7, index, view])
                name = f"{self._pages.pages[index].labels.page}#{view}"
                grey, labels = plant_page(
                    self._pages.pixels(index),
                    self._cutouts,
                    config.plant,
                    rng,
                    page=name,
                    name=config.name,
                    decoys=self._decoys,
                )
                yield LabelledPage(Path(name), labels, frozenset({config.name})), grey

    def _cut_decoys(self) -> list[Cutout]:
        """Pieces of pages, of the sizes of the examples; those that show nothing are left out."""
        rng = np.random.default_rng([self._seed, 12])
        decoys: list[Cutout] = []
        for _ in range(NUM_DECOYS):
            grey = self._pages.pixels(int(rng.integers(len(self._pages))))
            cutout = self._cutouts[int(rng.integers(len(self._cutouts)))]
            height, width = (
                min(limit, max(4, round(share * max(grey.shape))))
                for share, limit in zip(cutout.size, grey.shape, strict=True)
            )
            y, x = int(rng.integers(grey.shape[0] - height + 1)), int(rng.integers(grey.shape[1] - width + 1))
            with suppress(DataError):
                decoys.append(cut_out(grey[y : y + height, x : x + width], page_side=float(max(grey.shape))))
        return decoys

    def _look_at(self, cutout: Cutout, rng: np.random.Generator) -> Tensor:
        """f32 [width]: what an example holds, the mean over some pages."""
        certain = replace(self._config.plant, bare=0.0, most=1, decoys=(0, 0), scale=1.2, turn=2.0)
        contents = []
        for _ in range(_VIEWS_OF_AN_EXAMPLE):
            grey = self._pages.pixels(int(rng.integers(len(self._pages))))
            planted, labels = plant_page(grey, [cutout], certain, rng, page="", name="")
            if len(labels.boxes):
                small = resize(planted, self._long_side)
                box = torch.from_numpy(labels.boxes * (max(small.shape) / max(planted.shape))).to(self._device)
                contents.append(self._net.contents(self._look(small), box[None])[0, 0])
        if not contents:
            raise ConfigError("--like: the crops are larger than the pages; cut them from pages of this collection")
        return torch.stack(contents).mean(0)

    def _look(self, grey: Pixels) -> Sight:
        images, inside = to_batch([resize(grey, self._long_side)])
        return self._net.look(normalise(images.to(self._device), inside.to(self._device)))

    @torch.no_grad()
    def _scores(self, greys: Sequence[Pixels]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """f64 [pages]: how sure the net is of each."""
        self._net.eval()
        found = detect_greys(
            self._net,
            greys,
            [(len(grey), grey.shape[1]) for grey in greys],
            classes=(self._config.name,),
            long_side=self._long_side,
            device=self._device,
        )
        return np.array([page.page_scores()[self._config.name] for page in found], dtype=np.float64)
