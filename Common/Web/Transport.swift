import Glibc
import HTTP
import Posix
import TLS

/// What a connection tells the protocol on top of it. All calls come on the loop.
protocol TransportOwner: AnyObject {
    /// The TLS handshake is done, or there is none: bytes may be sent.
    func opened()
    /// Valid for the call only.
    func received(_ bytes: UnsafeRawBufferPointer)
    /// What waits to be sent fell below the low mark, after it was not all taken at once.
    func drained()
    /// The peer sends no more. Sending may still work.
    func peerEnded()
    /// The deadline that the owner set has passed.
    func expired()
    /// The connection broke; it is closed already.
    func failed(_ error: any Error)
}

/// Why we gave up a connection that the system still had.
enum TransportFault: Error, CustomStringConvertible {
    case handshakeTimedOut, stalled, truncated

    var description: String {
        switch self {
        case .handshakeTimedOut: "the TLS handshake took too long"
        case .stalled: "the peer did not take what was sent in time"
        case .truncated: "the connection ended in the middle of a message"
        }
    }
}

/// A socket with or without TLS: reads into the lane's buffer, and keeps what the socket does not take.
///
/// Loop thread only. It never bounds what waits to be sent: its owner looks at `pendingBytes` before it sends more.
final class Transport: @unchecked Sendable {
    // Sendable: references travel only with work for the lane's loop; all state is the loop's.
    let lane: Lane
    let socket: CInt
    let peer: SocketAddress
    var owner: (any TransportOwner)?
    /// Called once, when the socket is closed.
    var onClosed: (() -> Void)?
    private(set) var tls: TLSSession?
    private var watch: Watch?
    private var state = State.opening
    private var output: [UInt8] = []
    private var outputStart = 0
    private var isPaused = false
    private var hasEnded = false
    private var mustTellDrained = false
    /// The TLS layer must write before it can read on.
    private var readWantsWrite = false
    private let stallTimeout: Duration
    private var stallDeadline = Instant(nanoseconds: .max)
    private var ownDeadline = Instant(nanoseconds: .max)
    /// Looks at what has come, which stays in the socket; nil once it is known what becomes of it.
    private var looker: ((UnsafeRawBufferPointer, _ isAll: Bool) -> Glimpse)?
    private var seenBytes = 0

    /// What was seen of a connection that is only looked at.
    enum Glimpse {
        /// So many bytes more are needed, at least.
        case missing(Int)
        /// Enough; and what is done next.
        case known(() -> Void)
    }

    private enum State { case opening, open, lingering, closed }

    /// Below this, `drained` is told.
    static let lowMark = 16 * 1024
    /// How long a closing connection reads on, so that its last bytes are not lost to a reset (RFC 9112 section 9.6).
    private static let lingerTime = Duration.seconds(2)
    /// Reads for one readiness, so that one fast peer does not hold up the others.
    private static let readsPerTurn = 4

    /// Takes the socket over; it is non-blocking.
    /// - Parameter stallTimeout: how long pending bytes may wait without the peer taking any.
    init(lane: Lane, socket: CInt, peer: SocketAddress, stallTimeout: Duration) {
        self.lane = lane
        self.socket = socket
        self.peer = peer
        self.stallTimeout = stallTimeout
    }

    /// Watches the socket from now on.
    func start() throws {
        watch = try lane.loop.watch(socket, .read) { [self] in ready($0) }
        lane.add(self)
    }

    /// There is no TLS: bytes flow.
    func open() {
        state = .open
        updateInterest()
        owner?.opened()
    }

    /// Looks at what the peer sends first, which is left where it is, until it is known what becomes of the connection: `startTLS`, `open` or `close`.
    ///
    /// - Parameter looker: is shown the first 64 KiB at most of all that has come so far. `isAll`: no more comes before something is answered.
    func look(_ looker: @escaping (_ bytes: UnsafeRawBufferPointer, _ isAll: Bool) -> Glimpse) {
        self.looker = looker
    }

    /// Begins the handshake; `opened` or `failed` tells how it went.
    func startTLS(_ session: TLSSession) {
        tls = session
        state = .opening
        shakeHands()
    }

    var isClosed: Bool { state == .closed || state == .lingering }
    var pendingBytes: Int { output.count - outputStart }

    // MARK: Deadlines

    /// When `expired` is called; nil for never.
    var deadline: Instant? {
        get { ownDeadline.nanoseconds == .max ? nil : ownDeadline }
        set {
            ownDeadline = newValue ?? Instant(nanoseconds: .max)
            if let newValue { lane.expect(newValue) }
        }
    }

