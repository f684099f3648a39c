/// A packet of a picture, as publishers of the load make it and players read it again: as much of VP8 as a server looks at, and the
/// moment at which it left. Source: RFC 7741 section 4.2; RFC 6386 section 9.1.
struct PicturePacket: Hashable, Sendable {
    /// It is the first of its picture.
    var startsPicture: Bool
    /// With `startsPicture`: a decoder that has nothing can begin here.
    var isKey: Bool
    /// 15 bits.
    var picture: UInt16
    /// Nanoseconds since boot.
    var leftAt: Int64

    /// The descriptor with its picture id, the header of a key frame or as much of nothing, and the time.
    static let headBytes = timePlace + 8
    private static let pixelsPlace = 4
    private static let timePlace = pixelsPlace + 10
    /// 1280x720, behind the start code.
    private static let keyHeader: [UInt8] = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]

    init(startsPicture: Bool, isKey: Bool, picture: UInt16, leftAt: Int64) {
        self.startsPicture = startsPicture
        self.isKey = isKey
        self.picture = picture
        self.leftAt = leftAt
    }

    /// nil for what no publisher of the load has made. A server may have renumbered the picture.
    init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.count >= Self.headBytes, payload[0] & 0x80 != 0, payload[1] & 0x80 != 0, payload[2] & 0x80 != 0 else { return nil }
        startsPicture = payload[0] & 0x10 != 0
        isKey = startsPicture && payload[Self.pixelsPlace] & 1 == 0
        picture = UInt16(payload[2] & 0x7f) << 8 | UInt16(payload[3])
        leftAt = (0..<8).reduce(0) { $0 << 8 | Int64(payload[Self.timePlace + $1]) }
    }

    /// - Parameter payload: `headBytes` at least; what is behind them stays.
    func write(into payload: UnsafeMutableRawBufferPointer) {
        payload[0] = startsPicture ? 0x90 : 0x80
        payload[1] = 0x80
        payload[2] = 0x80 | UInt8(picture >> 8 & 0x7f)
        payload[3] = UInt8(truncatingIfNeeded: picture)
        for (place, byte) in Self.keyHeader.enumerated() {
            payload[Self.pixelsPlace + place] = startsPicture && isKey ? byte : 1
        }
        for place in 0..<8 { payload[Self.timePlace + place] = UInt8(truncatingIfNeeded: leftAt >> Int64(56 - 8 * place)) }
    }
}

/// Finds out when a player has a whole picture that it can begin with.
struct FirstPicture {
    private(set) var isWhole = false
    /// The number that goes on with the key frame that has begun.
    private var next: Int64?

    /// - Returns: whether the picture is whole with this packet.
    mutating func take(_ packet: PicturePacket, number: Int64, isLast: Bool) -> Bool {
        guard !isWhole else { return false }
        if packet.startsPicture { next = packet.isKey ? number : nil }
        guard next == number else {
            // What lies between is missing: the next key frame may be whole.
            if let next, number > next { self.next = nil }
            return false
        }
        next = number + 1
        isWhole = isLast
        return isLast
    }
}

/// How many of a source's packets came, by their numbers: what lies between the first and the last and did not come is lost.
struct SequenceCount {
    private(set) var came = 0
    /// With which the count begins; nil before anything came.
    private var first: Int64?
    /// Of all, not of those alone that are counted.
    private var newest: Int64?

    /// - Returns: the number, counted on over its wraps.
    mutating func take(_ sequence: UInt16) -> Int64 {
        // 2^16 behind the beginning, so that what overtakes the first is not below zero.
        let number = newest.map { $0 + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: $0))) } ?? 0x1_0000 + Int64(sequence)
        newest = max(newest ?? number, number)
        let first = first ?? number
        self.first = first
        if number >= first { came += 1 }
        return number
    }

    var lost: Int {
        guard let first, let newest else { return 0 }
        return max(0, Int(newest - first) + 1 - came)
    }

    /// Counts anew, from the number behind the newest on.
    mutating func restart() {
        came = 0
        first = newest.map { $0 + 1 }
    }
}
