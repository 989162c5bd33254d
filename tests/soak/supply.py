"""15: what the project is made with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.licences import ROOT, is_refused, licence, locked
from tests.soak.outcome import Budget, Outcome

AUDIT_TIMEOUT_S = 600


def supply_chain_is_known(budget: Budget, _: Path) -> Outcome:
    """Digests and licences of everything locked; known vulnerabilities by `make audit`, which needs a network."""
    packages = locked()
    without = [each.name for each, has_digest in packages.items() if not has_digest]
    licences = {each.name: licence(each.name) for each in packages}
    refused = [name for name, text in licences.items() if text is not None and is_refused(text)]
    absent = [name for name, text in licences.items() if text is None]
    audit, is_clean = _audit(budget.seconds)
    figure = (
        f"{len(packages)} locked packages, {len(without)} without digests, {len(refused)} with a refused licence"
        f"{f', {len(absent)} not installed here' if absent else ''}; make audit: {audit}"
    )
    return Outcome(figure, is_clean and not without and not refused and not absent)


def _audit(seconds: float) -> tuple[str, bool]:
    """What pip-audit said last, and whether it found nothing and skipped nothing."""
    if shutil.which("make") is None:
        return "there is no make", False
    try:
        ran = subprocess.run(
            ["make", "--silent", "audit"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=max(seconds, AUDIT_TIMEOUT_S),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "did not end in time", False
    said = [line.strip() for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    wanted = ("error", "no known vulnerabilities", "found ")
    found = [line for line in said if line.lower().startswith(wanted) and "make" not in line] or said[-1:]
    return ("; ".join(dict.fromkeys(found))[:200], ran.returncode == 0)