    var nextDeadline: Instant { min(ownDeadline, stallDeadline) }

    func expire(_ now: Instant) {
        if stallDeadline <= now { return fail(TransportFault.stalled) }
        guard ownDeadline <= now else { return }
        ownDeadline = Instant(nanoseconds: .max)
        switch state {
        case .opening: fail(TransportFault.handshakeTimedOut)
        case .open: owner?.expired()
        case .lingering: close()
        case .closed: break
        }
    }

    // MARK: Reading

    /// Stops reading until `resume`: the peer is held back by its own socket.
    func pause() {
        isPaused = true
        updateInterest()
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        updateInterest()
        // What the TLS layer has read already makes no socket readable.
        if let tls, tls.hasPending { lane.loop.submit { [self] in readOn() } }
    }

    private func ready(_ readiness: Readiness) {
        if state == .opening { return tls == nil ? glance(readiness) : shakeHands() }
        if readiness.contains(.write) {
            flush()
            if readWantsWrite { readOn() }
        }
        if readiness.contains(.read) {
            readOn()
        } else if !readiness.isDisjoint(with: [.hangup, .error]), state != .closed {
            // Nothing more comes and nothing can be sent; errors have their reason in SO_ERROR.
            fail(StreamSocket.connectResult(socket, on: "\(peer)") ?? SystemError("read", ECONNRESET, on: "\(peer)"))
        }
    }

    private func readOn() {
        readWantsWrite = false
        for _ in 0..<Transport.readsPerTurn {
            guard !isPaused, !hasEnded, state == .open || state == .lingering else { return }
            let buffer = lane.readBuffer
            switch readOnce(buffer) {
            case .moved(let count):
                if state == .open { owner?.received(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                // A short read emptied the socket; with TLS a record of it may still be unread.
                if tls.map({ !$0.hasPending }) ?? (count < buffer.count) { return }
            case .wantsRead: return
            case .wantsWrite:
                readWantsWrite = true
                return updateInterest()
            case .closed: return end()
            case nil: return
            }
        }
        if let tls, tls.hasPending { lane.loop.submit { [self] in readOn() } }
    }

    /// Nil when the connection broke.
    private func readOnce(_ buffer: UnsafeMutableRawBufferPointer) -> TLSSession.Progress? {
        if let tls {
            do { return try tls.read(into: buffer) } catch {
                fail(error)
                return nil
            }
        }
        let count = Glibc.recv(socket, buffer.baseAddress, buffer.count, 0)
        if count > 0 { return .moved(count) }
        if count == 0 { return .closed }
        if errno == EAGAIN || errno == EINTR { return .wantsRead }
        fail(SystemError("recv", on: "\(peer)"))
        return nil
    }

    private func end() {
        hasEnded = true
        if state == .lingering { return close() }
        updateInterest()
        owner?.peerEnded()
    }

    private func shakeHands() {
        guard let tls else { return }
        do {
            switch try tls.handshake() {
            case .moved:
                watch?.interest = .read
                state = .open
                owner?.opened()
                // The peer's first bytes may have come with its last handshake message.
                if tls.hasPending { readOn() }
            case .wantsWrite: watch?.interest = .write
            case .wantsRead: watch?.interest = .read
            case .closed: fail(TLSError("SSL_do_handshake", "the peer closed the connection"))
            }
        } catch { fail(error) }
    }

    private func glance(_ readiness: Readiness) {
        guard let looker else {
            // Whoever it was given to has not begun yet; all that can be noticed meanwhile is its end.
            if !readiness.isDisjoint(with: [.hangup, .error]) { fail(TransportFault.truncated) }
            return
        }
        let buffer = lane.readBuffer
        let count = Glibc.recv(socket, buffer.baseAddress, buffer.count, CInt(MSG_PEEK))
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            if count < 0 { fail(SystemError("recv", on: "\(peer)")) } else { fail(TransportFault.truncated) }
            return
        }
        // It was to be readable with more bytes, or at the end.
        let isAll = count <= seenBytes
        seenBytes = count
        switch looker(UnsafeRawBufferPointer(rebasing: buffer[..<count]), isAll) {
        case .missing(let missing):
            precondition(!isAll, "who was shown all there is decides")
            StreamSocket.setLowWater(socket, bytes: count + missing)
        case .known(let next):
            self.looker = nil
            StreamSocket.setLowWater(socket, bytes: 1)
            watch?.interest = []
            next()
        }
    }

    // MARK: Writing

    /// Sends what the socket takes now and keeps the rest.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard state == .open, !bytes.isEmpty else { return }
        var rest = bytes
        if pendingBytes == 0 {
            let count = push(rest)
            guard state == .open else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if rest.isEmpty { return }
            mustTellDrained = true
            touchStall()
        }
        output.append(contentsOf: rest)
        updateInterest()
    }

    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Sends a part of a file without copying it, where nothing waits and there is no TLS.
    /// - Returns: the bytes taken; 0 means that the socket is full, and `drained` will tell; nil that this way is not open.
    func sendFile(_ file: CInt, offset: Int, count: Int) -> Int? {
        guard tls == nil, state == .open, pendingBytes == 0 else { return nil }
        var position = off_t(offset)
        let sent = Glibc.sendfile(socket, file, &position, count)
        if sent > 0 {
            touchStall()
            return sent
        }
        if sent < 0, errno == EAGAIN || errno == EINTR {
            mustTellDrained = true
            touchStall()
            updateInterest()
            return 0
        }
        // A file that was cut, or a socket that broke: either way the promised length cannot be kept.
        fail(sent == 0 ? TransportFault.truncated : SystemError("sendfile", on: "\(peer)"))
        return 0
    }

