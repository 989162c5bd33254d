"""The files of one training run: its checkpoint, its best weights, its log.

    checkpoint.safetensors       everything that going on needs; of a finished run only the result
    best-<step>.safetensors      the best weights so far, named by the checkpoint's best step
    best.safetensors             the best weights of a finished run
    metrics.jsonl                one JSON object per evaluation
    .<name>.<random>.part, .tmp* a file that is being written

The best weights of a newer step are written before the checkpoint that names them, and those of an older step are
removed after it. So a process that dies at any moment leaves a checkpoint whose best weights are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any  # checkpoint trees, as in checkpoint.py

import msgspec
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.base.files import remove_parts, write_bytes
from farthing.train.checkpoint import load_state, save_state


class RunFolder:
    """Reads and writes the files of one run.

    Args:
        path: the folder; it is made when the first file is written.
        settings: JSON values that decide the result of the run; they are saved, and must be the same on resume.
    """

    def __init__(self, path: Path, settings: Mapping[str, object]) -> None:
        self.path = path
        self._checkpoint = path / "checkpoint.safetensors"
        self._best = path / "best.safetensors"
        self._settings: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))

    def has_checkpoint(self) -> bool:
        """Whether a run was started here."""
        return self._checkpoint.exists()

    def remove_leftovers(self) -> None:
        """Removes the half-written files of a killed run."""
        remove_parts(self.path)
        for path in self.path.glob(".tmp*"):  # safetensors writes under a name of its own first
            path.unlink()

    def save(self, state: Mapping[str, Any], *, best_step: int | None) -> None:
        """Writes the checkpoint, then drops the best weights of other steps than `best_step`.

        Raises:
            DataError: the folder cannot be written or the disk is full; the earlier checkpoint stays.
        """
        save_state(self._checkpoint, {"settings": self._settings, "best_step": best_step, **state})
        self._drop_best_but(best_step)

    def load(self) -> dict[str, Any]:
        """The state that was saved last; does what a run that was killed just after saving it left undone.

        Raises:
            ConfigError: it was saved with other settings.
            FormatError: the checkpoint is damaged.
        """
        state = load_state(self._checkpoint)
        saved = state.pop("settings")
        for name in saved | self._settings:
            if saved.get(name) != self._settings.get(name):
                raise ConfigError(
                    f"{self._checkpoint}: was made with {name}={saved.get(name)!r}, now it is "
                    f"{self._settings.get(name)!r}; resume with the same settings or choose another folder"
                )
        self._drop_best_but(state.pop("best_step"))
        return state

    def save_best(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Keeps `weights` as the best so far."""
        save_state(self._best_of(step), {"model": weights})

    def publish_best(self, step: int) -> None:
        """Gives the weights kept at `step` their final name, beside the old one, which the checkpoint still names."""
        save_state(self._best, load_state(self._best_of(step)))

    def best_weights(self) -> dict[str, Tensor]:
        """The best weights of a finished run."""
        weights: dict[str, Tensor] = load_state(self._best)["model"]
        return weights

    def write_metrics(self, history: Sequence[Mapping[str, float]]) -> None:
        """Writes the whole log: a killed run may have logged steps that are about to be repeated."""
        write_bytes(self.path / "metrics.jsonl", b"".join(msgspec.json.encode(line) + b"\n" for line in history))

    def _drop_best_but(self, step: int | None) -> None:
        for path in self.path.glob("best-*.safetensors"):
            if step is None or path != self._best_of(step):
                path.unlink()

    def _best_of(self, step: int) -> Path:
        return self.path / f"best-{step:09d}.safetensors"
