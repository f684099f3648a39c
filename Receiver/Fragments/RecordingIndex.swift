/// A fragment as a part's index has it.
package struct IndexedFragment: Sendable, Hashable {
    /// In the part's file.
    package let offset: Int
    package let bytes: Int
    /// 64 hexadecimal digits in lower case.
    package let sha256: String
    /// Ticks of 90 kHz since the recording began.
    package let start: Int64
    package let duration: Int64
    package let isKey: Bool

    package init(offset: Int, bytes: Int, sha256: String, start: Int64, duration: Int64, isKey: Bool) {
        self.offset = offset
        self.bytes = bytes
        self.sha256 = sha256
        self.start = start
        self.duration = duration
        self.isKey = isKey
    }

    package var end: Int64 { start + duration }

    package var line: String { "F \(offset) \(bytes) \(sha256) \(start) \(duration) \(isKey ? "K" : "-")\n" }
}

/// What a part of a recording has, by its index: a text beside it with a line for the beginning and one for each fragment, each written
/// once its bytes are. What a crash leaves behind the last whole line is no part of it.
package struct RecordingIndex: Sendable, Hashable {
    /// Of the beginning, from the first byte of the file on.
    package let beginningBytes: Int
    package let beginningSHA256: String
    package let codecs: String
    /// nil where there are no pictures.
    package let width: Int?
    package let height: Int?
    /// As of `RecordingBeginning`.
    package let zero: Int64
    package let atMs: Int64
    package private(set) var fragments: [IndexedFragment] = []
    /// Lines that cannot be read, or that no recorder writes so.
    package private(set) var damagedLines = 0

    private static let mostBeginning = 1 << 20
    private static let mostFragment = 64 << 20
    private static let mostTicks: Int64 = 1 << 50
    /// Sound that goes by itself may be ahead of the pictures behind it, which have times of their own.
    private static let mostBack: Int64 = 900_000

    /// The first line of an index.
    package static func line(of beginning: RecordingBeginning, sha256: String) -> String {
        let size = beginning.size.map { "\($0.width)x\($0.height)" } ?? "-"
        return "B \(beginning.bytes.count) \(sha256) \(beginning.codecs) \(size) \(beginning.zero) \(beginning.atMs)\n"
    }

    /// nil where not even the first line can be read.
    package init?(_ text: some StringProtocol) {
        // What follows the last line's end was not written whole.
        let lines = String(text).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let fields = lines.first?.split(separator: " "), fields.count == 7, fields[0] == "B",
            let bytes = Int(fields[1]), (1...Self.mostBeginning).contains(bytes), Self.isDigest(fields[2]), fields[3].utf8.count <= 100,
            let zero = Int64(fields[5]), (0...Self.mostTicks).contains(zero), let atMs = Int64(fields[6]), atMs >= 0
        else { return nil }
        let sides = fields[4].split(separator: "x").compactMap { Int($0) }
        guard fields[4] == "-" || (sides.count == 2 && sides.allSatisfy { (1...16_384).contains($0) }) else { return nil }
        beginningBytes = bytes
        beginningSHA256 = String(fields[2])
        codecs = String(fields[3])
        (width, height) = (sides.first, sides.last)
        self.zero = zero
        self.atMs = atMs
        for line in lines.dropFirst() {
            let end = fragments.last.map { $0.offset + $0.bytes } ?? beginningBytes
            let earliest = max(zero, (fragments.last?.start ?? zero) - Self.mostBack)
            guard let fragment = Self.fragment(line), fragment.offset >= end, fragment.start >= earliest else {
                damagedLines += 1
                continue
            }
            fragments.append(fragment)
        }
    }

    private static func fragment(_ line: Substring) -> IndexedFragment? {
        let fields = line.split(separator: " ")
        guard fields.count == 7, fields[0] == "F", let offset = Int(fields[1]), (0...1 << 50).contains(offset),
            let bytes = Int(fields[2]), (1...mostFragment).contains(bytes), isDigest(fields[3]), let start = Int64(fields[4]),
            (0...mostTicks).contains(start), let duration = Int64(fields[5]), (0...mostTicks).contains(duration),
            fields[6] == "K" || fields[6] == "-"
        else { return nil }
        return IndexedFragment(
            offset: offset, bytes: bytes, sha256: String(fields[3]), start: start, duration: duration, isKey: fields[6] == "K")
    }

    private static func isDigest(_ text: Substring) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
