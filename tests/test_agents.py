"""Every agent of the folder takes a small environment, learns, predicts, is saved and judged by the same words."""

import json
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

import nlp_gym_envs
from nlp_gym_agents import evaluate, make_vec_env
from nlp_gym_agents._agents import AGENTS, make_agent, takes_masks
from nlp_gym_agents._evaluation import corpus_score, mean_score
from nlp_gym_agents._hyperparameters import FOLDERS, as_values, hyperparameters
from nlp_gym_envs.errors import BadArgument, UnknownName
from nlp_gym_envs.metrics.accuracy import Accuracy

LABEL, READ = "nlp/sst2-label-v0", "nlp/sst2-read-v0"
SMALL = {
    "ppo": {"n_steps": 8, "batch_size": 16},
    "maskable_ppo": {"n_steps": 8, "batch_size": 16},
    "recurrent_ppo": {"n_steps": 8, "batch_size": 16, "policy": "MlpLstmPolicy"},
    "trpo": {"n_steps": 8, "batch_size": 16},
    "dqn": {"learning_starts": 8},
    "qrdqn": {"learning_starts": 8},
    "reinforce": {"episodes_per_update": 8},
}
LEARNERS = ("ppo", "a2c", "dqn", "maskable_ppo", "qrdqn", "trpo", "recurrent_ppo", "sarsa", "reinforce")
BASELINES = ("uniform", "majority", "supervised", "threshold", "fixed_fraction", "oracle")
OTHERS = {  # ids of other kinds, and the rules that are for them alone
    "nlp/arc_easy-choices-v0": ("first_choice", "sliding_window", "bandit"),
    "nlp/squad-span-v0": ("first_choice", "sliding_window", "bandit"),
    "nlp/squad-tokens-v0": ("greedy", "sampling", "ngram_blocking", "look_ahead", "beam", "goal_rule"),
    "nlp/multi30k_en_de-readwrite-v0": ("wait_k", "confidence_rule"),
}
OF_NUMBERS = ("sac", "td3", "tqc")  # learners for actions that are numbers
OF_MODELS = ("no_op", "best_constant", "descent", "cma_es")  # rules where an action changes a model
OF_NUDGE = ("random_search", "hill_climb", "prior_correction", "gradient_calibration")  # see test_nudge.py
SUBSPACE, TINY = "nlp/ag_news-subspace-v0", {"probe": 4, "judge": 4, "length": 6, "updates": 0, "horizon": 2}


def fitting(name, env_id, **options):
    env = make_vec_env(env_id, 4, seed=0, env_kwargs=options)
    return make_agent(name, env, SMALL.get(name, {}), 0), env


def test_the_folder_is_the_list():
    elsewhere = {name for rules in OTHERS.values() for name in rules}
    assert set(AGENTS.names()) == {*LEARNERS, *BASELINES, *elsewhere, *OF_NUMBERS, *OF_MODELS, *OF_NUDGE}


@pytest.mark.parametrize("name", [*OF_NUMBERS, *OF_MODELS, "ppo", "uniform", "oracle"])
def test_agents_that_change_a_model_learn_are_judged_and_come_back(name, tmp_path):
    settings = {"learning_starts": 4, "batch_size": 4, "buffer_size": 50} if name in OF_NUMBERS else SMALL.get(name, {})
    settings = {"instances": 2} if name == "best_constant" else settings
    env = make_vec_env(SUBSPACE, 2, 0, TINY)
    agent = make_agent(name, env, settings, 0)
    agent.learn(8)
    judged = evaluate(agent, SUBSPACE, "test", TINY, limit=2)
    assert judged.n == 2 and {"accuracy", "loss", "rise", "forward_passes"} <= set(judged.scores)
    agent.save(tmp_path / "model.zip")
    again = make_agent(name, make_vec_env(SUBSPACE, 2, 0, TINY), settings, 0)
    again.set_parameters(str(tmp_path / "model.zip"), device="cpu")
    if name != "uniform":
        assert judged.answers.tolist() == evaluate(again, SUBSPACE, "test", TINY, limit=2).answers.tolist()
    if name == "no_op":
        assert judged.scores["return"].value == 0.0


