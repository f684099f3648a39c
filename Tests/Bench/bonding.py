#!/usr/bin/env python3
"""A bonded link under everything that links do, beside stock RIST over the same links and beside what arithmetic allows.

All programs are real and run over emulated links in network namespaces, all systems of a case at once, each over links of its own
with the same traces, the same input and the same buffer:

  ours          `strata-agent send` to `strata-receiver listen`
  rist-static   Debian's `ristsender` to `ristreceiver`, main profile, AES-256, the same weight for each link
  rist-perfect  with the true mean rates as weights and the reorder buffer over the links' skew
  ideal         one queue over all links that takes the same input and loses what it cannot send within the deadline: computed
  clairvoyant   what such a queue can send at most without being late, knowing the links beforehand: computed, 1400 bytes a datagram

The source numbers and stamps each packet of the transport stream it sends, as frames, 30 a second; where it follows the
controller, as fast as that says and up to half more than the links' mean. Only ours has a controller. The sink is on the same
machine and clock. Loss is what was not delivered at all, late what came over 300 ms after the latency asked for; latency is from source to sink. Links have queues of their own (200 to
800 ms in LTE traces, 300 ms otherwise). Measured is from a second after the links became what they are meant to be, the four
seconds before that have steady ones.

--quick          one seed and shorter runs; else five seeds, the median of them and their spread. A run in which the emulator was
                 late (p99.9 over 5 ms) is void: it is told, and another seed takes its place, three times as many runs at most
--seeds=N        so many
--cases=A,B      only these
--systems=A,B    of ours, rist-static, rist-perfect, door: our agent at its standard door to stock `ristreceiver`
--plot[=FOLDER]  one SVG for each case, of its first seed, in FOLDER or .build/bench
"""
import json
import os
import pathlib
import socket
import statistics
import sys
import time

import plot
from bench import PROGRAMS, Stage, figure, free_port
from bonded import Door, Links, Ours, Perfect, Run, Stock, Talker, drive
from installation import run as command
from pooled import PACKET, PAYLOAD, STEP, WIRE, part, pooled

LAB = f"{PROGRAMS}/strata-lab"
VOID_MS = 5  # p99.9 of the emulator's own lateness from which a run is void
MOST_RUNS = 3  # for each seed that is asked for
SKIP = 1  # seconds at the beginning that count in nothing
SYSTEMS = {"ours": Ours, "rist-static": Stock, "rist-perfect": Perfect, "door": Door}
MAIN = ("ours", "rist-static", "rist-perfect")
FLOOD = 20_000


