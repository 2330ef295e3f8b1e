"""The report as people use it, in a real browser: sorting, hovering, filtering, dark, a phone, paper."""

from collections.abc import Iterator
from pathlib import Path

import invented_results
import pytest
from browser import Browser, browser, executable

from nlp_gym_agents import _report

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium is installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _report.write(invented_results.write(tmp_path_factory.mktemp("results") / "invented"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(running: Browser, page: Path) -> Iterator[Browser]:
    """The page just opened; it must neither fail nor ask for anything that is not a file of its own."""
    running.messages.clear()
    running.open(page)
    yield running
    names = [message["method"] for message in running.messages]
    assert "Runtime.exceptionThrown" not in names and "Log.entryAdded" not in names, running.messages
    asked = [m["params"]["request"]["url"] for m in running.messages if m["method"] == "Network.requestWillBeSent"]
    assert set(asked) == {page.resolve().as_uri()}


def column(tab: Browser, section: str, index: int) -> list[str]:
    """What stands in a column, from top to bottom, where it can be seen."""
    rows = f"[...document.querySelectorAll('#{section} tbody tr')].filter(row => row.offsetParent)"
    return tab.run(f"{rows}.map(row => row.cells[{index}].innerText.trim())")


def test_a_click_on_a_head_sorts_and_another_turns_the_order(tab: Browser) -> None:
    head = "#everything th:nth-child(4) .sort"
    for expected in ("descending", "ascending"):
        tab.click(head)
        values = [float(text.split(" ")[0]) for text in column(tab, "everything", 3)]
        assert values == sorted(values, reverse=expected == "descending") and len(set(values)) > 10
        assert tab.run("document.querySelector('#everything th:nth-child(4)').ariaSort") == expected
    tab.click("#everything th:nth-child(2) .sort")
    names = [text.split("\n")[0] for text in column(tab, "everything", 1)]
    assert names == sorted(names) and tab.run("document.querySelectorAll('#everything th[aria-sort]').length") == 1


def test_hovering_tells_numbers(tab: Browser) -> None:
    assert tab.run("document.querySelector('#tip').hidden")
    tab.point("#across li:first-child svg .mark[data-agent=ppo]")
    assert "ppo on sentiment-label" in tab.run("document.querySelector('#tip').innerText")
    tab.point("figure svg[data-curves]")
    lines = tab.run("document.querySelector('#tip').innerText").splitlines()
    assert {line.split()[0] for line in lines} == set(invented_results.LEARNERS)
    values = [float(line.split()[1]) for line in lines]
    assert values == sorted(values, reverse=True)
    tab.point("h1")
    assert tab.run("document.querySelector('#tip').hidden && !document.querySelector('.cross')")


def test_the_filter_leaves_what_has_every_word(tab: Browser) -> None:
    before = len(column(tab, "everything", 0))
    tab.click("#filter")
    tab.send("Input.insertText", text="read ppo")
    after = list(zip(column(tab, "everything", 0), column(tab, "everything", 1), strict=True))
    assert 0 < len(after) < before and all("read" in env and "ppo" in agent for env, agent in after)
    tab.click("#kinds button[data-kind=learned]")
    assert column(tab, "everything", 0) == []


def test_an_agent_that_is_picked_stands_out(tab: Browser) -> None:
    tab.click("[data-pick=sarsa]")
    count = "document.querySelectorAll('figure [data-agent{}=sarsa]{}').length"
    assert tab.run(count.format("", ".faded")) == 0
    assert tab.run(
        "[...document.querySelectorAll('figure [data-agent=ppo]')].every(e => e.classList.contains('faded'))"
    )
    tab.click("[data-pick=sarsa]")
    assert tab.run("document.querySelectorAll('figure .faded').length") == 0


def test_sections_open_and_close_and_links_open_theirs(tab: Browser) -> None:
    closed = "[...document.querySelectorAll('details.place')].filter(d => !d.open).length"
    tab.click("#close")
    assert tab.run(closed) == len(invented_results.IDS)
    tab.click("#glance td.id a")
    tab.run("new Promise(done => setTimeout(done, 50))")
    assert tab.run(closed) == len(invented_results.IDS) - 1
    tab.click("#open")
    assert tab.run(closed) == 0


def test_dark_follows_the_system_until_somebody_chooses(tab: Browser, page: Path, tmp_path: Path) -> None:
    def lightness() -> float:
        colour = "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).map(Number)"
        return sum(tab.run(colour)) / 3

    assert lightness() > 200
    light = tab.picture(tmp_path / "light.png").read_bytes()
    tab.click("#theme")
    assert lightness() < 60
    assert tab.picture(tmp_path / "dark.png").read_bytes() != light
    tab.run("localStorage.clear()")
    tab.open(page, scheme="dark")
    assert lightness() < 60
    tab.click("#theme")
    assert lightness() > 200
    tab.run("localStorage.clear()")


def test_letters_can_be_read_on_their_ground_in_light_and_dark(tab: Browser, page: Path) -> None:
    """Contrast as WCAG counts it: 4.5 for text, 3 for marks."""
    script = """(() => {
      const ground = getComputedStyle(document.body).backgroundColor, probe = document.createElement("i");
      document.body.append(probe);
      const bend = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      const light = (text) => { const [r, g, b] = text.match(/[0-9.]+/g).map(v => bend(v / 255));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const contrast = (name) => { probe.style.color = `var(--${name})`;
          const [a, b] = [light(getComputedStyle(probe).color), light(ground)].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05); };
      return Object.fromEntries(%s.map(name => [name, contrast(name)])); })()"""
    names = ["ink", "soft", "blue", "vermilion", "green", "purple", "orange", "sky", "grey"]
    for scheme in ("light", "dark"):
        tab.open(page, scheme=scheme)
        found = tab.run(script % names)
        assert found["ink"] > 7 and found["soft"] > 4.5, found
        assert min(found.values()) >= 3, (scheme, found)


def test_a_phone_needs_no_scrolling_sideways(tab: Browser, page: Path, tmp_path: Path) -> None:
    tab.open(page, width=390, height=844)
    assert tab.run("document.documentElement.scrollWidth") == 390
    outside = "e.getBoundingClientRect().right > 391 && !e.closest('.scroll, pre, svg')"
    wide = f"[...document.querySelectorAll('main *')].filter(e => {outside})"
    assert tab.run(f"{wide}.map(e => e.tagName + '.' + e.className)") == []
    scale = "s.getBoundingClientRect().width / s.viewBox.baseVal.width"
    assert (
        min(tab.run(f"[...document.querySelectorAll('.plots svg')].map(s => {scale})")) > 0.85
    )  # letters of 11 pixels stay above 9
    assert tab.picture(tmp_path / "phone.png", whole=True).stat().st_size > 50_000


def test_paper_has_every_section_open(tab: Browser, tmp_path: Path) -> None:
    tab.click("#close")
    short = tab.paper(tmp_path / "paper.pdf").read_bytes()
    assert short.startswith(b"%PDF") and short.count(b"/Type /Page\n") + short.count(b"/Type /Page ") >= 6
    assert tab.run("document.querySelectorAll('details.place[open]').length") == 0  # and closed again afterwards
