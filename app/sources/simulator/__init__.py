"""A simulated store: what a real one would say of itself, as typed events, reproducible from a small plan."""

from app.sources.simulator.goods import Good
from app.sources.simulator.people import Agent, Group
from app.sources.simulator.plan import Plan
from app.sources.simulator.simulator import Simulator

__all__ = ["Agent", "Good", "Group", "Plan", "Simulator"]
