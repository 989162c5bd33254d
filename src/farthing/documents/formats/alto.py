"""ALTO: one XML file per page; blocks say by a tag what they are, as in eScriptorium and kraken.

Source: https://www.loc.gov/standards/alto/ (written as version 4, read in all).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from farthing.base.errors import DataError
from farthing.documents.detections import PageLabels
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.layout import write_tree, xml_path
from farthing.documents.formats.names import segmonto_name
from farthing.documents.formats.records import Corners, PageRecord, bounds, points, positive_int

_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_BLOCKS = frozenset({"TextBlock", "Illustration", "GraphicalElement", "ComposedBlock"})


def read_root(root: Element, *, name: str) -> PageRecord:
    """The page of an ALTO file, in the file's own unit where that is not the pixel.

    Args:
        root: of the file.
        name: what messages call it.

    Raises:
        DataError: no page in it, a page without a size, or a place that is no number.
    """
    page = root.find("Layout/Page")
    if page is None:
        raise DataError(f"{name}: is an ALTO file without a Page")
    labels = {tag.get("ID", ""): tag.get("LABEL", "") for tags in root.findall("Tags") for tag in tags}
    space = page.find("PrintSpace")
    size = [
        page.get(key) or (None if space is None else space.get(key))  # some writers leave the page's out
        for key in ("WIDTH", "HEIGHT")
    ]
    return PageRecord(
        page=(root.findtext("Description/sourceImageInformation/fileName") or "").strip(),
        width=positive_int(size[0], "WIDTH", name),
        height=positive_int(size[1], "HEIGHT", name),
        objects=list(_blocks(page, labels, name)),
    )


def _blocks(page: Element, labels: Mapping[str, str], name: str) -> Iterator[tuple[str, Corners]]:
    """(name as written, corners) of each block."""
    for block in page.iter():
        if block.tag in _BLOCKS and (corners := _corners(block, name)) is not None:
            tags = [labels[tag] for tag in block.get("TAGREFS", "").split() if labels.get(tag)]
            kind = block.get("TYPE")
            yield (tags[0] if tags else f"{block.tag}:{kind}" if kind else block.tag), corners


def _corners(block: Element, name: str) -> Corners | None:
    """The box of a block, from its own numbers or from its outline; None where it has neither."""
    texts = [block.get(key) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in texts:
        polygon = block.find("Shape/Polygon")
        outline = [] if polygon is None else points(polygon.get("POINTS", ""), name)
        return bounds(outline) if outline else None
    try:
        x, y, width, height = (float(text or "") for text in texts)
    except ValueError as error:
        raise DataError(f"{name}: a place must be told in numbers, got {texts}") from error
    return x, y, x + width, y + height


def write(annotations: Annotations, out: Path) -> None:
    """Writes one file per page below `out`, in the folders of the pages."""
    for page in annotations.pages:
        write_tree(xml_path(out, page.page), _tree(page, annotations.classes))


def _tree(page: PageLabels, classes: tuple[str, ...]) -> Element:
    root = Element("alto", {"xmlns": _NAMESPACE})
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    SubElement(SubElement(description, "sourceImageInformation"), "fileName").text = page.page.rpartition("/")[2]
    tags = SubElement(root, "Tags")
    ids = {name: f"class{number}" for number, name in enumerate(classes, start=1)}
    for name, tag in ids.items():
        SubElement(tags, "OtherTag", {"ID": tag, "LABEL": segmonto_name(name)})
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    layout = SubElement(SubElement(root, "Layout"), "Page", {"ID": "page1", "PHYSICAL_IMG_NR": "1", **size})
    space = SubElement(layout, "PrintSpace", {"HPOS": "0", "VPOS": "0", **size})
    for number, (label, box) in enumerate(zip(page.labels, page.boxes.tolist(), strict=True), start=1):
        places = zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), (*box[:2], box[2] - box[0], box[3] - box[1]), strict=True)
        attributes = {key: f"{value:.2f}" for key, value in places}
        SubElement(space, "Illustration", {"ID": f"block{number}", **attributes, "TAGREFS": ids[label]})
    return root
