"""Token choice: candidates are the model's own, costs and features are what hand-made cases say, rules do as they say.

Three small models with random weights are made here: T5, GPT-2, and BART, whose END is made likely.
"""

import functools
import itertools
import json
import random
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from conftest import FOLDER, write_csv
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents._agents import AGENTS
from nlp_gym_envs.dynamics._candidates import NOTHING, last_tokens, repeats
from nlp_gym_envs.dynamics._prompts import lexicons
from nlp_gym_envs.errors import BadArgument, BadData, NotAvailable
from nlp_gym_envs.models.loading import load
from nlp_gym_envs.text.lexicon import lexicon

ID = "nlp/translation-tokens-v0"
WORDS = {
    "the": "der", "miller": "Müller", "river": "Fluss", "boats": "Boote", "rain": "Regen", "garden": "Garten",
    "clerks": "Schreiber", "letters": "Briefe", "window": "Fenster", "bread": "Brot", "maps": "Karten",
    "over": "über", "snow": "Schnee", "clocks": "Uhren", "lamps": "Lampen", "quiet": "ruhig",
}  # fmt: skip
PAD, END = "<pad>", "</s>"
LONGEST = 12
every_model = pytest.mark.parametrize("model", ["t5", "gpt2", "bart"])


def pairs(split: str) -> list[tuple[str, str]]:
    chance = random.Random(split)
    sentences = [chance.choices(list(WORDS), k=chance.randint(2, 5)) for _ in range({"train": 60}.get(split, 20))]
    return [(" ".join(words), " ".join(WORDS[word] for word in words)) for words in sentences]


@functools.cache
def corpus() -> str:
    for split in ("train", "validation", "test"):
        write_csv(FOLDER / "tokens" / f"{split}.csv", ("source", "target"), pairs(split))
    return str(FOLDER / "tokens")


