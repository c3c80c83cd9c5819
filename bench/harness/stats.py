"""Medians with their spread, percentiles, and ratios that say how many times better Quintet is."""
import math
import statistics

# Figures of which more is better; of all others less is.
MORE_IS_BETTER = {"rate"}


def percentile(values, share):
    """The smallest value that so large a share of them does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0


def summary(values):
    """(median, least, most)."""
    return statistics.median(values), min(values), max(values)


def ratios(figure, ours, theirs):
    """For each round how many times better we were in a figure: above 1 is better, be it more requests or less time. Rounds without both are left out."""
    pairs = [(a, b) if figure in MORE_IS_BETTER else (b, a) for a, b in zip(ours, theirs)]
    return [a / b for a, b in pairs if a and b]


def ratio(figure, ours, theirs):
    """(median, least, most) of the rounds' ratios, or None."""
    found = ratios(figure, ours, theirs)
    return summary(found) if found else None
