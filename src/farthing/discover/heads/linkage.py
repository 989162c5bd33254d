"""Average linkage under labels: the most similar groups are joined, known classes never with each other.

The images of a known class are one group from the start. Similarity is the mean cosine between the images of two
groups, <S_A, S_B> / (n_A n_B) with S the sum and n the number of a group's images, so that products of sums are all
that is kept, and joining two groups adds two rows. Products of known classes are -inf, which no addition undoes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from farthing.base.errors import ConfigError
from farthing.discover.heads.head import check_num_classes
from farthing.discover.heads.microclusters import gather
from farthing.discover.means import class_sums
from farthing.discover.problem import UNLABELLED, Assignment, Features, Labels, Problem

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkageConfig:
    """How fine a tree is.

    Attributes:
        max_leaves: unlabelled images up to this number are leaves themselves, more are gathered into so many groups
            first, >= 1; memory is 4 bytes times its square.

    Raises:
        ConfigError: a value out of range.
    """

    max_leaves: int = 20_000

    def __post_init__(self) -> None:
        if self.max_leaves < 1:
            raise ConfigError(f"max_leaves must be >= 1, got {self.max_leaves!r}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Dendrogram:
    """A tree of groups, to be cut at any number of classes.

    Attributes:
        leaves: i64 [n], the leaf of each image; leaf k < num_known holds the labelled images of known class k.
        merges: i64 [num_merges, 2], a leaf of each of the two groups that are joined, first merge first. They end when
            one group is left, or only the known classes.
        similarities: f32 [num_merges], mean cosine between the two groups, in [-1, 1], descending.
        num_known: known classes.
    """

    leaves: Labels
    merges: Labels
    similarities: Floats
    num_known: int

    @property
    def num_leaves(self) -> int:
        """The most classes that a cut can have."""
        return int(self.leaves.max()) + 1

    def cut(self, num_classes: int) -> Assignment:
        """The classes that are left when so many are; as many as there are leaves, if more are asked for.

        Args:
            num_classes: known and new together.

        Raises:
            ConfigError: fewer classes than are known, or than 1.
        """
        lowest = self.num_leaves - len(self.merges)
        if num_classes < lowest:
            raise ConfigError(f"num_classes must be >= {lowest}, the known classes, got {num_classes}")
        joined = self.merges[: max(0, self.num_leaves - num_classes)]
        graph = csr_matrix((np.ones(len(joined), np.int8), joined.T), shape=(self.num_leaves,) * 2)
        count, group = connected_components(graph, directed=False)
        # Numbered as their first leaves are, and the first leaves are the known classes.
        first = np.unique(group, return_index=True)[1]
        number = np.argsort(np.argsort(first))
        return Assignment(classes=number[group[self.leaves]], num_classes=int(count))


def build_dendrogram(problem: Problem, *, seed: int, config: LinkageConfig | None = None) -> Dendrogram:
    """The tree of a problem.

    Args:
        problem: in the whitened space.
        seed: of the micro-clusters, where images are too many to be leaves themselves.
        config: how fine it is.
    """
    config = config or LinkageConfig()
    unlabelled = np.flatnonzero(problem.labels == UNLABELLED)
    leaves = problem.labels.copy()
    leaves[unlabelled] = problem.num_known + gather(problem.features[unlabelled], config.max_leaves, seed=seed)
    sizes = np.bincount(leaves).astype(np.float32)
    products = _products(problem.features, leaves, problem.num_known)
    merges, similarities = _join(products, sizes, max(1, problem.num_known))
    order = np.argsort(-similarities, kind="stable")
    return Dendrogram(
        leaves=leaves, merges=merges[order], similarities=similarities[order], num_known=problem.num_known
    )


def _products(features: Features, leaves: Labels, num_known: int) -> Floats:
    """f32 [num_leaves, num_leaves], <S_A, S_B>; -inf where two groups may not be joined."""
    sums = class_sums(features, leaves, int(leaves.max()) + 1)
    products: Floats = sums @ sums.T
    products[:num_known, :num_known] = -np.inf
    np.fill_diagonal(products, -np.inf)
    return products


def _join(products: Floats, sizes: Floats, num_roots: int) -> tuple[Labels, Floats]:
    """Joins groups until `num_roots` are left; both arrays are used up.

    Follows nearest neighbours until two groups are each other's. Average linkage never makes a joined group more
    similar to a third one than the more similar of its parts was, so the merges are those of always joining the most
    similar pair, in another order.

    Returns:
        i64 [num_merges, 2], a leaf of each of the two groups, and f32 [num_merges], their similarity.

    Source: Murtagh, 1983, https://doi.org/10.1093/comjnl/26.4.354 (nearest-neighbour chain).
    """
    num_merges = len(sizes) - num_roots
    merges, similarities = np.empty((num_merges, 2), np.int64), np.empty(num_merges, np.float32)
    gone = np.zeros(len(sizes), np.float32)  # -inf for groups that are part of another one
    chain: list[int] = []
    for merge in range(num_merges):
        if not chain:
            chain.append(int(gone.argmax()))
        while True:
            tip = chain[-1]
            row = products[tip] / (sizes[tip] * sizes) + gone
            nearest = int(row.argmax())
            # A cycle that is longer than two is one of equal similarities that differ by rounding.
            if len(chain) > 1 and (row[chain[-2]] == row[nearest] or nearest in chain):
                break
            chain.append(nearest)
        kept, lost = chain[-2:]
        merges[merge], similarities[merge] = (kept, lost), row[kept]
        del chain[-2:]
        products[kept] += products[lost]
        products[:, kept] = products[kept]
        sizes[kept] += sizes[lost]
        gone[lost] = -np.inf
    return merges, similarities


def sort_by_linkage(
    problem: Problem, num_classes: int, seed: int, *, config: LinkageConfig | None = None
) -> Assignment:
    """The cut of the tree at `num_classes`.

    Args:
        problem: in the whitened space.
        num_classes: known and new together.
        seed: of the micro-clusters.
        config: how fine the tree is.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.
    """
    check_num_classes(problem, num_classes)
    return build_dendrogram(problem, seed=seed, config=config).cut(num_classes)
