#!/usr/bin/env python3
"""One receiver at 6 Mbit/s to RTMP beside ffmpeg and gst-launch with the same elements, and how many streams this machine holds.

Input: a transport stream made once, sent as UDP to one multicast group on lo; a `ristsender` for each receiver takes it from
there. Ours and ffmpeg take main profile with a passphrase, GStreamer 1.22 knows the simple profile only. Processor time of the
senders and of the platform is reported apart. A number of streams is held while idle time is over 5 % and nothing was lost.
"""
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

from bench import CLIP, PROGRAMS, Platform, Stage, figure, free_port, idle_seconds, own_mb, processor_seconds, resident_mb, wait_for, windows

GROUP = "239.255.77.1"
KEY = "bench-passphrase-0123456789"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid():
    return "0" + "".join(random.choice(ALPHABET) for _ in range(25))


def make_stream(stage):
    """20 s of H.264 at a constant 5.6 Mbit/s and AAC, 6 Mbit/s with everything."""
    path = f"{stage.folder}/stream.ts"
    subprocess.run([
        "ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", CLIP, "-t", "20", "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "0",
        "-b:v", "5500k", "-minrate", "5500k", "-maxrate", "5500k", "-bufsize", "5500k", "-x264-params", "nal-hrd=cbr", "-c:a", "aac", "-b:a", "128k",
        "-muxrate", "6000k", "-f", "mpegts", path], check=True)
    return path


def multicast_to(stage, path, port):
    """Loops the file at its rate, for all senders at once."""
    url = f"udp://{GROUP}:{port}?pkt_size=1316&localaddr=127.0.0.1&ttl=0&bitrate=6000000"
    return stage.start("feed", "ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", path, "-c", "copy", "-muxrate", "6000k", "-f", "mpegts", url)


def sender(stage, name, feed_port, port, simple=False):
    """Simple profile wants an even port."""
    to = f"rist://127.0.0.1:{port}?buffer=1000" + ("" if simple else f"&aes-type=256&secret={KEY}")
    return stage.start(name, "ristsender", "-p", "0" if simple else "1", "-i", f"udp://@{GROUP}:{feed_port}?miface=lo", "-o", to)


class Receiver:
    """Ours: started, opened over its socket, and listened to."""

    def __init__(self, stage, number, rtmp_port):
        folder = f"{stage.folder}/r{number}"
        os.makedirs(folder, mode=0o700)
        self.name, self.port, self.report = f"receiver{number}", free_port(), None
        self.process = stage.start(self.name, f"{PROGRAMS}/strata-receiver", "--socket", f"{folder}/socket", "--allow", "127.0.0.0/8")
        self.socket = socket.socket(socket.AF_UNIX)
        wait_for("the receiver's socket", lambda: os.path.exists(f"{folder}/socket"))
        self.socket.connect(f"{folder}/socket")
        target = {"tls": False, "host": "127.0.0.1", "port": rtmp_port, "application": "live", "streamKey": f"ours{number}", "address": "127.0.0.1"}
        spec = {"lease": ulid(), "broadcast": ulid(), "streamKey": KEY, "bufferMs": 1000,
                "outputs": [{"id": ulid(), "target": {"type": "rtmp", "body": target}}]}
        order = {"id": ulid(), "order": {"type": "open", "body": {"spec": spec, "port": self.port, "bind": ["127.0.0.1"]}}}
        self.socket.sendall(json.dumps(order).encode() + b"\n")
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            for line in self.socket.makefile():
                message = json.loads(line)
                if message["type"] == "report":
                    self.report = message["body"]
        except OSError:
            pass

    @property
    def is_live(self):
        return bool(self.report) and any(output["state"] == "connected" for output in self.report["outputs"])

    @property
    def lost(self):
        if not self.report:
            return 1
        return self.report["ingest"]["lostPacketsTotal"] + sum(output["droppedUnitsTotal"] for output in self.report["outputs"])


