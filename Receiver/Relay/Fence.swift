import MPEGTS

/// Keeps out what a PID carries from before a time: it has no place behind the slate.
struct Fence {
    let pid: UInt16
    /// The first time that passes, 33 bits, as the sender counts.
    private let from: Int64
    private var isOpen = false

    init(pid: UInt16, from: Int64) {
        self.pid = pid
        self.from = from
    }

    /// It has done its work: what comes now lies behind the time, and so does all after it.
    private(set) var isOver = false

    /// - Parameter packet: of this PID, read from `bytes`.
    mutating func passes(_ packet: Packet, _ bytes: [UInt8]) -> Bool {
        if let time = Fence.time(packet, bytes) {
            let distance = Timestamp.unwrap(time, near: from) - from
            isOpen = distance >= 0
            // Pictures that follow a key frame and are shown before it need what was before it.
            isOver = distance > 0
        }
        return isOpen
    }

    /// The presentation time of the unit that begins with this packet.
    static func time(_ packet: Packet, _ bytes: [UInt8]) -> Int64? {
        guard packet.startsUnit, packet.hasPayload, !packet.isScrambled else { return nil }
        return PESHeader(bytes, at: packet.payloadStart, end: packet.end)?.presentationStart.map { Timestamp.readStamp(bytes, at: $0) }
    }
}
