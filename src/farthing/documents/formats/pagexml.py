"""PAGE: one XML file per page with typed regions, as Transkribus, eScriptorium and OCR-D write it.

Source: https://ocr-d.de/en/gt-guidelines/pagexml/ (schema 2019-07-15). Coordinates there are whole pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from farthing.base.errors import DataError
from farthing.documents.detections import PageLabels
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.layout import write_tree, xml_path
from farthing.documents.formats.names import class_name, segmonto_name
from farthing.documents.formats.records import Corners, PageRecord, bounds, points, positive_int

_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_STRUCTURE = re.compile(r"structure\s*\{[^}]*?type:\s*([^;}]+)")
# Per class of ours: the region, and its type where the region has types.
_REGIONS = {
    "illustration": ("ImageRegion", None),
    "decoration": ("GraphicRegion", "decoration"),
    "drop_capital": ("TextRegion", "drop-capital"),
    "stamp": ("GraphicRegion", "stamp"),
    "signature": ("GraphicRegion", "signature"),
    "table": ("TableRegion", None),
    "music": ("MusicRegion", None),
    "map": ("MapRegion", None),
}


def read_root(root: Element, *, name: str) -> PageRecord:
    """The page of a PAGE file; regions inside other regions are among its objects.

    Args:
        root: of the file.
        name: what messages call it.

    Raises:
        DataError: no page in it, or a page without a size.
    """
    page = root.find("Page")
    if page is None:
        raise DataError(f"{name}: is a PAGE file without a Page")
    return PageRecord(
        page=page.get("imageFilename", ""),
        width=positive_int(page.get("imageWidth"), "imageWidth", name),
        height=positive_int(page.get("imageHeight"), "imageHeight", name),
        objects=list(_regions(page, name)),
    )


def _regions(page: Element, name: str) -> Iterator[tuple[str, Corners]]:
    """(name as written, corners) of each region."""
    for region in page.iter():
        if not region.tag.endswith("Region"):
            continue
        coordinates = region.find("Coords")
        if coordinates is None:
            continue
        pairs = (f"{point.get('x')},{point.get('y')}" for point in coordinates.findall("Point"))  # before 2013
        outline = points(coordinates.get("points") or " ".join(pairs), name)
        if outline:
            yield _written(region), bounds(outline)


def _written(region: Element) -> str:
    """How the region says what it is: by its structure type where that is an object, else by its own type."""
    structure = _STRUCTURE.search(region.get("custom", ""))
    if structure and class_name(structure[1]) is not None:
        return structure[1].strip()
    kind = region.get("type")
    return f"{region.tag}:{kind}" if kind else region.tag


def write(annotations: Annotations, out: Path) -> None:
    """Writes one file per page below `out`, in the folders of the pages."""
    for page in annotations.pages:
        write_tree(xml_path(out, page.page), _tree(page))


def _tree(page: PageLabels) -> Element:
    root = Element("PcGts", {"xmlns": _NAMESPACE})
    metadata = SubElement(root, "Metadata")
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    for tag, text in (("Creator", "farthing"), ("Created", now), ("LastChange", now)):
        SubElement(metadata, tag).text = text
    name = page.page.rpartition("/")[2]
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    element = SubElement(root, "Page", {"imageFilename": name, **size})
    for number, (label, box) in enumerate(zip(page.labels, page.boxes, strict=True), start=1):
        tag, kind = _REGIONS.get(label, ("CustomRegion", label))
        region = SubElement(element, tag, {"id": f"r{number}", "custom": f"structure {{type:{segmonto_name(label)};}}"})
        if kind is not None:
            region.set("type", kind)
        # Halves go up, so that a box of one pixel keeps its pixel.
        x0, y0, x1, y1 = np.floor(box + 0.5).astype(int).tolist()
        SubElement(region, "Coords", {"points": f"{x0},{y0} {x1},{y0} {x1},{y1} {x0},{y1}"})
    return root
