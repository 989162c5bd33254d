"""Over HTTP a row has the probability that `predict` gives it, and a server survives what is done to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from starlette.testclient import TestClient

from farthing.recommend.modelfolder import export_run, load_model
from farthing.recommend.predict import predict_log
from farthing.recommend.service import ScoreRequest, ScoreService, ServedModel
from farthing.serve.app import Limits, create_app
from farthing.serve.metrics import Metrics
from farthing.serve.models import CurrentModel
from farthing.serve.requests import RefusedError
from tests.recommend import small

WAIT_S = 60.0
SERVICE = ScoreService()


@pytest.fixture(scope="module", params=["mixed", "ids_only"])
def folder(request: pytest.FixtureRequest, trained: small.Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("served") / "model"
    export_run(trained(request.param, "int4"), out)
    return out


@pytest.fixture(scope="module")
def model(folder: Path) -> ServedModel:
    return ServedModel.load(folder)


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    metrics = Metrics()
    app = create_app(SERVICE, CurrentModel(folder, ServedModel.load, metrics), metrics, limits=Limits())
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def rows_of(model: ServedModel) -> list[dict[str, Any]]:
    frame = small.clicks(with_numbers=bool(model.schema.dense)).head(40)
    return frame.select(model.values.columns).to_dicts()


def test_rows_score_as_predict_scores_them(
    folder: Path, model: ServedModel, client: TestClient, tmp_path: Path
) -> None:
    rows = rows_of(model)
    small.clicks(with_numbers=bool(model.schema.dense)).head(40).write_parquet(tmp_path / "log.parquet")
    answer = client.post("/v1/score", json={"rows": rows, "order": True}).json()
    out = tmp_path / "scores.parquet"
    if model.schema.format == "parquet":
        predict_log(load_model(folder), [tmp_path / "log.parquet"], out)
    else:
        small.clicks(with_numbers=bool(model.schema.dense)).head(40).write_csv(tmp_path / "log.csv")
        predict_log(load_model(folder), [tmp_path / "log.csv"], out)
    assert answer["probability"] == pl.read_parquet(out)["probability"].to_list()
    ranked = [answer["probability"][place] for place in answer["order"]]
    assert ranked == sorted(answer["probability"], reverse=True)
    assert answer["model"] == model.hash


def test_a_row_scores_alike_alone_and_among_others(model: ServedModel, client: TestClient) -> None:
    rows = rows_of(model)
    together = client.post("/v1/score", json={"rows": rows}).json()["probability"]
    alone = [client.post("/v1/score", json={"rows": [row]}).json()["probability"][0] for row in rows[:5]]
    assert alone == together[:5]


def test_a_context_is_a_part_of_every_candidate(model: ServedModel, client: TestClient) -> None:
    rows = rows_of(model)[:6]
    own = model.values.columns[-1]
    context = {name: value for name, value in rows[0].items() if name != own}
    ranking = {"context": context, "candidates": [{own: row[own]} for row in rows]}
    whole = {"rows": [{**context, own: row[own]} for row in rows]}
    answers = [client.post("/v1/score", json=body).json()["probability"] for body in (ranking, whole)]
    assert answers[0] == answers[1]


def test_missing_in_any_form_is_missing(model: ServedModel, client: TestClient) -> None:
    name = model.values.columns[-1]
    rows: list[dict[str, Any]] = [{}, {name: None}, {name: ""}, {name: "never seen"}]
    scores = client.post("/v1/score", json={"rows": rows}).json()["probability"]
    assert scores[0] == scores[1] == scores[2]
    assert len(scores) == 4


def test_what_a_log_has_beside_the_features_is_no_fault(model: ServedModel, client: TestClient) -> None:
    assert client.post("/v1/score", json={"rows": [{model.schema.label: 1}]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "send rows, or a context with candidates"),
        ({"context": {}}, "send rows, or a context with candidates"),
        ({"rows": [{}], "candidates": [{}]}, "send rows, or a context with candidates"),
        ({"rows": [{}], "context": {}}, "send rows, or a context with candidates"),
        ({"rows": []}, "the body is not what /openapi.json says at $.rows"),
        ({"rows": [{}, {"nothing": 1}]}, "rows[1]: the model has no column 'nothing'; /v1/model lists"),
        ({"context": {"nothing": 1}, "candidates": [{}]}, "context: the model has no column 'nothing'"),
        ({"rows": [{}] * 5000}, "a request has at most 4096 rows, got 5000"),
    ],
)
def test_bad_requests_say_what_is_wrong(client: TestClient, body: dict[str, Any], message: str) -> None:
    answer = client.post("/v1/score", json=body)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_a_number_that_is_none_names_its_row_and_column(model: ServedModel) -> None:
    if not model.schema.dense:
        pytest.skip("this log has no numbers")
    column = model.schema.dense[0]
    for value in ("abc", "nan", "1e999", "inf"):
        with pytest.raises(RefusedError, match=rf"rows\[1\]: column {column}: `{value}` is not a finite number"):
            SERVICE.prepare(model, ScoreRequest(rows=[{}, {column: value}]))


def test_a_name_that_is_nearly_right_gets_a_hint(model: ServedModel) -> None:
    name = model.values.columns[-1]
    with pytest.raises(RefusedError, match=f"did you mean '{name}'"):
        SERVICE.prepare(model, ScoreRequest(rows=[{f"{name}x": 1}]))


def test_the_interface_describes_itself(model: ServedModel, client: TestClient) -> None:
    described = client.get("/v1/model").json()
    assert described["hash"] == model.hash
    assert {*described["numbers"], *described["categories"]} == set(model.values.columns)
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert {"ScoreRequest", "ScoreAnswer", "ModelAnswer", "ErrorAnswer"} <= schemas.keys()
    page = client.get("/").text
    assert model.hash in page
    assert "<script" not in page


@pytest.mark.slow
def test_a_server_reloads_at_sighup_and_drains_at_sigterm(folder: Path, tmp_path: Path) -> None:
    served = tmp_path / "model"
    shutil.copytree(folder, served)
    command = [sys.executable, "-m", "farthing", "recommend", "serve", str(served), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        url = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        with httpx.Client(base_url=url, timeout=WAIT_S) as client:
            first = client.post("/v1/score", json={"rows": [{}]}).json()
            (served / "model.safetensors").write_bytes(b"damaged")
            server.send_signal(signal.SIGHUP)
            _wait_for(client, 'farthing_reloads_total{result="refused"} 1')
            assert client.post("/v1/score", json={"rows": [{}]}).json()["model"] == first["model"]
            server.send_signal(signal.SIGTERM)
        server.stdout.read()
        assert server.wait(WAIT_S) == 0


def _wait_for(client: httpx.Client, line: str) -> None:
    end = time.monotonic() + WAIT_S
    while line not in (text := client.get("/metrics").text).splitlines():
        assert time.monotonic() < end, text
        time.sleep(0.02)


def test_the_token_file_guards_other_interfaces(folder: Path) -> None:
    command = [sys.executable, "-m", "farthing", "recommend", "serve", str(folder), "--host", "0.0.0.0"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "--token-file must name a file" in ran.stderr


def test_answers_are_json_of_their_types(model: ServedModel) -> None:
    answer = SERVICE.score([SERVICE.prepare(model, ScoreRequest(rows=[{}]))])[0]
    assert json.dumps(answer.probability)
    assert answer.order is None
