from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch

from farthing.recommend.config import TrainConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import build_model
from farthing.recommend.task import ClickTask, TrainBatches, probabilities
from tests.recommend import small


def task_of(dataset: Dataset, teacher: Dlrm | None = None, **settings: float) -> ClickTask:
    config, table_rows = small.small_config("fp32", dataset), tuple(dataset.table_rows(1))
    model = build_model(
        num_dense=len(dataset.manifest.dense), table_rows=table_rows, model=config.model, precision=config.precision
    )
    train = TrainConfig(**settings)  # type: ignore[arg-type]
    return ClickTask(model, dataset=dataset, table_rows=table_rows, config=train, teacher=teacher)


@pytest.fixture
def batches(mixed: Dataset) -> TrainBatches:
    return TrainBatches(mixed, tuple(mixed.table_rows(1)), batch_size=300, seed=4)


def test_every_epoch_has_every_row_in_another_order(batches: TrainBatches, mixed: Dataset) -> None:
    epochs = [list(batches.epoch(epoch, 0)) for epoch in (0, 1, 0)]
    assert batches.num_batches == len(epochs[0]) == 6
    ages = [torch.cat([batch.dense[:, 1] for batch in epoch]) for epoch in epochs]
    assert torch.equal(ages[0], ages[2])
    assert not torch.equal(ages[0], ages[1])
    assert torch.equal(ages[0].sort().values, ages[1].sort().values)


def test_an_epoch_can_be_entered_in_the_middle(batches: TrainBatches) -> None:
    whole, rest = list(batches.epoch(2, 0)), list(batches.epoch(2, 4))
    assert len(rest) == 2
    for left, right in zip(whole[4:], rest, strict=True):
        assert torch.equal(left.dense, right.dense)
        assert torch.equal(left.indices, right.indices)
        assert torch.equal(left.offsets, right.offsets)
        assert torch.equal(left.label, right.label)


def test_the_loss_is_the_log_loss(mixed: Dataset, batches: TrainBatches) -> None:
    task = task_of(mixed)
    task.model.eval()
    batch = next(batches.epoch(0, 0))
    probability = task.model(batch.dense, batch.indices, batch.offsets).sigmoid().detach().numpy()
    assert task.loss(batch).item() == pytest.approx(
        sklearn.metrics.log_loss(batch.label.numpy(), probability), rel=1e-5
    )


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_a_teacher_has_its_share_of_the_target(mixed: Dataset, batches: TrainBatches, weight: float) -> None:
    teacher = task_of(mixed).model.eval()
    torch.nn.init.normal_(teacher.embedding.weight, generator=torch.Generator().manual_seed(1))
    task = task_of(mixed, teacher, teacher_weight=weight)
    task.model.eval()
    batch = next(batches.epoch(0, 0))
    student, guide = (
        model(batch.dense, batch.indices, batch.offsets).detach().double().sigmoid().numpy()
        for model in (task.model, teacher)
    )
    target = (1 - weight) * batch.label.double().numpy() + weight * guide
    expected = -(target * np.log(student) + (1 - target) * np.log(1 - student)).mean()
    loss = task.loss(batch)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(weight.grad is None for weight in teacher.parameters())


def test_evaluation_is_of_the_validation_split(mixed: Dataset) -> None:
    task = task_of(mixed)
    task.model.eval()
    probability = probabilities(task.model, mixed, "valid", table_rows=tuple(mixed.table_rows(1)))
    assert probability.dtype == np.float64
    expected = sklearn.metrics.roc_auc_score(mixed.labels("valid"), probability)
    assert task.evaluate()["auc"] == pytest.approx(expected)
    assert "gauc" not in task.evaluate()


def test_the_prior_is_per_training_row(mixed: Dataset) -> None:
    _, table = task_of(mixed, embedding_prior=800.0).optimizers
    assert table.param_groups[0]["weight_decay"] == 800.0 / 1600


def test_there_is_no_state_beyond_model_and_optimizers(mixed: Dataset) -> None:
    task = task_of(mixed)
    before = {name: value.clone() for name, value in task.model.state_dict().items()}
    task.after_step(1)
    task.load_state_dict(task.state_dict())
    assert task.state_dict() == {}
    assert all(torch.equal(value, before[name]) for name, value in task.model.state_dict().items())
