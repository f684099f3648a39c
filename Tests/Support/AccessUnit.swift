import COpenSSL

/// One access unit as it was sent or recorded, by the hash of what every container keeps: a video unit's slices (the VCL NAL
/// units with their headers one after the other, without start codes or lengths), an audio unit's raw AAC frame.
package struct AccessUnit: Hashable, Sendable {
    package enum Kind: String, Sendable { case video = "v", audio = "a" }

    package let kind: Kind
    /// In the container's own ticks: 90 kHz in MPEG-TS and traces, from milliseconds in FLV.
    package let ptsTicks: Int64
    /// SHA-256, in hex.
    package let hash: String
    /// Video: an IDR picture.
    package let isKey: Bool

    init(_ codec: VideoCodec, _ units: [ArraySlice<UInt8>], ptsTicks: Int64) {
        let slices = units.filter { codec.isSlice($0.first ?? 0) }
        kind = .video
        self.ptsTicks = ptsTicks
        hash = sha256(slices.flatMap(Array.init))
        isKey = slices.contains { codec.isKey($0.first ?? 0) }
    }

    init(audio frame: ArraySlice<UInt8>, ptsTicks: Int64) {
        kind = .audio
        self.ptsTicks = ptsTicks
        hash = sha256(Array(frame))
        isKey = false
    }

    private init(_ kind: Kind, ptsTicks: Int64, hash: String, isKey: Bool) {
        (self.kind, self.ptsTicks, self.hash, self.isKey) = (kind, ptsTicks, hash, isKey)
    }

    /// The same unit at another time.
    package func at(_ ticks: Int64) -> AccessUnit { AccessUnit(kind, ptsTicks: ticks, hash: hash, isKey: isKey) }

    /// A line of the agent's trace, `v|a <ptsTicks> <hash>`.
    init?(trace line: Substring) {
        let fields = line.split(separator: " ")
        guard fields.count >= 3, let kind = Kind(rawValue: String(fields[0])), let ticks = Int64(fields[1]) else { return nil }
        self.kind = kind
        ptsTicks = ticks
        hash = String(fields[2])
        isKey = false
    }
}

enum VideoCodec: Sendable {
    case h264, h265

    /// By a NAL unit's first byte. Source: ITU-T H.264, table 7-1; H.265, table 7-1.
    func isSlice(_ first: UInt8) -> Bool {
        switch self {
        case .h264: first & 0x1F == 1 || first & 0x1F == 5
        case .h265: first >> 1 & 0x3F <= 31
        }
    }

    func isKey(_ first: UInt8) -> Bool {
        switch self {
        case .h264: first & 0x1F == 5
        case .h265: (16...21).contains(first >> 1 & 0x3F)
        }
    }
}

/// In hex.
private func sha256(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    let code = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
    precondition(code == 1, "SHA-256 over memory fails only when there is no memory")
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// The access units of one kind that a recording has, held against those that were sent.
package struct Delivery: Sendable, CustomStringConvertible {
    package let sent: Int
    package let recorded: Int
    /// Sent between the recording's first and last unit and not in it, by number in what was sent.
    package let missing: [Int]
    /// Recorded and never sent, or twice, by number in the recording.
    package let extra: [Int]
    /// How many were sent before the first and after the last recorded one.
    package let before: Int
    package let after: Int

    /// From the first recorded unit on, all that was sent is there in order, and nothing else.
    package var isComplete: Bool { missing.isEmpty && extra.isEmpty && recorded > 0 }

    /// The same, and the last unit that was sent is the last one recorded.
    package var isCompleteToTheEnd: Bool { isComplete && after == 0 }

    package var description: String {
        "\(recorded) of \(sent) recorded, \(missing.count) missing \(missing.prefix(5)), \(extra.count) extra \(extra.prefix(5)), "
            + "\(before) sent before and \(after) after"
    }

    /// Video is compared from the recording's first key frame on.
    package init(sent: [AccessUnit], recorded: [AccessUnit], _ kind: AccessUnit.Kind) {
        let origin = sent.filter { $0.kind == kind }.map(\.hash)
        var result = recorded.filter { $0.kind == kind }
        if kind == .video { result = Array(result.drop { !$0.isKey }) }
        let copy = result.map(\.hash)
        self.sent = origin.count
        self.recorded = copy.count
        // A still picture or silence repeats itself: the start is where most of what follows agrees.
        let start = origin.indices.filter { origin[$0] == copy.first }.max { Self.run(origin[$0...], copy) < Self.run(origin[$1...], copy) }
        guard let start else {
            (missing, extra, before, after) = ([], Array(copy.indices), origin.count, 0)
            return
        }
        let changes = copy.difference(from: origin[start...])
        var removed = changes.removals.map { $0.offset + start }
        let inserted = changes.insertions.map(\.offset)
        var end = origin.count
        while let last = removed.last, last == end - 1 {
            removed.removeLast()
            end -= 1
        }
        missing = removed
        extra = inserted
        before = start
        after = origin.count - end
    }

    /// How many agree from the start on.
    private static func run(_ origin: ArraySlice<String>, _ copy: [String]) -> Int {
        zip(origin, copy).prefix { $0 == $1 }.count
    }
}

extension CollectionDifference.Change {
    fileprivate var offset: Int {
        switch self {
        case .insert(let offset, _, _), .remove(let offset, _, _): offset
        }
    }
}
