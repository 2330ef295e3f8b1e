"""Reports: nothing is lost, nothing is let in, and the numbers are those of the rows."""

import copy
import json
import math
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import invented_results
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nlp_gym_agents._cli import app
from nlp_gym_agents._report import _draw, _episodes, _groups, _rows, _style, _words, load, render
from nlp_gym_envs.errors import BadData, NotAvailable

ROOT = Path(__file__).parents[1]
OLDER = ROOT / "benchmarks" / "results" / "learning.jsonl"
VOID = {"meta", "input", "br", "path", "rect", "link"}


class Page(HTMLParser):
    """A page taken apart: its tags must close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        """What is read."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented_results.write(tmp_path_factory.mktemp("results") / "invented")


@pytest.fixture(scope="module")
def source(folder: Path) -> str:
    return render(load(folder))


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def table_of(source: str, section: str) -> list[list[str]]:
    """The cells of a section's table as text."""
    part = source.split(f'<section id="{section}">')[1].split("</section>")[0]
    rows = re.findall(r"<tr data-words.*?</tr>", part, re.DOTALL)
    return [[Page(cell).text for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


# ---------------------------------------------------------------- the page


def test_it_is_whole_and_every_link_on_it_leads_somewhere(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {(attributes["href"] or "").removeprefix("#") for tag, attributes in page.tags if tag == "a"}
    assert links <= set(ids)


def test_it_needs_nothing_but_itself(source: str, page: Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not any("src" in attributes for _, attributes in page.tags)
    assert re.findall(r"https?://[^\s\"')]+", source) == ["http://www.w3.org/2000/svg"]  # a name, not an address
    assert "@import" not in source and "url(" not in source


def test_texts_of_data_sets_are_texts(source: str, page: Page) -> None:
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    words = invented_results.HOSTILE
    assert words in page.text  # as it stands, braces and all
    assert source.count("alert(") == source.count("&gt;alert(") + source.count("=alert(2)&gt;")


def test_every_line_of_every_id_is_in_the_table_of_all(source: str) -> None:
    wanted = {(row["env"], row["agent"], row["arm"], json.dumps(row["env_kwargs"])) for row in invented_results.rows()}
    rows = table_of(source, "everything")
    assert len(rows) == len(wanted)
    assert sum(int(cells[7]) for cells in rows) == len(list(invented_results.rows()))  # its seeds


def test_failures_are_named_where_one_begins_to_read_and_listed(page: Page, source: str) -> None:
    beginning = page.text.split("At a glance")[0]
    for sentence in (
        "sst2-label: No agent is above the trivial policies here",
        "sst2-label: ppo with zero observation has",
        "One cell failed",
        "One cell was skipped",
        "Two lines could not be read",
    ):
        assert sentence in beginning, beginning
    part = Page(source.split('<section id="problems">')[1].split("</section>")[0]).text
    for words in ("nlp/sentiment-label-v0 · dqn", "NotAvailable: no data", "not JSON", "samples/cut.json", "line 106"):
        assert words in part, words


def test_controls_and_gaps_are_told_for_each_agent_that_has_them(source: str) -> None:
    told = {(cells[0], cells[-1]) for cells in table_of(source, "controls")}
    assert told == {("sentiment-label", "✓ at chance"), ("sst2-label", "▲ above chance: zero observation")}
    gaps = table_of(source, "gaps")
    assert len(gaps) == 3 * len(invented_results.IDS)
    assert all(float(cells[4].split(" ")[0]) == pytest.approx(3.0, abs=0.11) for cells in gaps)


def test_fronts_and_costs_are_drawn_of_what_was_counted(source: str) -> None:
    fronts = source.split('<section id="fronts">')[1].split("</section>")[0]
    assert "share of the text read" in fronts and "average lagging" in fronts
    assert fronts.count("<svg viewBox") == 2
    costs = source.split('<section id="costs">')[1].split("</section>")[0]
    assert "normalised score against time" in costs and "backward" not in costs


def test_a_results_file_without_samples_and_one_with_failures_only_make_pages(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        json.dumps({"cell": "a", "env": "nlp/x-label-v0", "agent": "ppo", "status": "failed", "error": "E: m"})
    )
    page = Page(render(load(file)))
    assert "Nothing in rows can be shown" in page.text and "E: m" in page.text and page.open == []


def test_episodes_are_shown_of_the_best_learners_and_of_what_they_are_measured_by(source: str) -> None:
    parts = re.findall(r'<details class="sample".*?</summary>', source, re.DOTALL)
    told = [" ".join(re.sub(r"<[^>]*>", " ", part).split()) for part in parts]
    assert told.count("ppo seed 0") == len(invented_results.IDS)
    assert told.count("uniform seed 0") == 1  # where it is the best trivial policy; majority, elsewhere, has no samples


# ---------------------------------------------------------------- rows


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1), max_size=6)
)
@settings(max_examples=40, deadline=None)
def test_lines_that_are_no_rows_are_listed_and_hide_no_others(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    good = json.dumps(invented_results.row("nlp/sst2-label-v0", "ppo", 0.7))
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("\n".join([*lines, good, *lines]), encoding="utf-8")
    results = load(file)
    assert len(results.rows) == 1
    assert len(results.problems) == 2 * sum(bool(line.strip()) for line in lines)


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)


@given(data=st.data())
@settings(max_examples=30, deadline=None, phases=[Phase.generate])  # smaller examples are not worth the minutes
def test_rows_with_odd_values_are_shown_or_listed_but_never_lost(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = ("uniform", "ppo", "oracle")
    rows = [copy.deepcopy(invented_results.row("nlp/ag_news-read-v0", name, 0.5, price=0.001)) for name in names]
    cells = {row["cell"] for row in rows}
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = data.draw(st.sampled_from(rows))
        for _ in range(data.draw(st.integers(0, 2))):
            inner = [value for value in place.values() if isinstance(value, dict) and value]
            place = data.draw(st.sampled_from(inner)) if inner else place
        place[data.draw(st.sampled_from([key for key in place if key != "cell"]))] = data.draw(ODD)
    file = tmp_path_factory.mktemp("odd") / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    results = load(file)
    assert len(results.rows) + len(results.problems) == len(cells)
    assert Page(render(results)).open == []


def test_the_latest_row_of_a_cell_counts(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    first = invented_results.row("nlp/sst2-label-v0", "ppo", 0.7)
    file.write_text("\n".join(json.dumps(one) for one in (first, {**first, "status": "failed", "error": "E: later"})))
    assert not load(file).rows and load(file).problems[0].why == "E: later"
    file.write_text("\n".join(json.dumps(one) for one in ({**first, "status": "failed", "error": "E: before"}, first)))
    assert len(load(file).rows) == 1 and not load(file).problems


@pytest.mark.parametrize(("ids", "together"), [(8, False), (9, True), (13, True)])
def test_much_of_one_kind_is_told_at_once_and_many_ids_are_short_on_paper(
    ids: int, together: bool, tmp_path: Path
) -> None:
    file, alike = tmp_path / "rows.jsonl", [row for row in invented_results.rows(1) if "sst2" in row["env"]]
    alike = [row for row in alike if row["arm"] == "as is"]
    copies = [
        {**row, "env": f"nlp/made_{n}-label-v0", "cell": f"{n} {row['cell']}"} for n in range(ids) for row in alike
    ]
    file.write_text("\n".join(map(json.dumps, copies)))
    source = render(load(file))
    assert (f"On {ids} ids the best agent is not above the trivial policies" in source) == together
    assert ('id="ids" class="many"' in source) == (ids > 12)


def test_no_results_are_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="nothing_here; give a folder with rows.jsonl"):
        load(tmp_path / "nothing_here")
    (tmp_path / "rows.jsonl").write_text("")
    with pytest.raises(BadData, match="no rows yet"):
        load(tmp_path)


@pytest.mark.skipif(not OLDER.exists(), reason="the committed results are not part of a source distribution")
def test_older_rows_have_the_numbers_of_the_older_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.delitem(sys.modules, "tables", raising=False)
    import tables  # type: ignore[import-not-found]

    raw = [json.loads(line) for line in OLDER.read_text().splitlines()]
    results = load(OLDER)
    assert len(results.rows) == len(raw) and not results.problems
    cells = {row.cell: one for row, one in zip(results.rows, raw, strict=True)}
    checked = 0
    for place in _groups.places(results.rows):
        for line in (*place.lines, *place.controls):
            for metric in ("accuracy", "return"):
                mean, half = tables.summary([cells[row.cell] for row in line.rows], metric)
                score = line.score(metric)
                assert score is not None
                assert (score.value, score.half) == pytest.approx((mean, half), abs=1e-9)
                checked += 1
    assert checked > 100


# ---------------------------------------------------------------- numbers

SHARES = st.floats(0.0, 1.0)


@given(values=st.lists(SHARES, min_size=1, max_size=8), half=st.floats(0.001, 0.2))
def test_pooled_seeds_have_their_mean_and_no_less_noise_than_their_examples(values: list[float], half: float) -> None:
    score = _groups.pooled([(value, value - half, value + half) for value in values])
    assert score is not None
    assert score.value == pytest.approx(sum(values) / len(values))
    assert score.half >= half * (1 - 1e-9)  # seeds that share their examples do not take that noise away
    if len(set(values)) == 1:
        assert score.half == pytest.approx(half)


def place_of(**scores: float) -> _groups.Place:
    """A place with one line for each agent."""
    rows = []
    for agent, value in scores.items():
        row = _read(invented_results.row("nlp/sst2-label-v0", agent, 0.5))
        rows.append(replace(row, scores={"test": {"accuracy": (value, value - 0.01, value + 0.01)}}))
    return _groups.places(rows)[0]


def _read(raw: dict[str, Any]) -> _rows.Row:
    return _rows._row(raw)


@given(floor=st.floats(0, 0.4), top=st.floats(0.5, 1), one=SHARES, other=SHARES)
def test_uniform_is_0_and_the_ceiling_1_and_order_stays(floor: float, top: float, one: float, other: float) -> None:
    place = place_of(uniform=floor, oracle=1.0, supervised=top, ppo=one)
    assert place.ceiling is not None and place.ceiling.agent == "supervised"
    assert (place.normalised(floor), place.normalised(top)) == pytest.approx((0, 1))
    low, high = place.normalised(min(one, other)), place.normalised(max(one, other))
    assert low is not None and high is not None and low <= high


def test_without_a_floor_or_a_ceiling_nothing_is_normalised() -> None:
    assert place_of(ppo=0.7, oracle=1.0).normalised(0.7) is None
    assert place_of(ppo=0.7, uniform=0.5).normalised(0.7) is None
    assert place_of(ppo=0.7, uniform=0.5, supervised=0.5).normalised(0.7) is None


@pytest.mark.parametrize(
    ("ppo", "standing", "words"),
    [
        (0.60, "above", "10.0 ± 1.4 above uniform"),
        (0.51, "level", "No agent is above the trivial policies"),
        (0.45, "below", "below it beyond the noise"),
    ],
)
def test_a_verdict_says_whether_the_best_is_above_the_trivial_policies(ppo: float, standing: str, words: str) -> None:
    verdict = _words.verdict(place_of(uniform=0.5, majority=0.49, oracle=1.0, ppo=ppo, sarsa=0.3))
    assert verdict.standing == standing and words in verdict.text and "ppo" in verdict.text


@pytest.mark.parametrize(("control", "standing"), [(0.70, "level"), (0.50, "above"), (0.80, "below")])
def test_what_a_constant_reward_teaches_too_is_not_learned_from_reward(control: float, standing: str) -> None:
    rows = []
    for agent, arm, value in (
        ("uniform", "as is", 0.5),
        ("ppo", "as is", 0.7),
        ("ppo", "constant reward", control),
        ("ppo", "zero observation", 0.9),
    ):
        row = _read(invented_results.row("nlp/sst2-label-v0", agent, 0.5, arm=arm))
        rows.append(replace(row, scores={"test": {"accuracy": (value, value - 0.01, value + 0.01)}}))
    (place,) = _groups.places(rows)
    verdict = _words.verdict(place)
    assert verdict.standing == standing
    assert ("ppo with constant reward" in verdict.text) == (standing != "above")
    assert ("Reward taught nothing" in verdict.text) == (standing != "above")


def test_a_verdict_does_not_judge_without_a_trivial_policy_or_a_learner() -> None:
    assert _words.verdict(place_of(ppo=0.9, oracle=1.0)).standing == "unknown"
    assert _words.verdict(place_of(uniform=0.5, oracle=1.0)).standing == "unknown"


def test_settings_of_an_id_are_kept_apart_and_a_control_stays_with_its_own() -> None:
    def made(agent: str, arm: str = "as is", **kwargs: Any) -> _rows.Row:
        return _read({**invented_results.row("nlp/sst2-label-v0", agent, 0.6, arm=arm), "env_kwargs": kwargs})

    rows = [made("ppo", cost=1), made("uniform", cost=1), made("ppo", cost=2)]
    rows += [
        made("ppo", "shuffled labels", cost=1, labels=["a", "b"]),
        made("ppo", "constant reward", cost=1, reward="constant"),
    ]
    first, second = _groups.places(rows)
    assert (first.setting, second.setting) == ("cost 1", "cost 2") and first.main and not second.main
    assert len(first.lines) == 2 and len(first.controls) == 2 and not second.controls


def test_variants_of_an_agent_are_lines_of_their_own() -> None:
    def made(agent: str, **parameters: Any) -> _rows.Row:
        raw = invented_results.row("nlp/sst2-label-v0", agent, 0.6)
        return _read({**raw, "cell": repr((agent, parameters)), "hyperparameters": parameters})

    rows = [
        made("threshold"),
        made("threshold", slope=False),
        made("fixed_fraction", fraction=0.1),
        made("fixed_fraction", fraction=0.5),
    ]
    lines = _groups.places(rows)[0].lines
    assert [line.label for line in lines] == [
        "threshold",
        "threshold without slope",
        "fixed_fraction 0.1",
        "fixed_fraction 0.5",
    ]
    assert [line.series for line in lines] == [
        "threshold",
        "threshold without slope",
        "fixed_fraction",
        "fixed_fraction",
    ]


@given(value=st.floats(-1e6, 1e6), digits=st.integers(0, 3))
def test_numbers_have_real_minus_signs_and_zero_none(value: float, digits: int) -> None:
    text = _words.number(value, digits)
    assert "-" not in text
    assert float(text.replace(",", "").replace("−", "-")) == pytest.approx(value, abs=0.51 * 10**-digits)
    assert text.startswith("−") == (round(value, digits) < 0)


# ---------------------------------------------------------------- drawings


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e4))
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    ticks = _draw.nice(low, low + width)
    slack = 1e-6 * (abs(low) + width)
    assert 1 <= len(ticks) <= 9 and all(low - slack <= tick <= low + width + slack for tick in ticks)


