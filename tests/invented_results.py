"""Invented results in the form in which a benchmark writes them: nobody measured these numbers.

Among them is everything that a report must cope with: an id on which nothing is learned, a control above chance, failed
and skipped cells, a broken line, texts that look like markup, vectors as actions, prices that were varied.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOSTILE = '<script>alert("1")</script> & <b onmouseover=alert(2)>bold</b> "quoted" \'single\' </style> {{ 7 * 7 }}'
VERSIONS = {"nlp-gym-envs": "0.1", "gymnasium": "1.4.0", "numpy": "2.4.6", "torch": "2.13.0"}
IDS: dict[str, dict[str, Any]] = {  # id: its metric, what uniform and the supervised reference get, what learners reach
    "nlp/sentiment-label-v0": {"metric": "accuracy", "floor": 0.50, "top": 0.78, "learned": (0.76, 0.74, 0.72)},
    "nlp/ag_news-read-v0": {"metric": "accuracy", "floor": 0.25, "top": 0.89, "learned": (0.885, 0.87, 0.80)},
    "nlp/sst2-label-v0": {"metric": "accuracy", "floor": 0.50, "top": 0.77, "learned": (0.51, 0.50, 0.495)},
    "nlp/translation-readwrite-v0": {"metric": "chrf", "floor": 0.20, "top": 0.62, "learned": (0.55, 0.50, 0.41)},
    "nlp/sentiment-subspace-v0": {"metric": "accuracy", "floor": 0.62, "top": 0.81, "learned": (0.79, 0.70, 0.66)},
}
LEARNERS = ("ppo", "maskable_ppo", "sarsa")
COUNTS = ("environment_steps", "forward_passes", "backward_passes", "tokens")
ARMS = ("constant reward", "shuffled labels", "zero observation")
PRICES = {"nlp/ag_news-read-v0": ("reading_cost", (0.0003, 0.001, 0.003, 0.01)),
          "nlp/translation-readwrite-v0": ("delay_price", (0.0, 0.05, 0.2))}  # fmt: skip


def interval(value: float, half: float = 0.012) -> list[float]:
    """A value with bounds around it."""
    return [round(value, 5), round(value - half, 5), round(value + half, 5)]


def row(
    env: str, agent: str, value: float, seed: int = 0, arm: str = "as is", price: float | None = None
) -> dict[str, Any]:
    """A finished cell."""
    metric, learned = IDS[env]["metric"], agent in LEARNERS
    chance = random.Random(f"{env} {agent} {seed} {arm} {price}")
    value += chance.gauss(0, 0.006) if learned else 0.0
    steps = 20_000 if learned else 0
    name, counts = f"{env.split('/')[1]}-{agent}-{arm}-{seed}-{price}".replace(" ", "-"), dict.fromkeys(COUNTS)
    counts |= {"environment_steps": steps} | ({"forward_passes": 4 * steps} if "readwrite" in env else {})
    return {
        "cell": name, "benchmark": "invented", "env": env, "agent": agent, "arm": arm, "seed": seed, "steps": steps,
        "env_kwargs": {} if price is None else {PRICES[env][0]: price}, "status": "ok", "error": None,
        "hyperparameters": {"n_steps": 64} if learned else {}, "kind": "learned" if learned else "baseline",
        "metric": metric, "scores": _scores(env, metric, value, learned, _share(env, price, chance)),
        "curve": _curve(metric, IDS[env]["floor"], value, steps, chance) if learned else [],
        "selected_at": 14_000 if learned else None, "counts": counts,
        "seconds": 9.0 + chance.random() * 40 if learned else 0.4, "cpu_seconds": 8.5, "peak_memory_mb": 512.0,
        "versions": VERSIONS, "python": "3.11.7", "platform": "Linux", "commit": "0123456789abcdef",
        "data": {"train": {"sha256": "ab" * 32, "n": 2000}},
    }  # fmt: skip


def _share(env: str, price: float | None, chance: random.Random) -> float:
    """How much is read at a price."""
    if price is None:
        return 0.0
    return max(0.03, min(1.0, 0.75 - 0.22 * PRICES[env][1].index(price) + chance.gauss(0, 0.02)))


def _scores(env: str, metric: str, value: float, learned: bool, share: float) -> dict[str, Any]:
    """Scores on every split, better on that which was trained on."""
    scores: dict[str, Any] = {}
    for split, better, n in (("train", 0.03, 2000), ("validation", 0.0, 500), ("test", 0.0, 1000)):
        if split == "train" and not learned:
            continue
        found = {"n": n, metric: interval(value + better), "return": interval(2 * value - 1, 0.03)}
        found["length"] = interval(3 + 9 * share, 0.1)
        if "-read-" in env:
            found["fraction_read"] = interval(share)
        if "readwrite" in env:
            found["average_lagging"] = interval(1 + 8 * share, 0.1)
        scores[split] = found
    return scores


def _curve(metric: str, floor: float, value: float, steps: int, chance: random.Random) -> list[dict[str, float]]:
    """From the floor towards the value."""
    found = []
    for at in range(0, steps + 1, 2000):
        height = floor + (value - floor) * (1 - 0.5 ** (at / 3000))
        found.append({"steps": float(at), metric: height + chance.gauss(0, 0.008), "return": 2 * height - 1})
    return found


def rows(seeds: int = 3) -> Iterator[dict[str, Any]]:
    """All the rows: baselines, learners, controls, prices."""
    for env, about in IDS.items():
        base = PRICES[env][1][1] if env in PRICES else None
        yield row(env, "uniform", about["floor"], price=base)
        yield row(env, "oracle", 1.0 if about["metric"] == "accuracy" else 0.7, price=base)
        if "readwrite" not in env:
            yield row(env, "majority", about["floor"] + 0.004, price=base)
            yield row(env, "supervised", about["top"], price=base)
        for agent, value in zip(LEARNERS, about["learned"], strict=True):
            for seed in range(seeds):
                yield row(env, agent, value, seed, price=base)
        if env in PRICES:
            rule = "wait_k" if "readwrite" in env else "threshold"
            for price in PRICES[env][1]:
                yield row(env, rule, about["top"] - 0.02, price=price)
                if price != base:
                    for seed in range(seeds):
                        yield row(
                            env, "ppo", about["learned"][0] - 0.05 * PRICES[env][1].index(price), seed, price=price
                        )
        for arm in ARMS if "label" in env else ():
            leaking = env == "nlp/sst2-label-v0" and arm == "zero observation"
            for seed in range(seeds):
                yield row(env, "ppo", about["floor"] + (0.2 if leaking else 0.0), seed, arm)


def episode(number: int, vector: bool = False) -> dict[str, Any]:
    """A sample episode of a reader, or of an agent whose actions are vectors."""
    words = f"{HOSTILE} a film about example {number}".split()
    steps, text = [], ""
    for step, word in enumerate(words):
        text = f"{text} {word}".strip()
        last = step == len(words) - 1
        steps.append({
            "text": text, "action": [0.4, -1.2, 0.05] if vector else (1 if last else 4),
            "meaning": "+0.4, -1.2, +0.05" if vector else ("answer positive" if last else "read on"),
            "probability": None if vector else 0.6 + 0.03 * step, "reward": 1.0 if last else -0.001,
            "components": {"accuracy": float(last), "reading": -0.001},
        })  # fmt: skip
    return {
        "example": number, "text": text, "steps": steps,
        "answer": "positive", "target": ["positive" if number else "negative"],
        "metrics": {"accuracy": float(bool(number))}, "return": 0.98 if number else -1.0,
    }  # fmt: skip


def write(folder: Path, seeds: int = 3) -> Path:
    """A folder of results."""
    (folder / "samples").mkdir(parents=True)
    lines = [json.dumps(one) for one in rows(seeds)]
    broken = {
        **row("nlp/sentiment-label-v0", "dqn", 0.7),
        "status": "failed",
        "error": f"ValueError: {HOSTILE}",
        "scores": None,
    }
    lines.append(json.dumps({**broken, "cell": "failed", "traceback": "Traceback …\n  line 1"}))
    lines.append(
        json.dumps(
            {
                **broken,
                "cell": "skipped",
                "status": "skipped",
                "error": "NotAvailable: no data",
                "env": "nlp/imdb-label-v0",
            }
        )
    )
    lines.append(lines[0][:57])  # a row that was cut off
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "config.yaml").write_text("name: invented\nagents: [ppo]  # <not markup>\n")
    for one in rows(1):
        if one["arm"] == "as is" and one["agent"] in ("ppo", "uniform"):
            episodes = [episode(number, "subspace" in one["env"]) for number in range(2)]
            told = {"env": one["env"], "agent": one["agent"], "episodes": episodes}
            (folder / "samples" / f"{one['cell']}.json").write_text(json.dumps(told))
    (folder / "samples" / "cut.json").write_text('{"episodes": [')
    return folder
