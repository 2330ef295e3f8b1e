"""RLlib: PPO on the batched face, which its workers make with `gym.make_vec`.

pip install "ray[tune]" dm_tree lz4 ormsgpack scipy    (ray[rllib] asks for an older Gymnasium, and is not needed)
python rllib_ppo.py [ID] [ITERATIONS]
"""

import sys

import ray
from ray.rllib.algorithms.ppo import PPOConfig

from nlp_gym_envs.envs import NLPVectorEnv


def main(env_id: str = "nlp/sentiment-label-v0", iterations: int = 2) -> None:
    config = (
        PPOConfig()
        .environment(f"nlp_gym_envs:{env_id}")  # the prefix imports the package in every worker too
        .env_runners(num_env_runners=0, num_envs_per_env_runner=32, gym_env_vectorize_mode="vector_entry_point")
        .training(train_batch_size=1024, minibatch_size=256, num_epochs=2, gamma=1.0)
        .rl_module(model_config={"fcnet_hiddens": [64]})
        .debugging(seed=0, log_level="ERROR")
    )
    algorithm = config.build_algo()
    face = algorithm.env_runner.env.unwrapped
    assert isinstance(face, NLPVectorEnv) and face.num_envs == 32  # one batched environment, not a list of 32
    for _ in range(iterations):
        result = algorithm.train()
        print("mean return", result["env_runners"]["episode_return_mean"])
    algorithm.stop()


if __name__ == "__main__":
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
    ray.shutdown()
