"""The licences of what the lock installs, as the packages themselves state them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "locked.txt"
# Words by which packages state the licences that none of them may have. The LGPL and the MPL bind their own files only.
_REFUSED = re.compile(r"AGPL|Affero|(?<!L)GPL|(?<!Lesser )General Public License", re.IGNORECASE)


def locked() -> dict[Requirement, bool]:
    """Every locked package for this Python, and whether each of its files has a digest."""
    entries = re.sub(r"\\\n\s+", " ", LOCK.read_text(encoding="utf-8")).splitlines()
    packages = {}
    for entry in entries:
        if re.match(r"[A-Za-z0-9]", entry):
            name, _, digests = entry.partition(" --hash=")
            requirement = Requirement(name)
            if requirement.marker is None or requirement.marker.evaluate():
                packages[requirement] = digests.startswith("sha256:")
    return packages


def licence(name: str) -> str | None:
    """What an installed package says of its licence; None where it is not installed."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    # The older field holds a name, or the whole text: its first line is enough to tell which.
    expression, text = (about.get_all(name, [""])[0] for name in ("License-Expression", "License"))
    return expression or "; ".join(classifiers) or text.strip().partition("\n")[0]


def is_refused(text: str) -> bool:
    """Whether the project must not depend on it: the GPL or the AGPL, unless another licence may be chosen."""
    return all(_REFUSED.search(choice) for choice in re.split(r"\bOR\b", text))
