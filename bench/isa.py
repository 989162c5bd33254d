"""Which instruction sets the engines may use: all that the CPU has, or none beyond AVX2 (bench/only_avx2.c)."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "bench"

Isa = Literal["native", "avx2"]

_ENTERED = "FARTHING_BENCH_ISA"
# glibc has chosen its memcpy by then, and reads this before any library runs.
_GLIBC = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-Prefer_No_AVX512_Probing"


def enter(isa: Isa, module: str) -> None:
    """Starts this program again without wider instruction sets, unless it is in there already or `isa` is native."""
    if isa == "native" or _ENTERED in os.environ:
        return
    library = _built("only_avx2.c", "only_avx2.so", ("-shared", "-fPIC"), ("cc", "gcc", "clang"))
    if isinstance(library, str):
        print(f"--isa avx2: {library}; going on with every instruction set of this CPU")
        return
    environment = os.environ | {"LD_PRELOAD": str(library), "GLIBC_TUNABLES": _GLIBC, _ENTERED: isa}
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)  # noqa: S606  ourselves


def in_use() -> Isa:
    """What the engines really see; says so where AVX2 was asked for in vain."""
    import torch

    is_held = torch.backends.cpu.get_cpu_capability() in ("AVX2", "DEFAULT")
    if os.environ.get(_ENTERED) == "avx2" and not is_held:
        print("--isa avx2: this kernel or CPU cannot fault CPUID; going on with every instruction set of this CPU")
    return "avx2" if is_held else "native"


def measure_limits() -> dict[str, Any] | str:
    """What bench/limits.cpp measures, or why it cannot be measured here."""
    program = _built("limits.cpp", "limits", ("-std=c++20",), ("c++", "g++", "clang++"))
    if isinstance(program, str):
        return program
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip() or f"limits: exit code {done.returncode}"
    limits: dict[str, Any] = json.loads(done.stdout)
    return limits


def _built(source: str, target: str, flags: tuple[str, ...], compilers: tuple[str, ...]) -> Path | str:
    """The compiled file, made anew where the source is younger; or why there is none."""
    if platform.machine() != "x86_64":
        return f"{source} is for x86-64, this is {platform.machine()}"
    path, out = HERE / source, BUILD / target
    if out.exists() and out.stat().st_mtime >= path.stat().st_mtime:
        return out
    compiler = next(filter(None, map(shutil.which, compilers)), None)
    if compiler is None:
        return f"no compiler for bench/{source} (looked for {', '.join(compilers)})"
    BUILD.mkdir(parents=True, exist_ok=True)
    # A compiler has a handler of its own for the signal that only_avx2.c takes.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    command = [compiler, "-O2", *flags, "-o", str(out), str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else out