class Bench:
    """What is asked for, and what has been measured: prints the median of each figure over all seeds at the end of a case."""

    def __init__(self, words):
        options = dict(word.removeprefix("--").partition("=")[::2] for word in words)
        unknown = set(options) - {"quick", "seeds", "cases", "systems", "plot"}
        if unknown:
            sys.exit(f"bench: no option --{unknown.pop()}")
        self.quick = "quick" in options
        self.seeds = int(options.get("seeds") or (1 if self.quick else 5))
        self.names = [name for name in options.get("cases", "").split(",") if name] or list(CASES)
        self.systems = [name for name in options.get("systems", "").split(",") if name] or list(SYSTEMS)
        for name in self.names:
            if name not in CASES:
                sys.exit(f"bench: no case '{name}'; there are {', '.join(CASES)}")
        self.plots = pathlib.Path(options["plot"] or ".build/bench").absolute() if "plot" in options else None
        if self.plots:
            self.plots.mkdir(parents=True, exist_ok=True)
        self.stage = Stage()
        self.notes, self.lateness, self.drawn = [], [], set()

    def run(self):
        for name in self.names:
            self.case = name
            self.judge(*self.runs())

    def runs(self):
        """The case with one seed after the other until enough runs hold: a run in which the emulator was late is void, and counts in nothing.

        Returns the notes and the lateness of each run that holds, and the lateness of each that is void.
        """
        held, void = [], []
        for seed in range(1, MOST_RUNS * self.seeds + 1):
            drawn, self.notes, self.lateness = set(self.drawn), [], []
            CASES[self.case](self, seed)
            late = max(self.lateness, default=0)
            if late <= VOID_MS:
                held.append((self.notes, late))
            else:
                void.append(late)
                self.drawn = drawn
            if len(held) == self.seeds:
                break
        return held, void

    def judge(self, held, void):
        figure("bonding", self.case, "void_runs", [len(void)], "runs")
        if void:
            figure("bonding", self.case, "emulator_late_in_void_runs", void, "ms")
        if len(held) < self.seeds:
            # Without figures each target of the case is missed.
            print(f"bench: {self.case}: {len(void)} runs were void, {len(held)} held, {self.seeds} are asked for", file=sys.stderr)
            return
        figures = {}
        for notes, _ in held:
            for metric, value, unit, peer, of in notes:
                figures.setdefault((metric, peer), ([], unit, of))[0].append(value)
        for (metric, peer), (values, unit, of) in figures.items():
            figure("bonding", self.case, metric, values, unit, peer, of)
        figure("bonding", self.case, "emulator_late_p999", [late for _, late in held], "ms")

    def note(self, metric, value, unit, peer=None, of=statistics.median):
        self.notes.append((metric, value, unit, peer, of))

    def note_loss(self, metric, value, peer=None):
        """The median can be 0 where every fifth run loses: the mean stands beside it."""
        self.note(metric, value, "%", peer)
        self.note(f"{metric}_mean", value, "%", peer, statistics.fmean)

    def seconds(self, full, quick):
        return quick if self.quick else full

    def chosen(self, *names):
        return [SYSTEMS[name] for name in names if name in self.systems]

    def go(self, runs, seconds, events=(), plot_as=None):
        if not runs:
            return []
        drive(runs, seconds, events)
        self.lateness += [run.state["latenessP999Ms"] for run in runs]
        self.common(runs)
        key = plot_as or self.case
        if self.plots and key not in self.drawn:
            self.drawn.add(key)
            draw(self.plots / f"{key}.svg", key, runs)
        return runs

    def common(self, runs):
        for run in runs:
            self.note("latency_mean", run.whole["latencyMs"]["mean"], "ms", run.name)
            self.note("latency_p99", run.whole["latencyMs"]["p99"], "ms", run.name)
            self.note("latency_max", run.whole["latencyMs"]["max"], "ms", run.name)
            self.note("late", run.whole["late"] / max(run.whole["received"], 1) * 100, "%", run.name)

    def traces(self, seed, links, seconds, weather="fair"):
        """Shapes with traces of their own, the same for the same seed; a little longer than the run."""
        folder = f"{self.stage.folder}/traces-{weather}-{seed}-{links}-{seconds}"
        os.makedirs(folder, exist_ok=True)
        return json.loads(command(LAB, "trace", str(seed), str(links), str(seconds + 10), "8250", weather, folder))

    def pictures(self, size, fps):
        """The test clip as raw I420 pictures; its path."""
        path = f"{self.stage.folder}/pictures-{size[0]}x{size[1]}.yuv"
        if not os.path.exists(path):
            command("ffmpeg", "-v", "error", "-i", os.environ["STRATA_TEST_CLIP"], "-vf", f"fps={fps},scale={size[0]}:{size[1]}", "-pix_fmt", "yuv420p",
                    "-f", "rawvideo", path)
        return path


def draw(path, title, runs):
    """Rates over 200 ms, the latency's worst in 100 ms."""
    panels, seconds = [], max((run.end - run.start) / 1e9 for run in runs)
    for run in runs:
        window, who = (run.start, run.end), run.name or "ours"
        capacity = run.links.capacity(*window)
        offered = [packets * PACKET for packets in part(run.sent["sentByMade"], *window)]
        delivered = [packets * PACKET for packets in part(run.whole["receivedByArrival"], *window)]
        lines = [(name, colour, rate(values)) for name, colour, values in (
            ("capacity", "#999", capacity), ("offered", "#1f77b4", offered), ("delivered", "#2ca02c", delivered))]
        panels.append(plot.Panel(f"{who}: all links", "Mbit/s", lines))
        colours = ["#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22"]
        links = [(f"link {number}", colours[number % len(colours)], rate(part(link["up"]["deliveredBytes"], *window)))
                 for number, (_, link) in enumerate(sorted(run.series.items()))]
        panels.append(plot.Panel(f"{who}: carried by each link", "Mbit/s", links))
        worst = part(run.whole["latencyUsByMade"], *window)
        points = [(step / 100, max(worst[step:step + 10]) / 1000 or None) for step in range(0, len(worst), 10)]
        panels.append(plot.Panel(f"{who}: latency", "ms", [("latency", "#ff7f0e", points)]))
    plot.write(path, title, seconds, panels, [(at - runs[0].start) / 1e9 for at in runs[0].times])


