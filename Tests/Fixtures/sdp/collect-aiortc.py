"""Makes aiortc's offers of this folder anew: collect-aiortc.py FOLDER, with aiortc 1.14.0 from PyPI."""
import asyncio
import pathlib
import sys

from aiortc import RTCPeerConnection


async def main():
    for case, direction in [("publish", "sendonly"), ("play", "recvonly")]:
        connection = RTCPeerConnection()
        connection.addTransceiver("audio", direction=direction)
        connection.addTransceiver("video", direction=direction)
        if case == "publish":
            connection.createDataChannel("state")
        await connection.setLocalDescription(await connection.createOffer())
        pathlib.Path(sys.argv[1], f"aiortc-{case}.sdp").write_bytes(connection.localDescription.sdp.encode())
        await connection.close()


asyncio.run(main())
