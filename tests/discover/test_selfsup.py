"""The net's losses, batches and views do what their paper and their seeds say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.discover.selfsup import ContrastBatch, ContrastBatches, ContrastNet, ContrastTask, SelfsupConfig, seen
from farthing.vision.contrastive import info_nce, supervised_contrastive

CONFIG = SelfsupConfig(side=16, widths=(8, 16), blocks=(0, 0), projected=8, batch_size=8, epochs=1)


def make_task(config: SelfsupConfig) -> tuple[ContrastTask, ContrastBatch]:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (8, 1, 16, 16), dtype=torch.uint8)
    batch = ContrastBatch(images=images, labels=torch.tensor([0, 0, 1, -1, -1, 1, -1, 0]), seed=3)
    net = ContrastNet(1, config.widths, config.blocks, config.projected).eval()
    return ContrastTask(net, held_out=batch, config=config), batch


def test_the_loss_weighs_both_terms() -> None:
    def loss(supervised: float) -> float:
        task, batch = make_task(replace(CONFIG, supervised=supervised))
        return task.loss(batch).item()

    assert loss(0.35) == pytest.approx(0.65 * loss(0.0) + 0.35 * loss(1.0), rel=1e-5)


def test_the_terms_see_all_images_and_labelled_ones() -> None:
    task, batch = make_task(CONFIG)
    generator = torch.Generator().manual_seed(batch.seed)
    views = [seen(batch.images.float(), CONFIG.strength, generator) for _ in range(2)]
    first, second = task.model(torch.cat(views)).chunk(2)
    chosen = [0, 1, 2, 5, 7]
    labels = torch.tensor([0, 0, 1, 1, 0])
    both = supervised_contrastive(
        torch.cat([first[chosen], second[chosen]]), torch.cat([labels, labels]), temperature=0.07
    )
    expected = 0.65 * info_nce(first, second, temperature=1.0) + 0.35 * both
    torch.testing.assert_close(task.loss(batch), expected)


def test_without_labels_only_images_count() -> None:
    task, batch = make_task(CONFIG)
    unlabelled = replace(batch, labels=torch.full((8,), -1))
    alone, _ = make_task(replace(CONFIG, supervised=0.0))
    torch.testing.assert_close(task.loss(unlabelled), 0.65 * alone.loss(unlabelled))


def test_evaluation_is_a_share_and_repeats() -> None:
    task, _ = make_task(CONFIG)
    with torch.no_grad():
        assert task.evaluate() == task.evaluate()
    assert 0 <= task.evaluate()["found"] <= 1


def test_batches_can_be_entered_anywhere() -> None:
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
    batches = ContrastBatches(images=images, labels=torch.arange(10), batch_size=3, seed=1)
    whole, late = list(batches.epoch(4, 0)), list(batches.epoch(4, 2))
    assert batches.num_batches == len(whole) == 3
    assert torch.equal(late[0].images, whole[2].images)
    assert late[0].seed == whole[2].seed
    assert len({int(label) for batch in whole for label in batch.labels}) == 9
    assert [batch.seed for batch in whole] != [batch.seed for batch in batches.epoch(5, 0)]


def test_views_stay_images() -> None:
    images = 255 * torch.rand(20, 3, 16, 16)
    views = [seen(images, 1.0, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])
    assert views[0].min() >= 0
    assert views[0].max() <= 255


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"epochs": 0}, "epochs must be >= 1"),
        ({"lr": 0.0}, "lr must be > 0"),
        ({"supervised": 2.0}, r"supervised must be in \[0, 1\]"),
        ({"blocks": (1,)}, "must name the same stages"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, object], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        SelfsupConfig(**change)  # type: ignore[arg-type]