def rate(steps, width=20):
    return [(step / 100, sum(steps[step:step + width]) * 8 / 1e6 / (width / 100)) for step in range(0, len(steps) - width, width)]


def ideal(run, start):
    """The pooled queue with the run's own input: what it loses, in %."""
    window = run.window(start)
    capacity = run.links.capacity(window[0], window[1] + 5 * 10**9)
    offered = [packets / 7 * WIRE for packets in part(run.sent["sentByMade"], *window)] + [0] * 500
    served, lost = pooled(capacity, offered, deadline(run))
    return lost / max(served + lost, 1) * 100


def deadline(run):
    return int((run.latency_ms - min(shape.get("delayMs", 0) for shape in run.links.shapes)) / 10)


def clairvoyant(run, start):
    """The most that fits: bytes of the stream over bytes of the links, in %."""
    window = run.window(start)
    capacity = run.links.capacity(*window)
    offered = [run.ceiling / 8 * STEP / 1e9 / PAYLOAD * WIRE] * len(capacity)
    served, _ = pooled(capacity, offered, deadline(run))
    return served / sum(capacity) * PAYLOAD / WIRE * 100


def goodput(run, start=SKIP, end=None):
    """Bytes of the stream delivered in time over bytes that the links could carry, in %."""
    window = run.window(start, end)
    return sum(part(run.whole["receivedByMade"], *window)) * PACKET / sum(run.links.capacity(*window)) * 100


def first_time(series, start, width, reached):
    """Seconds from `start` until the end of the first window of so many steps, moved by a step, that `reached` holds for; None: never."""
    first, values = series["first"], series["values"]
    begin = start // STEP - first
    for step in range(max(begin, 0), len(values) - width + 1):
        if reached(values[step:step + width]):
            return ((step + width + first) * STEP - start) / 1e9
    return None


def emulator(bench, seed):
    """Before anything is measured with it: a flooded link carries what its rate or trace says, an idle one delays as it says."""
    shapes = bench.traces(seed, 1, 20)[:1] + [{"rateKbit": 4000, "delayMs": 40, "queueMs": 300}]
    flat = [{**shape, "delayMs": 40, "jitterMs": 0, "loss": 0} for shape in shapes]
    for number, shape in enumerate(flat):
        for asked, metric in ((40e6, "carried"), (200e3, "delay")):
            links = Links(bench.stage, [dict(shape)])
            port = free_port()
            sink = Talker(bench.stage, f"emulator{seed}{number}{metric}-sink", LAB, "sink", f"{links.cloud}:{port}")
            sink.hear()
            links.begin()
            source = Talker(
                bench.stage, f"emulator{seed}{number}{metric}-source", *links.inside, LAB, "source", f"{links.cloud}:{port}", int(asked), "--frames", 0)
            time.sleep(2)
            start = time.monotonic_ns() // STEP * STEP
            time.sleep(bench.seconds(8, 4))
            end = time.monotonic_ns() // STEP * STEP
            source.end()
            time.sleep(shape["delayMs"] / 1000 + 0.5)
            figures, series, state = sink.ask("figures"), links.ask("series"), links.ask("state")
            sink.end()
            links.remove()
            bench.lateness.append(state["latenessP999Ms"])
            kind = "trace" if "traceFile" in shape else "rate"
            if metric == "carried":
                delay = int(shape["delayMs"]) // 10 * STEP
                carried = sum(part(series[links.interfaces[0]]["up"]["deliveredBytes"], start + delay, end + delay))
                came = sum(part(figures["receivedByArrival"], start + delay, end + delay)) / 7 * (PAYLOAD + 28)
                bench.note(f"{kind}_carried", carried / sum(links.capacity(start, end)) * 100, "% of the arithmetic")
                bench.note(f"{kind}_came", came / sum(links.capacity(start, end)) * 100, "% of the arithmetic")
            elif kind == "rate":
                expected = shape["delayMs"] + (PAYLOAD + 28) * 8 / shape["rateKbit"]
                bench.note("delay_off", figures["latencyMs"]["p50"] - expected, "ms")


