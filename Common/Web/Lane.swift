import Glibc
import HTTP
import Posix

/// What the connections of one loop share, so that an idle one holds next to nothing: buffers, codecs, one timer.
///
/// Loop thread only.
final class Lane: @unchecked Sendable {
    // Sendable: references travel to other threads only to submit work to `loop`; all state is the loop's.
    let loop: Loop
    /// Where sockets are read into; its content lasts until the next read.
    private(set) lazy var scratch: UnsafeMutableRawBufferPointer = .allocate(byteCount: Lane.scratchBytes, alignment: 16)
    private var hasScratch = false
    /// Where messages are put together before they are written; empty between uses.
    var assembly: [UInt8] = []
    /// An empty buffer with capacity, for the connection that reads next.
    var spare: [UInt8] = []
    private(set) lazy var frames = FrameCodec()
    private(set) lazy var deflate = DeflateCodec()
    /// By descriptor.
    private var transports: [Transport?] = []
    private var sweep: LoopTimer?
    private var nextSweep = Instant(nanoseconds: .max)
    private var dateSecond: Int64 = 0
    private var dateText: [UInt8] = []

    private static let scratchBytes = 64 * 1024
    /// Deadlines are met up to this late.
    private static let sweepGap = Duration.milliseconds(20)

    init(loop: Loop) { self.loop = loop }

    deinit { if hasScratch { scratch.deallocate() } }

    var readBuffer: UnsafeMutableRawBufferPointer {
        hasScratch = true
        return scratch
    }

    /// `Date: ...` with its line end, made once a second.
    func dateLine() -> [UInt8] {
        let second = unixMilliseconds() / 1000
        if second != dateSecond {
            dateSecond = second
            dateText = Array("Date: \(HTTPDate.format(second))\r\n".utf8)
        }
        return dateText
    }

    // MARK: Connections and their deadlines

    func add(_ transport: Transport) {
        let index = Int(transport.socket)
        while transports.count <= index { transports.append(nil) }
        transports[index] = transport
    }

    func remove(_ transport: Transport) {
        let index = Int(transport.socket)
        if index < transports.count, transports[index] === transport { transports[index] = nil }
    }

    /// Every open connection of this loop.
    var all: [Transport] { transports.compactMap { $0 } }

    /// A connection has a deadline that may come before the others.
    func expect(_ deadline: Instant) {
        guard deadline < nextSweep else { return }
        sweep?.cancel()
        nextSweep = deadline
        sweep = loop.timer(after: deadline - Instant.now) { [self] in
            sweepNow()
        }
    }

    /// Looks at all connections: cheap enough (5,000 take some 20 us) to need no timer for each.
    private func sweepNow() {
        let now = Instant.now
        sweep = nil
        nextSweep = Instant(nanoseconds: .max)
        var next = Instant(nanoseconds: .max)
        for transport in transports {
            guard let transport else { continue }
            if transport.nextDeadline <= now { transport.expire(now) }
            next = min(next, transport.nextDeadline)
        }
        if next.nanoseconds != .max { expect(max(next, now + Lane.sweepGap)) }
    }
}