@pytest.mark.parametrize("env_id", [LABEL, READ])
@pytest.mark.parametrize("name", [*LEARNERS, *BASELINES])
def test_an_agent_learns_predicts_is_judged_and_comes_back(name, env_id, tmp_path):
    kinds = getattr(AGENTS.get(name), "dynamics", ())
    if kinds and env_id.split("-")[1] not in kinds:
        with pytest.raises(BadArgument, match="is for read environments"):
            fitting(name, env_id)
        return
    agent, env = fitting(name, env_id)
    agent.learn(64)
    observations = env.reset()
    options = {"action_masks": np.stack(env.env_method("action_masks"))} if takes_masks(agent) else {}
    actions, _ = agent.predict(observations, deterministic=True, **options)
    assert actions.shape == (4,) and all(env.action_space.contains(int(action)) for action in actions)
    judged = evaluate(agent, env_id, "test", num_envs=8)
    agent.save(tmp_path / "model.zip")
    again, _ = fitting(name, env_id)
    again.set_parameters(str(tmp_path / "model.zip"), device="cpu")
    if name != "uniform":
        np.testing.assert_array_equal(judged.answers, evaluate(again, env_id, "test", num_envs=8).answers)


@pytest.mark.parametrize(
    ("env_id", "name"),
    [(env_id, name) for env_id, rules in OTHERS.items() for name in (*rules, "oracle", "uniform", "maskable_ppo")],
)
def test_agents_of_other_kinds_learn_are_judged_and_come_back(env_id, name, tmp_path):
    options = {"longest": 8} if "choices" not in env_id and "span" not in env_id else {}
    agent, _ = fitting(name, env_id, **options)
    agent.learn(32)
    judged = evaluate(agent, env_id, "test", options, num_envs=8)
    assert judged.n == len(judged.targets) == 18 and np.isfinite(judged.scores["return"].value)
    assert all(0 <= score.low <= score.value <= score.high <= 1 for name, score in judged.scores.items()
               if name in gym.make(env_id, **options).unwrapped.task.metrics)  # fmt: skip
    agent.save(tmp_path / "model.zip")
    again, _ = fitting(name, env_id, **options)
    again.set_parameters(str(tmp_path / "model.zip"), device="cpu")
    if name not in ("uniform", "sampling"):
        assert judged.answers.tolist() == evaluate(again, env_id, "test", options, num_envs=8).answers.tolist()


@pytest.mark.parametrize("env_id", OTHERS)
def test_rules_are_refused_where_they_do_not_belong(env_id):
    strangers = {name for rules in OTHERS.values() for name in rules} - set(OTHERS[env_id])
    for name in ("threshold", "majority", *sorted(strangers)[:3]):
        with pytest.raises(BadArgument, match="environments, this one's actions are"):
            fitting(name, env_id)


@pytest.mark.parametrize("env_id", [LABEL, READ])
def test_the_floor_is_below_the_ceiling(env_id):
    scores = {}
    for name in ("uniform", "majority", "supervised", "oracle"):
        agent, _ = fitting(name, env_id)
        scores[name] = evaluate(agent.learn(), env_id, "test").scores["accuracy"]
    assert scores["oracle"].value == 1.0
    assert scores["uniform"].high < 1.0 and scores["majority"].high < 1.0


def test_supervised_is_logistic_regression_on_the_same_features():
    agent, env = fitting("supervised", LABEL)
    agent.learn()
    episodes = env.get_attr("episodes")[0]
    train, target = episodes.dynamics.encoded.vectors, episodes.dynamics.task.train.target
    best = max(
        np.mean(LogisticRegression(C=c, max_iter=300).fit(train, target).predict(train) == agent.predict(train)[0])
        for c in (0.001, 0.01, 0.1, 1.0)
    )
    assert best == 1.0


def test_an_evaluation_visits_every_example_once_whatever_the_number_of_rows():
    agent, _ = fitting("majority", READ)
    reference = evaluate(agent.learn(), READ, "test", num_envs=1)
    targets = gym.make(READ, split="test").unwrapped.task.examples.target
    np.testing.assert_array_equal(reference.targets, targets)
    for rows in (3, 64, 1000):
        judged = evaluate(agent, READ, "test", num_envs=rows)
        np.testing.assert_array_equal(judged.answers, reference.answers)
        assert {k: v.value for k, v in judged.scores.items()} == {k: v.value for k, v in reference.scores.items()}
    assert evaluate(agent, READ, "test", limit=5).n == 5


