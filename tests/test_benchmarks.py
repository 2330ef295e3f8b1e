"""The speed benchmarks run, and both sides that they time do the same work."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = {"GEM": "gem", "NLPGym": "nlp_gym", "DACBench": "dacbench"}


def run(script: str, *arguments: str) -> str:
    """What a benchmark prints, on the stand-in for SST-2, which is small."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "agents"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), "--quick", "--task", "sst2", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_throughput_writes_every_row_and_both_sides_earn_the_same(tmp_path):
    printed = run("throughput.py", "--out", str(tmp_path / "rows.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    measured = {(row["what"], row["dynamics"]) for row in rows}
    parts = ("vector", "bridge", "bridge, statistics", "learn, defaults", "learn, light", "floor")
    assert measured == {(what, dynamics) for what in parts for dynamics in ("label", "read")}
    assert all(printed.count(f"| {what} | {dynamics} |") for what, dynamics in measured)
    compared = [row["rewards"] for row in rows if row["what"] in ("vector", "bridge", "bridge, statistics")]
    assert compared and all(ours == other for ours, other in compared)
    for row in rows:
        assert 0 < row["ratio"]["min"] <= row["ratio"]["median"] <= row["ratio"]["max"]
        assert row["goal"] is None, "numbers of a smoke run say nothing about goals"


def test_peers_that_are_not_installed_are_skipped_with_one_line_each():
    missing = {peer for peer, package in PEERS.items() if importlib.util.find_spec(package) is None}
    lines = run("peers.py", "--only", *sorted(missing)).splitlines() if missing else []
    for peer in missing:
        assert sum(line.startswith(f"{peer} is skipped: ModuleNotFoundError") for line in lines) == 1
    assert not any(line.startswith("| ") and not line.startswith("| what") for line in lines)