@given(wanted=st.lists(st.floats(0, 200), min_size=1, max_size=15).map(sorted))
def test_labels_do_not_cover_each_other_and_stay_inside(wanted: list[float]) -> None:
    spots = _draw.spread(wanted, 0, 200, 13)
    assert all(b - a >= 13 - 1e-6 for a, b in zip(spots, spots[1:], strict=False))
    assert spots[-1] <= 200 + 1e-6
    assert spots[0] >= -1e-6  # fifteen of them fit


@given(learners=st.integers(1, 30), baselines=st.integers(0, 30))
def test_no_two_learners_are_told_apart_by_colour_alone(learners: int, baselines: int) -> None:
    names = [(f"l{n}", True) for n in range(learners)] + [(f"b{n}", False) for n in range(baselines)]
    looks = _style.looks(names)
    assert len(looks) == learners + baselines
    shapes = [(look.mark, look.dash) for name, look in looks.items() if name.startswith("l")]
    assert len(set(shapes)) == learners
    assert all(look.colour == "grey" and not look.filled for name, look in looks.items() if name.startswith("b"))


@given(values=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=6), log=st.booleans())
def test_an_axis_shows_all_its_values_in_their_order(values: list[float], log: bool) -> None:
    axis = _draw.Axis.over(values, log=log)
    shares = [axis.share(value) for value in sorted(values)]
    assert shares == sorted(shares) and 0 < shares[0] and shares[-1] < 1
    assert all(math.isfinite(tick) for tick in axis.ticks())