def tokenizer(ends: bool) -> PreTrainedTokenizerFast:
    """Byte-level, so that a character may be several tokens; `ends`: a text ends with END."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=[PAD, END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator(sorted({f" {text}" for pair in pairs("train") for text in pair}), trainer)
    if ends:
        made.post_processor = processors.TemplateProcessing(f"$A {END}", special_tokens=[(END, 1)])
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=PAD, eos_token=END)


@functools.cache
def saved(name: str) -> str:
    """The folder of a small model with random weights, large enough that probabilities differ."""
    words, folder = tokenizer(ends=name != "gpt2"), FOLDER / "models" / name
    size = len(words)
    torch_state = torch.get_rng_state()
    torch.manual_seed(1)
    if name == "gpt2":
        model: Any = GPT2LMHeadModel(
            GPT2Config(vocab_size=size, n_positions=80, n_embd=32, n_layer=2, n_head=4, eos_token_id=1)
        )
    elif name == "t5":
        config: Any = T5Config
        model = T5ForConditionalGeneration(
            config(
                vocab_size=size,
                d_model=32,
                d_kv=8,
                d_ff=48,
                num_layers=2,
                num_heads=4,
                decoder_start_token_id=0,
                pad_token_id=0,
                eos_token_id=1,
            )
        )
    else:
        model = BartForConditionalGeneration(
            BartConfig(
                vocab_size=size,
                d_model=32,
                encoder_layers=1,
                decoder_layers=2,
                encoder_attention_heads=4,
                decoder_attention_heads=4,
                encoder_ffn_dim=48,
                decoder_ffn_dim=48,
                max_position_embeddings=80,
                decoder_start_token_id=0,
                pad_token_id=0,
                eos_token_id=1,
                bos_token_id=0,
                forced_eos_token_id=None,
            )
        )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.2) if parameter.ndim > 1 else None
        if name == "bart":
            model.final_logits_bias[0, 1] = 2.0
    torch.set_rng_state(torch_state)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return str(folder)


def made(model: str = "t5", rows: int = 5, mode: str = "SameStep", **options: Any) -> Any:
    options = {"longest": LONGEST, "longest_prompt": 40, "dataset": corpus(), **options}
    return gym.make_vec(ID, num_envs=rows, autoreset_mode=mode, model=saved(model), **options)


def game(model: str = "t5", rows: int = 5, **options: Any) -> Any:
    """The dynamics alone, each row at the beginning of the example of its own number."""
    moves = made(model, rows, **options).episodes.dynamics
    moves.begin(np.arange(rows), np.arange(rows))
    return moves


def forced(moves: Any, row: int, token: int) -> dict[str, np.ndarray]:
    """Write one token, whatever the candidates are."""
    moves.candidates[row, 0], moves.allowed[row, 0] = token, True
    return moves.act(np.array([row]), np.array([0]))


def spelled(moves: Any, text: str) -> list[int]:
    return moves.tokenizer(text, add_special_tokens=False)["input_ids"]


def random_moments(moves: Any, count: int, seed: int = 0, allowed: bool = True) -> Any:
    """Play at random; at each moment the rows that are running. Rows that end begin with another example."""
    draw, rows = np.random.default_rng(seed), np.arange(len(moves.example))
    for _ in range(count):
        yield rows
        wish = draw.random((len(rows), moves.k)) + (2.0 * moves.allowed if allowed else 0)
        moves.act(rows, wish.argmax(1))
        over = rows[moves.over(rows)]
        if len(over):
            moves.begin(over, draw.integers(len(moves.task.examples), size=len(over)))


def play(env: Any, name: str, **options: Any) -> list[list[int]]:
    """What an agent writes to the first examples, as tokens."""
    agent = AGENTS.get(name)("none", env, seed=0, **options)
    moves, rows = env.episodes.dynamics, np.arange(env.num_envs)
    moves.begin(rows, rows)
    while len(running := rows[~moves.over(rows)]):
        actions, _ = agent.predict(env.episodes.observe(rows), action_masks=moves.masks(rows))
        moves.act(running, actions[running])
    return [moves.written[row, : moves.length[row]].tolist() for row in rows]


def recomputed(moves: Any, row: int) -> np.ndarray:
    """The next token's log-probabilities by one forward without cache on the text so far, (V,); silent ones at -inf."""
    whole = moves.model
    prompt, written = moves.source[row, : moves.read[row]].tolist(), moves.written[row, : moves.length[row]].tolist()
    with torch.inference_mode():
        if whole.family == "decoder":
            logits = whole.model(input_ids=torch.tensor([prompt + written]), use_cache=False).logits[0, -1]
        else:
            begun = torch.tensor([[whole.start, *written]])
            logits = whole.model(input_ids=torch.tensor([prompt]), decoder_input_ids=begun, use_cache=False).logits[
                0, -1
            ]
    silent = [not piece and token != whole.end for token, piece in enumerate(whole.pieces)]
    return torch.log_softmax(logits.float().masked_fill(torch.tensor(silent), -torch.inf), 0).numpy()


# ---------------------------------------------------------------- candidates


@every_model
def test_candidates_are_the_models_likeliest_tokens(model: str) -> None:
    moves = game(model, floor=0.3)
    for rows in random_moments(moves, 25):
        for row in rows.tolist():
            expected, tokens = recomputed(moves, row), moves.candidates[row]
            np.testing.assert_allclose(moves.log_p[row], np.maximum(expected[tokens], -100), atol=1e-4)
            best = np.sort(expected)[::-1][: moves.k]
            count = moves.k if moves.model.end in np.argsort(-expected)[: moves.k] else moves.k - 1
            np.testing.assert_allclose(expected[tokens[:count]], best[:count], atol=1e-4)
            assert len(set(tokens.tolist())) == moves.k and moves.model.end in tokens
            likely = expected[tokens] >= expected[tokens].max() + np.log(0.3)
            assert (moves.allowed[row] == likely | (tokens == moves.model.end)).all()
            assert not any(not moves.model.pieces[token] for token in tokens if token != moves.model.end)


