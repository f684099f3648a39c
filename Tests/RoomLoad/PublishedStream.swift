import Posix
import RTP

/// The pictures of one publisher: packets of one size, evenly spread over time as a pacer leaves them, or some at once; and a key frame
/// where one was asked for.
struct PublishedStream {
    let source: UInt32
    private let packetBytes: Int
    private let packetsOfPicture: Int
    /// How many packets leave at once, and nanoseconds from these to the next.
    private let burst: Int
    private let interval: Int64
    /// When the next ones are due, and how many of them have left.
    private var next: Int64
    private var left = 0
    private var sequence: UInt16
    private var picture = 0
    /// The next packet's place in its picture.
    private var place = 0
    private var isKey = true
    private var wantsKey = false
    /// Since the start, as its reports tell.
    private(set) var packets: UInt32 = 0
    private(set) var payloadBytes: UInt32 = 0

    /// Whoever was away for so long begins anew: a burst of all that was due would be another load.
    private static let patience: Int64 = 50_000_000
    private static let clockRate = 90_000
    static let headerBytes = RTPHeader.fixedBytes

    /// - Parameters:
    ///   - packets: in a second.
    ///   - bytes: of a payload.
    ///   - burst: packets that leave at once.
    ///   - phase: 0..<1: where between those of others it begins.
    init(source: UInt32, packets: Int, bytes: Int, burst: Int = 1, phase: Double, at now: Instant) {
        self.source = source
        packetBytes = max(bytes, PicturePacket.headBytes)
        packetsOfPicture = max(1, packets / RoomLoadPlan.pictures)
        self.burst = max(1, burst)
        interval = 1_000_000_000 * Int64(self.burst) / Int64(max(1, packets))
        next = now.nanoseconds + Int64(Double(interval) * phase)
        // Below 2^15: RFC 3711 section 3.3.1.
        sequence = .random(in: 0..<0x8000)
    }

    /// From the next picture on.
    mutating func wantKey() { wantsKey = true }

    /// What is due and would be too late is left out.
    /// - Returns: how many packets that are.
    mutating func skip(at now: Instant) -> Int {
        let behind = now.nanoseconds - next
        guard behind > Self.patience else { return 0 }
        let count = behind / interval
        next += count * interval
        return Int(count) * burst
    }

    /// Makes the next packet, where it is due.
    ///
    /// - Parameter bytes: has room for it.
    /// - Returns: its bytes and how late it is, in microseconds; nil where none is due.
    mutating func take(into bytes: UnsafeMutableRawBufferPointer, at now: Instant) -> (count: Int, late: Int64)? {
        let count = Self.headerBytes + packetBytes
        guard now.nanoseconds >= next, count <= bytes.count else { return nil }
        let late = (now.nanoseconds - next) / 1000
        left += 1
        if left == burst { (left, next) = (0, next + interval) }
        if place == 0, wantsKey { (isKey, wantsKey) = (true, false) }
        let isLast = place + 1 == packetsOfPicture
        let fields = RTPFields(
            marker: isLast, payloadType: RoomLoadPlan.payloadType, sequence: sequence, timestamp: timestamp, source: source)
        bytes[0] = 0x80
        var header = MutableSpan<UInt8>(_unsafeBytes: bytes)
        fields.rewrite(&header)
        let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[Self.headerBytes..<count])
        PicturePacket(
            startsPicture: place == 0, isKey: isKey, picture: UInt16(truncatingIfNeeded: picture) & 0x7fff, leftAt: now.nanoseconds
        ).write(into: payload)
        sequence &+= 1
        packets &+= 1
        payloadBytes &+= UInt32(packetBytes)
        place = isLast ? 0 : place + 1
        if isLast { (picture, isKey) = (picture + 1, false) }
        return (count, late)
    }

    private var timestamp: UInt32 { UInt32(truncatingIfNeeded: picture * (Self.clockRate / RoomLoadPlan.pictures)) }

    /// By which whoever gets it knows when its pictures were taken.
    func report(at now: Instant) -> SenderReport {
        SenderReport(
            source: source, time: NTPTime(microseconds: now.nanoseconds / 1000), timestamp: timestamp, packets: packets,
            bytes: payloadBytes)
    }
}
