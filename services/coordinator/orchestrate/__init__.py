"""Strategies that ask more than once: debates, layers, choices, checks, rankings and cascades.

Each is one function from a `Floor` to a Decision, in the one table of `table`. They ask through the
same dispatcher as a plain vote, so failover, deadlines and cancelling are the same.
"""
