"""Tianshou 2: PPO on single environments in its own `DummyVectorEnv`.

It asks for an older pandas than `datasets` brings, so give it a virtual environment of its own.
python tianshou_ppo.py [ID] [STEPS]
"""

import sys

import gymnasium as gym
from gymnasium import spaces
from tianshou.algorithm import PPO
from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy, ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, CollectStats, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic
from torch.distributions import Independent, Normal

import nlp_gym_envs  # noqa: F401  registers the ids


class WithoutInfos(gym.Wrapper):
    """Tianshou stores infos as arrays, where an entry that only some steps have becomes NaN, which it then refuses."""

    def reset(self, **options):
        return self.env.reset(**options)[0], {}

    def step(self, action):
        return (*self.env.step(action)[:4], {})


def algorithm_of(env: gym.Env) -> PPO:
    """PPO for the environment's spaces, on one small net."""
    seen, space = env.observation_space.shape, env.action_space
    if isinstance(space, spaces.Discrete):
        body = Net(state_shape=seen, hidden_sizes=[64])
        policy = DiscreteActorPolicy(
            actor=DiscreteActor(preprocess_net=body, action_shape=int(space.n)), action_space=space
        )
        critic = DiscreteCritic(preprocess_net=Net(state_shape=seen, hidden_sizes=[64]))
    else:
        body = Net(state_shape=seen, hidden_sizes=[64])
        actor = ContinuousActorProbabilistic(preprocess_net=body, action_shape=space.shape, unbounded=True)
        policy = ProbabilisticActorPolicy(
            actor=actor, dist_fn=lambda parts: Independent(Normal(*parts), 1), action_space=space, action_scaling=True
        )
        critic = ContinuousCritic(preprocess_net=Net(state_shape=seen, hidden_sizes=[64]))
    return PPO(policy=policy, critic=critic, optim=AdamOptimizerFactory(lr=1e-3), gamma=1.0)


def main(env_id: str = "nlp/sentiment-label-v0", steps: int = 2_000) -> None:
    rows = DummyVectorEnv([lambda: WithoutInfos(gym.make(env_id)) for _ in range(8)])
    algorithm = algorithm_of(gym.make(env_id))
    collector = Collector[CollectStats](algorithm, rows, VectorReplayBuffer(1_024, 8))
    result = algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=collector, max_epochs=1, epoch_num_steps=steps, collection_step_num_env_steps=512,
            update_step_num_repetitions=4, batch_size=128, test_collector=None,
        )
    )  # fmt: skip
    print("environment steps", result.train_step, "updates", result.update_step)


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
