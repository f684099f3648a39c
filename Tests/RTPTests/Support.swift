import RTP

/// Hexadecimal digits with any spaces and line ends between them.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A generator that gives the same numbers each time.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }
}

func header(_ bytes: [UInt8]) throws(RTPFault) -> RTPHeader { try RTPHeader(bytes.span) }

func values(_ bytes: [UInt8], _ map: ExtensionMap) throws(RTPFault) -> ExtensionValues {
    try ExtensionValues(bytes.span, try header(bytes), map)
}

func map(_ ids: [HeaderExtension: Int]) -> ExtensionMap {
    var map = ExtensionMap()
    for (kind, id) in ids { precondition(map.set(kind, id)) }
    return map
}

/// A packet with these fields, extensions and payload.
func packet(
    _ fields: RTPFields, _ values: ExtensionValues = ExtensionValues(), _ map: ExtensionMap = ExtensionMap(), payload: [UInt8] = []
) throws(RTPFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xee, count: 400)
    var span = bytes.mutableSpan
    let count = try fields.write(into: &span, values, map)
    return bytes[..<count] + payload
}

func read(_ bytes: [UInt8]) throws(ControlFault) -> [ControlPacket] { try ControlReader.read(bytes.span) }
