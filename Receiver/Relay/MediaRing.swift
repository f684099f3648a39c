import Posix

/// Bytes on their way from the transport's thread to the media thread: bounded, in order, at most one wake-up for a batch.
final class MediaRing: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isScheduled = false
        var dropped = 0
    }

    /// 4 MiB: five seconds at 6 Mbit/s. What comes while it is full is thrown away and counted; the demuxer sees the hole.
    private static let limit = 4 << 20
    private let state = Guarded(State())

    /// Copies out of the transport's buffer.
    /// - Returns: whether the media thread has to be told.
    func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.withLock { state in
            guard state.bytes.count + bytes.count <= MediaRing.limit else {
                state.dropped += bytes.count
                return false
            }
            state.bytes.append(contentsOf: bytes)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
    }

    /// All that has come.
    func take() -> [UInt8] {
        state.withLock { state in
            var taken: [UInt8] = []
            taken.reserveCapacity(state.bytes.count)
            swap(&taken, &state.bytes)
            state.isScheduled = false
            return taken
        }
    }

    var droppedBytes: Int { state.withLock { $0.dropped } }
}
