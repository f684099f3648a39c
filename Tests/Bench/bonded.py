"""A bonded link under measurement: links of the emulator, a sender and a receiver over them, a numbered stream through both."""
import json
import os
import pathlib
import subprocess
import time

from bench import PROGRAMS, die_with_parent, free_port, processor_seconds
from installation import Field
from pooled import OPPORTUNITY, PACKET, STEP, Capacity, part

KEY = "bench-passphrase-0123456789"
IN, TELEMETRY, CODED = "127.0.0.1:5000", "127.0.0.1:5001", "127.0.0.1:5002"
WARM_SECONDS = 4
LATE_MS = 300  # the way with its queues comes on top of some systems' latency


class Talker:
    """A program that is spoken to by lines and answers with lines of JSON."""

    def __init__(self, stage, name, *command):
        log = open(f"{stage.folder}/{name}.log", "ab")
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=stage.folder, preexec_fn=die_with_parent)
        stage.running.append(self.process)
        self.stage, self.name = stage, name

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: {self.name} has ended: {self.stage.log(self.name)}")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self):
        """Its last word, once its input has ended."""
        self.process.stdin.close()
        text = self.process.stdout.read()
        if self.process.wait(10):
            raise SystemExit(f"bench: {self.name}: {self.stage.log(self.name)}")
        self.stage.running.remove(self.process)
        return json.loads(text) if text.strip() else None


class Links(Field):
    """The field's links: with a rate until `begin`, then as they are meant, so that nobody's handshake is in the measurement."""

    def __init__(self, stage, shapes):
        self.shapes = shapes
        self.traces = [read_trace(shape["traceFile"]) if "traceFile" in shape else None for shape in shapes]
        super().__init__(stage, [self.calm(number) for number in range(len(shapes))])
        self.capacities = [Capacity() for _ in shapes]
        self.begun = 0

    def calm(self, number):
        shape = self.shapes[number]
        if "traceFile" not in shape:
            return shape
        return {key: value for key, value in shape.items() if key != "traceFile"} | {"rateKbit": int(mean_kbit(self.traces[number]))}

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if isinstance(answer.get("error"), str):
            raise SystemExit(f"bench: strata-lab: {answer['error']}")
        return answer

    def begin(self):
        self.ask("reset")
        for number in range(len(self.shapes)):
            self.change(number)
        self.begun = max(capacity.told[0][0] for capacity in self.capacities)

    def change(self, number, **news):
        """The link as it was, with what is new; both directions. Gives the time."""
        self.shapes[number] = shape = self.shapes[number] | news
        at = self.ask(f"change {self.interfaces[number]} both {json.dumps(shape)}")["at"]
        self.capacities[number].change(at, shape, self.traces[number] if "traceFile" in shape else None)
        return at

    def mean_rates(self):
        return [mean_kbit(trace) if trace else shape["rateKbit"] for shape, trace in zip(self.shapes, self.traces)]

    def capacity(self, start, end):
        """Of all links, bytes in each step."""
        return [sum(link) for link in zip(*(capacity.steps(start, end) for capacity in self.capacities))]


def read_trace(path):
    with open(path) as file:
        return [int(line) for line in file]


def mean_kbit(trace):
    return len(trace) * OPPORTUNITY * 8 / trace[-1]


