#!/usr/bin/env python3
"""Rooms whose people come and go for half an hour: what the worker keeps of those who are gone, in memory and in descriptors.

Four rooms with two publishers and ten players each, as real as those of `ci/bench sfu`. Players stay for 1 to 15 s and publishers for 20 to 60 s; one player
in five goes without a word, as a laptop that is closed. Everybody is gone at the end of each minute, before the next one begins: then is looked.

  rooms     `memory_growth`: of the last fifth of the minutes over those behind the first sixth, in which memory is still taken for the first time.
            `descriptors_left`: of the worker and of control, once everybody is gone and the last sessions without a word have ended

--minutes=N      in place of 30, at least 6
"""
import os
import resource
import statistics
import sys
import time

from bench import Stage, figure, resident_mb
from rooms import Crowd, Strata, own_address

ROOMS, PUBLISHERS, PLAYERS, PACKETS = 4, 2, 10, 60
SESSION_SECONDS = 30  # for which a worker waits for whoever has gone without a word (RFC 7675 section 5.1)


def descriptors(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


class Soak:
    def __init__(self, minutes):
        self.minutes, self.stage = minutes, Stage()

    def run(self):
        server = Strata(self.stage, own_address())
        crowd, plan = Crowd(self.stage, server, PACKETS), [(number, PUBLISHERS, PLAYERS) for number in range(ROOMS)]
        # What is opened for the first one stays: files of control, for one.
        crowd.churn(plan, 10)
        time.sleep(SESSION_SECONDS + 10)
        before, memory, entries, vanished, faults = descriptors(server.pids()), [], 0, 0, []
        for _ in range(self.minutes):
            came = crowd.churn(plan, 60)
            memory.append(resident_mb(server.pid))
            entries, vanished = entries + came["entries"], vanished + came["vanished"]
            faults += [came.get("lastFault")] * came["faults"]
            if server.worker() != server.pid:
                raise SystemExit(f"bench: the worker was started again: {self.stage.log('rooms')}")
        # Rooms into which nobody comes keep nothing of anybody.
        if len(faults) > entries / 100:
            raise SystemExit(f"bench: {len(faults)} were not let in or not there in time, {entries} were; the last: {faults[-1]}")
        time.sleep(SESSION_SECONDS + 10)
        after = descriptors(server.pids())
        warm, part = max(1, self.minutes // 6), max(1, self.minutes // 5)
        early, late = statistics.median(memory[warm:warm + part]), statistics.median(memory[-part:])
        figure("soak", "rooms", "entries", entries, "people")
        figure("soak", "rooms", "vanished", vanished, "people")
        figure("soak", "rooms", "faults", len(faults), "people")
        figure("soak", "rooms", "memory", memory, "MB")
        figure("soak", "rooms", "memory_growth", (late / early - 1) * 100, "%")
        figure("soak", "rooms", "descriptors", after, "descriptors")
        figure("soak", "rooms", "descriptors_left", max(0, after - before), "descriptors")
        crowd.end()
        server.end()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    words = dict(word.removeprefix("--").partition("=")[::2] for word in sys.argv[1:])
    if set(words) - {"minutes"}:
        sys.exit(f"bench: no option --{(set(words) - {'minutes'}).pop()}")
    Soak(max(6, int(words.get("minutes", 30)))).run()
