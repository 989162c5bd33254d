"""New images into the classes of a run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from farthing.base.config import apply_overrides
from farthing.base.errors import ConfigError, FormatError
from farthing.discover import gather
from farthing.discover.assign import assign_images
from farthing.discover.csvfiles import write_rows
from farthing.discover.fit import Request, fit_collection
from farthing.discover.fitconfig import FitConfig
from farthing.discover.gallery.changes import Rename, encode
from farthing.discover.gallery.decisions import open_decisions, sorting_of
from farthing.discover.kept import kept_features
from farthing.discover.modelfolder import load_model, save_model
from farthing.discover.outputs import read_assignments
from tests.discover.collections_on_disk import NUM_IMAGES, SETTINGS, STROKES, draw, make_collection


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with K given: every image gets a class."""
    folder = make_collection(tmp_path_factory.mktemp("collection"))
    request = Request(
        images=folder / "images",
        labels=folder / "labels.csv",
        num_classes=4,
        config=apply_overrides(FitConfig(), SETTINGS),
    )
    fit_collection(request, folder / "run")
    return folder


@pytest.fixture
def run(fitted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fitted / "run", tmp_path / "run"))


@pytest.fixture
def new_images(tmp_path: Path) -> Path:
    """Five of each stroke, and a file that is no image."""
    generator = np.random.default_rng(7)
    for stroke in STROKES:
        for number in range(5):
            (tmp_path / "new").mkdir(exist_ok=True)
            draw(stroke, generator).save(tmp_path / "new" / f"{stroke}-{number}.png")
    (tmp_path / "new" / "zz.png").write_bytes(b"nothing")
    return tmp_path / "new"


def test_new_images_go_where_their_like_went(fitted: Path, run: Path, new_images: Path, tmp_path: Path) -> None:
    truth = dict(line.split(",")[:2] for line in (fitted / "truth.csv").read_text().splitlines())
    went: dict[str, list[str]] = {}
    for row in read_assignments(run / "assignments.csv"):
        went.setdefault(truth[row.image], []).append(row.label)
    usual = {stroke: max(set(labels), key=labels.count) for stroke, labels in went.items()}
    result = assign_images(run, new_images, tmp_path / "out.csv")
    rows = read_assignments(tmp_path / "out.csv")
    assert (result.num_images, result.num_unreadable, len(result.warnings)) == (21, 1, 1)
    assert (rows[-1].image, rows[-1].label) == ("zz.png", "")
    right = [row.label == usual[row.image.split("-")[0]] for row in rows[:-1]]
    assert np.mean(right) > 0.8
    assert result.num_known + result.num_new + result.num_unsorted == 20


def test_the_images_of_the_fit_get_their_classes_again(fitted: Path, run: Path, tmp_path: Path) -> None:
    assign_images(run, fitted / "images", tmp_path / "out.csv")
    before, now = read_assignments(run / "assignments.csv"), read_assignments(tmp_path / "out.csv")
    assert np.mean([one.label == other.label for one, other in zip(before, now, strict=True)]) > 0.85


def test_a_renamed_class_has_its_new_name(run: Path, new_images: Path, tmp_path: Path) -> None:
    with open_decisions(run) as store:
        names = [row.name for row in sorting_of(store).image_classes]
        store.add_change(encode(Rename(of=names.index("new-01"), name="wheel")))
    assign_images(run, new_images, tmp_path / "out.csv")
    labels = {row.label for row in read_assignments(tmp_path / "out.csv")}
    assert "wheel" in labels
    assert "new-01" not in labels


def test_what_is_out_of_reach_gathers_and_becomes_a_class(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "ENOUGH", 12)
    model = load_model(run / "model")
    save_model(run / "model", replace(model, reach=2.0))  # nothing is that close
    generator = np.random.default_rng(3)
    for part in ("first", "second"):
        (tmp_path / part).mkdir()
        for number in range(8):
            draw("ring", generator).save(tmp_path / part / f"{number}.png")
    first = assign_images(run, tmp_path / "first", tmp_path / "first.csv")
    assert (first.num_unsorted, first.new_classes) == (8, ())
    assert {row.label for row in read_assignments(tmp_path / "first.csv")} == {"unsorted"}
    second = assign_images(run, tmp_path / "second", tmp_path / "second.csv")
    assert second.new_classes
    assert load_model(run / "model").names == (*model.names, *second.new_classes)
    assert not set(second.new_classes) & set(model.names)


def test_images_that_come_twice_are_kept_once(run: Path, tmp_path: Path) -> None:
    save_model(run / "model", replace(load_model(run / "model"), reach=2.0))
    (tmp_path / "new").mkdir()
    draw("bar", np.random.default_rng(0)).save(tmp_path / "new" / "a.png")
    for _ in range(3):
        assign_images(run, tmp_path / "new", tmp_path / "out.csv")
    assert len(gather.read_gathered(run).names) == 1


def test_a_run_without_an_extractor_wants_features(fitted: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", np.random.default_rng(0).standard_normal((NUM_IMAGES, 8)).astype(np.float32))
    names = [f"{number:03}.png" for number in range(NUM_IMAGES)]
    (tmp_path / "list.txt").write_text("\n".join(names))
    request = Request(
        images=fitted / "images", source=str(tmp_path / "f.npy"), listing=tmp_path / "list.txt", num_classes=3
    )
    fit_collection(request, tmp_path / "run")
    with pytest.raises(ConfigError, match="give those of the new images too"):
        assign_images(tmp_path / "run", fitted / "images", tmp_path / "out.csv")
    result = assign_images(
        tmp_path / "run",
        fitted / "images",
        tmp_path / "out.csv",
        source=str(tmp_path / "f.npy"),
        listing=tmp_path / "list.txt",
    )
    assert result.num_images == NUM_IMAGES


def test_a_damaged_model_is_refused(run: Path, new_images: Path, tmp_path: Path) -> None:
    path = run / "model" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        assign_images(run, new_images, tmp_path / "out.csv")


def test_a_folder_that_is_no_run(new_images: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "assignments.csv", ["image", "label"], [])
    with pytest.raises(FormatError, match="is not a discovery"):
        assign_images(tmp_path, new_images, tmp_path / "out.csv")


def test_what_gathers_within_reach_of_a_class_is_more_of_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "ENOUGH", 5)
    model = replace(load_model(run / "model"), reach=0.3)
    found, _ = kept_features(run)
    rows = {row.image: row.label for row in read_assignments(run / "assignments.csv")}
    bars = [number for number, name in enumerate(found.names) if rows[name] == "bar"]
    grown = gather.gather_unsorted(run, model, [f"bar {number}" for number in bars], found.features[bars])
    bar = model.names.index("bar")
    assert grown.names == model.names
    assert grown.classifier.prior[bar] > model.classifier.prior[bar]
    assert grown.classifier.means[bar] @ model.classifier.means[bar] > 0.9
