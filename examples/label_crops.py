"""Labels the crops of a filter that its detector is sure of, for discover to go on from; some classes stay hidden.

    python examples/label_crops.py FOUND LABELS.csv table music

FOUND is what `farthing documents filter --crops` wrote; the classes named last are given to nobody, so that `discover`
has something to find.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Collection
from pathlib import Path

SURE = 0.6


def main(found: Path, labels: Path, hidden: Collection[str]) -> None:
    with (found / "crops.csv").open(newline="") as source, labels.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["image", "label"])
        for row in csv.DictReader(source):
            is_labelled = float(row["score"]) >= SURE and row["class"] not in hidden
            image = Path(row["file"]).relative_to("crops")
            writer.writerow([image.as_posix(), row["class"] if is_labelled else ""])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