def one(stage, feed_port):
    platform = Platform(stage)
    ours = Receiver(stage, 0, platform.rtmp)
    ffmpeg_port, gst_port = free_port(), free_port() & ~1
    rtmp = f"rtmp://127.0.0.1:{platform.rtmp}/live"
    ffmpeg = stage.start(
        "ffmpeg", "ffmpeg", "-v", "error", "-rist_profile", "main", "-secret", KEY, "-encryption", "256", "-buffer_size", "1000", "-i",
        f"rist://@127.0.0.1:{ffmpeg_port}", "-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "flv", f"{rtmp}/ffmpeg")
    gst = stage.start(
        "gst", "gst-launch-1.0", "-q", "ristsrc", "address=127.0.0.1", f"port={gst_port}", "receiver-buffer=1000", "!", "rtpmp2tdepay", "!", "tsdemux",
        "name=d", "d.", "!", "queue", "!", "h264parse", "!", "flvmux", "name=m", "streamable=true", "!", "rtmp2sink", f"location={rtmp}/gst", "d.", "!",
        "queue", "!", "aacparse", "!", "m.")
    senders = [sender(stage, "sender0", feed_port, ours.port), sender(stage, "sender1", feed_port, ffmpeg_port),
               sender(stage, "sender2", feed_port, gst_port, simple=True)]
    wait_for("three streams at the platform", lambda: platform.publishers() == 3, 30)
    wait_for("our output is connected", lambda: ours.is_live)
    time.sleep(3)
    processes = {None: ours.process, "ffmpeg": ffmpeg, "gst-launch": gst}
    for peer, use in windows(processes, 5, 4).items():
        figure("receiver", "one", "cpu", use, "% of a core", peer)
    for peer, process in processes.items():
        figure("receiver", "one", "memory", resident_mb(process.pid), "MB", peer)
        figure("receiver", "one", "memory_of_its_own", own_mb(process.pid), "MB", peer)
    if ours.lost:
        sys.exit(f"bench: our receiver lost {ours.lost}")
    stage.stop(ours.process, ffmpeg, gst, platform.process, *senders)


def capacity(stage, feed_port, limit=40, step=10):
    platform = Platform(stage)
    receivers, senders, held = [], [], 0
    while len(receivers) < limit:
        for number in range(len(receivers) + 1, len(receivers) + step + 1):
            receivers.append(Receiver(stage, number, platform.rtmp))
            senders.append(sender(stage, f"s{number}", feed_port, receivers[-1].port))
        count = len(receivers)
        try:
            wait_for(f"{count} streams are live", lambda: all(receiver.is_live for receiver in receivers), 60)
        except SystemExit as late:
            # More than the machine can begin is more than it holds.
            print(late, file=sys.stderr)
            break
        time.sleep(3)
        parts = {"ours": [receiver.process.pid for receiver in receivers], "senders": [process.pid for process in senders]}
        total = lambda: {name: sum(processor_seconds(pid) for pid in pids) for name, pids in parts.items()} | {"platform": platform.processor_seconds()}
        lost, idle, used, began = sum(receiver.lost for receiver in receivers), idle_seconds(), total(), time.monotonic()
        time.sleep(10)
        passed = time.monotonic() - began
        idle = (idle_seconds() - idle) / passed / os.cpu_count() * 100
        lost = sum(receiver.lost for receiver in receivers) - lost
        for name, after in total().items():
            figure("receiver", f"{count}_streams", "cpu", (after - used[name]) / passed * 100, "% of a core", None if name == "ours" else name)
        figure("receiver", f"{count}_streams", "memory_of_each", sum(map(resident_mb, parts["ours"])) / count, "MB")
        figure("receiver", f"{count}_streams", "idle", idle, "%")
        figure("receiver", f"{count}_streams", "lost", lost, "packets and units")
        if lost or idle < 5:
            break
        held = count
    figure("receiver", "capacity", "streams", held, "streams")
    stage.stop(*(receiver.process for receiver in receivers), *senders, platform.process)


if __name__ == "__main__":
    stage = Stage()
    feed_port = free_port()
    multicast_to(stage, make_stream(stage), feed_port)
    one(stage, feed_port)
    capacity(stage, feed_port)
