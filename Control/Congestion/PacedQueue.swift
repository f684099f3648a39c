/// What waits for its turn towards one subscriber: repeats of lost packets before pictures, each kind in its order. Sound never waits.
///
/// Bounded by bytes: where a picture finds no room, all that waits of its track is of no use any more, and goes.
package struct PacedQueue: Sendable {
    package struct Packet: Sendable {
        package var kind: Pacer.Kind
        /// Whose it is: its source.
        package var track: UInt32
        /// Where in it its number or its time goes as it leaves; nil where it has neither.
        package var stamp: Int?
        package var bytes: [UInt8]

        package init(_ kind: Pacer.Kind, of track: UInt32, stamp: Int?, _ bytes: [UInt8]) {
            self.kind = kind
            self.track = track
            self.stamp = stamp
            self.bytes = bytes
        }
    }

    /// Of 4 Mbit/s in thirty pictures a second a key frame as large as eight of them, and a tenth of a second of what follows it.
    package static let limit = 192_000

    private struct Line: Sendable {
        var packets: [Packet] = []
        /// Those before it are gone.
        var first = 0

        var isEmpty: Bool { first == packets.count }

        mutating func removeFirst() -> Packet {
            let packet = packets[first]
            packets[first].bytes = []
            first += 1
            if first == packets.count {
                packets.removeAll(keepingCapacity: packets.count <= 64)
                first = 0
            } else if first >= 64, 2 * first >= packets.count {
                packets.removeFirst(first)
                first = 0
            }
            return packet
        }

        /// - Returns: bytes and packets that are gone.
        mutating func drop(_ track: UInt32) -> (bytes: Int, packets: Int) {
            let waiting = packets[first...]
            let kept = waiting.filter { $0.track != track }
            let bytes = waiting.reduce(0) { $0 + ($1.track == track ? $1.bytes.count : 0) }
            packets = kept
            first = 0
            return (bytes, waiting.count - kept.count)
        }
    }

    private var repeats = Line()
    private var pictures = Line()
    /// Bytes of packets that have left, for the next ones that wait.
    private var spares: [[UInt8]] = []

    /// Of those: packets of a few milliseconds, 20 kB at most.
    private static let spareLimit = 16

    /// That wait, in all.
    package private(set) var bytes = 0
    /// Packets that found no room, or lost their worth while they waited.
    package private(set) var dropped: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { repeats.isEmpty && pictures.isEmpty }

    /// Of the next packet; nil where none waits.
    package var nextKind: Pacer.Kind? { repeats.isEmpty ? (pictures.isEmpty ? nil : .picture) : .repeat }

    /// - Returns: whether it waits now; where not, and it is a picture, nothing of its track does.
    package mutating func append(_ packet: Packet) -> Bool {
        guard bytes + packet.bytes.count <= Self.limit else {
            dropped += 1
            if packet.kind == .picture { _ = drop(packet.track) }
            return false
        }
        bytes += packet.bytes.count
        if packet.kind == .repeat { repeats.packets.append(packet) } else { pictures.packets.append(packet) }
        return true
    }

    package mutating func removeFirst() -> Packet? {
        guard !isEmpty else { return nil }
        let packet = repeats.isEmpty ? pictures.removeFirst() : repeats.removeFirst()
        bytes -= packet.bytes.count
        return packet
    }

    /// What has been taken out has left: its memory is good for another one.
    package mutating func recycle(_ packet: Packet) {
        if spares.count < Self.spareLimit { spares.append(packet.bytes) }
    }

    /// For the bytes of a packet that is to wait: empty, with the memory of one that has left, where there is such.
    package mutating func takeSpare() -> [UInt8] {
        guard var bytes = spares.popLast() else { return [] }
        bytes.removeAll(keepingCapacity: true)
        return bytes
    }

    /// A key frame of it comes, or nothing more: nobody needs what waits before that.
    /// - Returns: how many packets are gone.
    package mutating func drop(_ track: UInt32) -> Int {
        guard !isEmpty else { return 0 }
        let (lost, shown) = (repeats.drop(track), pictures.drop(track))
        bytes -= lost.bytes + shown.bytes
        dropped += UInt64(lost.packets + shown.packets)
        return lost.packets + shown.packets
    }
}
