"""What the objects are called elsewhere: PAGE region types, SegmOnto zones, usual COCO and YOLO class names.

Source: the PAGE schema of 2019-07-15, SegmOnto (https://segmonto.github.io/), and the classes of DocLayNet.
"""

from __future__ import annotations

import re
from collections.abc import Container

from farthing.documents.classes import CLASSES

# Per class of ours, other names for it: in lower case, letters and digits only.
_SYNONYMS = {
    "illustration": (
        "chart chartregion diagram drawing engraving figure figures figurezone graphic graphicalelement graphicregion "
        "graphics graphiczone illustrations image imageregion images linedrawing linedrawingregion miniature photo "
        "photograph photographs picture pictures woodcut"
    ),
    "decoration": "border decorationzone frame fleuron headpiece linefiller ornament ornamentation tailpiece",
    "drop_capital": "decoratedinitial dropcap dropcapital dropcapitalzone initial lettrine",
    "stamp": "stamps stampzone",
    "seal": "seals sealzone",
    "signature": "signatures signaturezone",
    "table": "tables tableregion tablezone",
    "music": "musicnotation musicregion musiczone",
    "map": "mapregion maps mapzone",
}
# Text, rules, dirt: what pages are full of and nobody searches for here.
_NO_OBJECTS = (
    "abandon advertregion barcode bordertext caption catchword chemregion credit customzone damagezone default "
    "digitizationartefactzone endnote floating footer footnote footnotecontinued formula handwrittenannotation "
    "header heading list listitem main mainzone margin marginalia margintextzone mathsregion noise noiseregion "
    "numbering numberingzone other pagefooter pageheader pagenumber paragraph plaintext punchhole "
    "quiremarkszone runningtitlezone sectionheader separator separatorregion signaturemark text textblock "
    "textregion textzone title titlepagezone tocentry unknownregion"
)
# Regions that say only by their type what they are.
_WRAPPERS = frozenset({"customregion", "customzone", "composedblock", "unknownregion"})

_NAMES: dict[str, str | None] = {
    **dict.fromkeys(_NO_OBJECTS.split()),
    **{other: name for name, others in _SYNONYMS.items() for other in others.split()},
    **{name.replace("_", ""): name for name in CLASSES},
}
_SEGMONTO = {
    "illustration": "GraphicZone:illustration",
    "decoration": "GraphicZone:decoration",
    "drop_capital": "DropCapitalZone",
    "stamp": "StampZone",
    "seal": "SealZone",
    "table": "TableZone",
    "music": "MusicZone",
}


def class_name(written: str, *, wanted: Container[str] = ()) -> str | None:
    """Our name for a class as another program writes it; None for one that is no object (text, rules, dirt).

    A more special type after a colon counts first (`GraphicRegion:stamp`), a number after `#` does not count. A name
    that is not in the table stays as it is.

    Args:
        written: the name.
        wanted: names that stay as they are although the table has them.
    """
    if written in wanted or written in CLASSES:
        return written
    kind, _, special = re.sub(r"#\d+$", "", written.strip()).partition(":")
    key = re.sub(r"[^a-z0-9]", "", kind.lower())
    name = class_name(special, wanted=wanted) if special else None
    if name is not None and (name in CLASSES or name in wanted or key in _WRAPPERS):
        return name
    return _NAMES.get(key, written)


def segmonto_name(name: str) -> str:
    """The SegmOnto zone for a class of ours, as eScriptorium and kraken know it; a custom zone for any other."""
    return _SEGMONTO.get(name, f"CustomZone:{name}")
