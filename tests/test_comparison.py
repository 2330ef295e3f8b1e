"""Comparisons: runs against runs, agents of results against each other, and what cannot be compared."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nlp_gym_agents._benchmark import run
from nlp_gym_agents._cli import app
from nlp_gym_agents._comparison import compare, in_words
from nlp_gym_agents._experiment import Experiment, train
from nlp_gym_agents._plan import Benchmark
from nlp_gym_envs.errors import BadArgument

LABEL, READ = "nlp/sentiment-label-v0", "nlp/sentiment-read-v0"


def reviews(folder: Path, texts: int) -> dict[str, Any]:
    """Keywords for short reviews."""
    words = (("fine", "good"), ("poor", "bad"))
    lines = [f"a film that was {words[n % 2][0]} on day {n} of {n % 7},{words[n % 2][1]}" for n in range(texts)]
    path = folder / f"reviews{texts}.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return {"dataset": str(path)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("comparisons")


@pytest.fixture(scope="module")
def mine(folder: Path) -> dict[str, Any]:
    return reviews(folder, 200)


@pytest.fixture(scope="module")
def results(folder: Path, mine: dict[str, Any]) -> str:
    """Two ids, three baselines, one of them with three seeds."""
    envs = [{"id": env, "env_kwargs": mine} for env in (LABEL, READ)]
    agents = ["majority", "supervised", {"agent": "uniform", "seeds": 3}]
    run(Benchmark("small", envs, agents, splits=["test"]), folder / "results", workers=0)
    return str(folder / "results")


def test_agents_of_results_are_compared_on_every_id_they_share(results: str) -> None:
    report = compare(f"{results}:supervised", f"{results}:uniform")
    assert [row["env"] for row in report["rows"]] == [LABEL, READ] and len(report["words"]) == 3
    for row in report["rows"]:
        value, low, high = row["difference"]
        assert 0 < low <= value <= high and row["seeds"] == [1, 3] and row["n"] == 21 and row["above"] > 0.99
        assert f"supervised is above uniform on {row['env']}" in row["words"]
        assert "21 test examples and 1 against 3 seeds" in row["words"] and "accuracy x 100" in row["words"]
        means = [sum(side) / len(side) for side in row["scores"]]
        assert value == pytest.approx(means[0] - means[1], abs=1e-6)
    assert report["overall"]["improvement"][0] == 1 and "probability of 100%" in report["words"][-1]
    back = compare(f"{results}:uniform", f"{results}:supervised")
    assert back["rows"][0]["difference"][0] == -report["rows"][0]["difference"][0]
    assert "uniform is below supervised" in back["words"][0]


def test_an_agent_cannot_be_told_from_itself(results: str) -> None:
    report = compare(f"{results}:majority", f"{results}:majority", metric="return")
    assert report["rows"][0]["difference"] == [0, 0, 0] and "cannot be told apart" in report["words"][0]
    assert report["words"][-1].startswith("With one seed each")
    assert report["first"] != report["second"] or report["first"].startswith(results)


def test_runs_are_judged_and_compared_with_each_other_and_with_results(
    folder: Path, mine: dict[str, Any], results: str
) -> None:
    runs = [
        train(Experiment(agent, LABEL, env_kwargs=mine), folder / agent).folder for agent in ("supervised", "majority")
    ]
    report = compare(str(runs[0]), str(runs[1]))
    (row,) = report["rows"]
    assert report["first"] == "supervised" and row["difference"][1] > 0 and row["n"] == 21
    mixed = compare(str(runs[0]), f"{results}:majority")
    assert mixed["rows"][0]["difference"] == row["difference"]


def test_what_was_not_measured_on_the_same_is_refused(folder: Path, mine: dict[str, Any], results: str) -> None:
    first = f"{results}:majority"
    with pytest.raises(BadArgument, match="'bleu' was not measured here; there are: accuracy"):
        compare(first, first, metric="bleu")
    with pytest.raises(BadArgument, match="no finished cell of 'ppo', as is; it has: majority, supervised, uniform"):
        compare(first, f"{results}:ppo")
    with pytest.raises(BadArgument, match="say which agent of .*: .*:majority, "):
        compare(results, first)
    with pytest.raises(BadArgument, match="neither a run's folder nor FOLDER:AGENT"):
        compare("nowhere", first)
    entry = {"id": LABEL, "env_kwargs": mine, "limit": 5}
    run(Benchmark("less", [entry], ["majority"], splits=["test"]), folder / "less", workers=0)
    with pytest.raises(BadArgument, match="judged on 21 and 5 examples"):
        compare(first, f"{folder / 'less'}:majority")
    path = Path(mine["dataset"])
    before = path.read_text()
    path.write_text(before.replace("fine", "nice"))
    try:
        from nlp_gym_envs.text.corpora import forget

        forget()
        run(
            Benchmark("others", [{**entry, "limit": None}], ["majority"], splits=["test"]), folder / "others", workers=0
        )
    finally:
        path.write_text(before)
        forget()
    with pytest.raises(BadArgument, match="different data"):
        compare(first, f"{folder / 'others'}:majority")


def test_the_command_prints_words_or_one_object(results: str) -> None:
    runner = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"})
    arguments = ["compare", f"{results}:supervised", f"{results}:majority"]
    words = runner.invoke(app, arguments)
    assert words.exit_code == 0 and words.stdout.count("\n") == 4 and "supervised is above majority" in words.stdout
    report = json.loads(runner.invoke(app, [*arguments, "--json"]).stdout)
    assert report["words"] == words.stdout.splitlines()
    wrong = runner.invoke(app, ["compare", "nowhere", "nowhere"])
    assert wrong.exit_code == 2 and wrong.stderr.startswith("Error: nowhere is neither")


def test_words_keep_the_scale_of_what_is_counted() -> None:
    row = {"env": LABEL, "env_kwargs": "", "metric": "length", "n": 1000, "seeds": [5, 5],
           "scores": [[3.0], [5.5]], "difference": [-2.5, -3.0, -2.0]}  # fmt: skip
    assert in_words("a", "b", row) == (
        f"a is below b on {LABEL}: length 3.0 against 5.5, a difference of -2.5 [-3.0, -2.0] (95% interval, paired "
        "bootstrap over 1,000 test examples and 5 seeds each)."
    )
