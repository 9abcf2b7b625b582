"""Proposals: how a folder that nobody has described might be read, with what was seen and why.

profiles   what the values of every column are like
meanings   what a column may be, by its name and its values
relations  which columns hold the ids that others hold
seen       what the rows of a table are
keys, events, lists, tables   its part of the mapping
evidence   questions to its rows that decide a word of it
writing    the proposal as commented YAML

Nothing is guessed silently: what the data leave open is proposed with the doubt beside it.
"""

from ingestion.propose.proposal import Proposal, is_needed, propose

__all__ = ["Proposal", "is_needed", "propose"]
