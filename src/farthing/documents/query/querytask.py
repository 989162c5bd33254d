"""Teaching a `QueryNet` its examples, as a `train.Task`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from farthing.documents.adaptation.views import varied
from farthing.documents.config import AugmentConfig
from farthing.documents.judging.metrics import evaluate_pages, mean_metrics
from farthing.documents.net.inference import detect_greys
from farthing.documents.query.query import QueryNet
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import PageBatch
from farthing.documents.training.losses import quality_focal_loss
from farthing.documents.training.targets import assign
from farthing.train.optim import decay_groups


class QueryTask:
    """Trains the head of a `QueryNet`; nothing else moves.

    Args:
        net: on its device.
        cache: pages with planted examples.
        held_out: those of them to measure on.
        name: of the class.
        long_side: of a page as the net sees it.
        augment: how pages are varied.
        lr: of AdamW.
        weight_decay: of AdamW, on matrices.
    """

    def __init__(
        self,
        net: QueryNet,
        *,
        cache: PageCache,
        held_out: Sequence[int],
        name: str,
        long_side: int,
        augment: AugmentConfig,
        lr: float,
        weight_decay: float,
    ) -> None:
        self.model: nn.Module = net.head
        self._net, self._cache, self._held_out, self._name = net, cache, held_out, name
        self._long_side, self._augment = long_side, augment
        self._device = net.center.device
        self.optimizers: list[Optimizer] = [AdamW(decay_groups(net.head, weight_decay=weight_decay), lr=lr)]

    def loss(self, batch: PageBatch) -> Tensor:
        """Quality focal loss of the head's logits over all points, divided by the sum of the wanted scores."""
        images, objects = varied(batch, self._augment, self._device)
        sight = self._net.look(images)
        logits = self._net.logits(sight)
        quality = assign(logits.detach().sigmoid(), sight.candidates.boxes, sight.candidates.centers, objects).quality
        loss: Tensor = quality_focal_loss(logits, quality).sum() / quality.sum().clamp_min(1.0)
        return loss

    def after_step(self, step: int) -> None:
        """Nothing: there is no teacher."""

    def evaluate(self) -> dict[str, float]:
        """`score`, `page_ap`, `ap50` on held-out pages with planted examples."""
        greys = [self._cache.pixels(index) for index in self._held_out]
        truth = [self._cache.pages[index].labels for index in self._held_out]
        found = detect_greys(
            self._net,
            greys,
            [(page.height, page.width) for page in truth],
            classes=(self._name,),
            long_side=self._long_side,
            device=self._device,
        )
        return mean_metrics(evaluate_pages(found, truth))

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """Nothing beyond model and optimizers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing beyond model and optimizers."""
