"""Every id's documentation: all sections, tables that are whole, and examples that a person would play."""

import re

import gymnasium as gym
import pytest

import nlp_gym_envs
from nlp_gym_agents import _pages

IDS = nlp_gym_envs.environment_ids()


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_has_a_page_with_every_section_in_order(env_id: str) -> None:
    page = _pages.page(env_id)
    assert tuple(page.sections) == _pages.SECTIONS
    assert all(len(text) > 10 for text in page.sections.values())
    headings = re.findall(r"^## (.+)$", page.markdown(), re.MULTILINE)
    assert tuple(headings) == _pages.SECTIONS


@pytest.mark.parametrize("env_id", IDS)
def test_the_rows_of_a_table_have_as_many_cells_as_its_head(env_id: str) -> None:
    for text in _pages.page(env_id).sections.values():
        for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
            assert len(cells) == 1, table


@pytest.mark.parametrize("env_id", IDS)
def test_the_arguments_that_a_page_names_are_those_that_the_dynamics_takes(env_id: str) -> None:
    import inspect

    from nlp_gym_envs.episodes import DYNAMICS, assemble

    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", _pages.page(env_id).sections["Arguments"], re.MULTILINE)
    listed = [name for cell in rows for name in re.findall(r"\w+", cell)]
    named = set(listed)
    assert len(listed) == len(named)
    own = set(inspect.signature(DYNAMICS.get(_pages.names_of(env_id)[1])).parameters) - {"task", "num_rows"}
    common = set(inspect.signature(assemble).parameters) - {"num_rows", "task", "dynamics", "options"}
    assert named == own | common | {"render_mode"}


@pytest.mark.parametrize("env_id", ["nlp/sentiment-label-v0", "nlp/sentiment-read-v0"])
def test_facts_and_examples_of_a_made_environment(env_id: str) -> None:
    env = gym.make(env_id)
    page = _pages.page(env_id, env)
    assert page.facts["actions"] == str(env.action_space) and "12,000 examples" in page.facts["data"]
    first, *others = _pages.examples(env)
    assert len(others) == 2 and len({episode.text for episode in (first, *others)}) == 3
    low, high = env.unwrapped.reward_range  # type: ignore[attr-defined]
    for episode in (first, *others):
        assert episode.actions[-1].startswith("answer ") and low <= episode.paid <= high
        assert episode.right == (episode.actions[-1] == f"answer {episode.target}")
    assert _pages.examples(env)[0] == first  # the seed makes them repeatable


@pytest.mark.parametrize(
    ("env_id", "form"),
    [
        ("nlp/squad-span-v0", "spans"),
        ("nlp/arc_easy-choices-v0", "choices"),
        ("nlp/squad-tokens-v0", "spans"),
        ("nlp/multi30k_en_de-readwrite-v0", "free text"),
    ],
)
def test_facts_and_examples_where_answers_are_no_labels(env_id: str, form: str) -> None:
    env = gym.make(env_id)
    facts = _pages.page(env_id, env).facts
    assert facts["data"] == f"48 examples in 'train', {form}"
    low, high = env.unwrapped.reward_range  # type: ignore[attr-defined]
    shown = _pages.examples(env)
    for episode in shown:
        assert episode.actions and set(episode.actions) <= set(env.unwrapped.action_meanings)  # type: ignore[attr-defined]
        assert low <= episode.paid <= high and episode.target in " | ".join(env.unwrapped.task.accepted.sum())  # type: ignore[attr-defined]
    assert _pages.examples(env) == shown


def test_many_actions_are_shortened_in_the_middle() -> None:
    class Env:
        action_meanings = tuple(f"answer {number}" for number in range(50))

        @property
        def unwrapped(self) -> "Env":
            return self

    lines = _pages.meanings(Env())
    assert len(lines) == _pages.MANY and lines[0] == "0  answer 0" and lines[-1] == "49  answer 49"
    assert lines[-4] == "…  39 more"


def test_texts_of_strangers_cannot_steer_a_terminal() -> None:
    assert _pages.plain("a\x1b[31mb\tc\n\nd\x07") == "a [31mb c d"
    assert _pages.plain("x" * 10, 4) == "xxx…"
