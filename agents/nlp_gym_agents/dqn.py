"""Deep Q-network (Mnih et al. 2015): Stable-Baselines3's, unmodified; it knows no masks."""

from stable_baselines3 import DQN

AGENT = DQN
