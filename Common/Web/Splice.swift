import Glibc
import Posix

/// A connection to the server behind a passage that is being made, for a client that has been looked at. Loop thread only.
final class Splice {
    private let client: Transport
    private let core: ServerCore
    private let upstream: SocketAddress
    private let socket: CInt
    private var watch: Watch?
    private var timer: LoopTimer?

    /// Passes the client on; where that is not possible it is closed, as by a server that is away.
    static func begin(_ client: Transport, to upstream: SocketAddress, core: ServerCore) {
        guard core.takePassage() else { return client.close() }
        do {
            let splice = Splice(client, try StreamSocket.connect(to: upstream).release(), upstream, core)
            try splice.wait()
        } catch {
            core.configuration.passageLost?(error)
            core.releasePassage()
            client.close()
        }
    }

    private init(_ client: Transport, _ socket: CInt, _ upstream: SocketAddress, _ core: ServerCore) {
        self.client = client
        self.socket = socket
        self.upstream = upstream
        self.core = core
    }

    private func wait() throws {
        do {
            watch = try client.lane.loop.watch(socket, .write) { [self] _ in decided() }
        } catch {
            close(socket)
            throw error
        }
        // Until then the time is the server's, and that it does not answer is told: of the client's own nothing would be.
        client.deadline = nil
        timer = client.lane.loop.timer(after: core.limits.passedConnectTimeout) { [self] in
            core.configuration.passageLost?(SystemError("connect", ETIMEDOUT, on: "\(upstream)"))
            client.close()
        }
        // The client is gone, or has waited too long: nobody needs the other end.
        let before = client.onClosed
        client.onClosed = { [self] in
            before?()
            if watch != nil { giveUp() }
        }
    }

    private func giveUp() {
        stopWaiting()
        close(socket)
        core.releasePassage()
    }

    private func stopWaiting() {
        watch?.cancel()
        watch = nil
        timer?.cancel()
        timer = nil
    }

    private func decided() {
        if let error = StreamSocket.connectResult(socket, on: "\(upstream)") {
            core.configuration.passageLost?(error)
            return client.close()
        }
        stopWaiting()
        let server = Transport(lane: client.lane, socket: socket, peer: upstream, stallTimeout: core.limits.writeTimeout)
        server.onClosed = { [core] in core.releasePassage() }
        let idle = core.limits.passedIdleTimeout
        do { try server.start() } catch {
            server.close()
            return client.close()
        }
        client.owner = SpliceSide(of: client, to: server, idle: idle)
        server.owner = SpliceSide(of: server, to: client, idle: idle)
        server.open()
        client.open()
    }
}

/// One of the two connections of a splice: what comes by it goes out by the other, and where that takes no more, nothing more is read here.
///
/// Loop thread only. It lives as long as its transport has it for its owner: they close each other.
final class SpliceSide: TransportOwner {
    private let transport: Transport
    private let other: Transport
    private let idle: Duration

    /// Bytes that may wait to be sent; a read of up to 64 KiB may come on top.
    private static let highMark = 128 * 1024

    init(of transport: Transport, to other: Transport, idle: Duration) {
        self.transport = transport
        self.other = other
        self.idle = idle
    }

    func opened() { touch() }

    func received(_ bytes: UnsafeRawBufferPointer) {
        other.write(bytes)
        guard !transport.isClosed else { return }
        touch()
        if other.pendingBytes > Self.highMark { transport.pause() }
    }

    func drained() { other.resume() }

    /// What it has said goes out, and nobody waits for an answer: who leaves a TURN server has nothing to hear from it.
    func peerEnded() { end() }

    func expired() { end() }

    func failed(_ error: any Error) { other.finish() }

    private func end() {
        other.finish()
        transport.finish()
    }

    /// Either direction keeps both open.
    private func touch() {
        let deadline = Instant.now + idle
        transport.deadline = deadline
        other.deadline = deadline
    }
}
