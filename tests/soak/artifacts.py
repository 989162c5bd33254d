"""1 and 2: model folders that somebody changed, whether or not the checksums were made anew."""

from __future__ import annotations

import hashlib
import json
import random
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import polars as pl

from farthing.base.errors import FormatError
from farthing.lowbit.artifact import CONFIG_NAME, SUMS_NAME, TENSORS_NAME, load_artifact
from farthing.recommend.service import ServedModel
from farthing.train.checkpoint import load_state, save_state
from tests.reference.toy_task import ToyTask
from tests.soak.models import make_model
from tests.soak.outcome import Budget, Outcome

MAX_LOAD_S = 1.0
# What breaks readers that trust sizes and counts.
NUMBERS = (0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 1e308, -0.5)
VALUES: tuple[object, ...] = (None, True, "", "../x", "\0", [], {}, [[]], "x" * 10_000)


def hostile_models_are_refused(budget: Budget, folder: Path) -> Outcome:
    """Loads mutated folders and scores with those that load; anything but a FormatError is a broken promise.

    The checksums are made right again, so that what is behind them is reached. A crash ends this process: the runner
    reports it.
    """
    model = make_model(folder)
    victim = folder / "victim"
    refused, slowest = 0, 0.0
    others: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loaded = 0
    for _ in budget.rounds():
        shutil.rmtree(victim, ignore_errors=True)
        shutil.copytree(model, victim)
        change(victim, budget.random)
        start = time.monotonic()
        try:
            ServedModel.load(victim)
            loaded += 1
        except FormatError:
            refused += 1
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  it is what this looks for
            others.append(f"{type(error).__name__}: {error}"[:200])
        slowest = max(slowest, time.monotonic() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    first = f"; first: {others[0]}" if others else ""
    figure = (
        f"{refused + loaded + len(others):,} mutated model folders: 0 crashes, {refused:,} refused, {loaded:,} loaded "
        f"and scored with, {len(others)} other errors{first}, slowest {slowest:.2f} s, {grown:.0f} MB more memory"
    )
    return Outcome(figure, not others and slowest <= MAX_LOAD_S)


def change(folder: Path, rng: random.Random) -> None:
    """Makes one to three changes to the files of a model folder and vouches for the result."""
    names = [path.name for path in folder.iterdir() if path.name != SUMS_NAME]
    for _ in range(rng.randint(1, 3)):
        path = folder / rng.choice(names)
        content = path.read_bytes()
        is_json = path.suffix == ".json" and rng.random() < 0.8
        path.write_bytes(_changed_json(content, rng) if is_json else changed_bytes(content, rng))
    vouch(folder)


def changed_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut off, repeated or overwritten by a number that means something to a reader of sizes."""
    data = bytearray(content)
    place = rng.randrange(len(data)) if data else 0
    kind = rng.randrange(5)
    if kind == 0 or not data:
        return bytes(data[:place])
    if kind == 1:
        return bytes(data[:place] + data[place : place + 64] + data[place:])
    if kind == 2:  # the first bytes hold lengths and names
        place = rng.randrange(min(len(data), 512))
    if kind <= 3:
        for at in range(place, min(place + rng.randint(1, 8), len(data))):
            data[at] = rng.randrange(256)
        return bytes(data)
    number = int(rng.choice(NUMBERS[:9])) % 2**64
    data[place : place + 8] = number.to_bytes(8, "little")
    return bytes(data)


def _changed_json(content: bytes, rng: random.Random) -> bytes:
    """One value somewhere in the tree is another one, or gone."""
    try:
        tree: Any = json.loads(content)  # Any: JSON
    except ValueError:
        return changed_bytes(content, rng)
    node = tree
    while isinstance(node, dict | list) and node:
        key: Any = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.1:
            if rng.random() < 0.2:
                del node[key]
            else:
                node[key] = rng.choice((*NUMBERS, *VALUES))
            break
        node = node[key]
    return json.dumps(tree).encode()


def vouch(folder: Path) -> None:
    """Makes the digests of tensors and files right again, as far as the files can be read at all."""
    config_path, tensors = folder / CONFIG_NAME, (folder / TENSORS_NAME).read_bytes()
    try:
        config = json.loads(config_path.read_bytes())
        size = int.from_bytes(tensors[:8], "little")
        header, data = json.loads(tensors[8 : 8 + size]), tensors[8 + size :]
        config["tensors"] = {
            name: hashlib.sha256(data[slice(*entry["data_offsets"])]).hexdigest()
            for name, entry in header.items()
            if name != "__metadata__"
        }
        config_path.write_text(json.dumps(config))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass  # not JSON any more: only the files' own digests can be right
    names = sorted(path.name for path in folder.iterdir() if path.name != SUMS_NAME)
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS_NAME).write_text("".join(lines))


def damage_is_noticed(budget: Budget, folder: Path) -> Outcome:
    """Flips and truncates model folders and checkpoints whose digests stay as they were; every one must be refused."""
    model = make_model(folder)
    checkpoint = folder / "checkpoint.safetensors"
    save_state(checkpoint, {"model": ToyTask().model.state_dict(), "step": 7})
    victims = [*sorted(model.iterdir()), checkpoint]
    counts, missed = {"flips": 0, "truncations": 0}, []
    for number in budget.rounds():
        path = victims[number % len(victims)]
        content = path.read_bytes()
        place = budget.random.randrange(len(content))
        kind = "truncations" if number // len(victims) % 3 == 2 else "flips"
        damaged = bytearray(content)
        damaged[place] ^= 1 << budget.random.randrange(8)
        path.write_bytes(content[:place] if kind == "truncations" else damaged)
        try:
            _ = load_state(path) if path == checkpoint else load_artifact(model)
            missed.append(f"{path.name} at {place}")
        except FormatError:
            counts[kind] += 1
        path.write_bytes(content)
    survived = _survives_truncation(model)
    figure = (
        f"{counts['flips']:,} flipped bits and {counts['truncations']:,} truncations refused, {len(missed)} missed; "
        f"a file that is cut short after loading {'changes nothing' if survived else 'is noticed too late'}"
    )
    return Outcome(figure, not missed and survived)


def _survives_truncation(model: Path) -> bool:
    """Whether tensors stay readable when their file is cut: a mapped one would end the process with SIGBUS."""
    tensors = load_artifact(model).tensors
    sums = {name: float(tensor.double().sum()) for name, tensor in tensors.items()}
    with (model / TENSORS_NAME).open("r+b") as file:
        file.truncate(0)
    return sums == {name: float(tensor.double().sum()) for name, tensor in tensors.items()}
