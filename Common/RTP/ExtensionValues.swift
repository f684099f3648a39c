/// Loudness of one packet of sound. Source: RFC 6464 section 3.
package struct AudioLevel: Hashable, Sendable {
    /// 0 (loudest) ... 127 (silence), in -dBov.
    package let level: UInt8
    /// The sender takes it for speech.
    package let isVoice: Bool

    package init(level: UInt8, isVoice: Bool) {
        self.level = min(level, 127)
        self.isVoice = isVoice
    }
}

/// Bounds of a receiver's delay, in 10 ms, 0...4095 each.
package struct PlayoutDelay: Hashable, Sendable {
    package let least: UInt16
    package let most: UInt16

    package init(least: UInt16, most: UInt16) {
        self.least = min(least, 0xfff)
        self.most = min(most, 0xfff)
    }
}

/// What the header extensions of one packet say.
package struct ExtensionValues: Hashable, Sendable {
    package var mid: Label?
    package var rid: Label?
    package var repairedRID: Label?
    package var audioLevel: AudioLevel?
    /// Of 24 bits: seconds in 6.18.
    package var sendTime: UInt32?
    package var transportSequence: UInt16?
    package var playoutDelay: PlayoutDelay?

    package init() {}

    /// Reads what `map` knows; the rest is passed over, and of what comes twice the last counts.
    /// - Throws: `.extensionElement` where a length is not right. Unknown forms are read as no extensions.
    package init(_ bytes: Span<UInt8>, _ header: RTPHeader, _ map: ExtensionMap) throws(RTPFault) {
        var index = header.extensionRange.lowerBound
        while let (id, range) = try Self.element(bytes, header, &index) {
            guard let kind = map.kind(id) else { continue }
            try take(kind, bytes, range)
        }
    }

    /// Where the value of `kind` lies, for what rewrites it in place; nil where the packet has none.
    package static func place(
        of kind: HeaderExtension, in bytes: Span<UInt8>, _ header: RTPHeader, _ map: ExtensionMap
    ) throws(RTPFault) -> Range<Int>? {
        guard let wanted = map[kind] else { return nil }
        var index = header.extensionRange.lowerBound
        while let (id, range) = try Self.element(bytes, header, &index) {
            if id == wanted { return range }
        }
        return nil
    }

    /// The next element from `index` on, and `index` behind it; nil at the end.
    private static func element(
        _ bytes: Span<UInt8>, _ header: RTPHeader, _ index: inout Int
    ) throws(RTPFault) -> (id: UInt8, range: Range<Int>)? {
        let end = header.extensionRange.upperBound
        guard header.extensionForm == .oneByte || header.extensionForm == .twoByte else { return nil }
        // A zero byte between elements is padding.
        while index < end, bytes[index] == 0 { index += 1 }
        guard index < end else { return nil }
        let id: UInt8
        let range: Range<Int>
        if header.extensionForm == .oneByte {
            id = bytes[index] >> 4
            // RFC 8285 section 4.2: id 15 ends the reading; id 0 with a length is no padding and nothing else either.
            guard id != 15 else { return nil }
            range = index + 1..<index + 2 + Int(bytes[index] & 0x0f)
        } else {
            guard index + 1 < end else { throw .extensionElement }
            id = bytes[index]
            range = index + 2..<index + 2 + Int(bytes[index + 1])
        }
        guard range.upperBound <= end else { throw .extensionElement }
        index = range.upperBound
        return (id, range)
    }

    private mutating func take(_ kind: HeaderExtension, _ bytes: Span<UInt8>, _ range: Range<Int>) throws(RTPFault) {
        let start = range.lowerBound
        let isRight =
            switch kind {
            case .mid, .rid, .repairedRID: 1...Label.byteLimit ~= range.count
            case .audioLevel: range.count == 1
            case .transportSequence: range.count == 2
            case .sendTime, .playoutDelay: range.count == 3
            }
        guard isRight else { throw .extensionElement }
        switch kind {
        case .mid: mid = try Self.label(bytes, range)
        case .rid: rid = try Self.label(bytes, range)
        case .repairedRID: repairedRID = try Self.label(bytes, range)
        case .audioLevel: audioLevel = AudioLevel(level: bytes[start] & 0x7f, isVoice: bytes[start] & 0x80 != 0)
        case .sendTime: sendTime = bytes.integer24(start)
        case .transportSequence: transportSequence = bytes.integer16(start)
        case .playoutDelay:
            let both = bytes.integer24(start)
            playoutDelay = PlayoutDelay(least: UInt16(both >> 12), most: UInt16(both & 0xfff))
        }
    }

    private static func label(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(RTPFault) -> Label {
        guard let label = Label(bytes, range) else { throw .extensionElement }
        return label
    }
}
