"""A real encoder that follows a controller: x264 on raw pictures, as the board sets it up and governs it.

    encoder.py PICTURES WIDTH HEIGHT FPS live TELEMETRY SOURCE CEILING
    encoder.py PICTURES WIDTH HEIGHT FPS stepped [...]

PICTURES is a file of raw I420 pictures, taken again and again. Rates are of a transport stream with nothing but the pictures, bits/s.

live: in real time. TELEMETRY is where the controller's datagrams come to (JSON with `rate_bps`); for each frame made a JSON object with its
bytes, and the rate asked for, goes to SOURCE.
stepped: as fast as it is asked. A line on stdin is the rate asked of the next frame, a line on stdout its bytes; for `strata-lab bond --encoder`.
"""
import json
import mmap
import os
import socket
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

# As in Agent/Capture/PipelineTexts.swift and EncoderSettings.swift. One thread: each frame is there before the next is asked for.
PIPELINE = """
appsrc name=source format=time is-live=true caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 !
x264enc name=encoder pass=cbr speed-preset=superfast bframes=0 b-adapt=false rc-lookahead=0 sync-lookahead=0 mb-tree=false sliced-threads=false
  byte-stream=true aud=true option-string=scenecut=0:open-gop=0 threads=1 key-int-max={group} vbv-buf-capacity={vbv} bitrate=1000 !
video/x-h264,profile=high,alignment=au ! appsink name=sink sync=false
"""
VBV_MS = 150
# Of a transport stream: 184 bytes of a frame, and its PES header, in packets of 188.
PES_HEADER, FILLED, PACKET = 19, 184, 188


class Governor:
    """As in Agent/Session/EncoderGovernor.swift, ten times a second."""

    def __init__(self, fps):
        self.fps, self.told, self.balance = fps, 0, 0.0

    def next(self, asked):
        """What to tell the encoder; None where it stays."""
        ahead = self.balance / asked
        target = asked * (1 + max(-0.3, min(0.35, -ahead / 0.4)))
        if self.told and -0.02 <= target / self.told - 1 <= 0.05:
            return None
        self.told = target
        return target

    def made(self, bits, asked):
        self.balance = max(self.balance * (1 - 1 / self.fps) + bits - asked / self.fps, -0.3 * asked)


class Encoder:
    def __init__(self, path, width, height, fps):
        self.fps, self.size, self.number = fps, width * height * 3 // 2, 0
        with open(path, "rb") as file:
            self.pictures = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.pipeline = Gst.parse_launch(PIPELINE.format(width=width, height=height, fps=fps, group=2 * fps, vbv=VBV_MS))
        self.source, self.encoder, self.sink = (self.pipeline.get_by_name(name) for name in ("source", "encoder", "sink"))
        self.pipeline.set_state(Gst.State.PLAYING)
        self.governor = Governor(fps)

    def frame(self, asked):
        """Bytes of the next frame in a transport stream, at the rate asked for."""
        target = self.governor.next(asked) if self.number % max(1, self.fps // 10) == 0 else None
        if target is not None:
            self.encoder.set_property("bitrate", max(1, int(target * FILLED / PACKET * 0.98 / 1000)))
        at = self.number * self.size % (len(self.pictures) // self.size * self.size)
        picture = Gst.Buffer.new_wrapped(self.pictures[at:at + self.size])
        picture.pts, picture.duration = self.number * Gst.SECOND // self.fps, Gst.SECOND // self.fps
        self.number += 1
        self.source.emit("push-buffer", picture)
        sample = self.sink.emit("pull-sample")
        made = -(-(sample.get_buffer().get_size() + PES_HEADER) // FILLED) * PACKET
        self.governor.made(made * 8, asked)
        return made


def live(encoder, telemetry, target, ceiling):
    controller, teller = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    controller.bind(address(telemetry))
    controller.setblocking(False)
    teller.connect(address(target))
    rate, began = 1e6, time.monotonic()
    while True:
        rate = max(min(heard(controller) or rate, float(ceiling)), 1.0)
        try:
            teller.send(json.dumps({"frame_bytes": encoder.frame(rate), "rate_bps": rate}).encode())
        except ConnectionRefusedError:
            pass  # the source is not there yet
        time.sleep(max(0, began + encoder.number / encoder.fps - time.monotonic()))


def heard(controller):
    """The last word of the controller; None without one."""
    rate = None
    while True:
        try:
            rate = json.loads(controller.recv(65536)).get("rate_bps", rate)
        except BlockingIOError:
            return rate


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main(path, width, height, fps, mode, *words):
    Gst.init(None)
    encoder = Encoder(path, int(width), int(height), int(fps))
    if mode == "live":
        live(encoder, *words)
    for line in sys.stdin:
        print(encoder.frame(max(float(line), 1.0)), flush=True)
    # Without waiting for GStreamer's threads.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
