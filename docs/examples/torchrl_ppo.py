"""TorchRL: `GymWrapper` takes the batched face and resets its rows itself; its collector, GAE and PPO loss do the rest.

python torchrl_ppo.py [ID] [FRAMES]
"""

import sys

import gymnasium as gym
import torch
from gymnasium import spaces
from tensordict.nn import TensorDictModule
from tensordict.nn.distributions import NormalParamExtractor
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs.libs.gym import GymWrapper
from torchrl.modules import OneHotCategorical, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import nlp_gym_envs  # noqa: F401  registers the ids

ROWS = 32


def policy_of(space: spaces.Space, inputs: int, specs) -> ProbabilisticActor:
    """A small net that chooses: a category of a Discrete space, a point of a Box."""
    if isinstance(space, spaces.Box):
        outputs, keys, kind = 2 * space.shape[0], ["loc", "scale"], TanhNormal
        bounds = {"low": torch.as_tensor(space.low), "high": torch.as_tensor(space.high)}
    else:
        outputs, keys, kind, bounds = int(space.n), ["logits"], OneHotCategorical, {}
    layers = [nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, outputs)]
    net = nn.Sequential(*layers, *([NormalParamExtractor()] if len(keys) > 1 else []))
    return ProbabilisticActor(
        TensorDictModule(net, in_keys=["observation"], out_keys=keys),
        spec=specs, in_keys=keys, distribution_class=kind, distribution_kwargs=bounds, return_log_prob=True,
    )  # fmt: skip


def main(env_id: str = "nlp/sentiment-label-v0", frames: int = 4_096) -> None:
    torch.manual_seed(0)
    env = GymWrapper(gym.make_vec(env_id, num_envs=ROWS, autoreset_mode="Disabled"))
    env.set_seed(0)
    inputs = env.observation_spec["observation"].shape[-1]
    policy = policy_of(env._env.single_action_space, inputs, env.action_spec)
    value = ValueOperator(nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1)), in_keys=["observation"])
    loss, advantage = ClipPPOLoss(policy, value), GAE(gamma=1.0, lmbda=0.95, value_network=value)
    optimiser = torch.optim.Adam(loss.parameters(), lr=1e-3)
    for batch in Collector(env, policy, frames_per_batch=min(1_024, frames), total_frames=frames):
        for _ in range(4):
            advantage(batch)
            losses = loss(batch.reshape(-1))
            optimiser.zero_grad()
            sum(losses[name] for name in ("loss_objective", "loss_critic", "loss_entropy")).backward()
            optimiser.step()
        print("mean reward of a step", float(batch["next", "reward"].mean()))


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
