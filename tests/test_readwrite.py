"""Simultaneous translation: delays by hand-made tables, the model under every prefix, and rules that play it."""

import copy
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from conftest import LEAST, WORDS, write_csv

import nlp_gym_envs
from nlp_gym_agents import evaluate
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents.confidence_rule import returns
from nlp_gym_envs.dynamics._delays import average_lagging, average_proportion
from nlp_gym_envs.dynamics._next_word import beginnings
from nlp_gym_envs.dynamics._prefixes import word_ends
from nlp_gym_envs.dynamics.readwrite import READ, WRITE, ReadWrite
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.models.loading import load
from nlp_gym_envs.models.pretraining import Recipe, pretrain
from nlp_gym_envs.task import TASKS

ID = "nlp/translation-readwrite-v0"
NEAR = 1e-4  # a row alone and a row among others differ by rounding
LESS_WORDS = WORDS[:16]


def pair(chance: random.Random) -> tuple[str, str]:
    """A sentence, and its translation: each word backwards."""
    words = chance.choices(LESS_WORDS, k=chance.randint(3, 8))
    words[len(words) // 2] += ","
    spoken = [word.strip(",")[::-1] + "," * word.endswith(",") for word in words]
    return f"{' '.join(words)}.", f"{' '.join(spoken)}."


def write(folder: Path, rows: dict[str, list[tuple[str, str]]]) -> str:
    for split, pairs in rows.items():
        write_csv(folder / f"{split}.csv", ("source", "target"), pairs)
    return str(folder)


@pytest.fixture(scope="module")
def rows() -> dict[str, list[tuple[str, str]]]:
    chance = random.Random(0)
    return {split: [pair(chance) for _ in range(LEAST[split])] for split in LEAST}


@pytest.fixture(scope="module")
def data(rows: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("pairs"), rows)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A T5 that has learned to write such words and to stop."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    chance = random.Random(1)
    pairs = [pair(chance) for _ in range(400)]
    recipe = Recipe(width=32, layers=1, heads=2, inner=64, vocabulary=360, updates=160, batch=768, rate=6e-3, warmup=10,
                    longest=64, dropout=0.0, smoothing=0.0)  # fmt: skip
    pretrain(recipe, [source for source, _ in pairs], [target for _, target in pairs], folder)
    return str(folder)


Make = Callable[..., Any]


@pytest.fixture(scope="module")
def make(model: str, data: str) -> Make:
    """The vector face on these data with this model."""

    def made(num_envs: int = 6, **options: Any) -> Any:
        given = {"model": model, "dataset": data, "longest": 40, "split": "validation", **options}
        return gym.make_vec(ID, num_envs=num_envs, vectorization_mode="vector_entry_point", **given).unwrapped

    return made


def play(env: Any, policy: Callable[[Any], np.ndarray], seed: int = 0) -> list[dict[str, Any]]:
    """One episode in every row; of each its steps' observations, rewards and components, and its end."""
    observations, _ = env.reset(seed=seed)
    count = env.num_envs
    told: list[dict[str, Any]] = [{"seen": [observations[row]], "rewards": [], "parts": []} for row in range(count)]
    running = np.ones(count, bool)
    while running.any():
        observations, rewards, terminated, truncated, infos = env.step(policy(env))
        assert not truncated.any()
        for row in np.flatnonzero(running).tolist():
            told[row]["rewards"].append(float(rewards[row]))
            told[row]["seen"].append(observations[row])
            told[row]["parts"].append({n: float(v[row]) for n, v in infos["reward_components"].items() if n[0] != "_"})
            if terminated[row]:
                ends = infos["episode_metrics"]
                told[row]["metrics"] = {name: float(ends[name][row]) for name in ends if name[0] != "_"}
                told[row]["answer"] = infos["answer"][row]
                dynamics = env.episodes.dynamics
                told[row]["delays"] = dynamics.delays[row, : dynamics.units[row]].tolist()
                told[row]["source"], told[row]["read"] = int(dynamics.source[row]), int(dynamics.read[row])
        running &= ~terminated
    return told


def at_random(seed: int) -> Callable[[Any], np.ndarray]:
    draw = np.random.default_rng(seed)

    def policy(env: Any) -> np.ndarray:
        return np.where(env.action_masks()[:, READ], draw.integers(2, size=env.num_envs), WRITE)

    return policy


def always(action: int) -> Callable[[Any], np.ndarray]:
    return lambda env: np.full(env.num_envs, action)


def wait(k: int) -> Callable[[Any], np.ndarray]:
    """Wait-k in its own words: the n-th unit is written when k + n - 1 words have been read, or all."""

    def policy(env: Any) -> np.ndarray:
        here = env.episodes.dynamics
        return np.where(here.read < np.minimum(here.units + k, here.source), READ, WRITE)

    return policy


# ---------------------------------------------------------------- delays

TABLES = [  # words read when each target word was whole, source words; AL, AP
    ([1, 2, 3, 4], 4, 1.0, 10 / 16),  # wait-1, as long as the source: behind by 1
    ([3, 4, 5, 6, 6, 6], 6, 3.0, 30 / 36),  # wait-3: behind by 3
    ([6, 6, 6, 6, 6, 6], 6, 6.0, 1.0),  # all is read first
    ([5, 5], 5, 5.0, 1.0),
    ([1, 1, 1, 1], 4, (1 + 0 - 1 - 2) / 4, 4 / 16),  # nothing more is read: negative
    ([2, 3, 4, 4, 4, 4, 4, 4], 4, (2 + 2.5 + 3) / 3, 29 / 32),  # twice as long as the source: gamma 2
    ([2, 4], 4, (2 + 2) / 2, 6 / 8),  # half as long: gamma .5
    ([1, 3, 3, 4], 4, (1 + 2 + 1 + 1) / 4, 11 / 16),
    ([], 7, 7.0, 1.0),  # nothing was written
]


@pytest.mark.parametrize(("delays", "source", "lagging", "proportion"), TABLES)
def test_delays_by_hand(delays: list[int], source: int, lagging: float, proportion: float) -> None:
    padded = np.array([delays + [9] * (10 - len(delays)), [source] * 10])
    count, sources = np.array([len(delays), 1]), np.array([source, source])
    assert average_lagging(padded, count, sources)[0] == pytest.approx(lagging)
    assert average_proportion(padded, count, sources)[0] == pytest.approx(proportion)
    assert average_lagging(padded, count, sources)[1] == source and average_proportion(padded, count, sources)[1] == 1


def test_writing_more_than_the_reference_does_not_help_the_adaptive_lagging() -> None:
    delays, source = np.array([[3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6]]), np.array([6])
    plain = [float(average_lagging(delays, np.array([count]), source)[0]) for count in (6, 12)]
    adaptive = [float(average_lagging(delays, np.array([n]), source, np.array([max(n, 12)]))[0]) for n in (6, 12)]
    assert plain[0] == 3.0 and plain[1] > plain[0]  # longer is later to AL, as gamma is higher
    assert adaptive[0] == adaptive[1] == plain[1]


def test_words_and_units() -> None:
    text = "  A man,\tin a  boat. "
    assert [text[:end].split() for end in word_ends(text).tolist()] == [text.split()[:n] for n in range(1, 6)]
    assert word_ends(" ").tolist() == [0]
    pieces = (b"", b" Haus", b"boot", b".", b" (", b"\xc3", b"\xbc", "ü".encode(), b"'s", b" ", "„".encode())
    word = [False, True, False, True, True, False, False, False, True, True, True]
    assert beginnings(pieces, "word").tolist() == word
    assert beginnings(pieces, "token").tolist() == [False] + [True] * 10


# ---------------------------------------------------------------- the model under every prefix


def test_which_tasks(make: Make) -> None:
    accepted = {name for name in TASKS.names() if ReadWrite.accepts(TASKS.get(name))}
    assert {"translation", "multi30k_en_de"} <= accepted and not accepted & {"babi_qa", "squad", "sst2", "qasc"}
    assert {f"nlp/{name}-readwrite-v0" for name in accepted} <= set(nlp_gym_envs.environment_ids())
    env = make()
    assert env.action_meanings == ("read a word", "write a word")
    assert env.horizon == max(len(text.split()) for text in env.task.examples["text"]) + 40


@pytest.fixture(scope="module")
def reference(model: str, data: str) -> Callable[[str, list[int]], torch.Tensor]:
    """The next token's distribution, (V,), from a forward without a cache, on a prefix of a source."""
    loaded = load(model)

    def forward(prefix: str, written: list[int]) -> torch.Tensor:
        source = torch.tensor([loaded.encode([prefix], 128)[0]])
        before = torch.tensor([[loaded.start, *written]])
        with torch.inference_mode():
            logits = loaded.model(input_ids=source, decoder_input_ids=before, use_cache=False).logits[0, -1]
        silent = torch.tensor([not piece and token != loaded.end for token, piece in enumerate(loaded.pieces)])
        return torch.softmax(logits.masked_fill(silent, -torch.inf), 0)

    return forward


def test_the_model_under_every_prefix(make: Make, reference: Any) -> None:
    env = make(4)
    env.reset(seed=0)
    here, compared = env.episodes.dynamics, 0
    texts = env.task.examples["text"][:4]
    for words in range(1, 9):
        for row in np.flatnonzero(here.source >= words).tolist():
            p = reference(" ".join(texts[row].split()[:words]), [])
            end = here.model.end
            allowed = p.clone()
            if words < here.source[row]:
                allowed[end] = 0
            seen, two = here.seen[row], p.topk(2).values
            assert here.read[row] == words and here.next[row] == int(allowed.argmax())
            assert seen[0] == pytest.approx(float(torch.special.entr(p).sum()) / np.log(len(p)), abs=NEAR)
            assert seen[1] == pytest.approx(float(allowed.max()), abs=NEAR)
            assert seen[2] == pytest.approx(float(allowed.max().log()) / 10, abs=NEAR)
            assert seen[3:5] == pytest.approx([float(two[0] - two[1]), float(p[end])], abs=NEAR)
            compared += 1
        if not env.action_masks()[:, READ].all():
            break
        env.step(np.full(4, READ))
    assert compared >= 12


def test_reading_everything_first_is_the_models_own_translation(make: Make, model: str) -> None:
    """Greedy decoding by transformers itself; the oracle, wait-k with a large k, and READ for ever are the same."""
    env, loaded = make(8), load(model)
    told = play(env, lambda env: env.oracle_actions())
    silent = [[n] for n, piece in enumerate(loaded.pieces) if not piece and n != loaded.end]
    for row, text in enumerate(env.task.examples["text"][:8]):
        source = torch.tensor([loaded.encode([text], 128)[0]])
        ids = loaded.model.generate(source, max_new_tokens=40, do_sample=False, num_beams=1, bad_words_ids=silent)[0]
        assert told[row]["answer"] == loaded.text([token for token in ids.tolist()[1:] if token != loaded.end])
        assert set(told[row]["delays"]) <= {told[row]["source"]}
        assert told[row]["metrics"]["average_lagging"] == told[row]["source"]
    assert len({each["answer"] for each in told}) > 3
    for policy in (wait(100), always(READ)):
        assert [each["answer"] for each in play(env, policy)] == [each["answer"] for each in told]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_wait_k(make: Make, k: int) -> None:
    """With a token as the unit the n-th is written after k + n - 1 words, and the agent does what the test says."""
    env = make(8, unit="token")
    for each in play(env, wait(k)):
        expected = [min(k + n, each["source"]) for n in range(len(each["delays"]))]
        assert each["delays"] == expected
        count, source = np.array([len(expected)]), np.array([each["source"]])
        lagging = average_lagging(np.array([[*expected, 0]]), count, source)[0]
        assert each["metrics"]["average_lagging"] == pytest.approx(lagging)
    bridged = make_vec_env(ID, 1, 0, {"model": env.episodes.dynamics.model.name, "unit": "token"})
    agent = make_agent("wait_k", bridged, {"k": k}, 0)
    agent.set_env(env)
    assert_same(play(env, lambda env: agent.predict(env.episodes.observe(np.arange(8)))[0]), play(env, wait(k)))
    bridged.close()


def assert_same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert a["answer"] == b["answer"] and a["delays"] == b["delays"]
        assert a["rewards"] == pytest.approx(b["rewards"], abs=NEAR) and len(a["seen"]) == len(b["seen"])
        assert np.allclose(a["seen"][:-1], b["seen"][:-1], atol=10 * NEAR)


def test_a_write_writes_a_unit(make: Make) -> None:
    env = make(8)
    env.reset(seed=0)
    here, draw, units = env.episodes.dynamics, np.random.default_rng(0), 0
    for _ in range(12):
        before, length = here.units.copy(), here.length.copy()
        actions = np.where(here.read < here.source, draw.integers(2, size=8), WRITE)
        env.step(actions)
        going = ~here.ended & (here.length >= length)  # the others have ended, or begun anew
        wrote = going & (actions == WRITE) & (here.length > length)
        assert (here.length[going & (actions == READ)] == length[going & (actions == READ)]).all()
        assert ((here.units - before)[wrote] <= 1).all() and (here.units[wrote] >= 1).all()
        for row in np.flatnonzero(wrote).tolist():
            tokens = here.written[row, length[row] : here.length[row]]
            assert not here.words.begins[tokens[1:]].any() and here.model.end not in tokens
            assert here.delays[row, here.units[row] - 1] == here.read[row]
            units += 1
    assert units > 20


def test_the_end_is_written_only_when_all_is_read(make: Make) -> None:
    env = make(8)
    hasty = play(env, always(WRITE))
    assert {each["metrics"]["tokens"] for each in hasty} == {40.0}  # never, so the limit ends it
    for each in play(env, at_random(3)):
        assert each["read"] == each["source"] or each["metrics"]["tokens"] == 40


# ---------------------------------------------------------------- what is seen


def test_unread_words_are_not_seen(make: Make, rows: Any, tmp_path: Path) -> None:
    """Other words behind the third, and more of them: up to there an agent sees the same, whatever it does."""
    changed = [(" ".join([*source.split()[:3], "river", "quiet", *["lamps"] * 6]), target) for source, target in
               rows["validation"]]  # fmt: skip
    other = write(tmp_path, {**rows, "validation": changed})
    for actions in ([READ, READ], [WRITE, READ, WRITE, READ], [WRITE, WRITE, READ], [READ, WRITE, WRITE, READ, WRITE]):
        faces = [make(8, dataset=folder) if folder else make(8) for folder in (None, other)]
        there = [face.reset(seed=0)[0] for face in faces]
        long = np.array([len(source.split()) > 3 for source, _ in rows["validation"][:8]])
        assert long.sum() >= 5
        for action in actions:
            assert np.array_equal(there[0][long], there[1][long])
            assert np.array_equal(*(face.action_masks()[long] for face in faces))
            steps = [face.step(np.full(8, action)) for face in faces]
            there = [step[0] for step in steps]
        assert np.array_equal(there[0][long], there[1][long])
        texts = [face.episodes.dynamics.texts(np.arange(8))[long] for face in faces]
        assert texts[0].tolist() == texts[1].tolist()
        while (faces[0].episodes.dynamics.read[long] < 4).any():
            for face in faces:
                face.step(np.full(8, READ))
        assert not np.array_equal(*(face.episodes.observe(np.arange(8))[long] for face in faces))


def test_the_share_read_is_seen_where_it_is_asked_for(make: Make) -> None:
    plain, told = make(4), make(4, length_known=True)
    assert told.single_observation_space.shape[0] == plain.single_observation_space.shape[0] + 1
    told.reset(seed=0)
    told.step(np.full(4, READ))
    here = told.episodes.dynamics
    assert here.observe(np.arange(4))["progress"][:, -1] == pytest.approx(2 / here.source)


def test_progress_by_hand(make: Make) -> None:
    env = make(8)
    env.reset(seed=0)
    here = env.episodes.dynamics
    row = int(here.source.argmax())
    words = env.task.examples["text"][row].split()
    marks = [(float(word[-1] == "."), float(word[-1] == ",")) for word in words]
    assert len(words) >= 6

    def after(action: int) -> list[float]:
        env.step(np.full(8, action))
        return here.observe(np.arange(8))["progress"][row].tolist()

    start = here.observe(np.arange(8))["progress"][row].tolist()
    assert start == pytest.approx([1 / 10, 0, 1 / 3, 0, 0, 0, 0, 0, *marks[0]])
    assert after(READ) == pytest.approx([2 / 10, 0, 2 / 3, 0, 1, 0, 1 / 3, 0, *marks[1]])
    assert after(READ) == pytest.approx([3 / 10, 0, 1, 0, 1, 0, 2 / 3, 0, *marks[2]])
    assert after(WRITE) == pytest.approx([3 / 10, 1 / 10, 2 / 3, 0, 0, 1, 0, 1 / 3, *marks[2]])
    for read in range(4, len(words) + 1):
        whole = float(read == len(words))
        expected = [read / 10, 1 / 10, (read - 1) / 3, whole, 1, 0, (read - 3) / 3, 0, *marks[read - 1]]
        assert after(READ) == pytest.approx(expected)
    assert not env.action_masks()[row, READ]


def test_agreement_of_the_next_token(make: Make) -> None:
    env = make(8)
    env.reset(seed=0)
    here, changes = env.episodes.dynamics, 0
    agreed = np.zeros(8)
    for _ in range(5):
        before, p, entropy = here.next.copy(), here.next_p.copy(), here.entropy.copy()
        reading = here.read < here.source
        env.step(np.where(reading, READ, WRITE))
        if here.ended.any() or not reading.all():
            break
        same = here.next == before
        agreed = np.where(same, agreed + 1, 0)
        changes += int((~same).sum())
        assert here.seen[:, 7].tolist() == same.tolist()
        assert here.seen[:, 8] == pytest.approx(np.minimum(agreed / 4, 1))
        assert here.seen[:, 9] == pytest.approx(here.next_p - p, abs=1e-6)
        assert here.seen[:, 10] == pytest.approx(here.entropy - entropy, abs=1e-6)
    assert changes and agreed.any()


def test_one_row_is_many(make: Make) -> None:
    """Row i of many, and a single face seeded with seed + i, do the same."""
    draw = np.random.default_rng(5)
    plans = draw.integers(2, size=(4, 200))
    many = make(4, split="train")

    def planned(env: Any, rows: list[int]) -> Callable[[Any], np.ndarray]:
        steps = iter(range(200))

        def policy(env: Any) -> np.ndarray:
            step = next(steps)
            return np.where(env.action_masks()[:, READ], plans[rows, step], WRITE)

        return policy

    together = play(many, planned(many, [0, 1, 2, 3]), seed=7)
    for row in range(4):
        single = make(1, split="train")
        assert_same(play(single, planned(single, [row]), seed=7 + row), [together[row]])


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_copies_go_on_as_the_original(make: Make, duplicate: Any) -> None:
    env = make(3)
    env.reset(seed=1)
    for actions in ([0, 1, 0], [1, 0, 1]):
        env.step(np.array(actions))
    twin = duplicate(env)
    for actions in ([0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]):
        came, other = env.step(np.array(actions)), twin.step(np.array(actions))
        assert np.array_equal(came[0], other[0]) and np.array_equal(came[1], other[1])


# ---------------------------------------------------------------- costs and rewards


PAID = ({}, {"metric": "bleu"}, {"delay_cost": 0.9, "wait_cost": 0.02, "metric": {"chrf": 1, "bleu": 3}})


@pytest.mark.parametrize("options", PAID, ids=str)
def test_costs_add_up(make: Make, options: dict[str, Any]) -> None:
    env = make(8, **options)
    weights = {(): {"chrf": 1.0}, ("metric",): {"bleu": 1.0}}.get(tuple(options), {"chrf": 0.25, "bleu": 0.75})
    price = options.get("delay_cost", 0.2)
    ends = {}
    for reward in ("improvement", "final"):
        told = ends[reward] = play(make(8, reward=reward, **options), at_random(4))
        for each in told:
            for paid, parts in zip(each["rewards"], each["parts"], strict=True):
                assert paid == pytest.approx(sum(parts.values()), abs=1e-9) and parts["delay"] <= 0
            sums = {name: sum(parts[name] for parts in each["parts"]) for name in each["parts"][0]}
            assert sums["delay"] == pytest.approx(-price * each["metrics"]["average_proportion"], abs=1e-9)
            standing = sum(weight * each["metrics"][name] for name, weight in weights.items())
            assert sums[reward] == pytest.approx(standing, abs=1e-9)
            assert sums["invalid"] == 0
            low, high = env.reward_range
            assert all(low <= paid <= high for paid in each["rewards"])
    assert [sum(e["rewards"]) for e in ends["final"]] == pytest.approx([sum(e["rewards"]) for e in ends["improvement"]])
    assert len({each["metrics"]["average_proportion"] for each in ends["final"]}) > 3


def test_waiting_costs(make: Make) -> None:
    env = make(1, wait_cost=0.02)
    env.reset(seed=0)
    paid = [env.step([action])[4]["reward_components"]["wait"][0] for action in (WRITE, READ, READ, WRITE, READ)]
    assert paid == pytest.approx([0, 0, -0.02, 0, 0])


def test_a_read_with_nothing_left_writes_and_costs(make: Make) -> None:
    env, twin = make(4), make(4)
    for face in (env, twin):
        face.reset(seed=0)
        while (masks := face.action_masks())[:, READ].any():
            assert masks[:, WRITE].all()
            face.step(np.where(masks[:, READ], READ, WRITE))
    came, other = env.step(np.full(4, READ)), twin.step(np.full(4, WRITE))
    assert came[1] == pytest.approx(other[1] - 0.05)
    assert np.array_equal(came[0], other[0])
    assert came[4]["reward_components"]["invalid"] == pytest.approx(-0.05)


def test_later_costs_more_and_hasty_writing_does_not_pay(make: Make) -> None:
    env = make(24)
    told = {k: play(env, wait(k)) for k in (1, 3, 100)}
    late = {k: np.mean([each["metrics"]["average_proportion"] for each in every]) for k, every in told.items()}
    assert late[1] < late[3] < late[100] == 1.0
    free = make(24, delay_cost=0.0)
    quality = {name: np.mean([sum(each["rewards"]) for each in play(free, policy)])
               for name, policy in (("whole", wait(100)), ("hasty", always(WRITE)))}  # fmt: skip
    assert quality["hasty"] < quality["whole"]


# ---------------------------------------------------------------- the confidence rule, and mistakes


def test_the_confidence_rule(make: Make, model: str, data: str) -> None:
    options = {"model": model, "dataset": data, "longest": 40, "delay_cost": 0.2}
    bridged = make_vec_env(ID, 2, 0, options)
    env = make(8)
    for threshold, same in ((0.0, always(WRITE)), (2.0, wait(100))):
        agent = make_agent("confidence_rule", bridged, {"threshold": threshold}, 0).learn()
        agent.set_env(env)
        ours = play(env, lambda env, agent=agent: agent.predict(env.episodes.observe(np.arange(8)))[0])
        assert [each["answer"] for each in ours] == [each["answer"] for each in play(env, same)]
    agent = make_agent("confidence_rule", bridged, {}, 0).learn()
    game = bridged.get_attr("episodes")[0].dynamics.on("validation", 24)
    examples = np.arange(24)
    best = returns(game, examples, float(agent.level))
    assert all(best.mean() >= returns(game, examples, level).mean() for level in (0.1, 0.5, 0.9, 1.01))
    judged = evaluate(agent, ID, "validation", options, num_envs=24, intervals=False)
    assert judged.episodes["return"] == pytest.approx(best, abs=NEAR)
    bridged.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "letter"}, "word, token"),
        ({"metric": "rouge_l"}, "chrf, bleu"),
        ({"prompt": "translate"}, "{text}"),
        ({"delay_cost": -1}, "delay_cost"),
        ({"longest": 0}, "longest"),
    ],
    ids=str,
)
def test_mistakes(make: Make, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        make(1, **options)


def test_a_model_that_cannot_read_on_is_refused(make: Make, tmp_path: Path) -> None:
    recipe = Recipe("gpt2", width=16, layers=1, heads=2, inner=16, vocabulary=300, updates=1, batch=64)
    pretrain(recipe, ["a b c"], ["d e f"], tmp_path / "gpt2")
    with pytest.raises(BadArgument, match="encoder-decoder"):
        make(1, model=str(tmp_path / "gpt2"))


@pytest.mark.parametrize(("agent", "param"), [("wait_k", {"k": 0}), ("confidence_rule", {"threshold": -1.0})])
def test_mistakes_of_rules(model: str, data: str, agent: str, param: dict[str, Any]) -> None:
    bridged = make_vec_env(ID, 1, 0, {"model": model, "dataset": data})
    with pytest.raises(BadArgument, match=next(iter(param))):
        make_agent(agent, bridged, param, 0)
    bridged.close()
