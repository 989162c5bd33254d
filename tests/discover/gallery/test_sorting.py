"""Changes to classes: what each one does, what it leaves alone, and that a replay is the same as having been there."""

from __future__ import annotations

import zlib
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import FormatError
from farthing.discover.gallery.changes import Change, Merge, Move, Recut, Rename, Split, decode, encode, pack, unpack
from farthing.discover.gallery.sorting import Sorting, apply, replay, start
from farthing.results.classstore import ClassedImage

LABELS = ["owl", "cat", "new-01", "new-02", "new-01", None, "cat", "new-02"]


def images(labels: list[str | None] = LABELS) -> list[ClassedImage]:
    return [
        ClassedImage(image=f"{n}.png", label=label, is_new=bool(label and label.startswith("new")))
        for n, label in enumerate(labels)
    ]


def named(sorting: Sorting) -> list[str | None]:
    names = [row.name for row in sorting.image_classes]
    return [None if number < 0 else names[number] for number in sorting.classes]


def sort(*changes: Change) -> Sorting:
    return replay(start(images()), changes)


def packed(*numbers: int) -> bytes:
    return pack(np.array(numbers))


def test_known_classes_come_first_by_name() -> None:
    sorting = sort()
    assert [row.name for row in sorting.image_classes] == ["cat", "owl", "new-01", "new-02"]
    assert [row.is_new for row in sorting.image_classes] == [False, False, True, True]
    assert named(sorting) == LABELS
    assert sorting.num_known == 2
    assert not sorting.labelled().any()


def test_a_name_is_a_label_for_all_images_of_the_class() -> None:
    sorting = sort(Rename(of=2, name="bee"))
    assert named(sorting) == ["owl", "cat", "bee", "new-02", "bee", None, "cat", "new-02"]
    assert sorting.labelled().tolist() == [False, False, True, False, True, False, False, False]


def test_a_merge_leaves_the_other_class_empty_and_settles_the_one() -> None:
    sorting = sort(Merge(of=3, into=2))
    assert named(sorting) == ["owl", "cat", "new-01", "new-01", "new-01", None, "cat", "new-01"]
    assert sorting.sizes().tolist() == [2, 1, 4, 0]
    assert sorting.labelled().tolist() == [False, False, True, True, True, False, False, True]


def test_a_split_makes_a_class_and_takes_back_what_was_agreed() -> None:
    sorting = sort(Rename(of=0, name="cat"), Split(of=0, images=packed(6)))
    assert named(sorting)[6] == "new-03"
    assert sorting.image_classes[4].is_new
    assert not sorting.labelled().any()


def test_a_moved_image_is_labelled_where_its_class_has_a_real_name() -> None:
    assert sort(Move(into=1, images=packed(2))).labelled().tolist()[2]
    moved = sort(Move(into=3, images=packed(2)))
    assert not moved.labelled().any()
    assert apply(moved, Rename(of=3, name="bee")).labelled().tolist()[2]


def test_a_wrong_image_has_no_class_and_it_is_known_where_it_is_not() -> None:
    sorting = sort(Rename(of=2, name="bee"), Move(into=None, images=packed(4)))
    assert named(sorting)[4] is None
    assert sorting.rejected_from.tolist() == [-1, -1, -1, -1, 2, -1, -1, -1]
    assert not sorting.labelled()[4]
    assert apply(sorting, Move(into=1, images=packed(4))).rejected_from[4] == -1


def test_a_cut_leaves_alone_what_a_person_shaped() -> None:
    cut = packed(0, 1, 2, 3, 3, 3, 0, 2)
    changes = (Rename(of=2, name="bee"), Move(into=None, images=packed(7)), Recut(num_classes=4, classes=cut))
    sorting = sort(*changes)
    # 2 and 4 are bees, 7 was taken out; of the rest the cut knows only cats, owls and its class 3.
    assert named(sorting) == ["cat", "owl", "bee", "new-01", "bee", "new-01", "cat", None]
    assert sorting.image_classes[0].name == "cat"


def test_a_cut_numbers_new_classes_by_size_and_frees_the_names_of_old_ones() -> None:
    sorting = sort(Recut(num_classes=4, classes=packed(2, 3, 3, 3, 3, -1, 2, 2)))
    assert named(sorting) == ["new-02", "new-01", "new-01", "new-01", "new-01", None, "new-02", "new-02"]
    again = apply(sorting, Recut(num_classes=3, classes=packed(2, 2, 2, 2, 2, 2, 2, 2)))
    assert named(again) == ["new-01"] * 8


@st.composite
def sequences(draw: st.DrawFn) -> list[Change]:
    """Changes that fit the sorting that each one is made to."""
    sorting = start(images())
    made: list[Change] = []
    for _ in range(draw(st.integers(0, 8))):
        full = np.flatnonzero(sorting.sizes()).tolist()
        some = st.lists(st.integers(0, 7), min_size=1, max_size=4).map(lambda numbers: packed(*numbers))
        kinds: list[st.SearchStrategy[Change]] = [
            st.builds(Move, into=st.none() | st.integers(0, len(sorting.image_classes) - 1), images=some),
            st.builds(
                Recut,
                num_classes=st.just(5),
                classes=st.lists(st.integers(-1, 4), min_size=8, max_size=8).map(lambda n: packed(*n)),
            ),
        ]
        if full:
            of = st.sampled_from(full)
            kinds += [st.builds(Rename, of=of, name=st.just(f"name {len(made)}")), st.builds(Merge, of=of, into=of)]
            kinds.append(
                st.sampled_from([Split(of=number, images=pack(sorting.members(number)[:1])) for number in full])
            )
        made.append(draw(st.one_of(kinds)))
        sorting = apply(sorting, made[-1])
    return made


@given(sequences())
def test_a_replay_from_what_was_stored_is_the_same(changes: list[Change]) -> None:
    live = reduce(apply, changes, start(images()))
    stored = replay(start(images()), [decode(encode(change)) for change in changes])
    assert named(live) == named(stored)
    assert live.image_classes == stored.image_classes
    assert live.labelled().tolist() == stored.labelled().tolist()


@given(sequences())
def test_no_image_is_lost_and_no_two_classes_share_a_name(changes: list[Change]) -> None:
    sorting = reduce(apply, changes, start(images()))
    assert len(sorting.classes) == len(LABELS)
    assert (sorting.classes < len(sorting.image_classes)).all()
    full = np.flatnonzero(sorting.sizes()).tolist()
    names = [sorting.image_classes[number].name for number in full]
    assert len(set(names)) == len(names)
    assert not sorting.labelled()[sorting.classes < 0].any()


@given(st.lists(st.integers(-1, 2**31 - 1)))
def test_packed_numbers_come_back(numbers: list[int]) -> None:
    assert unpack(packed(*numbers)).tolist() == numbers


@pytest.mark.parametrize(
    "text", ["", "{}", '{"type":"eat"}', '{"type":"merge","of":1}', '{"type":"rename","of":"a","name":1}']
)
def test_a_damaged_change_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="not what farthing writes"):
        decode(text)


def test_damaged_numbers_are_refused() -> None:
    with pytest.raises(FormatError, match="not what farthing writes"):
        unpack(b"abc")
    with pytest.raises(FormatError, match="not what farthing writes"):
        unpack(zlib.compress(b"abc"))
