"""What the command line prints: tables, pages, progress; at any width, and without colours into a pipe."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from ._pages import Example, Page, meanings, plain

THEME = Theme({"markdown.code": "cyan", "markdown.table.header": "bold", "markdown.table.border": "dim"})
WIDE = 110  # columns, from which there is room for sentences beside the columns of a list
PIPED = 80  # columns of running text that goes into a pipe or file
EVERY = 5.0  # seconds between lines of progress where there is no terminal


class Trimmed:
    """A stream that is no terminal, without the blanks that tables put at the ends of lines."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Pass the text on."""
        return self.stream.write(re.sub(r" +(?=\n)", "", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def console(error: bool = False) -> Console:
    """Where things are printed; what is data is never taken for markup."""
    made = Console(stderr=error, theme=THEME, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.file = Trimmed(made.file)  # pyright: ignore[reportAttributeAccessIssue]
    return made


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without a frame, whose lines stay lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    return table


def print_table(table: Table, out: Console) -> None:
    """Print a table; where nobody looks, as wide as it likes, so that nothing is cut off."""
    if not out.is_terminal:
        out.width = max(out.width, out.measure(table, options=out.options.update(width=10_000)).maximum)
    out.print(table)


# ---------------------------------------------------------------- list


def list_ids(rows: Sequence[tuple[str, str, str, str, str, str]], out: Console) -> None:
    """Rows of id, task, dynamics, answer, data, what is asked; the last only where there is room."""
    wide = out.is_terminal and out.width >= WIDE
    headings = ("id", "task", "dynamics", "answer", "data")
    table = plain_table(*headings, *(["what is asked"] if wide else []), right=("answer",))
    table.padding = (0, 2 if wide else 1, 0, 0)
    taken = sum(max(len(row[at]) for row in [headings, *rows]) + 2 for at in range(5))
    for row in rows:
        asked = [plain(row[5], max(out.width - taken - 2, 10))] if wide else []
        table.add_row(Text(row[0], "cyan"), *map(Text, [*row[1:5], *asked]))
    print_table(table, out)


def list_agents(rows: Sequence[tuple[str, str]], out: Console) -> None:
    """Rows of name and sentence."""
    table = plain_table("agent", "what it is")
    table.columns[1].no_wrap = False
    for name, sentence in rows:
        table.add_row(Text(name, "cyan"), Text(sentence))
    print_table(table, out)


# ---------------------------------------------------------------- show


def show_page(page: Page, env: Any, episodes: Sequence[Example], out: Console) -> None:
    """An id's page: what it is made of, its sections, and episodes."""
    if not out.is_terminal:
        out.width = PIPED
    out.print(Text(page.env_id, "bold cyan"))
    out.print()
    for name, value in page.facts.items():
        _labelled(name, value, out)
    if env is not None:
        for number, line in enumerate(meanings(env)):
            _labelled("" if number else "meanings", line, out)
    for name, text in page.sections.items():
        out.print()
        out.print(Text(name, "bold underline" if out.is_terminal else ""))
        if not out.is_terminal:
            out.print(Text("-" * len(name)))
        out.print(Markdown(text, justify="left"))
    if episodes:
        out.print()
        out.print(Text("Examples", "bold underline" if out.is_terminal else ""))
        if not out.is_terminal:
            out.print(Text("--------"))
        for episode in episodes:
            out.print(Padding(_episode(episode), (0, 0, 1, 2)))


def _labelled(name: str, value: str, out: Console) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=12, no_wrap=True)
    grid.add_column()
    grid.add_row(Text(name, "bold"), Text(value))
    out.print(grid)


def _episode(episode: Example) -> RenderableType:
    done: list[str] = []
    for action in episode.actions:  # "read on, read on, read on" is "read on x 3"
        if done and done[-1].split(" x ")[0] == action:
            done[-1] = f"{action} x {int(done[-1].partition(' x ')[2] or 1) + 1}"
        else:
            done.append(action)
    verdict = "right" if episode.right else f"wrong: it is {plain(episode.target)}"
    colour = "green" if episode.right else "red"
    return Group(
        Text(plain(episode.text, 320)),
        Text.assemble(
            (f"> {', '.join(map(plain, done))}", "bold"), (f"  {verdict}, return {episode.paid:+.3f}", colour)
        ),
    )


# ---------------------------------------------------------------- scores

HEADINGS = {
    "accuracy": "accuracy",
    "f1_macro": "macro-F1",
    "return": "return",
    "words_read": "words read",
    "fraction_read": "% read",
}
AS_COUNTED = ("return", "length", "words_read")  # the others are shares, printed x 100


def number(name: str, value: float) -> str:
    """A score as the field prints it."""
    if name in AS_COUNTED:
        return f"{value:.3f}" if name == "return" else f"{value:.1f}"
    if name == "fraction_read":
        return f"{100 * value:.0f}"
    return f"{100 * value:.1f}" if value < 1 else "100"


def interval(name: str, score: Mapping[str, float]) -> str:
    """A score's interval."""
    return f"[{number(name, score['low'])}, {number(name, score['high'])}]"


def score_table(report: Mapping[str, Any], out: Console) -> None:
    """The rows of a report, the trained agent's first and emphasised, with intervals beside or below the scores."""
    names = [name for name in HEADINGS if any(name in row["scores"] for row in report["rows"])]
    beside = _scores(report["rows"], names, beside=True)
    fits = not out.is_terminal or out.measure(beside, options=out.options.update(width=10_000)).maximum <= out.width
    title = f"{report['env']}, {report['split']} split, {report['n']:,} examples; 95 % intervals"
    out.print(Text(title, "bold"))
    print_table(beside if fits else _scores(report["rows"], names, beside=False), out)


def _scores(rows: Sequence[Mapping[str, Any]], names: Sequence[str], beside: bool) -> Table:
    headings = [HEADINGS[name] for name in names]
    table = plain_table("agent", *headings, right=() if beside else headings)
    table.padding = (0, 2 if beside else 1, 0, 0)
    for row in rows:
        style = "bold green" if row["trained"] else ""
        agent = row["agent"]
        if agent == "supervised" and "fraction_read" in names:
            agent = "supervised (read-all)" if beside else "supervised\n  (read-all)"
        cells = [Text(f"> {agent}" if row["trained"] else f"  {agent}", style)]
        for name in names:
            score = row["scores"].get(name)
            if score is None:
                cells.append(Text(""))
                continue
            value, around = number(name, score["value"]), interval(name, score)
            cells.append(Text.assemble((value, style), (f" {around}" if beside else f"\n{around}", "dim")))
        table.add_row(*cells)
    return table


def one_table(report: Mapping[str, Any], out: Console) -> None:
    """All scores of one agent, a line each."""
    out.print(Text(f"{report['agent']} on {report['env']}, {report['split']} split, {report['n']:,} examples", "bold"))
    table = plain_table("metric", "value", "95 % interval", right=("value",))
    for name, score in report["scores"].items():
        label = name if name in AS_COUNTED else f"{name} x 100"
        table.add_row(Text(label), Text(number(name, score["value"]), "bold"), Text(interval(name, score)))
    print_table(table, out)


# ---------------------------------------------------------------- progress


class Lines:
    """Progress where there is no terminal: a line now and then."""

    def __init__(self, out: Console) -> None:
        self.out, self.started, self.last, self.first = out, time.monotonic(), -EVERY, None
        self.score: float | None = None

    def __call__(self, steps: int, total: int, score: float | None) -> None:
        """Tell where the training is, if it is time."""
        now = time.monotonic() - self.started
        self.first = steps if self.first is None else self.first
        self.score = self.score if score is None else score
        if now - self.last < EVERY and steps < total or score is None and steps >= total:
            return
        self.last = now
        speed = (steps - self.first) / max(now, 1e-9)
        told = [f"{steps:,} of {total:,} steps"]
        if speed:
            told += [f"{speed:,.0f} steps/s", f"{max(total - steps, 0) / speed:,.0f} s left"]
        if self.score is not None:
            told.append(f"validation return {self.score:.3f}")
        self.out.print(Text(", ".join(told)))


class Bar:
    """Progress on a terminal."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.task, self.first = bar, None, 0
        self.started, self.drawn = time.monotonic(), 0.0

    def __call__(self, steps: int, total: int, score: float | None) -> None:
        """Draw where the training is."""
        if self.task is None:
            self.first, self.started = steps, time.monotonic()
            self.task = self.bar.add_task("", total=total, completed=steps, steps="", speed="", looked="")
        now = time.monotonic()
        if score is None and now - self.drawn < 0.1:
            return
        self.drawn = now
        speed = (steps - self.first) / max(now - self.started, 1e-9)
        told = {"steps": f"{steps:,}/{total:,}", "speed": f"{speed:,.0f}/s" if steps > self.first else ""}
        if score is not None:
            told["looked"] = f"validation {score:.3f}"
        self.bar.update(self.task, completed=min(steps, total), **told)


@contextmanager
def progress(out: Console) -> Any:
    """Something to call with steps, total and the latest validation score."""
    if not out.is_terminal:
        yield Lines(out)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=None),
        TextColumn("{task.fields[steps]}", markup=False),
        TextColumn("{task.fields[speed]}", style="dim", markup=False),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[looked]}", style="green", markup=False),
    )
    with Progress(*columns, console=out, expand=True) as bar:
        yield Bar(bar)


# ---------------------------------------------------------------- play


class Play:
    """A person plays episodes: reads what an agent's observation is made from, and chooses by number or by name."""

    def __init__(self, env: Any, out: Console, read: Callable[[], str | None]) -> None:
        self.env, self.out, self.read = env, out, read  # `read` gives a line, or None at the end of the input
        self.meanings = [plain(meaning) for meaning in env.unwrapped.action_meanings]
        self.returns: list[float] = []
        self.metrics: list[dict[str, float]] = []
        self.right = 0

    def go(self, episodes: int, seed: int | None) -> None:
        """Play so many episodes, or until the person has had enough."""
        try:
            for number in range(episodes):
                self.out.print(Text(f"Episode {number + 1} of {episodes}", "bold"))
                if not self._episode(seed if number == 0 else None):
                    break
        except KeyboardInterrupt:
            self.out.print()
            self._summary()
            raise
        self._summary()

    def _episode(self, seed: int | None) -> bool:
        """One episode; False where the person quits."""
        _, info = self.env.reset(seed=seed)
        paid, before, over = 0.0, "", False
        self._actions(info["action_mask"])
        while not over:
            self._text(plain(info["text"]), before)
            before = plain(info["text"])
            action = self._ask(info["action_mask"])
            if action is None:
                return False
            _, reward, terminated, truncated, info = self.env.step(action)
            paid, over = paid + float(reward), terminated or truncated
            self._reward(float(reward), info["reward_components"])
        self.right += bool(info["is_success"])
        self.returns.append(paid)
        self.metrics.append(info["episode_metrics"])
        self._outcome(info, paid)
        return True

    def _text(self, text: str, before: str) -> None:
        shown = Text("(nothing read yet)", "dim") if not text else Text(text)
        if before and text.startswith(before):
            shown.stylize("dim", 0, len(before))
        self.out.print(Padding(shown, (0, 0, 0, 2)))

    def _actions(self, mask: Any) -> None:
        line, taken = Text(), 0
        for at, meaning in enumerate(self.meanings):
            length = len(f"{at} {meaning}")
            if taken:  # to the next line where it does not fit as a whole
                fits = taken + 2 + length <= self.out.width
                line.append("  " if fits else "\n")
                taken = taken + 2 if fits else 0
            line.append(f"{at} ", "bold" if mask[at] else "dim").append(meaning, "cyan" if mask[at] else "dim")
            taken += length
        self.out.print(line)

    def _ask(self, mask: Any) -> int | None:
        """The action chosen, which is allowed; None at the end of the input."""
        while True:
            self.out.print(Text("> ", "bold"), end="")
            line = self.read()
            if line is None or line.strip().lower() in ("q", "quit"):
                self.out.print()
                return None
            chosen = self._chosen(line.strip().lower())
            if chosen is None:
                self.out.print(Text("Type an action's number or name; ? lists them, q quits.", "yellow"))
            elif chosen < 0:
                self._actions(mask)
            elif not mask[chosen]:
                self.out.print(Text(f"{self.meanings[chosen]!r} is not allowed now.", "yellow"))
            else:
                return chosen

    def _chosen(self, word: str) -> int | None:
        """The action that a word means, -1 for a question mark, None for nothing known."""
        if word == "?":
            return -1
        if word.isdecimal():
            return int(word) if int(word) < len(self.meanings) else None
        known = [(meaning.lower(), meaning.lower().removeprefix("answer ")) for meaning in self.meanings]
        exact = [at for at, names in enumerate(known) if word in names]
        begun = [at for at, names in enumerate(known) if word and any(name.startswith(word) for name in names)]
        found = exact or begun
        return found[0] if len(found) == 1 else None

    def _reward(self, reward: float, components: Mapping[str, float]) -> None:
        parts = ", ".join(f"{name} {amount:+.3f}" for name, amount in components.items() if amount)
        if len(components) > 1:
            self.out.print(Text(f"  reward {reward:+.3f}{f' ({parts})' if parts else ''}", "dim"))

    def _outcome(self, info: Mapping[str, Any], paid: float) -> None:
        right = bool(info["is_success"])
        verdict = "right" if right else f"wrong: it is {plain(' | '.join(info['target']))}"
        mean = sum(self.returns) / len(self.returns)
        self.out.print(
            Text.assemble(
                (f"  {verdict}, return {paid:+.3f}", "green" if right else "red"),
                (f"   so far {self.right} of {len(self.returns)} right, mean return {mean:+.3f}", "dim"),
            )
        )
        self.out.print()

    def _summary(self) -> None:
        count = len(self.returns)
        if not count:
            self.out.print("No episode was finished.")
            return
        table = plain_table(f"{count} episode{'s' if count > 1 else ''}", "mean", right=("mean",))
        means = {name: sum(each[name] for each in self.metrics) / count for name in self.metrics[0]}
        for name, mean in {**means, "return": sum(self.returns) / count}.items():
            label = name if name in AS_COUNTED else f"{name} x 100"
            table.add_row(Text(label), Text(number(name, mean), "bold"))
        self.out.print(table)
