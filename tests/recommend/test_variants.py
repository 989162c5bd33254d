from __future__ import annotations

from dataclasses import replace

import pytest

from farthing.base.errors import ConfigError
from farthing.recommend.presets import PRESET_OF_BITS, Shape, build_preset, seed_binary
from farthing.recommend.variants import Variant, build_variants, presets_of_bits

IDS_ONLY = Shape(num_dense=0, num_fields=10, num_rows=10_000)
CRITEO = Shape(num_dense=13, num_fields=26, num_rows=10_000)
ALWAYS = ["fp32-distilled", "fp32-unfiltered", "int4-ptq", "seed-binary"]


def variants_of(shape: Shape = IDS_ONLY, *overrides: str, min_count: int = 3) -> dict[str, Variant]:
    variants = build_variants(shape, presets=presets_of_bits(PRESET_OF_BITS), min_count=min_count, overrides=overrides)
    return {variant.name: variant for variant in variants}


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        ((32, 8, 4, 2, 1), ["fp32", "int8", "int4", "int2", "binary"]),
        ((1, 4), ["fp32", "int4", "binary"]),
        ((4, 4, 32), ["fp32", "int4"]),
        ((), ["fp32"]),
    ],
)
def test_rows_go_from_many_bits_to_few_with_fp32_always_first(bits: tuple[int, ...], names: list[str]) -> None:
    presets = presets_of_bits(bits)
    assert presets == names
    variants = build_variants(IDS_ONLY, presets=presets, min_count=1, overrides=[])
    assert [variant.name for variant in variants] == names + ALWAYS


@pytest.mark.parametrize("bits", [3, 0, -1, 16])
def test_bits_that_no_preset_has(bits: int) -> None:
    with pytest.raises(ConfigError, match=rf"--bits takes 32, 8, 4, 2, 1, got {bits}"):
        presets_of_bits([32, bits])


def test_what_each_row_is() -> None:
    rows = variants_of()
    bits = {name: row.config.precision.embedding for name, row in rows.items()}
    assert bits == {
        "fp32": 32,
        "int8": 8,
        "int4": 4,
        "int2": 2,
        "binary": 1,
        "fp32-distilled": 32,
        "fp32-unfiltered": 32,
        "int4-ptq": 4,
        "seed-binary": 1,
    }
    cuts = {name: row.config.min_count for name, row in rows.items()}
    assert cuts == dict.fromkeys(rows, 3) | {"fp32-unfiltered": 1, "seed-binary": 1}
    assert {name: row.rounds for name, row in rows.items() if row.rounds} == {"int4-ptq": "fp32"}
    taught = {name for name, row in rows.items() if row.teacher == "fp32"}
    assert taught == {"int8", "int4", "int2", "binary", "fp32-distilled"}
    assert all(row.teacher is None for name, row in rows.items() if name not in taught)
    assert rows["fp32-distilled"].config == replace(rows["fp32"].config, preset="fp32-distilled")
    assert all(row.config.preset == name for name, row in rows.items())
    assert rows["fp32"].config == replace(build_preset("fp32", IDS_ONLY), min_count=3)
    assert rows["int4-ptq"].config.precision == rows["int4"].config.precision
    assert rows["seed-binary"].config.precision == seed_binary().precision
    assert rows["seed-binary"].config.model == seed_binary().model


def test_rows_share_the_architecture_the_cut_and_the_batches_of_the_float_row() -> None:
    rows = variants_of(CRITEO)
    fp32 = rows["fp32"].config
    for name in ("int8", "int4", "int2", "int4-ptq"):
        config = rows[name].config
        assert (config.model, config.min_count) == (fp32.model, fp32.min_count)
        assert config.train.batch_size == fp32.train.batch_size


def test_settings_reach_every_row_but_leave_the_recipe_a_recipe() -> None:
    rows = variants_of(CRITEO, "model.top=64", "train.lr=0.5", "train.fit.max_epochs=1")
    assert {row.config.train.lr for row in rows.values()} == {0.5}
    assert {row.config.train.fit.max_epochs for row in rows.values()} == {1}
    tops = {name: row.config.model.top for name, row in rows.items()}
    assert tops.pop("seed-binary") == seed_binary().model.top
    assert set(tops.values()) == {(64,)}


def test_an_unknown_setting_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'train\.lrr'; did you mean 'train\.lr'"):
        variants_of(CRITEO, "train.lrr=1")
