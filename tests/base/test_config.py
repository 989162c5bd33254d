from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.config import apply_overrides, from_dict, to_dict
from farthing.base.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Optimizer:
    lr: float = 0.001
    name: Literal["adam", "adagrad"] = "adam"

    def __post_init__(self) -> None:
        if not 0 < self.lr < 1:
            raise ConfigError(f"lr must be in (0, 1), got {self.lr}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    width: int
    bits: int = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    optimizer: Optimizer = field(default_factory=Optimizer)
    dim: int = 16
    low: int = 0
    high: int = 10
    hidden: tuple[int, ...] = (512, 256)
    columns: tuple[str, ...] = ()
    clip_norm: float | None = 1.0
    shuffle: bool = True
    title: str = "plain"
    layers: tuple[Layer, ...] = ()

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ConfigError(f"low must be below high, got {self.low} and {self.high}")


@pytest.mark.parametrize(
    ("override", "name", "value"),
    [
        ("dim=32", "dim", 32),
        (" dim = 32 ", "dim", 32),
        ("hidden=200,200", "hidden", (200, 200)),
        ("hidden=[200, 200]", "hidden", (200, 200)),
        ("hidden=200", "hidden", (200,)),
        ("hidden=[]", "hidden", ()),
        ("columns=a,b", "columns", ("a", "b")),
        ("columns=[a, b]", "columns", ("a", "b")),
        ("clip_norm=none", "clip_norm", None),
        ("clip_norm=None", "clip_norm", None),
        ("clip_norm=.5", "clip_norm", 0.5),
        ("clip_norm=2", "clip_norm", 2.0),
        ("shuffle=false", "shuffle", False),
        ("shuffle=True", "shuffle", True),
        ("title=none", "title", "none"),
        ("title=a=b,c", "title", "a=b,c"),
        ("title=3", "title", "3"),
        ('layers=[{"width": 8, "bits": 1}]', "layers", (Layer(width=8, bits=1),)),
    ],
)
def test_values_are_read_as_the_type_of_their_field(override: str, name: str, value: object) -> None:
    changed = apply_overrides(Settings(), [override])
    assert getattr(changed, name) == value
    assert type(getattr(changed, name)) is type(value)


def test_nested_keys_and_the_last_assignment_count() -> None:
    changed = apply_overrides(Settings(), ["optimizer.lr=0.5", "optimizer.name=adagrad", "optimizer.lr=1e-2"])
    assert changed == Settings(optimizer=Optimizer(lr=0.01, name="adagrad"))


def test_values_that_depend_on_each_other_change_together() -> None:
    assert apply_overrides(Settings(), ["low=20", "high=30"]).low == 20


def test_no_override_changes_nothing() -> None:
    assert apply_overrides(Settings(), []) == Settings()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dim", "must read key=value"),
        ("=3", "must read key=value"),
        ("dimm=3", "unknown setting 'dimm'; did you mean 'dim'?"),
        ("optimizer.learning=3", "unknown setting 'optimizer.learning'; did you mean 'optimizer.lr'?"),
        ("dim=wide", "dim cannot be 'wide'"),
        ("dim=1.5", "dim cannot be '1.5'"),
        ("hidden=1,x", "hidden cannot be '1,x'"),
        ("optimizer.name=sgd", "optimizer.name cannot be 'sgd'"),
        ("optimizer.lr=7", "lr must be in"),
        ("low=11", "low must be below high"),
        ("dim.x=3", "dim has no settings of its own"),
        ("optimizer=adam", "optimizer cannot be 'adam'"),
        ("layers=[{]", "layers cannot be"),
    ],
)
def test_bad_overrides_say_what_is_wrong(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_overrides(Settings(), [override])
    assert message in str(caught.value)


@given(
    dim=st.integers(1, 10**6),
    hidden=st.lists(st.integers(1, 4096), max_size=4),
    clip_norm=st.none() | st.floats(0.1, 10.0),
    title=st.text(max_size=10),
)
def test_dict_and_json_round_trip(dim: int, hidden: list[int], clip_norm: float | None, title: str) -> None:
    config = Settings(dim=dim, hidden=tuple(hidden), clip_norm=clip_norm, title=title, layers=(Layer(width=dim),))
    assert from_dict(Settings, to_dict(config)) == config
    assert from_dict(Settings, json.loads(json.dumps(to_dict(config)))) == config


def test_missing_fields_take_their_defaults() -> None:
    assert from_dict(Settings, {"dim": 4}) == Settings(dim=4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dmi": 4}, "unknown setting 'dmi'; did you mean 'dim'?"),
        ({"optimizer": {"lrr": 0.1}}, "unknown setting 'optimizer.lrr'; did you mean 'optimizer.lr'?"),
        ({"layers": [{"width": 1}, {"width": 2, "bit": 1}]}, "'layers.1.bit'; did you mean 'layers.1.bits'?"),
        ({"dim": "4"}, "Expected `int`"),
        ({"layers": [{}]}, "missing required field `width`"),
        ({"optimizer": {"lr": 2.0}}, "lr must be in"),
    ],
)
def test_from_dict_refuses_what_the_class_does_not_have(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(Settings, values)
    assert message in str(caught.value)


def test_to_dict_wants_a_dataclass() -> None:
    with pytest.raises(ConfigError, match="dataclass"):
        to_dict(3)