# ---------------------------------------------------------------- episodes


@given(words=st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=5), min_size=1, max_size=12))
def test_what_is_new_at_each_step_makes_up_what_was_read(words: list[str]) -> None:
    raw = [{"text": " ".join(words[: n + 1]), "action": 0, "reward": 0.5} for n in range(len(words))]
    (episode,) = _episodes._episodes([{"steps": raw, "text": " ".join(words)}])
    assert " ".join(step.text for step in episode.steps) == " ".join(words)


def test_episodes_that_lack_things_are_shown_as_far_as_they_go() -> None:
    found = list(_episodes._episodes([{}, "no episode", {"steps": [None, {"action": [0.5, -2.0]}], "target": "x"}]))
    assert len(list(_episodes._episodes([{"steps": 3, "metrics": [1], "return": "x", "target": 2}]))) == 1
    assert len(found) == 2 and found[1].target == "x"
    assert [digits for _, digits in found[1].steps[0].numbers] == ["0.50", "−2.00"]


# ---------------------------------------------------------------- the command


def test_the_command_writes_the_page_beside_the_rows_or_where_it_is_told(folder: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["report", str(folder)])
    assert done.exit_code == 0 and Path(done.stdout.strip()) == folder / "report.html"
    done = runner.invoke(app, ["report", str(folder), "--out", str(tmp_path / "new" / "page.html")])
    assert done.exit_code == 0 and (tmp_path / "new" / "page.html").read_text() == (folder / "report.html").read_text()
    refused = runner.invoke(app, ["report", str(tmp_path / "missing")])
    assert refused.exit_code == 2 and "there are no results in" in refused.stderr
