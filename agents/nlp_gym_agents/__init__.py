"""Agents for `nlp_gym_envs`: one file each, the bridge to Stable-Baselines3, and the command line `nlp-gym`."""

from ._bridge import SB3VecEnv, make_vec_env

__all__ = ["SB3VecEnv", "make_vec_env"]
