"""Ways to sort images into a given number of classes, by name."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.discover.heads.head import Head
from farthing.discover.heads.kmeans import sort_by_kmeans
from farthing.discover.heads.linkage import sort_by_linkage

HEADS: Mapping[str, Head] = {
    "kmeans": sort_by_kmeans,
    "linkage": sort_by_linkage,
}
