"""What links could carry, by arithmetic: their capacity over time, and one queue over all of them.

Everything counts in steps of 10 ms of the monotonic clock, as `strata-lab` does (Tests/Lab/StepCounts.swift).
"""
import bisect
import collections

STEP = 10_000_000  # ns
PAYLOAD = 1316  # bytes of transport stream in a datagram
WIRE = 1400  # of the packet that carries it, IP header and all
PACKET = 188
OPPORTUNITY = 1500


class Capacity:
    """A link's rate over time: what the emulator was told, and when."""

    def __init__(self):
        self.told, self.traces = [], {}

    def change(self, at, profile, trace=None):
        """A trace counts from the change that brought it; one that is told again goes on."""
        if trace is not None and self.told and self.told[-1][2] is trace:
            begun = self.told[-1][3]
        else:
            begun = at
        self.told.append((at, profile, trace, begun))

    def steps(self, start, end):
        """Bytes in each step of [start, end), multiples of the step."""
        return [self.between(at, at + STEP) for at in range(start, end, STEP)]

    def between(self, start, end):
        total = 0
        for number, (at, profile, trace, begun) in enumerate(self.told):
            until = self.told[number + 1][0] if number + 1 < len(self.told) else end
            low, high = max(start, at), min(end, until)
            if low >= high or profile.get("blackout"):
                continue
            if trace is None:
                total += profile["rateKbit"] * 125 * (high - low) / 1e9
            else:
                total += OPPORTUNITY * (opportunities(trace, high - begun) - opportunities(trace, low - begun))
        return total


def opportunities(trace, nanoseconds):
    """How many of a trace's times lie before this one, over all its repetitions."""
    rounds, rest = divmod(nanoseconds / 1e6, trace[-1])
    return int(rounds) * len(trace) + bisect.bisect_left(trace, rest)


def pooled(capacity, offered, deadline):
    """One queue over all links: bytes (served, lost) by steps of what they could carry and of what came in.

    First in, first out; what is older than `deadline` steps is lost and takes no capacity. With one deadline for all no other
    order serves more.
    """
    queue, served, lost = collections.deque(), 0, 0
    for step, (room, came) in enumerate(zip(capacity, offered)):
        if came:
            queue.append([step, came])
        while queue and step - queue[0][0] > deadline:
            lost += queue.popleft()[1]
        while queue and room > 0:
            took = min(room, queue[0][1])
            room -= took
            served += took
            queue[0][1] -= took
            if queue[0][1] <= 1e-6:
                queue.popleft()
    return served, lost


def part(series, start, end):
    """A series of `strata-lab` as a list over [start, end)."""
    first, values = series["first"], series["values"]
    return [values[step - first] if 0 <= step - first < len(values) else 0 for step in range(start // STEP, end // STEP)]
