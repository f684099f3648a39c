import Glibc
import Posix
import Testing

@Suite("Sockets", .timeLimit(.minutes(1)))
struct SocketTests {
    @Test(
        "an address is printed as it was read",
        arguments: [
            ("192.0.2.1", "192.0.2.1:80"), ("::1", "[::1]:80"), ("[2001:db8::5]", "[2001:db8::5]:80"), ("0.0.0.0", "0.0.0.0:80"),
            ("fe80::1%lo", "[fe80::1%lo]:80"),
        ])
    func addresses(literal: String, text: String) throws {
        let address = try #require(SocketAddress(literal, port: 80))
        #expect(address.description == text)
        #expect(address.withSockaddr { SocketAddress(sockaddr: UnsafeRawBufferPointer(start: $0, count: Int($1))) } == address)
    }

    @Test("what is no address is refused", arguments: ["", "localhost", "1.2.3", "256.1.1.1", "1.2.3.4:5", "::g", "fe80::1%nosuchdevice"])
    func notAddresses(text: String) { #expect(SocketAddress(text, port: 80) == nil) }

    @Test("ports outside of 0 to 65535 are refused", arguments: [-1, 65536])
    func ports(port: Int) { #expect(SocketAddress("127.0.0.1", port: port) == nil) }

    @Test("loopback is 127.0.0.0/8 and ::1, mapped too")
    func loopback() throws {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] { #expect(SocketAddress(text, port: 1)?.isLoopback == true) }
        for text in ["128.0.0.1", "::2", "::ffff:10.0.0.1", "0.0.0.0", "::"] { #expect(SocketAddress(text, port: 1)?.isLoopback == false) }
        #expect(try #require(SocketAddress("::ffff:10.0.0.1", port: 7)).unmapped == SocketAddress("10.0.0.1", port: 7))
    }

    @Test("prefixes are compared bit by bit")
    func prefixes() throws {
        func shares(_ one: String, _ bits: Int, _ other: String) throws -> Bool {
            try #require(SocketAddress(one, port: 0)).shares(prefix: bits, with: #require(SocketAddress(other, port: 0)))
        }
        #expect(try shares("10.1.2.3", 8, "10.9.9.9"))
        #expect(try !shares("10.1.2.3", 16, "10.9.9.9"))
        #expect(try shares("10.1.2.3", 0, "11.0.0.0"))
        #expect(try shares("10.1.2.3", 32, "10.1.2.3"))
        #expect(try !shares("10.1.2.3", 32, "10.1.2.2"))
        #expect(try shares("2001:db8::1", 64, "2001:db8::ffff"))
        #expect(try !shares("2001:db8::1", 65, "2001:db8:0:0:8000::"))
        #expect(try shares("2001:db8::1", 127, "2001:db8::"))
        #expect(try !shares("2001:db8::1", 8, "32.1.13.184"))
    }

    @Test("names are resolved without blocking; a name that cannot be has its reason")
    func resolving() async throws {
        #expect(try await resolve(host: "127.0.0.1", port: 5) == [SocketAddress.loopback(port: 5)])
        #expect(try await resolve(host: "localhost", port: 5).allSatisfy { $0.isLoopback && $0.port == 5 })
        await #expect(throws: ResolveError.self) { try await resolve(host: "no such name", port: 5) }
        await #expect(throws: ResolveError.self) { try await resolve(host: "", port: 5) }
    }

    @Test("what the path says of a datagram is told though the socket is connected to nobody, once", arguments: ["127.0.0.1", "::1"])
    func pathErrors(host: String) async throws {
        let any = try #require(SocketAddress(host, port: 0))
        // Free again once its socket is gone.
        let closed = try UDPSocket(binding: any).localAddress
        let sender = try UDPSocket(binding: any)
        try sender.wantPathErrors()
        #expect(sender.takePathError() == nil)
        let loop = try Loop(name: "path")
        let (told, tells) = AsyncStream.makeStream(of: SystemError.self)
        loop.submit {
            _ = try? loop.watch(sender.descriptor, .read) { ready in
                if ready.contains(.error), let error = sender.takePathError() { tells.yield(error) }
            }
        }
        try sender.send([1], to: closed)
        #expect(await told.first { _ in true }?.code == ECONNREFUSED)
        // Whichever call is the next is told too, and the one after that goes on.
        _ = try? sender.send([2], to: sender.localAddress)
        try sender.send([3], to: sender.localAddress)
        loop.stop()
        #expect(sender.takePathError() == nil)
    }

    @Test("datagrams come in batches with their sources", arguments: ["127.0.0.1", "::1"])
    func datagrams(host: String) async throws {
        let loop = try Loop(name: "udp")
        let any = try #require(SocketAddress(host, port: 0))
        let receiver = try UDPSocket(binding: any, buffers: 1 << 20)
        let sender = try UDPSocket(binding: any)
        let arrived = AsyncStream<String>.makeStream()
        loop.submit {
            let batch = DatagramBatch(capacity: 8, size: 16)
            do {
                _ = try loop.watch(receiver.descriptor, .read) { _ in
                    let count = (try? receiver.receive(batch)) ?? 0
                    for index in 0..<count where batch.source(index) == sender.localAddress {
                        arrived.continuation.yield(String(decoding: batch[index], as: UTF8.self))
                    }
                }
            } catch { Issue.record(error) }
        }
        for number in 0..<20 { #expect(try sender.send(Array("packet \(number)".utf8), to: receiver.localAddress)) }
        #expect(try sender.send(Array("longer than sixteen bytes".utf8), to: receiver.localAddress))
        var texts: [String] = []
        for await text in arrived.stream {
            texts.append(text)
            if texts.count == 21 { break }
        }
        #expect(texts == (0..<20).map { "packet \($0)" } + ["longer than sixt"])
        loop.stop()
    }

    @Test("datagrams that leave in one call arrive as if each had been sent", arguments: ["127.0.0.1", "::1"])
    func segments(host: String) throws {
        let any = try #require(SocketAddress(host, port: 0))
        let receiver = try UDPSocket(binding: any, buffers: 1 << 20)
        let sender = try UDPSocket(binding: any)
        let sizes = [1200, 1200, 1200, 700]
        let bytes = sizes.enumerated().flatMap { [UInt8](repeating: UInt8($0 + 1), count: $1) }
        let isSent = try bytes.withUnsafeBytes { try sender.send($0, segment: 1200, to: receiver.localAddress) }
        #expect(isSent)
        let batch = DatagramBatch(capacity: 8)
        var came: [(size: Int, byte: UInt8?)] = []
        while came.count < sizes.count {
            var waiting = pollfd(fd: receiver.descriptor, events: Int16(POLLIN), revents: 0)
            let isReady = poll(&waiting, 1, 5000) == 1
            try #require(isReady, "\(came.count) have come")
            let count = try receiver.receive(batch)
            for place in 0..<count where batch.source(place) == sender.localAddress {
                let isOne = batch[place].allSatisfy { $0 == batch[place].first }
                came.append((batch[place].count, isOne ? batch[place].first : nil))
            }
        }
        #expect(came.map(\.size) == sizes && came.map(\.byte) == [1, 2, 3, 4])
        // More than the route carries at once: each could go by itself.
        #expect(throws: SystemError.self) {
            try [UInt8](repeating: 0, count: 65_536).withUnsafeBytes { try sender.send($0, segment: 1200, to: receiver.localAddress) }
        }
    }

    @Test("a socket that cannot be pinned to its interface says so")
    func devices() throws {
        let socket = try UDPSocket(binding: .loopback(port: 0))
        try socket.bindToDevice("lo")
        #expect(throws: SystemError.self) { try socket.bindToDevice("nosuchdevice") }
        #expect(throws: SystemError.self) { try UDPSocket(binding: .loopback(port: 0), device: "nosuchdevice") }
    }

    @Test("TCP connects to a listener and the listener knows its peer")
    func tcp() throws {
        let listener = try StreamSocket.listen(on: .loopback(port: 0))
        let address = try #require(StreamSocket.localAddress(listener.raw))
        #expect(address.port > 0)
        #expect(try StreamSocket.accept(listener.raw) == nil)
        let client = try StreamSocket.connect(to: address)
        var entry = pollfd(fd: client.raw, events: Int16(POLLOUT), revents: 0)
        #expect(poll(&entry, 1, 5000) == 1)
        #expect(StreamSocket.connectResult(client.raw, on: "test") == nil)
        let accepted = try #require(try StreamSocket.accept(listener.raw))
        #expect(accepted.peer == StreamSocket.localAddress(client.raw))
        close(accepted.socket)
        #expect(throws: SystemError.self) { _ = try StreamSocket.listen(on: address) }
    }

    @Test("a Unix socket is 0600, and replaces what a dead process left")
    func unix() throws {
        let path = "/tmp/strata-posix-\(getpid())-\(UInt32.random(in: 0..<UInt32.max)).sock"
        defer { unlink(path) }
        // A listener that goes away leaves its file behind.
        do { _ = try StreamSocket.listen(path: path) }
        let listener = try StreamSocket.listen(path: path)
        var info = stat()
        #expect(stat(path, &info) == 0 && info.st_mode & 0o777 == 0o600)
        let client = try StreamSocket.connect(path: path)
        let accepted = try #require(try StreamSocket.accept(listener.raw))
        #expect(accepted.peer == nil)
        close(accepted.socket)
        #expect(throws: SystemError.self) { _ = try StreamSocket.listen(path: path) }
        #expect(throws: SystemError.self) { _ = try StreamSocket.connect(path: String(repeating: "x", count: 200)) }
        _ = client.raw
    }

    @Test("random bytes come in the number asked for and differ")
    func randomness() {
        #expect(SystemRandom.bytes(0) == [])
        #expect(SystemRandom.bytes(1000).count == 1000)
        #expect(SystemRandom.bytes(32) != SystemRandom.bytes(32))
    }
}
