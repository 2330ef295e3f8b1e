"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);

  // ---- light and dark: the system's choice until somebody makes one
  const root = document.documentElement, theme = one("#theme");
  const keep = (value) => { try { localStorage.setItem("nlp-gym-theme", value); } catch { /* no storage in this view: the choice lasts as long as the page */ } };
  const kept = () => { try { return localStorage.getItem("nlp-gym-theme"); } catch { return null; } };
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const tell = () => { theme.textContent = isDark() ? "light" : "dark"; theme.setAttribute("aria-pressed", isDark()); theme.setAttribute("aria-label", `switch to ${theme.textContent}`); };
  if (kept()) root.dataset.theme = kept();
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; keep(root.dataset.theme); tell(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  tell();

  // ---- sorting: numbers by data-v, the largest first; the rest as text; empty cells last
  const key = (row, column) => {
    const cell = row.cells[column], value = cell.dataset.v ?? cell.textContent.trim();
    return value === "" || cell.classList.contains("none") ? null : Number.isNaN(Number(value)) ? value : Number(value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  for (const button of all(".sort")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), body = button.closest("table").tBodies[0], column = head.cellIndex;
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const rows = [...body.rows].map((row) => [key(row, column), row]);
      rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : compare(a, b) * (order === "ascending" ? 1 : -1)));
      body.append(...rows.map(([, row]) => row));
    });
  }

  // ---- filtering: every word must be found
  const filter = one("#filter"), kinds = all("#kinds button"), told = one("#shown");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(kinds.filter((b) => b.getAttribute("aria-pressed") === "false").map((b) => b.dataset.kind));
    const fits = (element) => words.every((word) => element.dataset.words.includes(word));
    for (const row of all("table[data-filtered] tbody tr")) row.hidden = !fits(row) || (row.closest("#everything") !== null && off.has(row.dataset.kind));
    for (const row of all(".across li[data-words]")) row.hidden = !fits(row);
    for (const place of all("details.place")) place.hidden = !fits(place) && !all("tbody tr", place).some((row) => words.every((word) => `${place.dataset.words} ${row.dataset.agent}`.includes(word)));
    const rows = all("#everything tbody tr"), left = rows.filter((row) => !row.hidden).length;
    told.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
  };
  filter.addEventListener("input", apply);
  for (const button of kinds) button.addEventListener("click", () => { button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "false"); apply(); });
  apply();

  // ---- hovering: what a mark says, and the values of all curves at a place
  const tip = one("#tip");
  const show = (text, x, y) => {
    tip.textContent = text; tip.hidden = false;
    const box = tip.getBoundingClientRect(), room = 12;
    tip.style.left = `${Math.max(6, Math.min(x + room, innerWidth - box.width - 6))}px`;
    tip.style.top = `${y + room + box.height > innerHeight ? y - room - box.height : y + room}px`;
  };
  const hide = () => { tip.hidden = true; for (const line of all("svg .cross")) line.remove(); };
  const nearest = (svg, event) => {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number), box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width, curves = JSON.parse(svg.dataset.curves);
    const at = curves.map(([name, , points]) => [name, points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a))]);
    const edge = at.reduce((a, b) => (Math.abs(b[1][0] - x) < Math.abs(a[1][0] - x) ? b : a))[1][0];
    for (const line of all("svg .cross")) line.remove();
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cross.setAttribute("class", "cross"); cross.setAttribute("d", `M${edge} 12V${height - 36}`); svg.append(cross);
    return at.sort((a, b) => parseFloat(b[1][1].replace("−", "-")) - parseFloat(a[1][1].replace("−", "-"))).map(([name, [, text]]) => `${name}  ${text}`).join("\n");
  };
  document.addEventListener("pointermove", (event) => {
    const marked = event.target.closest?.("[data-tip]"), svg = event.target.closest?.("svg[data-curves]");
    if (marked) show(marked.dataset.tip, event.clientX, event.clientY);
    else if (svg) show(nearest(svg, event), event.clientX, event.clientY);
    else hide();
  });
  document.addEventListener("focusin", (event) => {
    const box = event.target.getBoundingClientRect?.();
    if (event.target.dataset?.tip) show(event.target.dataset.tip, box.left, box.bottom); else hide();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("scroll", hide, { passive: true });

  // ---- one agent alone: picked in the legend, or pointed at in a plot
  let picked = null;
  const fade = (name, within = document) => { for (const part of all("figure [data-agent]", within)) part.classList.toggle("faded", name !== null && part.dataset.agent !== name); };
  for (const button of all("[data-pick]")) {
    button.addEventListener("click", () => {
      picked = picked === button.dataset.pick ? null : button.dataset.pick;
      for (const each of all("[data-pick]")) each.setAttribute("aria-pressed", each.dataset.pick === picked);
      fade(picked);
    });
  }
  for (const figure of all("figure")) {
    figure.addEventListener("pointerover", (event) => { const name = event.target.dataset?.agent; if (name) fade(name, figure); });
    figure.addEventListener("pointerleave", () => fade(picked, figure));
  }

  // ---- opening and closing: by hand, by a link, for paper
  const places = all("details.place");
  one("#open").addEventListener("click", () => { for (const place of places) place.open = true; });
  one("#close").addEventListener("click", () => { for (const place of places) place.open = false; });
  const reveal = () => { const goal = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1))); if (goal?.matches?.("details")) goal.open = true; };
  addEventListener("hashchange", reveal);
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => { closed = places.filter((place) => !place.open); for (const place of closed) place.open = true; });
  addEventListener("afterprint", () => { for (const place of closed) place.open = false; });
})();
