#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment, and uses it from an empty folder: `make wheel`.
set -euo pipefail
python=$(command -v "${PYTHON:-python3}")
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$python" -m build --wheel --outdir "$place/dist" "$root" >"$place/build.log" 2>&1 || { cat "$place/build.log"; exit 1; }
"$python" -m venv "$place/fresh"
"$place/fresh/bin/python" -m pip install -q -c "$root/constraints/cpu.txt" "$place"/dist/*.whl
ls -l "$place"/dist/*.whl | awk '{ print "wheel of", $5, "bytes" }'

mkdir "$place/empty" && cd "$place/empty"
export HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 NLP_GYM_CACHE="$place/cache" PATH="$place/fresh/bin:$PATH"
unset PYTHONPATH NLP_GYM_DATA

python - "$place/fresh" <<'PY'
import sys, gymnasium, nlp_gym_agents, nlp_gym_envs

for package in (nlp_gym_envs, nlp_gym_agents):
    assert package.__file__.startswith(sys.argv[1]), package.__file__  # the installed one
assert "torch" not in sys.modules and "stable_baselines3" not in sys.modules  # importing stays light
env = gymnasium.make("nlp/translation-tokens-v0", longest=8, lexicon=False)  # a model that ships with the package
env.reset(seed=0)
assert env.step(0)[4]["text"]
print("imported", nlp_gym_envs.__version__, "with", len(nlp_gym_envs.environment_ids()), "ids")
PY
nlp-gym list | grep -c "^nlp/"
nlp-gym train --agent ppo --env nlp/sentiment-label-v0 --steps 2048 --out run --no-table --quiet
nlp-gym evaluate run --split validation --json | python -c "
import json, sys
found = json.load(sys.stdin)
assert found['n'] == 1500 and 0 < found['scores']['accuracy']['value'] <= 1, found
print('accuracy', found['scores']['accuracy'], 'of', found['n'])"
echo "the wheel works from an empty folder"
