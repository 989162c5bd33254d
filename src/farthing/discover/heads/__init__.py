"""Ways to sort images into a given number of classes, by name."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.discover.heads.bacon import sort_by_bacon
from farthing.discover.heads.em import sort_by_em, sort_by_linkage_em
from farthing.discover.heads.head import Head
from farthing.discover.heads.kmeans import sort_by_kmeans
from farthing.discover.heads.linkage import sort_by_linkage
from farthing.discover.heads.simgcd import sort_by_simgcd
from farthing.discover.heads.transport import sort_by_transport

HEADS: Mapping[str, Head] = {
    "kmeans": sort_by_kmeans,
    "simgcd": sort_by_simgcd,
    "bacon": sort_by_bacon,
    "linkage": sort_by_linkage,
    "em": sort_by_em,
    "linkage+em": sort_by_linkage_em,
    "transport": sort_by_transport,
}
