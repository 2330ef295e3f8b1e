"""`python -m nlp_gym_agents._cli` is the command `nlp-gym`."""

from . import main

main()
