#!/usr/bin/env python3
"""The worker of rooms beside Janus 1.1 (videoroom), with real ICE, DTLS and SRTP from a load of our own (`Tests/RoomLoad`).

Publishers send pictures that are made up: 300 packets a second of 1,100 bytes, evenly spread, as VP8 in thirty pictures. Each packet carries the time
at which it left, under its protection; players read the kernel's time of its arrival, so the delay is one clock's, and has little of the
load's own in it. Players count all packets and open one in eight: the load is on the same processors, and its share is told apart (`load_cpu`).
Players of the ladder report no more than that they are there, so that all is sent at once; `paced` are players that tell what came when.

  idle          the worker alone, and Janus alone, before anybody came
  join          one after the other, each alone: from the first request to the first whole picture
  100_at_once   a hundred into one room in the same moment, and how often its publisher was asked for a key frame meanwhile
  players_N     the ladder: rooms of a hundred players at most, more of them until packets are lost or a core is full
  capacity      the last of these: packets for each second of CPU (`packets_per_core`), and what a player costs
  half          half as many: the delay that is added
  growth        what a packet costs at capacity by what it costs with few players, and in ten rooms by what it costs in one
  bursts        a hundred players of a publisher whose pictures leave at once, ten packets each, as those of encoders without a pacer
  paced         players with transport-wide feedback, as browsers send it: the worker estimates and paces

A window in which the load's own sockets were full, or which it was too busy for, is void: the ladder ends with it, and it counts in nothing.

--quick          shorter windows
--cases=A,B      only these, of idle, join, 100_at_once, capacity (with the ladder and half), growth, bursts and paced
--alone          without Janus
"""
import resource
import statistics
import sys
import time

from bench import Stage, figure, resident_mb
from rooms import Crowd, Janus, Strata, own_address

CASES = ("idle", "join", "100_at_once", "capacity", "growth", "bursts", "paced")
LADDER = (25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 700, 800, 900)
IN_ROOM = 100
MOST_LOSS = 0.1  # % of packets with which a rung holds
FULL = 98  # % of a core
BUSY = 98  # % of a core: the load's own, which has one thread for all media
JOINS, JOIN_PAUSE = 20, 1.2  # seconds
BURST_ROOM, PACED_ROOM, LAST_ROOM = 29, 30, 30


