"""The span pointer: stages, masks, what can be reached, what is paid; sentences and words, baselines, learning."""

import json
import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._evaluation import evaluate
from nlp_gym_envs.dynamics.span import DONE, FIRST, LAST, SENTENCE
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.metrics.f1 import F1
from nlp_gym_envs.text.matching_words import FLAG, TYPES, looks, sentences, type_of

ENV = "nlp/question_answering-span-v0"
PEOPLE = "Ada Bert Cleo Dora Emil Fay Gus Hal".split()
THINGS = "lamp boat drum coin bell rope vase harp".split()
SIZES = {"train": 160, "validation": 48, "test": 48}


def rows_of(split: str, shift: int = 0, unanswerable: bool = True) -> list[dict[str, Any]]:
    """Who bought the thing? One sentence of four says so; one question of eight has no answer."""
    draw = np.random.default_rng(len(split))
    rows = []
    for number in range(SIZES[split]):
        people, things = draw.permutation(PEOPLE), draw.permutation(THINGS)
        told = [
            f"In {1900 + number} {person} bought the old {thing}." for person, thing in zip(people, things, strict=True)
        ]
        none = unanswerable and number % 8 == 0
        asked = things[4] if none else things[number % 4]
        rows.append({"context": " ".join(told[:4]), "question": f"Who bought the old {asked}?",
                     "answers": [] if none else [str(people[(number + shift) % 4])]})  # fmt: skip
    return rows


def write(folder: Path, **options: Any) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for split in SIZES:
        (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows_of(split, **options))))
    return str(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("span"))


def vector(folder: str, rows: int = 48, **options: Any) -> Any:
    return gym.make_vec(ENV, num_envs=rows, dataset=folder, autoreset_mode="Disabled", order="sequential", **options)


def play(env: Any, policy: Any) -> dict[str, np.ndarray]:
    """One episode in every row: return, F1, answer, how often a masked action was paid for."""
    env.reset(seed=0)
    running = np.ones(env.num_envs, bool)
    found = {"return": np.zeros(env.num_envs), "f1": np.zeros(env.num_envs), "invalid": np.zeros(env.num_envs)}
    found["answer"] = np.full(env.num_envs, None, object)
    for _ in range(3):
        _, rewards, over, _, infos = env.step(policy(env))
        found["return"] += rewards * running
        found["invalid"] += infos["reward_components"]["invalid"] * running
        ended = over & running
        if ended.any():
            found["f1"][ended] = infos["episode_metrics"]["f1"][ended]
            found["answer"][ended] = infos["answer"][ended]
        running &= ~over
        if over.any():
            env.reset(options={"reset_mask": over})
    assert not running.any()
    return found


# ---------------------------------------------------------------- stages


def test_each_stage_offers_what_is_there(small: str) -> None:
    env = vector(small)
    env.reset(seed=0)
    moves = env.episodes.dynamics
    words = moves.passages.words
    assert (moves.stage == SENTENCE).all()
    masks = env.action_masks()
    assert (masks[:, :-1].sum(1) == 4).all() and masks[:, -1].all()
    env.step(np.full(48, 1))
    piece = moves.passages.candidates[moves.example, moves.chosen[:, 0]]
    assert (moves.stage == FIRST).all() and (moves.chosen[:, 0] == 1).all()
    masks = env.action_masks()
    assert np.array_equal(masks[:, :-1].sum(1), words.count[piece]) and not masks[:, -1].any()
    env.step(np.full(48, 2))
    assert (moves.stage == LAST).all()
    left = np.minimum(words.count[piece] - moves.chosen[:, 1], 8)
    assert np.array_equal(env.action_masks()[:, :-1].sum(1), left)
    _, _, over, _, infos = env.step(np.zeros(48, int))
    assert over.all() and (moves.stage == DONE).all()
    for row, answer in enumerate(infos["answer"]):
        text = env.task.examples["context"][moves.example[row]]
        first, last = words.first[piece[row]] + moves.chosen[row, 1:]
        assert answer == text[words.begin[first] : words.end[last]] and answer


def test_candidates_come_best_first_and_are_the_words_themselves(small: str) -> None:
    env = vector(small)
    env.reset(seed=0)
    moves = env.episodes.dynamics
    match = moves.passages.seen[..., 1]
    assert (np.diff(match, axis=1) <= 1e-6).all()
    for _ in range(2):
        env.step(np.zeros(48, int))
        rule = np.where(moves.there, moves.slots[:, :-1, 1], np.nan)
        assert (np.diff(rule, axis=1)[~np.isnan(rule[:, 1:])] <= 1e-6).all()
        for row in range(48):
            meant = moves.order[row][moves.there[row]]
            assert sorted(meant) == list(range(min(meant), min(meant) + len(meant)))


def test_a_masked_action_takes_the_first_candidate_and_costs(small: str) -> None:
    beyond, first = (
        play(vector(small), policy) for policy in (lambda env: np.full(48, 31), lambda env: np.zeros(48, int))
    )
    assert beyond["answer"].tolist() == first["answer"].tolist()
    assert beyond["invalid"] == pytest.approx(-0.15) and not first["invalid"].any()
    assert beyond["return"] == pytest.approx(first["return"] - 0.15)


