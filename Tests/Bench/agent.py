#!/usr/bin/env python3
"""What the agent costs beside its encoder at 10 Mbit/s over 4 links, and how soon its first frame leaves.

All programs are real: control, pool, receiver, nginx, and the agent in a namespace with four links of 5 Mbit/s. The input is
the test picture, 720p at 30 frames a second through x264 at 9440 kbit/s, which with its sound makes a transport stream of
10 Mbit/s (`bitrate`, as the receiver counts it; `sent` is what the links carry, with all headers). Two cores encode that in
real time with more than half of their time left over (`frames`, `idle`). The bench needs root, as namespaces and the tap do.

A thread's time counts by its name. `cpu_encoder` is x264 with its workers, and h264parse, which runs in the same thread;
`cpu_source` draws the test picture and makes the tone; `cpu_audio` is the AAC encoder; `cpu_beside_encoder` is all the rest:
multiplexer, pacing, librist, the loops, whatever a thread does that has no group.

The peer has the same source, encoders and multiplexer in gst-launch-1.0, and `ristsender` with the same encryption over the same
four links, one address each; between them goes UDP. Its `cpu_beside_encoder` is gst-launch's multiplexer with udpsink, and all of
ristsender. It ends there: nothing in it starts, watches, paces or reports. Memory is that of both its processes.

The start begins when the request is sent to the API. `first_frame` is when the first datagram of media comes out of a link, so
the link's delay of 15 ms counts; the rest of the first picture follows within the pacing's 300 ms. `live` is what control shows
then: a key frame behind the receiver's buffer of 1 s, and the platform connected; the receiver reports once a second. `start` is
the first broadcast of an agent's process, which loads the plugins; `start_again` is the second one.
"""
import os
import socket
import statistics
import sys
import time

from bench import Platform, Stage, figure, free_port, idle_seconds, resident_mb, thread_seconds, wait_for
from installation import Field, Installation, sent_bytes

CASE = "10mbit_4links"
LINKS = [{"rateKbit": 5000, "delayMs": delay, "queueMs": 300} for delay in (15, 25, 35, 45)]
VIDEO_KBIT, WIDTH, HEIGHT, FRAME_RATE = 9440, 1280, 720, 30
KEY = "bench-passphrase-0123456789"
STARTS, WINDOWS, WINDOW_SECONDS = 5, 5, 5
# Beginnings of thread names. A GStreamer thread has its pad's name, and x264's workers have that of the thread that opened it.
GROUPS = {
    "encoder": ("video:src",), "source": ("videotestsrc", "audiotestsrc"), "audio": ("audio:src",), "mux": ("mux:src",),
    "pacing": ("pacing",), "librist": ("librist",), "uplink": ("uplink",), "session": ("session", "control", "inputs", "main")}
ENCODING = ("encoder", "source", "audio")


def group(name):
    return next((group for group, beginnings in GROUPS.items() if name.startswith(beginnings)), "rest")


def uses(threads):
    """Seconds by group, of what `thread_seconds` gives."""
    result = dict.fromkeys([*GROUPS, "rest"], 0)
    for name, seconds in threads.values():
        result[group(name)] += seconds
    return result


class Load:
    """What processes use over windows, in % of a core, by group; `whole` are processes that count as one group each."""

    def __init__(self, pipeline, whole, interfaces):
        self.pipeline, self.whole, self.interfaces = pipeline, whole, interfaces

    def now(self):
        seconds = uses(thread_seconds(self.pipeline.pid))
        for name, process in self.whole.items():
            seconds[name] = sum(seconds for _, seconds in thread_seconds(process.pid).values())
        return seconds, sent_bytes(self.pipeline.pid, self.interfaces), idle_seconds(), time.monotonic()

    def measure(self, peer):
        use, sent, idle, beside = {}, [], [], []
        for _ in range(WINDOWS):
            before = self.now()
            time.sleep(WINDOW_SECONDS)
            after = self.now()
            passed = after[3] - before[3]
            window = {name: (seconds - before[0][name]) / passed * 100 for name, seconds in after[0].items()}
            for name, share in window.items():
                use.setdefault(name, []).append(share)
            beside.append(sum(share for name, share in window.items() if name not in ENCODING))
            sent.append((after[1] - before[1]) * 8 / passed / 1e6)
            idle.append((after[2] - before[2]) / passed / os.cpu_count() * 100)
        figure("agent", CASE, "cpu_beside_encoder", beside, "% of a core", peer)
        for name, shares in use.items():
            if max(shares) > 0:
                figure("agent", CASE, f"cpu_{name}", shares, "% of a core", peer)
        figure("agent", CASE, "memory", sum(resident_mb(process.pid) for process in (self.pipeline, *self.whole.values())), "MB", peer)
        figure("agent", CASE, "sent", sent, "Mbit/s", peer)
        figure("agent", CASE, "idle", idle, "%", peer)


class Tap:
    """Sees what comes out of the links on this machine's side."""

    def __init__(self, senders):
        self.senders = [socket.inet_aton(address) for address in senders]
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))  # ETH_P_IP
        self.socket.settimeout(15)

    def wait_for_media(self):
        """Returns when the first large UDP datagram came. Source: RFC 791, offsets of length, protocol and source address."""
        while True:
            head = self.socket.recv(64)
            if head[9] == socket.IPPROTO_UDP and head[12:16] in self.senders and int.from_bytes(head[2:4], "big") > 1000:
                return

    def close(self):
        self.socket.close()


