"""A made-up company: what it would export, and the truth about it in a folder of its own."""

from ingestion.simulate.generate import Report, simulate

__all__ = ["Report", "simulate"]