def test_a_masked_candidate_writes_the_likeliest_and_costs() -> None:
    moves = game(floor=0.99)
    action = int(np.flatnonzero(~moves.allowed[2])[0])
    likeliest = moves.candidates[2, moves.log_p[2].argmax()]
    assert moves.act(np.array([2]), np.array([action]))["invalid"][0] == pytest.approx(0.05)
    assert moves.written[2, 0] == likeliest and moves.length.tolist() == [0, 0, 1, 0, 0]


@every_model
def test_end_stops_and_so_does_the_longest_answer(model: str) -> None:
    env = made(model, rows=2, mode="Disabled", longest=3)
    env.reset(seed=0)
    moves = env.episodes.dynamics
    end = int((moves.candidates[0] == moves.model.end).argmax())
    going = int((moves.candidates[1] != moves.model.end).argmax())
    _, _, terminated, truncated, infos = env.step(np.array([end, going]))
    assert terminated.tolist() == [True, False] and not truncated.any()
    assert infos["answer"][0] == "" and infos["episode_metrics"]["tokens"][0] == 0
    rows = np.array([1])
    for _ in range(2):
        assert not moves.over(rows)[0]
        moves.act(rows, (moves.candidates[rows] != moves.model.end).argmax(1))
    assert moves.over(rows)[0] and moves.length[1] == 3 == moves.horizon


def test_the_surprise_of_an_episode_is_its_mean_over_actions() -> None:
    moves = game("bart", longest=4)
    rows, total, count = np.arange(5), np.zeros(5), np.zeros(5)
    while len(running := rows[~moves.over(rows)]):
        action = (np.arange(len(running)) + count[running].astype(int)) % 3
        allowed = moves.allowed[running, action]
        action = np.where(allowed, action, moves.log_p[running].argmax(1))
        p = np.where(moves.allowed[running], np.exp(moves.log_p[running].astype(float)), 0)
        total[running] -= np.log(p[np.arange(len(running)), action] / p.sum(1))
        count[running] += 1
        moves.act(running, action)
    assert moves.metrics(rows)["surprise"] == pytest.approx(total / count)


# ---------------------------------------------------------------- what is seen


def test_repetitions_on_hand_made_cases() -> None:
    n = NOTHING
    written = np.array([[n, n, n, n, n, n], [7, n, n, n, n, n], [7, 8, 7, n, n, n], [1, 2, 3, 1, 2, n]])
    tokens = np.array([[7, 8, 9], [7, 8, 9], [7, 8, 9], [1, 2, 3]])
    was, pair, triple, again = repeats(written, np.array([0, 1, 3, 5]), tokens)
    assert was.tolist() == [[False] * 3, [True, False, False], [True, True, False], [True] * 3]
    assert pair.tolist() == [[False] * 3, [False] * 3, [False, True, False], [False, False, True]]
    assert triple.tolist() == [[False] * 3, [False] * 3, [False] * 3, [False, False, True]]
    assert again.tolist() == [[False] * 3, [True, False, False], [True, False, False], [False, True, False]]


def test_repetitions_against_their_definition() -> None:
    draw = np.random.default_rng(0)
    length = draw.integers(0, 10, 200)
    written = np.where(np.arange(10) < length[:, None], draw.integers(0, 3, (200, 10)), NOTHING)
    tokens = np.tile(np.arange(3), (200, 1))
    found = repeats(written, length, tokens)
    for row, token in itertools.product(range(200), range(3)):
        told = written[row, : length[row]].tolist()
        for n in (1, 2, 3):
            grams = {tuple(told[at : at + n]) for at in range(len(told) - n + 1)}
            ends = tuple([*told, token][-n:]) in grams if len(told) >= n - 1 else False
            assert found[n - 1, row, token] == ends
        assert found[3, row, token] == (told[-1:] == [token])
    ends = last_tokens(written, length, 4)
    for row in range(200):
        told = written[row, : length[row]].tolist()
        assert ends[row].tolist() == [*[NOTHING] * 4, *told][-4:]