    private func flush() {
        guard state == .open || state == .lingering else { return }
        if pendingBytes > 0 {
            let count = output.withUnsafeBytes { push(UnsafeRawBufferPointer(rebasing: $0[outputStart...])) }
            guard state != .closed else { return }
            outputStart += count
            if count > 0 { touchStall() }
        }
        if pendingBytes == 0 {
            output = []
            outputStart = 0
            stallDeadline = Instant(nanoseconds: .max)
        }
        if pendingBytes <= Transport.lowMark, mustTellDrained {
            mustTellDrained = pendingBytes > 0
            updateInterest()
            owner?.drained()
            if state == .lingering && pendingBytes == 0 { shutDown() }
        }
    }

    /// How much of `bytes` went out; less than all when the socket is full or broke.
    private func push(_ bytes: UnsafeRawBufferPointer) -> Int {
        var sent = 0
        while sent < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            if let tls {
                do {
                    guard case .moved(let count) = try tls.write(rest) else { return sent }
                    sent += count
                } catch {
                    fail(error)
                    return sent
                }
            } else {
                let count = Glibc.send(socket, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                if count >= 0 {
                    sent += count
                } else if errno == EAGAIN || errno == EINTR {
                    return sent
                } else {
                    fail(SystemError("send", on: "\(peer)"))
                    return sent
                }
            }
        }
        return sent
    }

    private func touchStall() {
        stallDeadline = Instant.now + stallTimeout
        lane.expect(stallDeadline)
    }

    private func updateInterest() {
        guard state != .closed, state != .opening || tls == nil else { return }
        var interest: Interest = []
        if !isPaused && !hasEnded { interest.insert(.read) }
        if pendingBytes > 0 || mustTellDrained || readWantsWrite { interest.insert(.write) }
        watch?.interest = interest
    }

    // MARK: Closing

    /// Closes at once; what waits is lost. The owner hears nothing more.
    func close() {
        guard state != .closed else { return }
        if state == .open { tls?.sendClose() }
        state = .closed
        watch?.cancel()
        watch = nil
        lane.remove(self)
        _ = Glibc.close(socket)
        owner = nil
        looker = nil
        output = []
        outputStart = 0
        onClosed?()
        onClosed = nil
    }

    /// Closes when all that waits is sent, and the peer had a moment to read it. The owner hears nothing more.
    func finish() {
        guard state == .open else { return close() }
        if pendingBytes == 0 && hasEnded { return close() }
        state = .lingering
        owner = nil
        isPaused = false
        if pendingBytes == 0 { shutDown() } else { mustTellDrained = true }
        guard state != .closed else { return }
        updateInterest()
    }

    /// Closes by a reset: the peer learns that what came before is not all.
    func abort() {
        guard state != .closed else { return }
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        // Without close_notify, for the same reason.
        state = .lingering
        close()
    }

    private func shutDown() {
        tls?.sendClose()
        guard !hasEnded else { return close() }
        _ = Glibc.shutdown(socket, CInt(SHUT_WR))
        deadline = Instant.now + Transport.lingerTime
    }

    private func fail(_ error: any Error) {
        guard state != .closed else { return }
        let owner = owner
        // A broken session must not be written to again (SSL_shutdown(3)).
        state = .lingering
        close()
        owner?.failed(error)
    }
}

extension [UInt8] {
    /// Appends by one copy: a raw buffer as such would be appended byte by byte in debug builds.
    mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        append(contentsOf: bytes.bindMemory(to: UInt8.self))
    }
}
