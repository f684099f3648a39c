package import BondWire
package import Forwarding

/// Whose track a log is of, and when it was begun by both clocks.
package struct TrackHead: Hashable, Sendable {
    package var codec: Codec
    /// By the writer's clock, which counts from the machine's start and which nobody sets.
    package var at: Microseconds
    /// The same moment by the wall clock, Unix milliseconds: how files of two lives of a writer lie to each other.
    package var unixMs: Int64
    /// The segment of the take: another one for each life of its writer.
    package var segment: UInt32
    /// Who sends it: tracks of one publisher have one wall clock. Texts have 64 bytes at most.
    package var publisher: String
    /// Whose it is, where the publisher is a participant's; otherwise empty.
    package var owner: String
    /// As the publisher names it.
    package var name: String

    package static let textBytes = 64

    package init(
        codec: Codec, at: Microseconds, unixMs: Int64, segment: UInt32, publisher: String, owner: String, name: String
    ) {
        self.codec = codec
        self.at = at
        self.unixMs = unixMs
        self.segment = segment
        self.publisher = publisher
        self.owner = owner
        self.name = name
    }

    // MARK: On disk

    /// The layout of all that follows; another one is not read.
    private static let version: UInt8 = 1

    /// Once written, a codec's number is never another's.
    private static let codes: [(code: UInt8, codec: Codec)] = [(1, .opus), (2, .vp8), (3, .vp9), (4, .h264), (5, .av1)]

    var body: [UInt8] {
        var bytes: [UInt8] = [Self.version, Self.codes.first { $0.codec == codec }?.code ?? 0]
        bytes.append(integer: UInt64(bitPattern: unixMs), bytes: 8)
        bytes.append(integer: UInt64(segment), bytes: 4)
        for text in [publisher, owner, name] {
            let utf8 = Self.bounded(text)
            bytes.append(UInt8(utf8.count))
            bytes += utf8
        }
        return bytes
    }

    /// Whole characters of it.
    private static func bounded(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for character in text {
            guard bytes.count + character.utf8.count <= textBytes else { break }
            bytes += character.utf8
        }
        return bytes
    }

    /// nil for what no writer of this layout writes.
    init?(_ body: ArraySlice<UInt8>, at: Microseconds) {
        var rest = body
        guard rest.popFirst() == Self.version, let code = rest.popFirst(), let codec = Self.codes.first(where: { $0.code == code })?.codec,
            let unixMs = rest.popInteger(bytes: 8), let segment = rest.popInteger(bytes: 4)
        else { return nil }
        var texts: [String] = []
        for _ in 0..<3 {
            guard let count = rest.popFirst(), Int(count) <= Self.textBytes, rest.count >= Int(count),
                let text = String(validating: rest.prefix(Int(count)), as: UTF8.self)
            else { return nil }
            rest = rest.dropFirst(Int(count))
            texts.append(text)
        }
        guard rest.isEmpty else { return nil }
        self.init(
            codec: codec, at: at, unixMs: Int64(bitPattern: unixMs), segment: UInt32(truncatingIfNeeded: segment), publisher: texts[0],
            owner: texts[1], name: texts[2])
    }
}

extension [UInt8] {
    /// Big endian, the lower bytes of `integer`.
    mutating func append(integer: UInt64, bytes: Int) {
        for place in (0..<bytes).reversed() { append(UInt8(truncatingIfNeeded: integer >> UInt64(8 * place))) }
    }
}

extension ArraySlice<UInt8> {
    /// Big endian; nil where there is less.
    mutating func popInteger(bytes: Int) -> UInt64? {
        guard count >= bytes else { return nil }
        var value: UInt64 = 0
        for byte in prefix(bytes) { value = value << 8 | UInt64(byte) }
        self = dropFirst(bytes)
        return value
    }
}
