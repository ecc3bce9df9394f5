"""What an experiment will take of the machine, step by step, before anything starts: measured in small, extrapolated.

May import `comparison`, `experiment` and what those may. Probes (`dataset/sample.py`, `data_probe.py`,
`model_probe.py`) do a little of the real work in processes of their own; `forecast.py` draws straight lines through
what they found.
"""

from regact.planning.machine import Machine, find_machine
from regact.planning.plan import Command, plan_experiment
from regact.planning.steps import Plan, Step

__all__ = ["Command", "Machine", "Plan", "Step", "find_machine", "plan_experiment"]
