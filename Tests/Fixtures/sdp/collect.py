#!/usr/bin/python3
"""Makes the offers and answers of this folder anew, with Debian's Chromium and Firefox ESR (packages of `ci/packages install test`).

collect.py FOLDER            each browser's offers, as <browser>-<case>.sdp
collect.py FOLDER OFFER...   besides, each browser's answer to our offers in these files, as <browser>-answers-<name of the file>
collect.py --answers PROGRAM has PROGRAM (an offer on stdin, our answer on stdout) answer each offer, and the browser take it
"""
import asyncio
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import websockets

CASES = {
    "publish": """
        pc.addTransceiver('audio', {direction: 'sendonly'});
        pc.addTransceiver('video', {direction: 'sendonly', sendEncodings: [
            {rid: 'f'}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'q', scaleResolutionDownBy: 4}]});
        pc.createDataChannel('state');""",
    "screen": "pc.addTransceiver('video', {direction: 'sendonly'});",
    "play": """
        pc.addTransceiver('audio', {direction: 'recvonly'});
        pc.addTransceiver('video', {direction: 'recvonly'});""",
    "both": "pc.addTransceiver('audio'); pc.addTransceiver('video');",
}
OFFER = """(async () => {
    const pc = globalThis.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    %s
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
})()"""
TAKE = """(async () => {
    try { await pc.setRemoteDescription({type: 'answer', sdp: %s}); } catch (error) { return 'refused: ' + error.message; }
    return 'taken ' + pc.getTransceivers().map(t => t.mid + ':' + t.currentDirection).join(' ');
})()"""
ANSWER = """(async () => {
    const pc = globalThis.pc = new RTCPeerConnection();
    await pc.setRemoteDescription({type: 'offer', sdp: %s});
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
})()"""


class Chromium:
    name = "chromium"

    async def start(self, folder):
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
             f"--user-data-dir={folder}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = pathlib.Path(folder) / "DevToolsActivePort"
        while not port.exists() or not port.read_text().strip():
            await asyncio.sleep(0.1)
        number = port.read_text().split()[0]
        while True:
            pages = [page for page in json.load(urllib.request.urlopen(f"http://127.0.0.1:{number}/json/list")) if page["type"] == "page"]
            if pages:
                break
            await asyncio.sleep(0.1)
        self.socket = await websockets.connect(pages[0]["webSocketDebuggerUrl"], max_size=None)

    async def run(self, script):
        await self.socket.send(json.dumps(
            {"id": 1, "method": "Runtime.evaluate", "params": {"expression": script, "awaitPromise": True, "returnByValue": True}}))
        while True:
            answer = json.loads(await self.socket.recv())
            if answer.get("id") == 1:
                return answer["result"]["result"].get("value") or json.dumps(answer["result"])


class Firefox:
    name = "firefox"

    async def start(self, folder):
        pathlib.Path(folder, "user.js").write_text('user_pref("media.peerconnection.ice.obfuscate_host_addresses", true);\n')
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--remote-debugging-port", "9377", "--profile", folder], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        while True:
            try:
                self.socket = await websockets.connect("ws://127.0.0.1:9377/session", max_size=None)
                break
            except OSError:
                await asyncio.sleep(0.2)
        self.number = 0
        await self.call("session.new", {"capabilities": {}})
        self.context = (await self.call("browsingContext.getTree", {}))["contexts"][0]["context"]

    async def call(self, method, params):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(await self.socket.recv())
            if answer.get("id") == self.number:
                return answer.get("result") or answer

    async def run(self, script):
        answer = await self.call("script.evaluate", {"expression": script, "target": {"context": self.context}, "awaitPromise": True})
        return answer.get("result", {}).get("value") or json.dumps(answer)


async def drive(browser, folder, offers, program):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        await browser.start(profile)
        try:
            for case, script in CASES.items():
                offer = await browser.run(OFFER % script)
                if program:
                    made = subprocess.run([program, "play" if case == "play" else "publish"], input=offer.encode(), capture_output=True)
                    print(browser.name, case, made.stderr.decode().strip(), await browser.run(TAKE % json.dumps(made.stdout.decode())))
                else:
                    (folder / f"{browser.name}-{case}.sdp").write_bytes(offer.encode())
            for path in map(pathlib.Path, offers):
                answer = await browser.run(ANSWER % json.dumps(path.read_bytes().decode()))
                (folder / f"{browser.name}-answers-{path.name}").write_bytes(answer.encode())
        finally:
            browser.process.terminate()
            browser.process.wait()


async def main():
    answers = sys.argv[1] == "--answers"
    for browser in [Chromium(), Firefox()]:
        await asyncio.wait_for(
            drive(browser, None if answers else pathlib.Path(sys.argv[1]), [] if answers else sys.argv[2:], sys.argv[2] if answers else None),
            120)


asyncio.run(main())
