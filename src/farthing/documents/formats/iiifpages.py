"""IIIF: one annotation page per page of the collection, whose annotations name a canvas and a place on it.

Source: https://iiif.io/api/presentation/3.0/#55-annotation-page
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np

from farthing.base.files import write_json
from farthing.documents.collection.iiif import Canvas
from farthing.documents.collection.paths import inside
from farthing.documents.detections import PageLabels
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.layout import beside


def write(annotations: Annotations, out: Path, canvases: Mapping[str, Canvas] | None = None) -> None:
    """Writes one JSON file per page below `out`, in the folders of the pages.

    Args:
        annotations: what to write.
        out: the folder.
        canvases: by page, for pages of a manifest: what the annotations refer to, in its units. Those of other pages
            refer to the name of the page.
    """
    for page in annotations.pages:
        write_json(inside(out, beside(page.page, ".json")), _annotation_page(page, (canvases or {}).get(page.page)))


def _annotation_page(page: PageLabels, canvas: Canvas | None) -> dict[str, object]:
    target = canvas.id if canvas is not None and canvas.id else quote(page.page)
    units = (page.width, page.height) if canvas is None or not min(canvas.size) else canvas.size
    scale = np.array([units[0] / page.width, units[1] / page.height] * 2)
    # A fragment is told in whole numbers; halves go up, so that a box of one unit keeps it.
    corners = np.floor(page.boxes * scale + 0.5).astype(int).tolist()
    base = uuid.uuid5(uuid.NAMESPACE_URL, target)
    items = [
        {
            "id": uuid.uuid5(base, str(number)).urn,
            "type": "Annotation",
            "motivation": "tagging",
            "body": {"type": "TextualBody", "value": name, "format": "text/plain", "purpose": "tagging"},
            "target": f"{target}#xywh={x0},{y0},{x1 - x0},{y1 - y0}",
        }
        for number, (name, (x0, y0, x1, y1)) in enumerate(zip(page.labels, corners, strict=True))
    ]
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": base.urn,
        "type": "AnnotationPage",
        "items": items,
    }