def test_the_state_of_a_row_is_its_own_whatever_others_do() -> None:
    together, alone = game(rows=4), game(rows=1)
    for row in range(4):
        together.begin(np.array([row]), np.array([3]))
    alone.begin(np.array([0]), np.array([3]))
    for token in spelled(alone, " der Müller"):
        forced(alone, 0, token)
        forced(together, 2, token)
    for part, seen in alone.observe(np.array([0])).items():
        np.testing.assert_allclose(together.observe(np.array([2]))[part], seen, atol=1e-4)


def test_the_closed_vocabulary_is_the_training_answers_tokens_in_one_order() -> None:
    moves = game(vocabulary="closed")
    used = {token for _, target in pairs("train") for token in spelled(moves, f" {target}")}
    assert moves.closed.tolist() == [*sorted(used), moves.model.end] and moves.action_meanings[-1] == "write END"
    for rows in random_moments(moves, 10):
        assert (moves.candidates == moves.closed).all() and moves.allowed[rows, -1].all()
        np.testing.assert_allclose(moves.log_p[0], np.maximum(recomputed(moves, 0)[moves.closed], -100), atol=1e-4)


def test_a_closed_vocabulary_cannot_be_large(tmp_path: Path) -> None:
    words = [piece.decode().strip() for piece in load("t5").pieces if piece[:1] == b" " and piece[1:].isalpha()][:300]
    for split in ("train", "validation", "test"):
        rows = [(f"{split} {number}", word) for number, word in enumerate(words)]
        write_csv(tmp_path / f"{split}.csv", ("source", "target"), rows)
    with pytest.raises(BadArgument, match="at most 255"):
        gym.make(ID, dataset=str(tmp_path), vocabulary="closed", model="t5")


# ---------------------------------------------------------------- goals


