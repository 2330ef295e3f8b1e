"""`explain`: forced actions lead where they lead, what is not looked at does nothing, words are left out of texts."""

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from play import short
from typer.testing import CliRunner

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import make_vec_env
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._cli import app
from nlp_gym_agents._explanation import Mind, _returns, explain, play, words_left_out
from nlp_gym_envs.errors import BadArgument

READ, LABEL = "nlp/sentiment-read-v0", "nlp/sentiment-label-v0"


def fresh(name: str, env_id: str, options: dict[str, Any], **hyperparameters: Any) -> Any:
    """An agent that has learned nothing."""
    return make_agent(name, make_vec_env(env_id, 4, 0, options), hyperparameters, 0)


class Reader:
    """Reads three chunks, and answers by the sign of one number of the posterior; sees nothing else."""

    def predict(self, seen: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> Any:
        """READ is action 2."""
        return np.where(seen[:, 7] < 0.3, 2, (seen[:, 1] > 0.5).astype(int)), state


@pytest.mark.parametrize(
    ("env_id", "name"),
    [
        (LABEL, "ppo"),
        (LABEL, "dqn"),
        (READ, "recurrent_ppo"),
        (READ, "sarsa"),
        ("nlp/multiple_choice-choices-v0", "maskable_ppo"),
        ("nlp/translation-tokens-v0", "maskable_ppo"),
        ("nlp/sentiment-nudge-v0", "ppo"),
        ("nlp/sentiment-layers-v0", "ppo"),
        ("nlp/sentiment-rates-v0", "sac"),
    ],
)
def test_every_kind_of_environment_and_agent_can_be_explained(env_id: str, name: str) -> None:
    options = short(env_id)
    policy = {"policy": "MlpLstmPolicy"} if name == "recurrent_ppo" else {}
    found = explain(fresh(name, env_id, options, **policy), env_id, "test", options, episodes=2, alternatives=1)
    json.dumps(found, allow_nan=False)
    assert len(found["episodes"]) == 2 and found["parts"]
    space = gym.make(env_id, **options).action_space
    for episode in found["episodes"]:
        assert sum(step["reward"] for step in episode["steps"]) == pytest.approx(episode["return"], abs=1e-5)
        for step in episode["steps"]:
            assert all(0 <= value <= 1 for value in step["parts"].values())
            assert (step["probability"] is None) == isinstance(space, spaces.Box)
            assert len(step["instead"]) <= 1 and all(one["action"] != step["action"] for one in step["instead"])
            if "-tokens-" in env_id:  # what is written, not "candidate 1"
                assert all(one["action"] == "write END" or one["action"][:7] in ("write '", 'write "')
                           for one in (step, *step["instead"]))  # fmt: skip
            if episode["words"] is not None:
                assert len(step["words"]) == len(episode["words"])
    assert (found["episodes"][0]["words"] is not None) == (env_id in (READ, LABEL))


@pytest.mark.parametrize("env_id", [READ, "nlp/multiple_choice-choices-v0", "nlp/sentiment-layers-v0"])
def test_an_action_that_is_forced_leads_where_it_leads(env_id: str) -> None:
    options = {**short(env_id), "split": "test", "order": "random"}
    mind = Mind(fresh("ppo", env_id, options), gym.make(env_id, **options).action_space)
    played = play(mind, env_id, options, np.arange(3))
    again = [(number, at, _at(mind, action), one) for number, one in enumerate(played)
             for at, action in enumerate(one.actions)]  # fmt: skip
    for (number, _), [(_, paid)] in _returns(mind, env_id, options, again).items():
        assert paid == pytest.approx(played[number].paid, abs=1e-4)  # what was done anyway


def _at(mind: Mind, action: Any) -> int:
    return next(at for at, one in enumerate(mind.counted()) if np.array_equal(one, action))


def test_the_answer_that_was_not_given_has_the_return_that_it_would_have_had() -> None:
    found = explain(fresh("ppo", LABEL, {}), LABEL, episodes=8)
    for episode in found["episodes"]:
        [step] = episode["steps"]
        [other] = step["instead"]  # two labels: one is right
        assert {step["reward"], other["return"]} == {0.0, 1.0}
        assert other["probability"] + step["probability"] == pytest.approx(1, abs=1e-3)


def test_a_part_that_is_not_looked_at_does_nothing() -> None:
    found = explain(Reader(), READ, episodes=4)
    assert not found["gives_odds"] and set(found["parts"]) == {"posterior", "change", "confidence", "progress"}
    assert found["parts"]["posterior"] > 0 and found["parts"]["progress"] > 0
    assert found["parts"]["change"] == found["parts"]["confidence"] == 0
    blind = explain(fresh("ppo", READ, {"observation": {"name": "vector", "blank": True}}), READ, "test",
                    {"observation": {"name": "vector", "blank": True}}, episodes=2)  # fmt: skip
    assert not any(blind["parts"].values())


def test_words_are_left_out_of_the_text_and_of_what_is_seen() -> None:
    class Counts:
        """Answers by how much of the text there is: one feature less, another answer."""

        def __init__(self) -> None:
            self.seen: list[np.ndarray] = []

        def predict(self, seen: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> Any:
            self.seen.append(np.array(seen))
            return np.zeros(len(seen), int), state

    options, agent = {"split": "test", "order": "random"}, Counts()
    env = gym.make_vec(LABEL, num_envs=1, vectorization_mode="vector_entry_point", **options).unwrapped
    mind = Mind(agent, env.single_action_space)
    [one] = play(mind, LABEL, options, np.arange(1))
    agent.seen.clear()
    words, lost = words_left_out(mind, env, options, one)
    assert words == env.task.examples["text"][one.example].split() and lost.shape == (1, len(words))
    assert not lost.any()  # it always says the same
    variants = max(agent.seen, key=len)
    assert len(variants) == len(words)
    changed = np.abs(variants - one.seen[0]).max(1) > 1e-3
    assert changed.mean() > 0.8  # nearly every word is a feature of the text


def test_agents_that_look_inside_are_refused_and_numbers_that_make_no_sense() -> None:
    with pytest.raises(BadArgument, match="Oracle looks into the environment"):
        explain(make_agent("oracle", make_vec_env(LABEL, 1), {}, 0), LABEL)
    with pytest.raises(BadArgument, match="episodes must be a whole number of at least 1, got 0"):
        explain(Reader(), READ, episodes=0)


def test_the_command_explains_a_run(tmp_path: Any) -> None:
    call = CliRunner().invoke
    run = str(tmp_path / "run")
    assert (
        call(app, ["train", "--agent", "ppo", "--env", READ, "--steps", "512", "--out", run, "--quiet"]).exit_code == 0
    )
    shown = call(app, ["explain", run, "--episodes", "2"])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("Example ") == 2 and "What it looks at  " in shown.stdout and "words: " in shown.stdout
    found = json.loads(call(app, ["explain", run, "--episodes", "2", "--json"]).stdout)
    assert found["agent"] == "ppo" and len(found["episodes"]) == 2
    missing = call(app, ["explain", str(tmp_path / "none")])
    assert missing.exit_code == 2 and "there is no run in" in missing.stderr