def test_masked_agents_are_judged_with_masks():
    class Stubborn:
        """Wants to read on for ever; obeys masks."""

        def predict(self, observation, state=None, episode_start=None, deterministic=False, action_masks=None):
            assert action_masks is not None
            return np.where(action_masks[:, -1], action_masks.shape[1] - 1, 0), state

    judged = evaluate(Stubborn(), READ, "test")
    assert (judged.episodes["fraction_read"] == 1).all() and (judged.answers == 0).all()


def test_recurrent_agents_keep_their_state_between_steps_and_lose_it_between_episodes():
    class Counter:
        """Reads twice in every episode, counting by its state alone."""

        def predict(self, observation, state=None, episode_start=None, deterministic=False):
            count = np.where(episode_start, 0, 0 if state is None else state)
            return np.where(count < 2, 2, 0), count + 1

    judged = evaluate(Counter(), READ, "test", env_kwargs={"chunk": 1}, num_envs=7)
    assert (judged.episodes["length"] == 3).all() and (judged.episodes["words_read"] == 2).all()


def test_shaping_is_for_learning_and_not_for_judging():
    agent, _ = fitting("majority", READ)
    plain = evaluate(agent.learn(), READ, "test").scores["return"]
    assert evaluate(agent, READ, "test", env_kwargs={"reward": "improvement"}).scores["return"] == plain


def test_intervals_cover_what_they_should():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        answers, targets = (generator.random(300) < 0.3).astype(int), np.zeros(300, int)
        score = corpus_score(Accuracy(), Accuracy().counts(answers, targets), trial)
        assert score.low <= score.value <= score.high
        covered += score.low <= 0.7 <= score.high
    assert 0.88 <= covered / 200 <= 0.99
    assert mean_score(np.full(10, 2.0), 0).low == 2.0


def test_threshold_stops_at_the_first_sure_prefix():
    agent, env = fitting("threshold", READ)
    agent.level, agent.tilt, agent.least = np.array(0.0), np.array(0.0), np.array(0)
    assert (evaluate(agent, READ, "test").episodes["words_read"] == 0).all()
    agent.least = np.array(1)
    assert (evaluate(agent, READ, "test").episodes["length"] == 2).all()
    agent.level = np.array(1.1)
    assert (evaluate(agent, READ, "test").episodes["fraction_read"] == 1).all()


def test_what_threshold_was_fitted_for_is_what_it_earns():
    from nlp_gym_agents.threshold import stopping
    from nlp_gym_envs.dynamics.read import ReadingTable

    agent, env = fitting("threshold", READ)
    agent.learn()
    task = env.get_attr("task")[0].at("validation")
    table = ReadingTable.of(task.examples, task.train, 5)
    stops = stopping(table, agent.level, agent.tilt, agent.least)
    judged = evaluate(agent, READ, "validation")
    np.testing.assert_array_equal(judged.episodes["words_read"], np.minimum((stops - table.start) * 5, table.words))
    np.testing.assert_array_equal(judged.answers, table.favourite[stops])


@pytest.mark.parametrize("name", LEARNERS)
def test_defaults_are_plain_values_for_every_id(name):
    file = next(folder / f"{name}.yml" for folder in FOLDERS if (folder / f"{name}.yml").exists())
    known = yaml.safe_load(file.read_text())
    assert "default" in known and set(known) - {"default"} <= set(nlp_gym_envs.environment_ids())
    for env_id in (LABEL, READ):
        found = hyperparameters(name, env_id)
        assert found["n_timesteps"] > 0
        env = make_vec_env(env_id, 2, env_kwargs=found.pop("env_kwargs", {}))
        found.pop("n_timesteps"), found.pop("n_envs")
        make_agent(name, env, as_values(found), 0)


def test_bad_agents_and_hyperparameters_are_told_what_there_is():
    with pytest.raises(UnknownName, match="did you mean 'ppo'"):
        fitting("pppo", LABEL)
    env = make_vec_env(LABEL, 2)
    with pytest.raises(BadArgument, match="no hyperparameter 'learning_rat'"):
        make_agent("ppo", env, {"learning_rat": 1}, 0)
    with pytest.raises(BadArgument, match="cannot be made"):
        make_agent("ppo", env, {"n_steps": 0}, 0)
    with pytest.raises(BadArgument, match="lin_"):
        as_values({"learning_rate": "lin_fast"})


