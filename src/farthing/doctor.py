"""`farthing doctor`: what this installation can do, what it lacks, and the line that installs it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing import __version__
from farthing.lowbit import native

app = typer.Typer(add_completion=False)

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<range>[^;]*)(;.*extra == ['\"](?P<extra>[^'\"]+)['\"])?")
# Extras for working on farthing itself say nothing about what it can do.
_INTERNAL_EXTRAS = frozenset({"dev"})


class MissingPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that is not installed, and how to get it."""

    name: str
    extra: str | None
    install: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `farthing doctor` says; memory in bytes, `None` where the system does not tell."""

    farthing: str
    python: str
    platform: str
    packages: dict[str, str]
    processor: str
    features: list[str]
    tiers: list[str]
    tier: str | None
    extension: bool
    threads: int
    cores: int
    memory_bytes: int | None
    missing: list[MissingPackage]


@app.command(epilog="Example: farthing doctor --json")
def doctor(*, json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Say what this installation can do and what it lacks.

    What is missing comes with the line that installs it; a missing package that is needed is exit code 1.
    """
    diagnosis = diagnose()
    typer.echo(msgspec.json.format(msgspec.json.encode(diagnosis)).decode() if json else _text(diagnosis))
    if any(package.extra is None for package in diagnosis.missing):
        raise typer.Exit(1)


def diagnose() -> Diagnosis:
    """Looks at the interpreter, the installed packages, the processor and the memory."""
    import torch

    extension = native.info() or {}
    versions, missing = _packages()
    return Diagnosis(
        farthing=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        packages=versions,
        processor=_processor(),
        features=[name for name, present in extension.get("features", {}).items() if present],
        tiers=list(extension.get("tiers", [])),
        tier=extension.get("tier"),
        extension=bool(extension),
        threads=torch.get_num_threads(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=_memory_bytes(),
        missing=missing,
    )


def _packages() -> tuple[dict[str, str], list[MissingPackage]]:
    """Versions of the installed packages that farthing's metadata names, and those that are missing."""
    versions: dict[str, str] = {}
    missing: list[MissingPackage] = []
    try:
        requirements = importlib.metadata.requires("farthing") or []
    except importlib.metadata.PackageNotFoundError:  # run from a source folder that was never installed
        return versions, [MissingPackage(name="farthing", extra=None, install="make install")]
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None or match["extra"] in _INTERNAL_EXTRAS:
            continue
        name, extra = match["name"], match["extra"]
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            line = f'{shlex.quote(sys.executable)} -m pip install "{name}{match["range"].strip()}"'
            missing.append(MissingPackage(name=name, extra=extra, install=line))
    return versions, missing


def _processor() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory_bytes() -> int | None:
    """Physical memory, or `None` where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _text(diagnosis: Diagnosis) -> str:
    """The diagnosis as aligned lines."""
    memory = "unknown" if diagnosis.memory_bytes is None else f"{diagnosis.memory_bytes / 2**30:.1f} GiB"
    extension = "built" if diagnosis.extension else "not built; plain torch does its work (build it: make install)"
    rows = {
        "farthing": diagnosis.farthing,
        "python": diagnosis.python,
        "platform": diagnosis.platform,
        "processor": diagnosis.processor,
        "features": " ".join(diagnosis.features) or "unknown",
        "extension": extension,
        "tiers": f"{' '.join(diagnosis.tiers)} (in use: {diagnosis.tier})" if diagnosis.tiers else "none",
        "threads": f"{diagnosis.threads} of {diagnosis.cores} cores",
        "memory": memory,
        **diagnosis.packages,
    }
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {value}" for name, value in rows.items()]
    for package in diagnosis.missing:
        need = "needed" if package.extra is None else f"optional ({package.extra})"
        lines += ["", f"missing: {package.name}, {need}", f"  {package.install}"]
    return "\n".join(lines)
