import Units

/// Puts the PES packets of one PID together, in bounded memory.
struct PESAssembler {
    struct Packet {
        var bytes: [UInt8] = []
        var presentation: Int64
        var decode: Int64
        var isRandomAccess: Bool
        /// Bytes are missing.
        var isDamaged = false
        /// What the payload is to have, where the sender says so.
        var length: Int?

        /// The transport packet that came last was filled up.
        var hasEnded = false

        /// As far as one can tell before the next one begins. One that fills its last transport packet to the last byte cannot be told.
        var isWhole: Bool { !isDamaged && (length.map { bytes.count >= $0 } ?? hasEnded) }
    }

    /// A larger picture is cut and counts as damaged: 4 MiB are ten times the key frame of a 50 Mbit/s stream.
    static let limit = 4 << 20

    let pid: UInt16
    /// Packets whose counter did not follow, and those marked as damaged.
    private(set) var errors = 0
    private var pending: Packet?
    private var counter: UInt8?
    /// What follows a loss is thrown away until the next unit starts.
    private let cutsAtLoss: Bool
    private var isCut = false
    private var capacity = 4096

    /// - Parameter cutsAtLoss: for sound, where what comes after a hole cannot be told from what was before it.
    init(pid: UInt16, cutsAtLoss: Bool) {
        self.pid = pid
        self.cutsAtLoss = cutsAtLoss
    }

    /// - Returns: the PES packet that ended where this one begins.
    mutating func feed(_ packet: MPEGTS.Packet, _ source: [UInt8]) -> Packet? {
        guard packet.hasPayload else { return nil }
        switch follow(packet) {
        case .duplicate: return nil
        case .gap: lose()
        case .next: break
        }
        guard !packet.hasError, !packet.isScrambled else {
            errors += 1
            lose()
            return nil
        }
        guard packet.startsUnit else {
            append(source[packet.payloadStart..<packet.end])
            pending?.hasEnded = packet.isStuffed
            return nil
        }
        return begin(packet, source)
    }

    /// Ends the last one, whole or not.
    mutating func finish() -> Packet? {
        defer { pending = nil }
        return pending
    }

    /// Ends the last one where its source ends or falls silent: gives it where it is whole.
    mutating func finishIfWhole() -> Packet? {
        defer {
            pending = nil
            isCut = cutsAtLoss
        }
        return pending?.isWhole == true ? pending : nil
    }

    /// Marks what is being assembled as damaged.
    mutating func lose() {
        pending?.isDamaged = true
        isCut = cutsAtLoss
    }

    private mutating func begin(_ packet: MPEGTS.Packet, _ source: [UInt8]) -> Packet? {
        guard let header = PESHeader(source, at: packet.payloadStart, end: packet.end) else {
            errors += 1
            return finish()
        }
        guard let stamp = header.presentationStart else {
            // Without a time it goes on with the picture that came before.
            append(source[header.payloadStart..<packet.end])
            return nil
        }
        let ended = finish()
        if let ended { capacity = min(PESAssembler.limit, max(4096, ended.bytes.count + ended.bytes.count / 4)) }
        let presentation = Timestamp.readStamp(source, at: stamp)
        let decode = header.decodeStart.map { Timestamp.readStamp(source, at: $0) } ?? presentation
        pending = Packet(presentation: presentation, decode: decode, isRandomAccess: packet.isRandomAccess)
        // Three bytes of flags and the stamps come before the payload.
        pending?.length = header.length == 0 ? nil : header.length + 6 - (header.payloadStart - packet.payloadStart)
        pending?.bytes.reserveCapacity(capacity)
        pending?.hasEnded = packet.isStuffed
        isCut = false
        append(source[header.payloadStart..<packet.end])
        return ended
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard let count = pending?.bytes.count, !isCut else { return }
        guard count + bytes.count <= PESAssembler.limit else {
            pending?.isDamaged = true
            return
        }
        pending?.bytes.append(contentsOf: bytes)
    }

    private enum Order { case next, duplicate, gap }

    private mutating func follow(_ packet: MPEGTS.Packet) -> Order {
        defer { counter = packet.counter }
        guard let counter, !packet.isDiscontinuous else { return .next }
        if packet.counter == counter { return .duplicate }
        if packet.counter == (counter + 1) & 0x0F { return .next }
        errors += 1
        return .gap
    }
}