def test_dict_and_id_observations_choose_their_own_networks():
    for name in ("ppo", "dqn", "recurrent_ppo"):
        for form in ("dict", "ids"):
            agent, _ = fitting(name, LABEL, observation=form)
            assert agent.learn(32).num_timesteps >= 32


@pytest.mark.parametrize("policy", ["CandidatePolicy", "MaskableCandidatePolicy"])
@pytest.mark.parametrize("env_id", ["nlp/squad-tokens-v0", "nlp/squad-span-v0"])
def test_policies_that_score_candidates_alike_do_not_mind_their_order(policy, env_id):
    import torch

    name = "maskable_ppo" if policy.startswith("Maskable") else "ppo"
    env = make_vec_env(env_id, 4, seed=0, env_kwargs={"observation": "dict"})
    chosen = {"policy": f"nlp_gym_agents._scoring.{policy}"}
    agent = make_agent(name, env, {**SMALL[name], **chosen}, 0)
    seen = agent.policy.obs_to_tensor(env.reset())[0]
    count = env.action_space.n
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
    moved = {**seen, "candidates": seen["candidates"].unflatten(1, (count, -1))[:, order].flatten(1)}
    logits, others = (agent.policy.get_distribution(each).distribution.logits for each in (seen, moved))
    torch.testing.assert_close(logits[:, order], others)
    with torch.no_grad():  # of the parts, neither: a buffer's are in another order than an environment's
        value = agent.policy.predict_values(seen)
        turned = agent.policy.predict_values(dict(reversed(seen.items())))
    torch.testing.assert_close(value, turned)
    assert agent.learn(32).num_timesteps >= 32
    prior = {"policy_kwargs": {"candidate_kwargs": {"prior": 1.0}}}
    if "tokens" in env_id:
        agent = make_agent(name, env, {**SMALL[name], **chosen, **prior}, 0)
        seen = agent.policy.obs_to_tensor(env.reset())[0]
        logits = agent.policy.get_distribution(seen).distribution.logits
        moves = env.get_attr("episodes")[0].dynamics
        log_p = np.maximum(moves.log_p - moves.log_p.max(1, keepdims=True), -20)  # the model's own distribution
        torch.testing.assert_close(logits, torch.log_softmax(torch.from_numpy(log_p), 1), atol=1e-4, rtol=0)


SEPARABLE = [(f"{word} number {i}", label) for i in range(60) for word, label in (("good", "yes"), ("bad", "no"))]


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_solves_a_task_of_two_words(name, tmp_path):
    for split in ("train", "validation", "test"):
        lines = "\n".join(json.dumps({"text": f"{split} {text}", "label": label}) for text, label in SEPARABLE)
        (tmp_path / f"{split}.jsonl").write_text(lines)
    env_id = "nlp/sentiment-label-v0"
    options = {"dataset": str(tmp_path), "encoder": {"name": "tfidf", "dimensions": 16}}
    found = hyperparameters(name, env_id)
    env = make_vec_env(env_id, found.pop("n_envs"), env_kwargs=options)
    found.pop("n_timesteps"), found.pop("env_kwargs", None)
    agent = make_agent(name, env, as_values(found), 0)
    agent.learn(8192)
    assert evaluate(agent, env_id, "test", options).scores["accuracy"].value > 0.9


def test_rl_zoo_trains_an_id_with_our_file(tmp_path):
    """The command of the README, with fewer steps."""
    file = next(folder / "ppo.yml" for folder in FOLDERS if (folder / "ppo.yml").exists())
    done = subprocess.run(
        [sys.executable, "-m", "rl_zoo3.train", "--algo", "ppo", "--env", LABEL, "--gym-packages", "nlp_gym_envs",
         "--conf-file", str(file), "-f", str(tmp_path), "-n", "600", "--eval-freq", "-1", "--device", "cpu"],
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(tmp_path.glob("ppo/*/nlp-sst2-label-v0.zip")) or list(tmp_path.rglob("*.zip"))


def test_hyperparameters_are_left_as_they_were_given() -> None:
    given = {"policy_kwargs": {"net_arch": [8]}, "n_steps": 4}
    make_agent("a2c", make_vec_env(SUBSPACE.replace("ag_news", "sentiment"), 2, 0, TINY), given, 0)
    assert given == {"policy_kwargs": {"net_arch": [8]}, "n_steps": 4}