def rooms(players, first=0):
    """So many players, in rooms of a hundred at most, each with a publisher: (number, publishers, players) of each."""
    return [(first + number, 1, min(IN_ROOM, players - number * IN_ROOM)) for number in range(-(-players // IN_ROOM))]


def more(before, after):
    """The plan that makes the second of two rungs out of the first one."""
    old = {number: count for number, _, count in rooms(before)}
    return [(number, 0 if number in old else 1, count - old.get(number, 0)) for number, _, count in rooms(after)]


class Side:
    """One server and its share of the bench."""

    def __init__(self, bench, server):
        self.bench, self.server, self.peer = bench, server, server.peer
        self.rungs, self.crowd, self.inside = {}, None, 0
        self.idle_mb = None
        # All rooms, while their owner is signed in.
        server.room(LAST_ROOM)

    def figure(self, case, metric, values, unit):
        figure("sfu", case, metric, values, unit, self.peer)

    def idle(self):
        time.sleep(3)
        self.idle_mb = resident_mb(self.server.pid)
        self.figure("idle", "memory", self.idle_mb, "MB")

    # Coming in

    def join(self):
        crowd, times = Crowd(self.bench.stage, self.server), {"firstPictureMs": [], "signallingMs": []}
        crowd.open([(0, 1, 0)])
        for _ in range(JOINS):
            # Nobody waits for the key frame of the one before, nor for the second in which a publisher is asked once.
            time.sleep(JOIN_PAUSE)
            came = self.expect(crowd.open([(0, 0, 1)]))
            for name, values in times.items():
                values.append(came[name]["p50"])
        for metric, name in (("first_picture", "firstPictureMs"), ("signalling", "signallingMs")):
            self.figure("join", f"{metric}_p50", times[name], "ms")
            figure("sfu", "join", f"{metric}_p95", times[name], "ms", self.peer, of=lambda values: sorted(values)[-(-len(values) * 95 // 100) - 1])
        crowd.leave()
        crowd.end()

    def at_once(self):
        crowd, rounds = Crowd(self.bench.stage, self.server), []
        crowd.open([(1, 1, 0)])
        for _ in range(1 if self.bench.is_quick else 3):
            time.sleep(2)
            rounds.append(self.expect(crowd.open([(1, 0, 100)], at_once=100)))
            crowd.leave(100)
        for part in ("p50", "p95", "max"):
            self.figure("100_at_once", f"first_picture_{part}", [came["firstPictureMs"][part] for came in rounds], "ms")
        self.figure("100_at_once", "key_frame_requests", [came["keyFrameRequests"] for came in rounds], "requests")
        crowd.leave()
        crowd.end()

    def expect(self, came):
        if came["faults"]:
            raise SystemExit(f"bench: {self.server.kind}: {came['faults']} were not let in; the last: {came['lastFault']}")
        return came

    # The ladder

    def climb(self):
        """Returns the number of players of the last rung that held; 0 for none."""
        self.crowd, before, top = Crowd(self.bench.stage, self.server), 0, 0
        for players in LADDER:
            came = self.crowd.open(more(before, players))
            before = players
            self.inside += came["players"]
            if came["faults"]:
                self.say(players, f"{came['faults']} were not let in, the last: {came['lastFault']}")
                break
            time.sleep(2)
            window = self.crowd.measure(self.bench.seconds)
            window["memory"] = resident_mb(self.server.pid)
            fault, is_void = self.fault_of(window)
            self.tell(players, window, is_void)
            if fault:
                self.say(players, fault)
                break
            self.rungs[players], top = window, players
            if window["cpu"] >= FULL:
                # Of a server with several threads one core's worth is enough to know.
                self.say(players, "a core is full")
                break
        return top

    def fault_of(self, window):
        """Why a rung does not hold, and whether that is the load's own fault."""
        if window["dropped"]:
            return f"the load's sockets had no room for {window['dropped']} packets", True
        if window["load_cpu"] >= BUSY:
            return f"the load took {window['load_cpu']:.0f} % of a core", True
        if window["loss"] > MOST_LOSS or window["came"] < 0.99 * window["expected"]:
            return f"{window['loss']:.2f} % were lost, {window['came']} of {window['expected']} came", False
        if window["ended"]:
            return f"{window['ended']} connections ended, the last: {window.get('lastReason')}", False
        return None, False

    def say(self, players, text):
        print(f"bench: sfu: {self.server.kind} with {players} players: {text}", file=sys.stderr)

    def tell(self, players, window, is_void):
        case = f"players_{players}"
        self.figure(case, "packets", window["rate"], "1/s")
        self.figure(case, "cpu", window["cpu"], "% of a core")
        self.figure(case, "cpu_per_packet", window["cpu_per_packet"], "us")
        self.figure(case, "loss", window["loss"], "%")
        self.figure(case, "memory", window["memory"], "MB")
        self.tell_delay(case, [window])
        self.figure(case, "load_cpu", window["load_cpu"], "% of a core")
        self.figure(case, "load_late_p99", window["lateMs"]["p99"], "ms")
        self.figure(case, "void", int(is_void), "windows")

    def tell_delay(self, case, windows):
        for part in ("p50", "p99", "max"):
            self.figure(case, f"delay_{part}", [window["delayMs"][part] for window in windows], "ms")

    def capacity(self):
        top = self.climb()
        if not top:
            return self.crowd.end()
        window = self.rungs[top]
        self.figure("capacity", "players", top, "players")
        self.figure("capacity", "packets", window["rate"], "1/s")
        self.figure("capacity", "packets_per_core", window["rate"] / (window["cpu"] / 100), "1/s")
        self.figure("capacity", "cpu", window["cpu"], "% of a core")
        self.figure("capacity", "cpu_per_player", window["cpu"] / top, "% of a core")
        if self.idle_mb is not None:
            self.figure("capacity", "memory_per_player", (window["memory"] - self.idle_mb) * 1024 / top, "kB")
        print(f"bench: sfu: {self.server.kind} protects by {window.get('protection')}", file=sys.stderr)
        self.half(top)
        self.crowd.leave()
        self.crowd.end()

    def half(self, top):
        self.crowd.leave(self.inside - top // 2)
        time.sleep(2)
        windows = [self.crowd.measure(self.bench.seconds) for _ in range(self.bench.count)]
        self.figure("half", "players", top // 2, "players")
        self.figure("half", "packets", [window["rate"] for window in windows], "1/s")
        self.figure("half", "cpu", [window["cpu"] for window in windows], "% of a core")
        self.figure("half", "cpu_per_player", [window["cpu"] / (top // 2) for window in windows], "% of a core")
        self.figure("half", "loss", [window["loss"] for window in windows], "%")
        self.tell_delay("half", windows)
        self.figure("half", "load_late_p99", [window["lateMs"]["p99"] for window in windows], "ms")

    # Growth

    def growth(self):
        if len(self.rungs) > 1:
            few, many = (self.rungs[players]["cpu_per_packet"] for players in (min(self.rungs), max(self.rungs)))
            self.figure("growth", "cpu_per_packet", many / few, f"times that at {min(self.rungs)} players")
        cost = {count: self.cost([(10 + number, 1, 100 // count) for number in range(count)]) for count in (1, 10)}
        self.figure("growth", "cpu_per_packet_rooms", cost[10] / cost[1], "times that of one room")

    def cost(self, plan, **how):
        crowd = Crowd(self.bench.stage, self.server)
        self.expect(crowd.open(plan, **how))
        time.sleep(2)
        cost = statistics.median(crowd.measure(self.bench.seconds)["cpu_per_packet"] for _ in range(self.bench.count))
        crowd.leave()
        crowd.end()
        return cost

    def bursts(self):
        self.watch("bursts", Crowd(self.bench.stage, self.server, burst=10), [(BURST_ROOM, 1, 100)], 2)

    def paced(self):
        # The estimate begins at 300 kbit/s and is probed upward.
        self.watch("paced", Crowd(self.bench.stage, self.server), [(PACED_ROOM, 1, 50)], 20, feedback="transport")

    def watch(self, case, crowd, plan, pause, **how):
        self.expect(crowd.open(plan, **how))
        time.sleep(pause)
        windows = [crowd.measure(self.bench.seconds) for _ in range(self.bench.count)]
        self.figure(case, "cpu_per_packet", [window["cpu_per_packet"] for window in windows], "us")
        self.figure(case, "delivered", [window["came"] / max(window["expected"], 1) * 100 for window in windows], "%")
        self.tell_delay(case, windows)
        crowd.leave()
        crowd.end()


class Bench:
    def __init__(self, words):
        options = dict(word.removeprefix("--").partition("=")[::2] for word in words)
        unknown = set(options) - {"quick", "cases", "alone"}
        if unknown:
            sys.exit(f"bench: no option --{unknown.pop()}")
        self.cases = [name for name in options.get("cases", "").split(",") if name] or list(CASES)
        for name in self.cases:
            if name not in CASES:
                sys.exit(f"bench: no case '{name}'; there are {', '.join(CASES)}")
        self.is_quick, self.is_alone = "quick" in options, "alone" in options
        self.count, self.seconds = (1, 5) if self.is_quick else (3, 10)
        self.stage = Stage()

    def run(self):
        address = own_address()
        # One after the other: neither takes anything from the other's processors.
        for make in [Strata] if self.is_alone else [Strata, Janus]:
            server = make(self.stage, address)
            side = Side(self, server)
            for case, body in (("idle", side.idle), ("join", side.join), ("100_at_once", side.at_once), ("capacity", side.capacity),
                               ("growth", side.growth), ("bursts", side.bursts)):
                if case in self.cases:
                    body()
            # Of Janus' players nobody estimates what their ways carry.
            if "paced" in self.cases and server.kind == "strata":
                side.paced()
            server.end()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    Bench(sys.argv[1:]).run()
