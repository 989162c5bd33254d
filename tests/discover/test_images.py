"""A folder's images with their labels, wherever these come from, and what is odd about them said."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.discover.images import open_images


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_images_are_listed_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "b.PNG", "a.jpg", "deep/er/c.webp", ".hidden.png", ".git/d.png", "notes.txt")
    assert open_images(root).names == ("a.jpg", "b.PNG", "deep/er/c.webp")


def test_links_that_lead_out_are_not_images(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "a.png")
    make(tmp_path, "secret.png", "out/b.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "inside.png").symlink_to(root / "a.png")
    (root / "folder").symlink_to(tmp_path / "out")
    assert open_images(root).names == ("a.png", "inside.png")


def test_class_folders_are_labels_but_for_the_unlabelled(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "cat/1.png", "cat/old/2.png", "dog/3.png", "unlabelled/4.png", "5.png")
    collection = open_images(root)
    labels = dict(zip(collection.names, collection.labels, strict=True))
    assert labels == {
        "cat/1.png": "cat",
        "cat/old/2.png": "cat",
        "dog/3.png": "dog",
        "unlabelled/4.png": None,
        "5.png": None,
    }
    assert collection.warnings == (
        "1 class has one labelled image only (dog): little is known of how such images vary",
    )


def test_a_file_of_labels_counts_instead_of_folders(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "x/1.png", "x/2.png", "x/3.png", "4.png")
    labels = write(tmp_path / "labels.csv", "image,label,page", "x/1.png, cat ,p1", "./x/2.png,cat,", "x/3.png,,p3")
    collection = open_images(root, labels)
    assert collection.labels == (None, "cat", "cat", None)  # 4.png, x/1.png, x/2.png, x/3.png
    assert collection.extra == {"x/1.png": {"page": "p1"}, "x/2.png": {"page": ""}, "x/3.png": {"page": "p3"}}
    assert collection.warnings == ()


@pytest.mark.parametrize("inside", [True, False])
def test_crops_carry_page_and_box_and_are_unlabelled(tmp_path: Path, inside: bool) -> None:
    folder = make(tmp_path / "found", "crops/seal/1.jpg", "crops/seal/2.jpg", "thumbnail.png")
    row = 'crops/seal/1.jpg,p.png,"[1, 2, 3, 4]",seal,0.9'
    write(folder / "crops.csv", "file,page,bbox,class,score", row, row.replace("1.jpg", "2.jpg"))
    collection = open_images(folder if inside else folder / "crops")
    prefix = "crops/" if inside else ""
    assert collection.names == (f"{prefix}seal/1.jpg", f"{prefix}seal/2.jpg")
    assert collection.labels == (None, None)
    expected = {"page": "p.png", "bbox": "[1, 2, 3, 4]", "class": "seal", "score": "0.9"}
    assert collection.extra[f"{prefix}seal/1.jpg"] == expected


def test_labels_join_what_crops_carry(tmp_path: Path) -> None:
    folder = make(tmp_path / "found", "crops/seal/1.jpg")
    write(folder / "crops.csv", "file,page,bbox,class,score", 'crops/seal/1.jpg,p,"[1,2,3,4]",seal,1')
    collection = open_images(folder, write(tmp_path / "l.csv", "image,label,who", "crops/seal/1.jpg,lion,me"))
    assert collection.labels == ("lion",)
    assert collection.extra["crops/seal/1.jpg"]["page"] == "p"
    assert collection.extra["crops/seal/1.jpg"]["who"] == "me"


def test_a_crops_file_of_something_else_is_no_crops_file(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "cat/1.png")
    write(tmp_path / "crops.csv", "file,page,bbox,class,score", 'other/1.jpg,p,"[1,2,3,4]",seal,1')
    assert open_images(root).labels == ("cat",)


def test_labels_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "1.png", "2.png", "3.png")
    labels = write(tmp_path / "labels.csv", "image,label", "1.png,a", "2.png,a", "1.png,a", "9.png,a", "8.png,")
    warnings = open_images(root, labels).warnings
    assert warnings == (
        "labels.csv names 2 images that are not in the folder (9.png, 8.png)",
        "labels.csv names 1 images more than once (1.png)",
    )


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    root = make(tmp_path / "in", "1.png")
    for lines, message in (
        (["image,label", "1.png,a", "1.png,b"], "'1.png' twice, as 'a' and 'b'"),
        (["image,label", "9.png,a"], "names no image of the folder"),
        (["image", "1.png"], "lacks the column 'label'"),
    ):
        with pytest.raises(DataError, match=message):
            open_images(root, write(tmp_path / "labels.csv", *lines))
    with pytest.raises(DataError, match="cannot be read"):
        open_images(root, tmp_path / "missing.csv")
    with pytest.raises(DataError, match="there is none"):
        open_images(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        open_images(tmp_path / "empty")