def write_key(stage, number, key):
    path = f"{stage.folder}/{number}.key"
    with open(path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(key + "\n")
    return path


class Ours:
    """`strata-agent send` and `strata-receiver listen`."""

    name = None
    follows = True

    def __init__(self, stage, links, latency_ms, to, number):
        self.port = free_port()
        key = write_key(stage, number, os.urandom(32).hex())
        receiving, sending = f"{stage.folder}/{number}-listen.toml", f"{stage.folder}/{number}-send.toml"
        with open(receiving, "w") as file:
            file.write(f'[bond]\nkey_file = "{key}"\nbind = ["{links.cloud}:{self.port}"]\nlatency_ms = {latency_ms}\n[output]\nto = "{to}"\n')
        with open(sending, "w") as file:
            file.write(
                f'[bond]\nkey_file = "{key}"\nreceivers = ["{links.cloud}:{self.port}"]\nlatency_ms = {latency_ms}\n'
                f'[input]\nlisten = "{IN}"\n[telemetry]\nto = "{TELEMETRY}"\n')
        self.address = f"{links.cloud}:{self.port}"
        self.receiver = stage.start(f"{number}-receiver", f"{PROGRAMS}/strata-receiver", "listen", receiving)
        self.sender = stage.start(f"{number}-agent", *links.inside, f"{PROGRAMS}/strata-agent", "send", sending)


class Stock:
    """Debian's `ristsender` and `ristreceiver`, main profile, AES-256, with the same weight for each link as they come."""

    name = "rist-static"
    follows = False
    more = ""

    def __init__(self, stage, links, latency_ms, to, number):
        self.port = free_port()
        self.address = f"{links.cloud}:{self.port}"
        security = f"aes-type=256&secret={KEY}&buffer={latency_ms}"
        self.receiver = stage.start(
            f"{number}-ristreceiver", "ristreceiver", "-p", "1", "-S", "0", "-i", f"rist://@0.0.0.0:{self.port}?{security}{self.more}", "-o",
            f"udp://{to}")
        outputs = ",".join(
            f"rist://{address}:{self.port}?{security}&weight={weight}" for address, weight in zip(links.near, self.weights(links)))
        self.sender = stage.start(
            f"{number}-ristsender", *links.inside, "ristsender", "-p", "1", "-S", "0", "-i", f"udp://@{IN}", "-o", outputs)

    def weights(self, links):
        return [5] * len(links.shapes)


class Perfect(Stock):
    """With the true mean rates as weights, of ten in all, and the reorder buffer over the links' skew."""

    name = "rist-perfect"
    more = "&reorder-buffer=120"

    def weights(self, links):
        rates = links.mean_rates()
        return [max(1, round(10 * rate / sum(rates))) for rate in rates]


class Door(Stock):
    """`strata-agent send` at its standard door, with weights from what it finds out about the links, to `ristreceiver`."""

    name = "door"
    more = "&reorder-buffer=120"

    def __init__(self, stage, links, latency_ms, to, number):
        self.port = free_port()
        self.address = f"{links.cloud}:{self.port}"
        security = f"aes-type=256&secret={KEY}&buffer={latency_ms}"
        # At one address: from a wildcard socket librist answers with the address of the route.
        self.receiver = stage.start(
            f"{number}-ristreceiver", "ristreceiver", "-p", "1", "-S", "0", "-i", f"rist://@{self.address}?{security}{self.more}", "-o",
            f"udp://{to}")
        sending = f"{stage.folder}/{number}-send.toml"
        with open(sending, "w") as file:
            file.write(
                f'[bond]\nkey_file = "{write_key(stage, number, KEY)}"\nreceivers = ["{self.address}"]\nlatency_ms = {latency_ms}\ncarrier = "rist"\n'
                f'[input]\nlisten = "{IN}"\n')
        self.sender = stage.start(f"{number}-agent", *links.inside, f"{PROGRAMS}/strata-agent", "send", sending)


class Run:
    """One system over links of its own. `rate` in bits/s; None follows the controller below `ceiling`."""

    count = 0

    def __init__(self, stage, system, shapes, rate, latency_ms, ceiling=None, frames=30, encoder=None):
        Run.count += 1
        self.stage, self.number, self.kind, self.latency_ms, self.ceiling = stage, Run.count, system, latency_ms, ceiling
        self.name = system.name
        self.links = Links(stage, [dict(shape) for shape in shapes])
        port = free_port()
        lab = f"{PROGRAMS}/strata-lab"
        self.sink = Talker(stage, f"{self.number}-sink", lab, "sink", f"127.0.0.1:{port}")
        self.sink.hear()
        self.system = system(stage, self.links, latency_ms, f"127.0.0.1:{port}", self.number)
        follow = ["--follow", TELEMETRY, "--ceiling", int(ceiling)] if rate is None else []
        if encoder:
            # The encoder hears the controller and tells the source what it has made.
            follow = ["--coded", CODED]
            self.encoder = stage.start(
                f"{self.number}-encoder", *self.links.inside, "/usr/bin/python3", "-B", pathlib.Path(__file__).with_name("encoder.py"), *encoder, "live",
                TELEMETRY, CODED, int(ceiling))
        self.source = Talker(
            stage, f"{self.number}-source", *self.links.inside, lab, "source", IN, int(rate or 1e6), "--frames", frames, *follow)
        self.times = []

    encoder = None

    def dark(self, *numbers, is_dark=True):
        for number in numbers:
            self.times.append(self.links.change(number, blackout=is_dark))

    def change(self, number, **news):
        self.times.append(self.links.change(number, **news))

    def begin(self):
        self.links.begin()
        self.start = -(-self.links.begun // STEP) * STEP
        self.used = self.processors(), time.monotonic()

    def processors(self):
        return {"sender": processor_seconds(self.system.sender.pid), "receiver": processor_seconds(self.system.receiver.pid)}

    def finish(self):
        """Everything stops; what was measured is read afterwards."""
        self.end = time.monotonic_ns() // STEP * STEP
        now, passed = self.processors(), time.monotonic() - self.used[1]
        self.cpu = {name: (seconds - self.used[0][name]) / passed * 100 for name, seconds in now.items()}
        self.sent = self.source.end()

    def collect(self):
        self.series = self.links.ask("series")
        self.state = self.links.ask("state")
        self.whole = self.figures(self.start, self.end)
        for process in (self.system.sender, self.system.receiver):
            if process.poll() is not None:
                log = self.stage.log(f"{self.number}-{'agent' if self.name is None else 'ristsender'}")
                raise SystemExit(f"bench: a program of {self.name or 'ours'} has ended with {process.returncode}: {log}")
        self.sink.end()
        self.stage.stop(self.system.sender, self.system.receiver, *[self.encoder] if self.encoder else [])
        self.links.remove()

    # What is read from it: windows are of the time at which a packet was made, in seconds from the beginning.

    def window(self, start=0.0, end=None):
        last = self.end if end is None else self.start + int(end * 100) * STEP
        return self.start + int(start * 100) * STEP, last

    def figures(self, start, end):
        return self.sink.ask(f"figures {start} {end} {(self.latency_ms + LATE_MS) * 1_000_000}")

    def packets(self, start=0.0, end=None):
        """Sent and lost, of what was made in the window."""
        window = self.window(start, end)
        sent = sum(part(self.sent["sentByMade"], *window))
        return sent, sent - sum(part(self.whole["receivedByMade"], *window))

    def loss(self, start=0.0, end=None):
        """In %."""
        sent, lost = self.packets(start, end)
        return lost / max(sent, 1) * 100

    def made_over_asked(self, start=0.0):
        """What the source made over what the controller asked for, in %."""
        window = self.window(start)
        made, asked, rate = part(self.sent["sentByMade"], *window), part(self.sent["rateByMade"], *window), 0
        kilobits = 0.0
        for step in asked:
            rate = step or rate
            kilobits += rate * STEP / 1e9
        return sum(made) * PACKET * 8 / 1000 / max(kilobits, 1) * 100

    def entered_media(self, start=0.0, end=None):
        window = self.window(start, end)
        return sum(sum(part(link["up"]["enteredMedia"], *window)) for link in self.series.values())


def drive(runs, seconds, events=()):
    """All runs at once over the same time; an event is (seconds, what to do with each run)."""
    time.sleep(WARM_SECONDS)
    for run in runs:
        run.begin()
    began = time.monotonic()
    for at, action in sorted(events, key=lambda event: event[0]):
        time.sleep(max(0, began + at - time.monotonic()))
        for run in runs:
            action(run)
    time.sleep(max(0, began + seconds - time.monotonic()))
    for run in runs:
        run.finish()
    time.sleep(max(run.latency_ms for run in runs) / 1000 + 1)
    for run in runs:
        run.collect()
    return runs
