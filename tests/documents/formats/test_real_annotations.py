"""Real collections of page images with their annotations."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from farthing.documents.collection.pages import open_collection
from farthing.documents.formats import WRITERS, read_annotations, write_annotations

COLLECTIONS = ("gallicorpora", "cremma-medieval", "tapuscorpus", "artlas-catalogues-unlabelled")


def collection(name: str) -> Path:
    folder = os.environ.get("FARTHING_TEST_DATA")
    path = Path(folder or "absent") / "pages" / name
    if not path.is_dir():
        pytest.skip(f"pages/{name} is not below $FARTHING_TEST_DATA ({folder or 'not set'})")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_page_opens_and_every_format_returns_its_boxes(name: str, tmp_path: Path) -> None:
    folder = collection(name)
    annotations = read_annotations(folder)
    assert annotations.warnings == ()
    sizes = {page.page: (page.width, page.height) for page in annotations.pages}
    sources = {source.id: source for source in open_collection(folder).sources()}
    assert sources.keys() == sizes.keys()
    for page_name, source in sources.items():
        page = source.load(256)
        assert (page.width, page.height) == sizes[page_name]
    for kind in sorted(set(WRITERS) - {"iiif"}):
        write_annotations(annotations, tmp_path / kind, kind)
        read = {page.page: page for page in read_annotations(tmp_path / kind, images=folder).pages}
        assert read.keys() == sizes.keys()
        for labelled in annotations.pages:
            assert read[labelled.page].labels == labelled.labels
            assert np.abs(read[labelled.page].boxes - labelled.boxes).max(initial=0) <= 0.5
