"""The fifteen promises, in their order, and what holds the project to each."""

from __future__ import annotations

from tests.soak.answers import same_answers_everywhere
from tests.soak.artifacts import damage_is_noticed, hostile_models_are_refused
from tests.soak.images import images_cannot_take_it_down
from tests.soak.kills import checkpoints_survive_power_loss, resume_is_bit_identical
from tests.soak.load import drain_and_reload_lose_nothing, overload_degrades
from tests.soak.logs import bad_input_loses_nothing
from tests.soak.memory import long_runs_stay_flat
from tests.soak.outcome import Promise
from tests.soak.pages import pages_are_safe
from tests.soak.paths import paths_stay_inside
from tests.soak.requests import requests_cannot_take_it_down
from tests.soak.reviews import reviews_are_never_lost
from tests.soak.supply import supply_chain_is_known

PROMISES = (
    Promise(
        1,
        "A model folder can never execute code or crash the process",
        hostile_models_are_refused,
        2.0,
        is_sanitized=True,
    ),
    Promise(2, "Damage is noticed", damage_is_noticed, 0.5),
    Promise(3, "Resume is bit-identical", resume_is_bit_identical, 3.0),
    Promise(4, "Checkpoints survive power loss", checkpoints_survive_power_loss, 1.0),
    Promise(5, "Images can't take it down", images_cannot_take_it_down, 1.0, is_sanitized=True),
    Promise(6, "Paths stay inside", paths_stay_inside, 0.3),
    Promise(7, "Requests can't take it down", requests_cannot_take_it_down, 1.5),
    Promise(8, "Overload degrades, not fails", overload_degrades, 0.6),
    Promise(9, "Drain and reload lose nothing", drain_and_reload_lose_nothing, 1.0),
    Promise(10, "Reviews are never lost", reviews_are_never_lost, 1.0),
    Promise(11, "Same answers everywhere", same_answers_everywhere, 1.0),
    Promise(12, "Web pages are safe by default", pages_are_safe, 0.2),
    Promise(13, "Long runs stay flat", long_runs_stay_flat, 3.0),
    Promise(14, "Bad input loses nothing", bad_input_loses_nothing, 0.5),
    Promise(15, "Supply chain", supply_chain_is_known, 0.2),
)
