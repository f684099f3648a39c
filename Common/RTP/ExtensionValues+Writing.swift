extension ExtensionValues {
    /// Writes a number over the two bytes that `place(of:in:_:_:)` found for it.
    package static func rewrite(transportSequence: UInt16, at range: Range<Int>, in bytes: inout MutableSpan<UInt8>) {
        guard range.count == 2 else { return }
        bytes.set16(transportSequence, at: range.lowerBound)
    }

    /// Writes a time over the three bytes that `place(of:in:_:_:)` found for it.
    package static func rewrite(sendTime: UInt32, at range: Range<Int>, in bytes: inout MutableSpan<UInt8>) {
        guard range.count == 3 else { return }
        bytes.set24(sendTime, at: range.lowerBound)
    }

    /// Writes a name over one of the same length.
    /// - Returns: whether it has that length; where not, nothing is written.
    package static func rewrite(label: Label, at range: Range<Int>, in bytes: inout MutableSpan<UInt8>) -> Bool {
        guard range.count == label.count else { return false }
        for index in 0..<label.count { bytes[range.lowerBound + index] = label[index] }
        return true
    }

    /// How many bytes `write` makes: a multiple of four, 0 where `map` knows none of the values.
    package func byteCount(_ map: ExtensionMap) -> Int {
        let head = needsTwoBytes(map) ? 2 : 1
        let elements = HeaderExtension.allCases.reduce(into: 0) { sum, kind in
            let count = valueBytes(kind)
            if map[kind] != nil, count > 0 { sum += head + count }
        }
        return elements == 0 ? 0 : 4 + (elements + 3) & ~3
    }

    /// Where one id needs the two-byte form, all elements have it.
    private func needsTwoBytes(_ map: ExtensionMap) -> Bool {
        HeaderExtension.allCases.contains { (map[$0] ?? 0) > 14 && valueBytes($0) > 0 }
    }

    /// Writes the values that `map` knows from `start` on, with the four bytes before them, in the one-byte form where all ids
    /// allow it.
    /// - Returns: the bytes written, 0 where there is nothing to say.
    func write(into bytes: inout MutableSpan<UInt8>, at start: Int, _ map: ExtensionMap) throws(RTPFault) -> Int {
        let total = byteCount(map)
        guard total > 0 else { return 0 }
        guard start + total <= bytes.count else { throw .room }
        let isTwoByte = needsTwoBytes(map)
        bytes.set16(isTwoByte ? 0x1000 : 0xbede, at: start)
        bytes.set16(UInt16((total - 4) / 4), at: start + 2)
        var index = start + 4
        for kind in HeaderExtension.allCases {
            let count = valueBytes(kind)
            guard let id = map[kind], count > 0 else { continue }
            if isTwoByte {
                bytes[index] = id
                bytes[index + 1] = UInt8(count)
                index += 2
            } else {
                bytes[index] = id << 4 | UInt8(count - 1)
                index += 1
            }
            put(kind, into: &bytes, at: index)
            index += count
        }
        while index < start + total {
            bytes[index] = 0
            index += 1
        }
        return total
    }

    /// 0 where there is no value to write; at most 16.
    private func valueBytes(_ kind: HeaderExtension) -> Int {
        switch kind {
        case .mid: mid?.count ?? 0
        case .rid: rid?.count ?? 0
        case .repairedRID: repairedRID?.count ?? 0
        case .audioLevel: audioLevel == nil ? 0 : 1
        case .sendTime: sendTime == nil ? 0 : 3
        case .transportSequence: transportSequence == nil ? 0 : 2
        case .playoutDelay: playoutDelay == nil ? 0 : 3
        }
    }

    private func put(_ kind: HeaderExtension, into bytes: inout MutableSpan<UInt8>, at index: Int) {
        switch kind {
        case .mid: Self.put(mid, into: &bytes, at: index)
        case .rid: Self.put(rid, into: &bytes, at: index)
        case .repairedRID: Self.put(repairedRID, into: &bytes, at: index)
        case .audioLevel: if let audioLevel { bytes[index] = (audioLevel.isVoice ? 0x80 : 0) | audioLevel.level }
        case .sendTime: if let sendTime { bytes.set24(sendTime, at: index) }
        case .transportSequence: if let transportSequence { bytes.set16(transportSequence, at: index) }
        case .playoutDelay:
            if let playoutDelay { bytes.set24(UInt32(playoutDelay.least) << 12 | UInt32(playoutDelay.most), at: index) }
        }
    }

    private static func put(_ label: Label?, into bytes: inout MutableSpan<UInt8>, at index: Int) {
        guard let label else { return }
        for offset in 0..<label.count { bytes[index + offset] = label[offset] }
    }
}