def test_no_answer_is_an_answer_where_training_has_such_questions(small: str, tmp_path: Path) -> None:
    refusing = play(vector(small), lambda env: np.full(48, 32))
    assert (refusing["f1"] == (np.arange(48) % 8 == 0)).all() and set(refusing["answer"]) == {""}
    never = vector(write(tmp_path, unanswerable=False))
    never.reset(seed=0)
    assert not never.action_masks()[:, -1].any()
    assert (play(never, lambda env: np.full(48, 32))["invalid"] < 0).all()


def test_a_passage_without_words_has_no_answer(tmp_path: Path) -> None:
    for split in SIZES:
        rows = [*rows_of(split), {"context": "...", "question": "Who?", "answers": []}]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    env = vector(str(tmp_path), rows=49, split="test")
    seen, _ = env.reset(seed=0)
    assert env.action_masks()[48].tolist() == [False] * 32 + [True] and np.isfinite(seen).all()
    _, rewards, over, _, _ = env.step(np.full(49, 32))
    assert over[48] and rewards[48] == 1.0


# ---------------------------------------------------------------- what is paid


@pytest.mark.parametrize("reward", ["final", "improvement"])
def test_the_oracle_reaches_every_answer(small: str, reward: str) -> None:
    best = play(vector(small, reward=reward, split="test"), lambda env: env.oracle_actions())
    assert (best["f1"] == 1).all() and not best["invalid"].any()
    assert best["return"] == pytest.approx(1.0 if reward == "final" else 0.0)  # nothing is lost on the way


def test_improvement_pays_what_is_lost_when_it_is_lost(small: str) -> None:
    env = vector(small, reward="improvement")
    env.reset(seed=0)
    moves = env.episodes.dynamics
    answerable = np.arange(48) % 8 != 0
    right = env.oracle_actions()
    _, rewards, _, _, _ = env.step(np.where(answerable, (right + 1) % 4, 0))  # another sentence than the right one
    assert rewards[answerable] == pytest.approx(-1.0)
    for _ in range(2):
        _, rewards, _, _, _ = env.step(np.zeros(48, int))
        assert rewards[answerable] == pytest.approx(0.0)  # nothing is left to lose
    assert (moves.stage == DONE).all()


def test_what_can_be_reached_is_the_metric_of_every_span(small: str, tmp_path: Path) -> None:
    """Against the metric itself, span by span, of texts with commas, hyphens, articles and more than one answer."""
    rows = [
        {"context": "The well-known Anna (of the north), an early rider, sold 3.5 lamps. She left the North.",
         "question": "Who sold the lamps?", "answers": ["Anna of the north", "the well-known Anna", "an early rider"]},
    ]  # fmt: skip
    for split in SIZES:
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows * 3)))
    moves = vector(str(tmp_path), rows=1).episodes.dynamics
    spans, metric = moves.reach._spans(0), F1()
    checked = 0
    for sentence, first, length in np.argwhere(spans >= 0):
        if first + length < moves.passages.words.count[moves.passages.candidates[0, sentence]]:
            answer = moves.passages.text(0, sentence, first, first + length)
            expected = metric.value(answer, rows[0]["answers"] and tuple(rows[0]["answers"]))
            assert spans[sentence, first, length] == pytest.approx(expected, abs=1e-6), answer
            checked += 1
    assert checked > 60 and spans.max() == 1.0


# ---------------------------------------------------------------- what is seen


def test_other_answers_change_nothing_that_is_seen(small: str, tmp_path: Path) -> None:
    other = write(tmp_path, shift=1)
    shutil.copy(Path(small) / "train.jsonl", other)  # from whose answers it is learned which sentences answer
    faces = [vector(folder, split="validation") for folder in (small, other)]
    assert faces[0].task.accepted[1] != faces[1].task.accepted[1]
    seen = [[face.reset(seed=0)[0]] for face in faces]
    for action in (1, 0, 2):
        for face, frames in zip(faces, seen, strict=True):
            frames.append(face.step(np.full(48, action))[0])
            frames.append(face.action_masks())
    assert all(np.array_equal(one, other) for one, other in zip(*seen, strict=True))


def test_slots_hold_zeros_where_there_is_no_candidate(small: str) -> None:
    env = vector(small, observation="dict")
    seen, _ = env.reset(seed=0)
    for action in (0, 1, 0):
        slots = seen["candidates"].reshape(48, 33, 18)
        there = env.action_masks()
        assert np.array_equal(slots[..., 0] == 1, there) and not slots[~there].any()
        assert np.array_equal(seen["stage"].sum(1), np.ones(48))
        assert (seen["sentence"].any(1) == (seen["stage"][:, 0] == 0)).all()
        seen = env.step(np.full(48, action))[0]
    assert not seen["candidates"].any() and not seen["stage"].any()