def test_the_price_of_length_is_the_characters_beyond_the_limit() -> None:
    """Characters of the text itself: no blank before it, a letter of two bytes once."""
    moves = game(length_limit=0.5, length_cost=3.0, longest=30)
    names = moves.feature_names
    share, beyond = (
        names.index(n) for n in ("share of the length limit that is used with it / 2", "is beyond the limit")
    )
    prompt = moves.task.examples["text"][1]
    limit = max(1, len(prompt) // 2)
    paid = 0.0
    for token in spelled(moves, " über über der Müller über"):
        for k, candidate in enumerate(moves.candidates[1].tolist()):
            ids = [*moves.written[1, : moves.length[1]].tolist(), candidate]
            raw = b"".join(moves.model.pieces[i] for i in ids).lstrip()
            size = sum(byte & 0xC0 != 0x80 for byte in raw)  # characters that have begun
            is_end = candidate == moves.model.end
            assert moves.seen[1, k, share] == pytest.approx(min(2, size / limit) / 2)
            assert moves.seen[1, k, beyond] == (size > limit and not is_end)
        paid += forced(moves, 1, token)["length"][0]
        written = b"".join(moves.model.pieces[i] for i in moves.written[1, : moves.length[1]])
        size = len(written.decode("utf-8", "replace").lstrip())  # half a character counts as one
        assert paid == pytest.approx(3.0 * max(0, size - limit) / limit)
    assert moves.answers(np.array([1]))[0] == "über über der Müller über" and paid > 0
    paid += forced(moves, 1, moves.model.end)["length"][0]
    metrics = moves.metrics(np.array([1]))
    assert metrics["length_ratio"][0] == pytest.approx(25 / limit)
    assert paid == pytest.approx(3.0 * metrics["beyond_limit"][0])


def test_terms_are_pointed_to_token_by_token_and_priced_when_missing() -> None:
    terms = {"miller": "Müllerin", "rain": "Regen"}
    moves = game(terms=terms, term_cost=0.25, longest=30, split="validation", rows=20)
    begins, goes_on = (moves.feature_names.index(n) for n in ("begins a missing term", "goes on with a missing term"))
    texts = moves.task.examples["text"]
    row = next(row for row in range(20) if "miller" in texts[row].split() and "rain" in texts[row].split())
    none = next(row for row in range(20) if not {"miller", "rain"} & set(texts[row].split()))
    assert (moves.seen[none][:, [begins, goes_on]] == 0).all() and moves.progress[none, -1] == 0
    assert moves.progress[row, -1] == pytest.approx(2 / 3)
    ids = spelled(moves, " Müllerin")
    assert len(ids) > 1
    for place, token in enumerate(ids):
        feature = goes_on if place else begins
        marked = moves.candidates[row][moves.seen[row][:, feature] > 0].tolist()
        if place or texts[row].index("miller") < texts[row].index("rain"):
            assert token in marked and moves.allowed[row][moves.candidates[row].tolist().index(token)]
        assert forced(moves, row, token)["terms"][0] == 0
    assert moves.progress[row, -1] == pytest.approx(1 / 3)
    assert spelled(moves, " Regen")[0] in moves.candidates[row][moves.seen[row][:, begins] > 0]
    assert forced(moves, row, moves.model.end)["terms"][0] == pytest.approx(0.25)
    found = moves.metrics(np.array([row]))
    assert found["terms_required"][0] == 2 and found["terms_met"][0] == 1
    assert forced(moves, none, moves.model.end)["terms"][0] == 0


def test_a_term_within_a_longer_word_is_missing_again() -> None:
    moves = game(terms={"rain": "Regen"}, longest=30, split="validation", rows=20)
    row = next(row for row in range(20) if "rain" in moves.task.examples["text"][row].split())
    for text, missing in ((" Regen", 0), ("s", 1), (" Regen", 0), (".", 0), ("x", 0)):
        for token in spelled(moves, text):
            costs = forced(moves, row, token)
        assert moves.progress[row, -1] == pytest.approx(missing / 3) and costs["terms"][0] == 0
    assert moves.metrics(np.array([row]))["terms_met"][0] == 1


@pytest.mark.parametrize("k", [3, 4, 8])
def test_neither_terms_nor_likely_tokens_take_ends_place(k: int) -> None:
    terms = {word: f"{term} und Haus" for word, term in WORDS.items()}
    moves = game("bart", rows=8, terms=terms, k=k, floor=0)
    for _ in random_moments(moves, 60):
        assert (moves.candidates == moves.model.end).any(1).all()
        assert all(len(set(tokens)) == k for tokens in moves.candidates.tolist())
        wanted = moves.terms.wanted(np.arange(8), moves._ends(np.arange(8)))
        there = (moves.candidates == wanted[:, None]).any(1)
        assert (there | (wanted == NOTHING)).all()
    with pytest.raises(BadArgument, match="k must be"):
        made(terms=terms, k=2)


def test_goals_of_an_ended_episode_are_told_when_its_row_has_gone_on() -> None:
    """Row i of many is the single face seeded seed + i, with all goals, also in what the last step tells."""
    options = {"length_limit": 0.7, "terms": {"miller": "Müller", "rain": "Regen"}, "surprise_cost": 0.1}
    many = made("bart", 4, **options)
    ones = [
        gym.make(ID, model=saved("bart"), longest=LONGEST, longest_prompt=40, dataset=corpus(), **options)
        for _ in range(4)
    ]
    many.reset(seed=5)
    for row, one in enumerate(ones):
        one.reset(seed=5 + row)
    draw, ends = np.random.default_rng(0), 0
    for _ in range(25):
        actions = draw.integers(many.single_action_space.n, size=4)
        _, rewards, over, _, infos = many.step(actions)
        for row, one in enumerate(ones):
            _, reward, ended, _, info = one.step(int(actions[row]))
            assert rewards[row] == pytest.approx(reward, abs=1e-4) and over[row] == ended
            if ended:
                ends += 1
                told = infos["final_info"]["episode_metrics"]
                assert {name: told[name][row] for name in info["episode_metrics"]} == pytest.approx(
                    info["episode_metrics"], abs=1e-4
                )
                assert infos["final_info"]["is_success"][row] == info["is_success"]
                one.reset()
    assert ends > 5


def test_glossaries_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "terms.json").write_text(json.dumps({"miller": "Müller"}))
    (tmp_path / "broken.json").write_text("{")
    assert made(terms=str(tmp_path / "terms.json")).episodes.dynamics.terms is not None
    for terms, error in (({}, BadArgument), ({"two words": "x"}, BadArgument), (str(tmp_path / "broken.json"), BadData),
                         (str(tmp_path / "nowhere.json"), NotAvailable)):  # fmt: skip
        with pytest.raises(error):
            made(terms=terms)


