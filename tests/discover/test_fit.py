"""Fits of small folders: what they leave, what they refuse, what they take up again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from farthing.base.config import apply_overrides
from farthing.base.errors import ConfigError
from farthing.discover.evaluation import evaluate_run
from farthing.discover.fit import Request, fit_collection
from farthing.discover.fitconfig import FitConfig
from farthing.discover.gallery.changes import Rename, encode
from farthing.discover.gallery.decisions import open_decisions, sorting_of
from farthing.discover.kept import kept_features, read_features
from farthing.discover.modelfolder import load_model
from farthing.discover.outputs import read_assignments
from farthing.discover.rundata import read_given, read_summary
from farthing.vision.images import Pixels
from tests.discover.collections_on_disk import NUM_IMAGES, SETTINGS, make_collection

FILES = {
    "discovery.json",
    "images.csv",
    "features.safetensors",
    "model",
    "assignments.csv",
    "summary.json",
    "report.html",
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_collection(tmp_path_factory.mktemp("collection"))


def request_of(collection: Path, *, num_classes: int | None = 4) -> Request:
    return Request(
        images=collection / "images",
        labels=collection / "labels.csv",
        num_classes=num_classes,
        config=apply_overrides(FitConfig(), SETTINGS),
    )


@pytest.fixture(scope="module")
def run(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fit") / "run"
    fit_collection(request_of(collection), out)
    return out


def test_every_image_gets_a_class_and_most_the_right_one(run: Path, collection: Path) -> None:
    assert {path.name for path in run.iterdir()} >= FILES
    rows = read_assignments(run / "assignments.csv")
    assert len(rows) == NUM_IMAGES
    assert {row.label for row in rows} == {"bar", "cross", "new-01", "new-02"}
    assert {row.label for row in rows if row.is_new} == {"new-01", "new-02"}
    figures = evaluate_run(run, collection / "truth.csv")
    assert (figures["all"] or 0) > 85
    assert (figures["named_old"] or 0) > 85


def test_labelled_images_keep_their_label(run: Path) -> None:
    by_image = {row.image: row for row in read_assignments(run / "assignments.csv")}
    for image, label in read_given(run).items():
        assert (by_image[image].label, by_image[image].probability, by_image[image].is_new) == (label, 1.0, False)


def test_the_summary_counts(run: Path) -> None:
    summary = read_summary(run)
    assert (summary.k, summary.num_known, summary.num_images, summary.num_unsorted) == (4, 2, NUM_IMAGES, 0)
    assert summary.num_labelled == len(read_given(run))
    assert summary.k_low <= 4 <= summary.k_high
    assert summary.choice.head
    assert summary.features["source"] == "builtin"


def test_the_same_seed_gives_the_same_bytes(run: Path, collection: Path, tmp_path: Path) -> None:
    fit_collection(request_of(collection), tmp_path / "again")
    for name in (
        "assignments.csv",
        "features.safetensors",
        "images.csv",
        "model/model.safetensors",
        "model/SHA256SUMS",
    ):
        assert (run / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_the_model_gives_what_the_fit_believed(run: Path) -> None:
    found, extractor = kept_features(run)
    model = load_model(run / "model")
    assert extractor is not None
    assert model.extractor is not None
    rows = read_assignments(run / "assignments.csv")
    classes = np.array([model.names.index(row.label) for row in rows])
    believed = model.classifier.predict(found.features, classes, are_members=True).probability
    given = read_given(run)
    for row, probability in zip(rows, believed, strict=True):
        assert row.probability == pytest.approx(1 if row.image in given else probability, abs=1e-4)


def test_a_second_fit_into_the_same_folder_must_be_asked_for(run: Path, collection: Path) -> None:
    with pytest.raises(ConfigError, match="holds a run already; go on with it"):
        fit_collection(request_of(collection), run)


def test_resume_takes_the_features_that_are_there(collection: Path, tmp_path: Path) -> None:
    request = request_of(collection)
    fit_collection(request, tmp_path / "run")
    before = (tmp_path / "run" / "features.safetensors").stat().st_mtime_ns
    told: list[str] = []
    summary = fit_collection(replace(request, num_classes=5), tmp_path / "run", resume=True, progress=told.append)
    assert summary.k == 5
    assert (tmp_path / "run" / "features.safetensors").stat().st_mtime_ns == before
    assert not any("features" in stage for stage in told)


def test_what_people_decided_is_a_label_for_the_next_fit(run: Path, collection: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(run, tmp_path / "run"))
    with open_decisions(again) as store:
        names = [row.name for row in sorting_of(store).image_classes]
        store.add_change(encode(Rename(of=names.index("new-01"), name="plank")))
    wanted = {row.image for row in read_assignments(run / "assignments.csv") if row.label == "new-01"}
    summary = fit_collection(request_of(collection), again, resume=True)
    rows = {row.image: row for row in read_assignments(again / "assignments.csv")}
    assert summary.num_known == 3
    assert all((rows[image].label, rows[image].is_new) == ("plank", False) for image in wanted)
    assert wanted <= set(read_given(again))
    with open_decisions(again) as store:
        assert not store.changes()  # a new round


@pytest.mark.parametrize(
    ("change", "message"),
    [({"seed": 1}, "was made with other seed"), ({"config": FitConfig()}, "was made with other settings of features")],
)
def test_resume_refuses_other_features(run: Path, collection: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fit_collection(replace(request_of(collection), **change), run, resume=True)  # type: ignore[arg-type]


def test_an_interrupted_fit_goes_on(run: Path, collection: Path, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(stage: str) -> None:
        if "writing" in stage:
            raise StopError

    with pytest.raises(StopError):
        fit_collection(request_of(collection), tmp_path / "run", progress=stop)
    fit_collection(request_of(collection), tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "assignments.csv").read_bytes() == (run / "assignments.csv").read_bytes()


def test_an_unreadable_image_is_counted_and_stays(collection: Path, tmp_path: Path) -> None:
    damaged = make_collection(tmp_path / "damaged")
    (damaged / "images" / "005.png").write_bytes(b"nothing")
    summary = fit_collection(request_of(damaged), tmp_path / "run")
    assert summary.num_unreadable == 1
    assert any("1 images have no feature" in warning for warning in summary.warnings)
    row = read_assignments(tmp_path / "run" / "assignments.csv")[5]
    assert row.image == "005.png"
    assert row.label == read_given(tmp_path / "run").get("005.png", "")
    assert not read_features(tmp_path / "run")[5].any()


def test_no_label_at_all_is_plain_clustering(collection: Path, tmp_path: Path) -> None:
    request = replace(request_of(collection, num_classes=3), labels=None)
    summary = fit_collection(request, tmp_path / "run")
    assert (summary.k, summary.num_known, summary.ece) == (3, 0, None)
    assert any("plain clustering" in warning for warning in summary.warnings)
    assert {row.label for row in read_assignments(tmp_path / "run" / "assignments.csv")} == {
        *("new-01", "new-02", "new-03")
    }


def test_fewer_classes_than_known_ones(collection: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="from 2, the known classes"):
        fit_collection(request_of(collection, num_classes=1), tmp_path / "run")


def test_features_by_a_function_are_kept_but_not_the_function(collection: Path, tmp_path: Path) -> None:
    def means(images: Sequence[Pixels]) -> np.ndarray:
        return np.stack([np.concatenate([image[:, :, 0].mean(0), image[:, :, 0].mean(1)]) for image in images])

    fit_collection(replace(request_of(collection), source=means), tmp_path / "run")
    assert load_model(tmp_path / "run" / "model").extractor is None
    assert read_features(tmp_path / "run").shape == (NUM_IMAGES, 32)


@pytest.mark.parametrize("bits", [8, 1])
def test_features_in_few_bits(collection: Path, run: Path, tmp_path: Path, bits: int) -> None:
    config = apply_overrides(FitConfig(), [*SETTINGS, f"bits={bits}"])
    summary = fit_collection(replace(request_of(collection), config=config), tmp_path / "run")
    assert summary.features["bits"] == bits
    rounded, exact = read_features(tmp_path / "run"), read_features(run)
    assert (rounded * exact).sum(1).mean() > {8: 0.999, 1: 0.6}[bits]
    assert not np.array_equal(rounded, exact)
