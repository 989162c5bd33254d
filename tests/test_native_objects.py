"""What the compiler makes of native/: the object of a tier gives the linker its table of kernels and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# CMake and Ninja are installed beside the interpreter, which need not be on the PATH.
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
TIERS = sorted((ROOT / "native").glob("tier_*.cpp"))


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Source -> how CMake compiles it on this machine."""
    path = ENVIRONMENT["PATH"]
    missing = [program for program in ("cmake", "ninja", "c++", "nm") if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    build = tmp_path_factory.mktemp("build")
    configure = ["cmake", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    subprocess.run(
        [*configure, "-S", ROOT / "tests/native", "-B", build], check=True, capture_output=True, env=ENVIRONMENT
    )
    entries = json.loads((build / "compile_commands.json").read_text())
    return {Path(entry["file"]).resolve(): entry["command"].split(" -o ")[0] for entry in entries}


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS, ids=lambda path: path.stem)
def test_a_tier_exports_its_table_and_nothing_weak(tier: Path, commands: dict[Path, str], tmp_path: Path) -> None:
    if tier not in commands:
        pytest.skip("not a tier of this machine")
    made = tmp_path / "tier.o"
    # Symbols do not depend on the optimisation, but for those that inlining would hide.
    subprocess.run([*commands[tier].split(), "-O0", "-c", tier, "-o", made], check=True)
    listed = subprocess.run(["nm", "-C", "--defined-only", made], check=True, capture_output=True, text=True).stdout
    symbols = [line.split(maxsplit=2)[1:] for line in listed.splitlines()]
    exported = {name for kind, name in symbols if kind.isupper() or kind in "uvw"}
    assert exported == {f"farthing::{tier.stem.removeprefix('tier_')}_kernels"}
