"""PPO with an LSTM (sb3-contrib's, unmodified): an agent that remembers what it has read."""

from sb3_contrib import RecurrentPPO

AGENT = RecurrentPPO