def start_once(installation, destination):
    """Starts a broadcast; returns its id, and the seconds to the first frame and to `live`."""
    tap = Tap(installation.field.addresses)
    began = time.monotonic()
    broadcast = installation.start_broadcast(destination)
    try:
        tap.wait_for_media()
    except TimeoutError:
        sys.exit(f"bench: no media: {installation.broadcast(broadcast)}")
    first = time.monotonic() - began
    tap.close()
    while (view := installation.broadcast(broadcast))["state"] != "live":
        if time.monotonic() - began > 20:
            sys.exit(f"bench: not live: {view}")
        time.sleep(0.02)
    return broadcast, first, time.monotonic() - began


def starts(installation, destination):
    """Leaves the last agent running."""
    first, live = {"start": [], "start_again": []}, {"start": [], "start_again": []}
    for _ in range(STARTS):
        if installation.agent:
            installation.stage.stop(installation.agent)
        installation.start_sender()
        for case in first:
            broadcast, seconds, until_live = start_once(installation, destination)
            first[case].append(seconds)
            live[case].append(until_live)
            installation.stop_broadcast(broadcast)
    for case in first:
        figure("agent", case, "first_frame", first[case], "s")
        figure("agent", case, "live", live[case], "s")


def ours(installation, platform, destination):
    broadcast, _, _ = start_once(installation, destination)
    time.sleep(4)
    frames, began = installation.metric("sender_frames_total"), time.monotonic()
    ingest = lambda: installation.broadcast(broadcast)["ingest"]
    rates = [ingest()["bitrate"] / 1e6]
    Load(installation.agent, {}, installation.field.interfaces).measure(None)
    rates.append(ingest()["bitrate"] / 1e6)
    figure("agent", CASE, "bitrate", rates, "Mbit/s")
    figure("agent", CASE, "frames", (installation.metric("sender_frames_total") - frames) / (time.monotonic() - began), "1/s")
    lost = ingest()["lostPacketsTotal"] + installation.metric("sender_dropped_packets_total")
    if lost or platform.publishers() != 1:
        sys.exit(f"bench: {lost} packets are lost, {platform.publishers()} streams are published")
    if statistics.median(rates) < 9.5:
        sys.exit(f"bench: the stream has {statistics.median(rates)} Mbit/s, not 10")
    installation.stop_broadcast(broadcast)
    figure("agent", "idle", "memory", resident_mb(installation.agent.pid), "MB")
    installation.stage.stop(installation.agent)


def peer(stage, field):
    """Agent/Capture/PipelineTexts.swift and EncoderSettings.swift with queues where our two pipelines meet."""
    udp, rist = free_port(), free_port()
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))  # read by nobody: what is full drops
    security = f"aes-type=256&secret={KEY}&buffer=1000"
    receiver = stage.start(
        "ristreceiver", "ristreceiver", "-p", "1", "-S", "0", "-i", f"rist://@0.0.0.0:{rist}?{security}&reorder-buffer=100", "-o",
        f"udp://127.0.0.1:{sink.getsockname()[1]}")
    links = ",".join(f"rist://{address}:{rist}?{security}&bandwidth=100000&weight=5" for address in field.near)
    sender = stage.start("ristsender", *field.inside, "ristsender", "-p", "1", "-S", "0", "-i", f"udp://@127.0.0.1:{udp}", "-o", links)
    picture = f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FRAME_RATE}/1,colorimetry=bt709"
    text = f"""
        mpegtsmux name=mux alignment=7 pat-interval=9000 pmt-interval=9000 pcr-interval=3240 si-interval=90000 !
        udpsink host=127.0.0.1 port={udp} sync=false async=false
        videotestsrc is-live=true pattern=smpte ! {picture} ! queue name=video ! x264enc pass=cbr speed-preset=superfast bframes=0
        b-adapt=false rc-lookahead=0 sync-lookahead=0 mb-tree=false sliced-threads=false byte-stream=true aud=true
        option-string=scenecut=0:open-gop=0 key-int-max={FRAME_RATE * 2} vbv-buf-capacity=1000 bitrate={VIDEO_KBIT} !
        video/x-h264,profile=high ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! mux.
        audiotestsrc is-live=true wave=ticks freq=1000 tick-interval=1000000000 sine-periods-per-tick=100 samplesperbuffer=1024 !
        audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved ! queue name=audio ! audioconvert ! avenc_aac bitrate=128000 !
        aacparse ! audio/mpeg,mpegversion=4,stream-format=raw ! mux.
    """
    gst = stage.start("gst", *field.inside, "gst-launch-1.0", "-q", *text.split())
    silent = sent_bytes(sender.pid, field.interfaces)
    wait_for("gst-launch and ristsender send", lambda: sent_bytes(sender.pid, field.interfaces) > silent + 2_000_000)
    time.sleep(4)
    Load(gst, {"ristsender": sender}, field.interfaces).measure("gst-launch")
    stage.stop(gst, sender, receiver)


if __name__ == "__main__":
    stage = Stage()
    field = Field(stage, LINKS)
    platform = Platform(stage)
    installation = Installation(stage, field)
    installation.start_sender()
    destination = installation.add_destination(f"rtmp://127.0.0.1:{platform.rtmp}/live", "bench")
    installation.configure_broadcasts(
        f"[video]\nwidth = {WIDTH}\nheight = {HEIGHT}\nframe_rate = {FRAME_RATE}\nbitrate_kbit = {VIDEO_KBIT}\n")
    starts(installation, destination)
    ours(installation, platform, destination)
    peer(stage, field)
