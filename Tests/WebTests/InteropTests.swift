import HTTP
import Posix
import Support
import Testing
import Web

/// The cases of the Autobahn suite that need another's implementation at the other end (Python's websockets): 9, limits; 12 and 13,
/// compression with each offer.
@Suite("WebSockets with a stranger", .timeLimit(.minutes(1)))
struct InteropTests {
    private static let script = """
        import asyncio, random, sys, websockets
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer

        url, case = sys.argv[1:]
        random.seed(1)
        # Each with whether the server takes it up: one that sets the server's window it does not.
        offers = {
            "12": ([Offer()], True),
            "13.2": ([Offer(server_no_context_takeover=True)], True),
            "13.3": ([Offer(server_max_window_bits=9)], False),
            "13.4": ([Offer(server_max_window_bits=15)], False),
            "13.5": ([Offer(server_no_context_takeover=True, server_max_window_bits=9)], False),
            "13.6": ([Offer(server_no_context_takeover=True, server_max_window_bits=15)], False),
            "13.7": ([Offer(server_no_context_takeover=True, server_max_window_bits=9), Offer(server_no_context_takeover=True), Offer()], True),
            "client windows": ([Offer(client_max_window_bits=9, client_no_context_takeover=True)], True),
        }

        def text(size):
            words = ('"sender":', '"bitrate":', '"live"', "{", "}", ",", "é", str(random.random()))
            made = ""
            while len(made) < size:
                made += random.choice(words)
            return made[:size]

        async def same(socket, message):
            await socket.send(message)
            back = await socket.recv()
            whole = message if isinstance(message, (str, bytes)) else type(message[0])().join(message)
            assert back == whole, f"{len(whole)} came back as {len(back)}"

        async def compressed():
            extensions, taken = offers[case]
            async with websockets.connect(url, compression=None, extensions=extensions, max_size=None) as socket:
                assert bool(socket.extensions) == taken, f"extensions: {socket.extensions}"
                for size in (0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072):
                    for _ in range(20):
                        await same(socket, text(size))
                        await same(socket, random.randbytes(size))
                    whole = text(size)
                    await same(socket, [whole[at:at + 1000] for at in range(0, max(1, size), 1000)])

        async def limits():
            async with websockets.connect(url, compression=None, max_size=None) as socket:
                for power in (16, 18, 20, 22, 24):
                    await same(socket, "*" * 2 ** power)
                    await same(socket, random.randbytes(2 ** power))
                whole = random.randbytes(2 ** 20)
                for piece in (64, 256, 1024, 4096, 16384, 65536, 2 ** 20):
                    await same(socket, [whole[at:at + piece] for at in range(0, len(whole), piece)])
                for size in (0, 16, 64, 256, 1024, 4096, 16384):
                    for _ in range(200):
                        await same(socket, random.randbytes(size))

        asyncio.run(limits() if case == "9" else compressed())
        print("ok")
        """

    private func echo(_ options: WebSocketOptions, deflate: Bool) -> @Sendable (Request) async -> Response {
        { _ in
            .upgrade(deflate: deflate, options: options) { socket in
                // try?: a peer that leaves ends the test by what it prints.
                while let message = try? await socket.receive() {
                    switch message {
                    case .text(let text): try? await socket.send(text)
                    case .binary(let bytes): try? await socket.send(bytes)
                    }
                }
            }
        }
    }

    @Test(
        "compressed messages of every size come back whole, whatever is offered",
        arguments: ["12", "13.2", "13.3", "13.4", "13.5", "13.6", "13.7", "client windows"])
    func compression(offer: String) async throws {
        try await withServer(handler: echo(WebSocketOptions(), deflate: true)) { server in
            let answer = try await runTool("/usr/bin/python3", ["-c", Self.script, "ws://\(server.plain)/ws", offer])
            #expect(answer.text == "ok\n")
        }
    }

    @Test("messages of 16 MiB, in thousands of fragments, and a thousand small ones come back whole")
    func limits() async throws {
        var options = WebSocketOptions()
        options.messageLimit = 1 << 24
        try await withServer(handler: echo(options, deflate: false)) { server in
            let answer = try await runTool("/usr/bin/python3", ["-c", Self.script, "ws://\(server.plain)/ws", "9"])
            #expect(answer.text == "ok\n")
        }
    }
}