# ---------------------------------------------------------------- leaving the model


def test_divergence_is_the_exact_kl_over_the_allowed_candidates() -> None:
    moves, draw = game(floor=0.2), np.random.default_rng(0)
    for rows in random_moments(moves, 8):
        model = np.where(moves.allowed, np.exp(moves.log_p.astype(float)), 0)
        model /= model.sum(1, keepdims=True)
        assert moves.divergence(rows, model) == pytest.approx(np.zeros(5), abs=1e-9)
        policy = draw.random(model.shape)
        found = moves.divergence(rows, policy)
        policy = np.where(moves.allowed, policy, 0)
        policy /= policy.sum(1, keepdims=True)
        terms = np.where(policy > 0, policy * np.log(np.maximum(policy, 1e-300) / np.maximum(model, 1e-300)), 0)
        assert found == pytest.approx(terms.sum(1)) and (found >= 0).all()


def test_the_expected_surprise_is_divergence_plus_entropy() -> None:
    moves = game(rows=8, surprise_cost=0.5, floor=0.1)
    rows = np.arange(8)
    moves.begin(rows, np.zeros(8, int))  # the same moment in every row: each takes another candidate
    allowed, log_p = moves.allowed[0].copy(), moves.log_p[0].copy()
    costs = moves.act(rows, rows)["surprise"]
    assert allowed.sum() > 2
    policy = np.where(allowed, np.arange(1, 9), 0.0)
    policy /= policy.sum()
    model = np.where(allowed, np.exp(log_p.astype(float)), 0)
    model /= model.sum()
    kept = allowed.nonzero()[0]
    divergence = (policy[kept] * np.log(policy[kept] / model[kept])).sum()
    entropy = -(policy[kept] * np.log(policy[kept])).sum()
    assert (policy[kept] * costs[kept]).sum() == pytest.approx(0.5 * (divergence + entropy), abs=1e-5)


# ---------------------------------------------------------------- the metric on the way


@pytest.mark.parametrize("metric", [None, "bleu", {"chrf": 1, "bleu": 3}])
def test_what_is_paid_is_the_rise_of_the_metric(metric: Any) -> None:
    env = made(rows=6, mode="Disabled", metric=metric, split="validation", vocabulary="closed", floor=0, longest=40)
    env.reset(seed=0)
    moves, paid, draw = env.episodes.dynamics, np.zeros(6), np.random.default_rng(1)
    weights = {None: {"chrf": 1.0}, "bleu": {"bleu": 1.0}}.get(metric if isinstance(metric, str | None) else 0)
    weights = weights or {"chrf": 0.25, "bleu": 0.75}
    for _ in range(6):
        going = np.where(moves.candidates != moves.model.end, moves.allowed * draw.random(moves.allowed.shape), 0)
        actions = np.where(draw.random(6) < 0.7, moves.oracle(np.arange(6)), going.argmax(1))
        _, rewards, over, _, _ = env.step(actions)
        paid += rewards
        answers, targets = moves.answers(np.arange(6)), moves.targets(np.arange(6))
        each = {name: moves.task.metrics[name].each(answers, targets) for name in weights}
        assert paid == pytest.approx(sum(weight * each[name] for name, weight in weights.items()), abs=1e-6)
        if over.any():
            break


