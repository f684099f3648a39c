import BondWire
import Testing

@testable import Forwarding

let ms: Microseconds = 1000
let second: Microseconds = 1_000_000

/// Bytes written as fields, each with its name: `hex(("kind", "10"), ...)`.
func hex(_ fields: (name: String, digits: String)...) -> [UInt8] { bytes(fields.map(\.digits).joined()) }

func bytes(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)! }
}

/// xorshift64*, so that a run can be repeated.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    mutating func hits(percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

extension PictureReader {
    mutating func read(_ payload: [UInt8], descriptor: [UInt8] = [], timestamp: UInt32 = 0) -> PictureMark? {
        read(payload.span, descriptor: descriptor.span, timestamp: timestamp)
    }
}

extension PictureMark {
    /// As a VP8 payload descriptor says it.
    init(
        number: UInt16, bits: UInt8 = 15, temporal: UInt8 = 0, base: UInt8 = 0, starts: Bool = true, isKey: Bool = false, sync: Bool = false
    ) {
        self.init()
        startsPicture = starts
        self.isKey = isKey && starts
        isSwitchUp = sync
        self.temporal = temporal
        self.number = PictureNumber(value: number, bits: bits, place: 2)
        self.base = PictureByte(value: base, place: 4)
    }
}

extension TrackRewriter.Step {
    /// What goes out as a packet of the track.
    var out: Rewritten? {
        switch self {
        case .forward(let rewritten), .begin(let rewritten): rewritten
        case .blank, .drop: nil
        }
    }
}

/// What `#require` is for values that a mutating call gives: the macro cannot make one.
func must<Value>(_ value: Value?, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
    try #require(value, comment, sourceLocation: sourceLocation)
}