def fixed(rate_mbit):
    def case(bench, seed):
        seconds = bench.seconds(60, 30)
        shapes = bench.traces(seed, 3, seconds)
        systems = bench.chosen(*MAIN)
        runs = [Run(bench.stage, system, shapes, rate_mbit * 1e6, 1000) for system in systems]
        bench.go(runs, seconds)
        for run in runs:
            bench.note_loss("loss", run.loss(SKIP), run.name)
            bench.note("extra_packets", (run.entered_media(SKIP) / (run.packets(SKIP)[0] / 7) - 1) * 100, "%", run.name)
        bench.note_loss("loss", ideal(runs[0], SKIP), "ideal")
    return case


def adaptive(latency_ms, weather="fair"):
    def case(bench, seed):
        seconds = bench.seconds(60, 30)
        shapes = bench.traces(seed, 2 + seed % 4, seconds, weather)
        runs = [Run(bench.stage, system, shapes, None, latency_ms, ceiling=1.5 * 8.25e6) for system in bench.chosen("ours")]
        for run in bench.go(runs, seconds):
            bench.note("goodput", goodput(run), "% of capacity")
            bench.note("goodput_p10", goodput(run), "% of capacity", of=lambda values: sorted(values)[len(values) // 10])
            bench.note_loss("loss", run.loss(SKIP))
            bench.note("goodput", clairvoyant(run, SKIP), "% of capacity", "clairvoyant")
    return case


def x264(bench, seed):
    """As adaptive_1s, with an encoder that takes the controller's rate as far as its pictures let it: x264 as the board sets it, on a real clip."""
    seconds = bench.seconds(60, 30)
    shapes = bench.traces(seed, 3, seconds)
    size, fps = (1280, 720), 30
    encoder = [bench.pictures(size, fps), *size, fps]
    runs = [Run(bench.stage, system, shapes, None, 1000, ceiling=1.5 * 8.25e6, encoder=encoder) for system in bench.chosen("ours")]
    for run in bench.go(runs, seconds):
        bench.note("goodput", goodput(run), "% of capacity")
        bench.note_loss("loss", run.loss(SKIP))
        bench.note("made", run.made_over_asked(SKIP), "% of what was asked for")
        bench.note("goodput", clairvoyant(run, SKIP), "% of capacity", "clairvoyant")


STEADY = [{"rateKbit": 3000, "delayMs": 30, "queueMs": 300}, {"rateKbit": 5000, "delayMs": 45, "queueMs": 300},
          {"rateKbit": 2000, "delayMs": 80, "queueMs": 300}]


def steady(bench, seed):
    seconds = bench.seconds(30, 15)
    runs = [Run(bench.stage, system, STEADY, None, 1000, ceiling=15e6) for system in bench.chosen("ours")]
    # Stock RIST has no controller: the rate that it can just carry.
    runs += [Run(bench.stage, system, STEADY, 9.2e6, 1000) for system in bench.chosen("rist-perfect")]
    for run in bench.go(runs, seconds):
        bench.note("goodput", goodput(run, 5), "% of capacity", run.name)
        bench.note_loss("loss", run.loss(5), run.name)


def door(bench, seed):
    """The standard door: a fixed rate that fits only where each link gets its own share."""
    seconds = bench.seconds(40, 25)
    runs = [Run(bench.stage, system, STEADY, 8.8e6, 1000) for system in bench.chosen("door", "rist-static", "rist-perfect")]
    for run in bench.go(runs, seconds):
        bench.note_loss("loss", run.loss(seconds / 2), run.name)


def longer(bench, seed):
    """At 71 % of what three links carry, the way of one becomes 300 ms longer at an unchanged rate: what is lost, and sent twice, from then on."""
    seconds = bench.seconds(30, 15)
    shape = {"rateKbit": 1600, "delayMs": 30, "jitterMs": 5, "queueMs": 200}
    runs = [Run(bench.stage, system, [shape] * 3, 3.4e6, 1000) for system in bench.chosen("ours", "door", "rist-static")]
    for run in bench.go(runs, 12 + seconds, [(12, lambda run: run.change(0, delayMs=330))]):
        sent, lost = run.packets(12, 12 + seconds)
        bench.note("lost", lost / 7, "packets", run.name)
        bench.note_loss("loss", lost / max(sent, 1) * 100, run.name)
        bench.note("extra_packets", (run.entered_media(12, 12 + seconds) / (sent / 7) - 1) * 100, "%", run.name)


def skew(bench, seed):
    shapes = [{"rateKbit": 10000, "delayMs": delay, "queueMs": 300} for delay in (20, 70)]
    runs = [Run(bench.stage, system, shapes, 4e6, 1000) for system in bench.chosen(*MAIN)]
    for run in bench.go(runs, bench.seconds(20, 10)):
        bench.note("extra_packets", (run.entered_media(SKIP) / (run.packets(SKIP)[0] / 7) - 1) * 100, "%", run.name)
        bench.note_loss("loss", run.loss(SKIP), run.name)


def silent(bench, seed):
    """Each link in turn goes silent for a second: how long it is still given media."""
    shapes = [{"rateKbit": 4000, "delayMs": delay, "queueMs": 300} for delay in (25, 35, 45)]
    rounds = bench.seconds(9, 6)
    runs = [Run(bench.stage, system, shapes, 3e6, 1000) for system in bench.chosen(*MAIN)]
    events = []
    for number in range(rounds):
        events.append((2 + 3 * number, lambda run, link=number % 3: run.dark(link)))
        events.append((3.5 + 3 * number, lambda run, link=number % 3: run.dark(link, is_dark=False)))
    for run in bench.go(runs, 2 + 3 * rounds, events):
        muted = []
        for number in range(rounds):
            dark, healed = run.times[2 * number:2 * number + 2]
            media = part(run.series[run.links.interfaces[number % 3]]["up"]["enteredMedia"], dark // STEP * STEP, healed)
            before = part(run.series[run.links.interfaces[number % 3]]["up"]["enteredMedia"], dark // STEP * STEP - 30 * STEP, dark)
            if sum(before):  # one that carried nothing cannot be muted
                muted.append((max((step for step, packets in enumerate(media) if packets), default=0) + 1) * 10)
        muted.sort()
        if muted:
            bench.note("muted_p90", muted[min(len(muted) - 1, len(muted) * 9 // 10)], "ms", run.name)
            bench.note("muted_links", len(muted), "links", run.name)
        bench.note_loss("loss", run.loss(SKIP), run.name)


def blackout(latency_ms):
    def case(bench, seed):
        shapes = [{"rateKbit": rate, "delayMs": delay, "queueMs": 300} for rate, delay in ((4000, 30), (2000, 40), (2000, 50))]
        runs = [Run(bench.stage, system, shapes, 2e6, latency_ms, frames=0) for system in bench.chosen(*MAIN)]
        events = [(5, lambda run: run.dark(0)), (10, lambda run: run.dark(0, is_dark=False))]
        for run in bench.go(runs, 14, events):
            bench.note("lost", run.packets(SKIP)[1] / 7, "packets", run.name)
            bench.note("gap", run.whole["longestGap"]["ms"], "ms", run.name)
            carried = lambda name: sum(part(run.series[name]["up"]["deliveredBytes"], *run.window(2, 5)))
            shares = [carried(name) for name in run.links.interfaces]
            bench.note("share_of_dark_link", shares[0] / max(sum(shares), 1) * 100, "%", run.name)
    return case


GOOD = [{"rateKbit": 4000, "delayMs": 25, "queueMs": 300}, {"rateKbit": 3000, "delayMs": 40, "queueMs": 300}]
BAD = {
    "lossy": {"rateKbit": 2000, "delayMs": 40, "queueMs": 300, "loss": 0.2},
    "slow": {"rateKbit": 100, "delayMs": 300, "queueMs": 500},
    "flapping": {"rateKbit": 3000, "delayMs": 40, "queueMs": 300},
    "bloated": {"rateKbit": 1000, "delayMs": 40, "queueMs": 5000},
}


def bad_link(bench, seed):
    """Over a good bond alone and with one more link, of each kind: what that costs."""
    seconds = bench.seconds(30, 15)
    alone, system = [], bench.chosen("ours")
    if not system:
        return
    for kinds in (["lossy", "slow"], ["flapping", "bloated"]):
        runs = [Run(bench.stage, Ours, GOOD + more, None, 1000, ceiling=15e6) for more in [[], *([BAD[kind]] for kind in kinds)]]
        events = []
        if "flapping" in kinds:
            flapper = runs[1 + kinds.index("flapping")]
            for second in range(2, seconds, 2):
                events += [(second, lambda run: run is flapper and run.dark(2)), (second + 1, lambda run: run is flapper and run.dark(2, is_dark=False))]
        bench.go(runs, seconds, events, f"{bench.case}-{'-'.join(kinds)}")
        came = lambda run: sum(part(run.whole["receivedByMade"], *run.window(5)))
        for kind, run in zip(kinds, runs[1:]):
            bench.note(f"goodput_with_{kind}", (came(run) / came(runs[0]) - 1) * 100, "%")
            bench.note(f"loss_with_{kind}", run.loss(5) - runs[0].loss(5), "%")
            alone.append(((came(run) / came(runs[0]) - 1) * 100, run.loss(5) - runs[0].loss(5)))
    bench.note("worst_goodput", min(goodput for goodput, _ in alone), "%")
    bench.note("worst_loss", max(loss for _, loss in alone), "%")


def rates(shape, *rates):
    return [{**shape, "rateKbit": rate} for rate in rates]


LINK = {"delayMs": 35, "queueMs": 300}


def halving(bench, seed):
    """Both links have half from now on: until the source is asked for no more than they carry."""
    runs = [Run(bench.stage, system, rates(LINK, 4000, 4000), None, 1000, ceiling=15e6) for system in bench.chosen("ours")]
    events = [(8, lambda run: [run.change(link, rateKbit=2000) for link in (0, 1)])]
    for run in bench.go(runs, 14, events):
        bench.note("cut", first_time(run.sent["rateByMade"], run.times[0], 4, lambda kbit: 0 < max(kbit) <= 4000 * PAYLOAD / WIRE) or 99, "s")
        bench.note_loss("loss", run.loss(5))


def recovery(bench, seed):
    """From 1 to 6 Mbit/s: until the source sends 80 % of that."""
    runs = [Run(bench.stage, system, rates(LINK, 500, 500), None, 1000, ceiling=15e6) for system in bench.chosen("ours")]
    events = [(8, lambda run: [run.change(link, rateKbit=3000) for link in (0, 1)])]
    for run in bench.go(runs, 18, events):
        enough = 0.8 * 6e6 / 8 / PACKET * 0.2
        bench.note("reached", first_time(run.sent["sentByMade"], run.times[0], 20, lambda packets: sum(packets) >= enough) or 99, "s")
        bench.note_loss("loss", run.loss(SKIP))


def heal(bench, seed):
    """A link that was dark for 5 s: until it carries 80 % of what it did."""
    runs = [Run(bench.stage, system, rates(LINK, 3000, 3000), None, 1000, ceiling=15e6) for system in bench.chosen("ours")]
    runs += [Run(bench.stage, system, rates(LINK, 3000, 3000), 4e6, 1000) for system in bench.chosen("rist-static")]
    events = [(6, lambda run: run.dark(0)), (11, lambda run: run.dark(0, is_dark=False))]
    for run in bench.go(runs, 22, events):
        series = run.series[run.links.interfaces[0]]["up"]["deliveredBytes"]
        share = sum(part(series, run.times[0] - 3 * 10**9, run.times[0])) / 300
        bench.note("back", first_time(series, run.times[1], 20, lambda window: sum(window) / 20 >= 0.8 * share) or 99, "s", run.name)
        bench.note_loss("loss", run.loss(SKIP), run.name)


def all_gone(bench, seed):
    """Nothing passes for 30 s: until media comes out again, by the same processes."""
    darkness = bench.seconds(30, 30)
    runs = [Run(bench.stage, system, rates(LINK, 3000, 3000), None, 1000, ceiling=15e6) for system in bench.chosen("ours")]
    runs += [Run(bench.stage, system, rates(LINK, 3000, 3000), 2e6, 1000) for system in bench.chosen("rist-static")]
    events = [(5, lambda run: run.dark(0, 1)), (5 + darkness, lambda run: run.dark(0, 1, is_dark=False))]
    for run in bench.go(runs, 20 + darkness, events):
        bench.note("media", first_time(run.whole["receivedByArrival"], run.times[3], 1, lambda packets: packets[0] > 0) or 99, "s", run.name)
        after = 5 + darkness + 5
        bench.note_loss("loss_after_5s", run.loss(after), run.name)


def overheard(tap, port):
    """What somebody on the way can send: a hello and a sealed packet as they were, and junk that begins like them."""
    hello = sealed = None
    while not (hello and sealed):
        packet = tap.recv(2048)
        # Source: RFC 791 and RFC 768, the offsets of protocol and destination port.
        if packet[9] != socket.IPPROTO_UDP or int.from_bytes(packet[22:24], "big") != port:
            continue
        payload = packet[28:]
        if payload[0] == 0x10:
            hello = payload
        elif payload[0] >> 4 == 4 and len(payload) > 600:
            sealed = payload
    return [hello.hex(), f"{hello[:12].hex()}:{len(hello)}", sealed.hex(), f"{sealed[:4].hex()}:{len(sealed)}", f"{sealed[:6].hex()}:200", ""]


def junk(bench, seed):
    """Junk to the receiver's port for a while, then the same to a closed one: what is lost of a good stream."""
    seconds = bench.seconds(10, 5)
    for system in bench.chosen("ours", "rist-static"):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))  # ETH_P_IP
        tap.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        tap.settimeout(5)
        run = Run(bench.stage, system, rates(LINK, 10000, 10000), 2e6, 1000)
        floods, kinds = [], ["304888b6", "304088b6", "b04888b6", ""]  # as GRE with a key and a sequence number begins

        def flood(address):
            if run.name is None and not floods:
                kinds[:] = overheard(tap, run.system.port)
            tap.close()
            floods.append(Talker(bench.stage, f"{run.number}-flood{len(floods)}", LAB, "flood", address, FLOOD, *kinds))

        def stop():
            sent = floods[-1].end()
            bench.note("junk", sent["sent"] / sent["seconds"], "1/s", run.name)

        closed = f"{run.links.cloud}:{free_port()}"
        events = [(3, lambda run: flood(run.system.address)), (3 + seconds, lambda run: stop()), (6 + seconds, lambda run: flood(closed)),
                  (6 + 2 * seconds, lambda run: stop())]
        bench.go([run], 8 + 2 * seconds, events, f"{bench.case}-{run.name or 'ours'}")
        lost, beside = run.packets(2.5, 4.5 + seconds)[1] / 7, run.packets(5.5 + seconds, 7.5 + 2 * seconds)[1] / 7
        bench.note("lost", lost, "packets", run.name)
        bench.note("lost_beside_closed_port", beside, "packets", run.name)
        bench.note("lost_more", max(0, lost - beside), "packets", run.name)
        bench.note("accepted", run.whole["malformed"] + run.whole["duplicates"], "packets", run.name)


def cpu(bench, seed):
    """10 Mbit/s over four links of 5: what the programs use, without any encoder."""
    shapes = [{"rateKbit": 5000, "delayMs": delay, "queueMs": 300} for delay in (15, 25, 35, 45)]
    for system in bench.chosen("ours", "rist-perfect"):
        run = Run(bench.stage, system, shapes, 10e6, 1000)
        bench.go([run], bench.seconds(20, 10), plot_as=f"{bench.case}-{run.name or 'ours'}")
        bench.note("sender", run.cpu["sender"], "% of a core", run.name)
        bench.note("receiver", run.cpu["receiver"], "% of a core", run.name)
        bench.note_loss("loss", run.loss(SKIP), run.name)


CASES = {
    "emulator": emulator, "fixed_2mbit": fixed(2), "fixed_3mbit": fixed(3), "adaptive_2s": adaptive(2000), "adaptive_1s": adaptive(1000),
    "adaptive_400ms": adaptive(400), "x264": x264, "steady": steady, "door": door, "longer": longer, "skew": skew, "silent": silent, "blackout_1s": blackout(1000),
    "blackout_400ms": blackout(400), "bad_link": bad_link, "halving": halving, "recovery": recovery, "heal": heal, "all_gone": all_gone,
    "junk": junk, "cpu": cpu}

if __name__ == "__main__":
    Bench(sys.argv[1:]).run()