@pytest.mark.parametrize("metric", [None, "bleu", {"chrf": 1, "bleu": 1}])
def test_the_oracle_writes_the_reference_where_it_can_and_that_is_a_success(metric: Any) -> None:
    env = made("bart", rows=8, vocabulary="closed", floor=0, longest=40, metric=metric)
    env.reset(seed=0)
    ends = 0
    for step in range(60):
        actions = env.oracle_actions()
        if step % 7 == 0:
            actions[0] = env.single_action_space.n - 1  # an END that comes too early
        _, _, over, _, infos = env.step(actions)
        if over.any():
            last, rows = infos["final_info"], np.flatnonzero(over)
            perfect = [last["answer"][row] in last["target"][row] for row in rows]
            assert last["is_success"][rows].tolist() == perfect == (last["episode_metrics"]["chrf"][rows] >= 1).tolist()
            assert all(perfect[at] for at, row in enumerate(rows) if row)
            ends += len(rows)
    assert ends > 20


@every_model
def test_the_oracle_is_better_than_greedy(model: str) -> None:
    env = made(model, rows=20, split="validation", k=16, floor=0.01)
    moves, scores = env.episodes.dynamics, {}
    for name in ("oracle", "greedy"):
        play(env, name)
        scores[name] = moves.outcome(np.arange(20))
    assert scores["oracle"].mean() > scores["greedy"].mean() + 0.02


# ---------------------------------------------------------------- rules


@every_model
def test_greedy_is_what_generate_writes(model: str) -> None:
    env = made(model, rows=12, split="validation")
    moves = env.episodes.dynamics
    whole, silent = moves.model, [t for t, piece in enumerate(moves.model.pieces) if not piece and t != moves.model.end]
    written = play(env, "greedy")
    for row, tokens in enumerate(written):
        prompt = torch.tensor([moves.source[row, : moves.read[row]].tolist()])
        told = whole.model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=LONGEST, do_sample=False,
            num_beams=1, suppress_tokens=silent, pad_token_id=0,
        )[0].tolist()  # fmt: skip
        told = told[prompt.shape[1] :] if whole.family == "decoder" else told[1:]
        assert tokens == [token for token in told if token != whole.end]
    assert len({tuple(tokens) for tokens in written}) > 3


@every_model
def test_a_beam_of_one_is_greedy_and_a_wider_one_is_likelier(model: str) -> None:
    env = made(model, rows=12, split="validation")
    greedy = play(env, "greedy")
    assert play(env, "beam", width=1) == greedy

    def likelihood(answers: list[list[int]]) -> float:
        moves, total = env.episodes.dynamics, 0.0
        for row, tokens in enumerate(answers):
            moves.begin(np.array([row]), np.array([row]))
            ended = [*tokens, moves.model.end] if len(tokens) < LONGEST else tokens
            each = []
            for token in ended:
                each.append(recomputed(moves, row)[token])
                moves.written[row, moves.length[row]], moves.length[row] = token, moves.length[row] + 1
                if len(each) == LONGEST:
                    break
            total += float(np.mean(each))
        return total

    wide = play(env, "beam", width=4)
    assert wide != greedy and likelihood(wide) > likelihood(greedy)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", ["ngram_blocking", "look_ahead", "beam"])
def test_blocked_ngrams_are_never_repeated(name: str, n: int) -> None:
    env = made(rows=10, split="validation", longest=30)

    def repeated(answers: list[list[int]]) -> int:
        grams = [[tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)] for tokens in answers]
        return sum(len(each) - len(set(each)) for each in grams)

    assert repeated(play(env, "greedy")) > 0 == repeated(play(env, name, n=n))