def test_an_encoder_tells_how_similar_sentence_and_question_are(small: str) -> None:
    plain, told = (
        env.reset(seed=0)[0]["candidates"].reshape(48, 33, 18)
        for env in (vector(small, observation="dict"), vector(small, observation="dict", encoder="hashing"))
    )
    assert np.array_equal(plain[..., :14], told[..., :14]) and not plain[..., 14].any()
    assert told[:, :4, 14].std() > 0 and not told[:, 4:-1, 14].any()


def test_long_sentences_are_cut_and_the_best_are_kept(tmp_path: Path) -> None:
    long = " ".join(f"word{i}" for i in range(70))
    rows = [{"context": f"{long} Zed. " + "Nothing here. " * 9 + "Ada kept the bell.", "question": "Who kept the bell?",
             "answers": ["Ada"]}]  # fmt: skip
    for split in SIZES:
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows * 3)))
    env = vector(str(tmp_path), rows=1, sentences=3, words=16, span=4)
    env.reset(seed=0)
    moves = env.episodes.dynamics
    assert moves.passages.words.count.max() <= 16 and moves.passages.words.pieces[0] == 5 + 9 + 1
    assert env.action_masks()[0, :-1].sum() == 3 and env.single_action_space.n == 17
    assert moves.passages.text(0, 0) == "Ada kept the bell"
    assert play(env, lambda env: env.oracle_actions())["f1"][0] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"words": 4}, "words must be"), ({"words": 300}, "words must be"), ({"sentences": 0}, "sentences"),
     ({"span": 2.5}, "span"), ({"encoder": 7}, "encoder")],
)  # fmt: skip
def test_mistakes_are_told(small: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        vector(small, rows=1, **options)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Dr. J. Smith came. He left!", ["Dr. J. Smith came. ", "He left!"]),
        ('She said: "No." Then 3 men came.', ['She said: "No." ', "Then 3 men came."]),
        ("It cost $3.50 in all. Yes", ["It cost $3.50 in all. ", "Yes"]),
        ("no end", ["no end"]),
        ("", [""]),
        ("这是。那是！", ["这是。", "那是！"]),
    ],
)
def test_sentences_end_where_they_end(text: str, pieces: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == pieces


@pytest.mark.parametrize(
    ("question", "kind"),
    [("Who came?", "person"), ("In what year was it?", "time"), ("When?", "time"), ("How many came?", "number"),
     ("Where is it?", "place"), ("Why?", "cause"), ("How did she come?", "manner"), ("What is it?", "thing")],
)  # fmt: skip
def test_questions_ask_for_a_kind_of_answer(question: str, kind: str) -> None:
    assert TYPES[type_of(question)] == kind


def test_words_show_what_they_are() -> None:
    told = {word: {name for name in FLAG if looks(word)[FLAG[name]]} for word in ("Anna", "1893", "$3.50", "by", "May")}
    assert told == {"Anna": {"capital"}, "1893": {"digits", "year"}, "$3.50": {"digits", "money"},
                    "by": {"function", "agent"}, "May": {"capital", "calendar", "function"}}  # fmt: skip


# ---------------------------------------------------------------- agents


def f1(agent: Any, folder: str, **options: Any) -> float:
    return evaluate(agent, ENV, "test", {"dataset": folder, **options}, intervals=False).scores["f1"].value


def test_baselines_stand_where_they_should(small: str) -> None:
    found = {}
    for name in ("uniform", "first_choice", "sliding_window", "bandit", "oracle"):
        agent = make_agent(name, make_vec_env(ENV, 16, 0, {"dataset": small}), {}, 0)
        found[name] = f1(agent.learn(), small)
    assert found["oracle"] == 1.0
    assert found["uniform"] < 0.3 < found["bandit"] and found["bandit"] > found["first_choice"]
    assert found["uniform"] < found["sliding_window"]


def test_bandit_is_the_same_after_save_and_load(small: str, tmp_path: Path) -> None:
    env = make_vec_env(ENV, 16, 0, {"dataset": small})
    agent = make_agent("bandit", env, {}, 0).learn()
    agent.save(tmp_path / "bandit.zip")
    again = type(agent).load(tmp_path / "bandit.zip", env)
    assert np.array_equal(agent.weights, again.weights) and f1(agent, small) == f1(again, small)


@pytest.mark.parametrize("alike", [False, True])
def test_an_agent_learns_to_point(small: str, alike: bool) -> None:
    """With a net of any shape, and with one that scores all candidates alike."""
    from sb3_contrib import MaskablePPO

    from nlp_gym_agents._scoring import MaskableCandidatePolicy

    form = "dict" if alike else "vector"
    env = make_vec_env(ENV, 32, 0, {"dataset": small, "reward": "improvement", "observation": form})
    agent = MaskablePPO(MaskableCandidatePolicy if alike else "MlpPolicy", env, n_steps=24, batch_size=192, n_epochs=4,
                        learning_rate=3e-3, gamma=1.0, seed=0, device="cpu")  # fmt: skip
    before = f1(agent, small, observation=form)
    agent.learn(8_000)
    assert f1(agent, small, observation=form) > max(0.75, before + 0.1)
