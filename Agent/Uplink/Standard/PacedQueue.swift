import Posix

/// Packets on their way from the streaming thread to the transport, let out by `Pacing` on a thread of their own.
final class PacedQueue: Sendable {
    fileprivate struct State {
        var packets: [[UInt8]] = []
        /// Packets at the front of `packets` that have left.
        var head = 0
        var bytes = 0
        var pacing = Pacing()
        var isScheduled = false
        var isClosed = false
    }

    /// 4 MiB: more than any stream makes in the time that a packet waits.
    private static let limit = 4 << 20
    private let state = Guarded(State())
    private let loop: Loop
    private let leave: @Sendable (UnsafeRawBufferPointer) -> Void

    /// - Parameter leave: takes each packet, in order, on the queue's thread or in `close`.
    /// - Throws: `SystemError` where there are no threads or descriptors left.
    init(leave: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws {
        loop = try Loop(name: "pacing")
        self.leave = leave
    }

    /// One thread at a time; copies, never waits.
    /// - Returns: false where the queue is full, and the packet dropped.
    func put(_ packet: UnsafeRawBufferPointer) -> Bool {
        let (isTaken, mustWake) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.bytes + packet.count <= PacedQueue.limit else { return (state.isClosed, false) }
            state.packets.append(Array(packet))
            state.bytes += packet.count
            state.pacing.came(bytes: packet.count, queued: state.bytes, at: .now)
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if mustWake { loop.submit { [self] in turn() } }
        return isTaken
    }

    /// Lets out all that waits and ends the thread.
    func close() {
        state.withLock { $0.isClosed = true }
        loop.stop()
        for packet in state.withLock({ $0.takeAll() }) { packet.withUnsafeBytes(leave) }
    }

    private func turn() {
        let (packets, isEmpty) = state.withLock { state -> ([[UInt8]], Bool) in
            let packets = state.take(at: .now)
            state.isScheduled = !state.isEmpty
            return (packets, state.isEmpty)
        }
        for packet in packets { packet.withUnsafeBytes(leave) }
        if !isEmpty { _ = loop.timer(after: Pacing.tick) { [self] in turn() } }
    }
}

extension PacedQueue.State {
    fileprivate var isEmpty: Bool { head == packets.count }

    /// What may leave now.
    fileprivate mutating func take(at now: Instant) -> [[UInt8]] {
        let first = head
        while head < packets.count, pacing.leaves(bytes: packets[head].count, at: now) {
            bytes -= packets[head].count
            head += 1
        }
        let taken = Array(packets[first..<head])
        if isEmpty {
            packets.removeAll(keepingCapacity: true)
            head = 0
            pacing.emptied()
        } else if head > 4096 {
            packets.removeFirst(head)
            head = 0
        }
        return taken
    }

    fileprivate mutating func takeAll() -> [[UInt8]] {
        defer {
            packets = []
            head = 0
            bytes = 0
        }
        return Array(packets[head...])
    }
}