def test_sampling_draws_by_the_models_probabilities() -> None:
    env = made(rows=2000, split="validation", floor=0.05)
    moves = env.episodes.dynamics
    moves.begin(np.arange(2000), np.zeros(2000, int))
    agent = AGENTS.get("sampling")("none", env, seed=0)
    actions, _ = agent.predict(env.episodes.observe(np.arange(2000)), action_masks=moves.masks(np.arange(2000)))
    p = np.where(moves.allowed[0], np.exp(moves.log_p[0].astype(float)), 0)
    p /= p.sum()
    shares = np.bincount(actions, minlength=moves.k) / 2000
    assert (np.abs(shares - p) <= 4 * np.sqrt(p * (1 - p) / 2000)).all()


def test_the_goal_rule_keeps_the_limit_and_uses_all_terms() -> None:
    limited = made("bart", rows=20, split="validation", length_limit=0.6, longest=30)
    play(limited, "goal_rule")
    assert (limited.episodes.dynamics.metrics(np.arange(20))["beyond_limit"] == 0).all()
    play(limited, "greedy")
    assert limited.episodes.dynamics.metrics(np.arange(20))["beyond_limit"].max() > 0
    terms = {word: term for word, term in WORDS.items() if term[0].isupper()}
    asked = made("bart", rows=20, split="validation", terms=terms, longest=60)
    play(asked, "goal_rule")
    found = asked.episodes.dynamics.metrics(np.arange(20))
    assert (found["terms_met"] == found["terms_required"]).all() and found["terms_required"].sum() > 20


# ---------------------------------------------------------------- which token speaks for which


def test_the_lexicon_learns_an_obvious_dictionary() -> None:
    draw = np.random.default_rng(0)
    prompts = [draw.choice(20, draw.integers(3, 8), replace=False) for _ in range(400)]
    answers = [draw.permutation(prompt) + 20 for prompt in prompts]  # token i is translated as i + 20, in any order
    learned = lexicon([p.tolist() for p in prompts], [a.tolist() for a in answers], 40, {"test": "a dictionary"})
    for token in range(20):
        position, target, probability = learned.of(np.array([token, token]))
        assert position.tolist() == sorted(position.tolist()) and set(position.tolist()) == {0, 1}
        assert target[probability.argmax()] == token + 20 and probability.max() > 0.9


def test_a_training_prompt_is_read_without_what_its_own_answer_taught(tmp_path: Path) -> None:
    """Another answer to one training example changes what is known of others, and nothing of that example."""
    seen = []
    for changed in (False, True):
        for split in ("train", "validation", "test"):
            rows = pairs(split)
            if changed and split == "train":
                rows[7] = (rows[7][0], "Uhren Uhren Uhren Uhren")
            write_csv(tmp_path / str(changed) / f"{split}.csv", ("source", "target"), rows)
        moves = game(rows=60, dataset=str(tmp_path / str(changed)))
        seen.append(moves.reader.support.copy())
    assert (seen[0][7] == seen[1][7]).all() and seen[0][7].max() > 0.5
    assert (seen[0] != seen[1]).any(1).sum() > 10
    examples, train = moves.task.at("validation").examples, moves.task.train
    whole = lexicons(examples, train, moves.model, "{text}", 40)
    assert len(whole.parts) == 1 and len(lexicons(train, train, moves.model, "{text}", 40).parts) == 5


def test_a_token_covers_the_prompt_token_that_it_speaks_for() -> None:
    moves = game(rows=20, split="validation", longest=30)
    row, tokens = 0, spelled(moves, " " + pairs("validation")[0][1])
    before = moves.progress[row, 2]
    for token in tokens:
        forced(moves, row, token)
    assert before == 0 < moves.progress[row, 2] <= 1
    new = moves.feature_names.index("speaks for a prompt token that is not yet covered")
    known = moves.feature_names.index("speaks for a prompt token (lexicon)")
    assert (moves.seen[row][:, new] <= moves.seen[row][:, known]).all()
    assert (game(lexicon=False).seen[:, :, [known, new]] == 0).all()
