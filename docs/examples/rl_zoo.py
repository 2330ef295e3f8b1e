"""RL Baselines3 Zoo: `configs/ppo.yml` is in its format, and its command takes our ids as they are.

python rl_zoo.py [ID] [STEPS] [CONFIG] runs
python -m rl_zoo3.train --algo ppo --env ID --gym-packages nlp_gym_envs --conf-file CONFIG -n STEPS -f logs
"""

import subprocess
import sys
from pathlib import Path

import nlp_gym_agents

INSTALLED = Path(nlp_gym_agents.__file__).parent / "configs"  # in a wheel; in a checkout they are in configs/
CHECKOUT = Path(__file__).parents[2] / "configs"


def main(env_id: str = "nlp/sentiment-label-v0", steps: int = 2_000, config: str = "") -> None:
    folder = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    command = [sys.executable, "-m", "rl_zoo3.train", "--algo", "ppo", "--env", env_id]
    command += ["--gym-packages", "nlp_gym_envs", "--conf-file", config or str(folder / "ppo.yml")]
    command += ["-n", str(steps), "-f", "logs", "--eval-freq", "-1", "--verbose", "0", "--seed", "1"]
    subprocess.run(command, check=True)
    saved = sorted(Path("logs").rglob("*.zip"))
    print("saved", *saved)
    assert saved


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]), *sys.argv[3:4])
