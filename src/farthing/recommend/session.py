"""What a command does from its options to its result: data opened, settings resolved, choices made and said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from farthing.base.config import apply_overrides
from farthing.base.files import read_json
from farthing.recommend.compare import Comparison, Row
from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.jobs import NewProgress
from farthing.recommend.presets import Shape, build_preset
from farthing.recommend.runs import RUN_FILE, RunInfo, RunResult, run_config, train_run
from farthing.recommend.tune import choose_min_count
from farthing.recommend.variants import FLOAT, build_variants, presets_of_bits

CHOICE_FOLDER = "choice"


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work on one data set.

    Attributes:
        data: a folder that `prepare` wrote.
        out: where the result goes.
        settings: `key=value` overrides of the presets.
        min_count: frequency cut; None takes the one of the log's shape, or chooses one on the validation split.
        jobs: trainings at a time where there are several.
        progress: makes the display of one training from its title.
        say: tells the user one line.
    """

    data: Path
    out: Path
    settings: Sequence[str]
    min_count: int | None
    jobs: int
    progress: NewProgress
    say: Callable[[str], None]

    def train(self, preset: str, *, seed: int, init: Path | None, teacher: Path | None, resume: bool) -> RunResult:
        """Trains one preset into `out`.

        A run that is resumed, continued or taught keeps the frequency cut of the run that it goes back to.
        """
        dataset = Dataset.open(self.data)
        config = build_preset(preset, Shape.of(dataset))
        earlier = self.out if resume and (self.out / RUN_FILE).exists() else init or teacher
        if self.min_count is None and earlier is not None:
            min_count = run_config(read_json(earlier / RUN_FILE, RunInfo)).min_count
        else:
            min_count = self._min_count(dataset)
        config = apply_overrides(replace(config, min_count=min_count), self.settings)
        bar = self.progress(f"train {preset}")
        return train_run(
            dataset, config, folder=self.out, seed=seed, init=init, teacher=teacher, resume=resume, progress=bar
        )

    def compare(self, *, bits: Sequence[int], seeds: int) -> list[Row]:
        """Makes the whole comparison in `out`, and its report."""
        from farthing.recommend.report import write_report  # here: only a comparison needs matplotlib

        presets = presets_of_bits(bits)
        dataset = Dataset.open(self.data)
        min_count = self._min_count(dataset)
        variants = build_variants(Shape.of(dataset), presets=presets, min_count=min_count, overrides=self.settings)
        notes = {"min_count": min_count, "seeds": seeds, "settings": list(self.settings)}
        rows = Comparison(dataset, self.out, seeds, self.jobs, self.progress).run(variants, notes=notes)
        write_report(self.out)
        return rows

    def _min_count(self, dataset: Dataset) -> int:
        """The frequency cut that was given, that the log's shape has, or that FP32 does best with in validation."""
        if self.min_count is not None:
            return self.min_count
        shape = Shape.of(dataset)
        config: RecommendConfig = apply_overrides(build_preset(FLOAT, shape), self.settings)
        if shape.is_criteo:
            return config.min_count
        chosen, scores = choose_min_count(
            dataset, config, folder=self.out / CHOICE_FOLDER, seed=0, workers=self.jobs, progress=self.progress
        )
        listing = ", ".join(f"{cut}: {auc:.4f}" for cut, auc in scores.items())
        self.say(f"min-count {chosen} chosen by the validation AUC of FP32 ({listing})")
        return chosen
