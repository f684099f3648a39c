/// The codecs without a descriptor in front: what a packet carries is told by the headers of the units in it, and where a picture begins
/// by the timestamp as well.
extension PictureReader {
    // MARK: - H.264, RFC 6184, 5

    /// What the units of a packet are.
    private struct Units {
        var hasParameters = false
        /// The first of a picture can be like this.
        var mayBegin = false
        /// A slice that others may refer to, or something that is no slice.
        var isNeeded = false

        /// - Parameter slice: the first byte behind the unit's header, where the packet has it.
        mutating func add(_ header: UInt8, slice: UInt8?) {
            switch header & 0x1f {
            case 1, 2, 5:
                // first_mb_in_slice is ue(v): 0 is a single bit that is set. Source: H.264, 7.3.3 and 9.1.
                if let slice, slice & 0x80 != 0 { mayBegin = true }
            case 7:
                hasParameters = true
                mayBegin = true
            case 6, 8, 9, 14, 15: mayBegin = true
            default: break
            }
            if header & 0x60 != 0 { isNeeded = true }
        }
    }

    /// A key frame is one with the parameters in front (SPS): an IDR picture alone is none for who joins now.
    mutating func h264(_ payload: Span<UInt8>, _ timestamp: UInt32) -> PictureMark? {
        let header = payload[0]
        // forbidden_zero_bit.
        guard header & 0x80 == 0 else { return nil }
        var units = Units()
        switch header & 0x1f {
        case 1...23:
            units.add(header, slice: payload.count > 1 ? payload[1] : nil)
        case 24:
            guard Self.aggregated(payload, &units) else { return nil }
        case 28:
            guard payload.count >= 2 else { return nil }
            let fragment = payload[1]
            // Never both the first and the last, and of a unit that is not itself a packet's form.
            guard fragment & 0xc0 != 0xc0, 1...23 ~= fragment & 0x1f else { return nil }
            if fragment & 0x80 != 0 {
                units.add(header & 0x60 | fragment & 0x1f, slice: payload.count > 2 ? payload[2] : nil)
            } else {
                units.isNeeded = header & 0x60 != 0
            }
        // STAP-B, MTAP and FU-B are of packetization mode 2, which no answer of ours takes.
        default: return nil
        }
        var mark = PictureMark()
        mark.isDiscardable = !units.isNeeded
        mark.isKey = units.hasParameters && begunKey != timestamp
        mark.startsPicture = mark.isKey || units.mayBegin && begun != timestamp
        if mark.startsPicture { begun = timestamp }
        if mark.isKey { begunKey = timestamp }
        return mark
    }

    /// STAP-A: each unit has its size in front. Source: RFC 6184, 5.7.1.
    private static func aggregated(_ payload: Span<UInt8>, _ units: inout Units) -> Bool {
        var index = 1
        guard payload.count > 1 else { return false }
        while index < payload.count {
            guard payload.count - index > 2 else { return false }
            let size = Int(payload[index]) << 8 | Int(payload[index + 1])
            index += 2
            guard size > 0, size <= payload.count - index else { return false }
            let header = payload[index]
            guard header & 0x80 == 0, 1...23 ~= header & 0x1f else { return false }
            units.add(header, slice: size > 1 ? payload[index + 1] : nil)
            index += size
        }
        return true
    }

    // MARK: - AV1, "RTP Payload Format For AV1", 4.4

    mutating func av1(_ payload: Span<UInt8>, _ timestamp: UInt32) -> PictureMark? {
        let header = payload[0]
        let continues = header & 0x80 != 0
        let beginsSequence = header & 0x08 != 0
        let count = Int(header >> 4 & 3)
        // The first packet of a sequence continues nothing.
        guard !(continues && beginsSequence) else { return nil }
        var bytes = ByteCursor()
        bytes.skip(1)
        var mark = PictureMark()
        var hasSequence = false
        var elements = 0
        while bytes.index < payload.count {
            elements += 1
            guard count == 0 || elements <= count else { return nil }
            var size = payload.count - bytes.index
            if elements != count {
                guard let told = bytes.leb128(payload), told <= payload.count - bytes.index else { return nil }
                size = told
            }
            let start = bytes.index
            bytes.skip(size)
            // A part of a unit that began in another packet, or nothing at all.
            if size == 0 || elements == 1 && continues { continue }
            guard let isSequence = Self.unit(payload, start, size, &mark) else { return nil }
            hasSequence = hasSequence || isSequence
        }
        guard elements > 0, count == 0 || elements == count else { return nil }
        mark.isKey = beginsSequence || hasSequence && !continues && begunKey != timestamp
        mark.startsPicture = mark.isKey || !continues && begun != timestamp
        if mark.startsPicture { begun = timestamp }
        if mark.isKey { begunKey = timestamp }
        return mark
    }

    /// The header of an OBU. Source: AV1 specification, 5.3.2 and 5.3.3.
    /// - Returns: whether it is a sequence's header; nil where it is no OBU.
    private static func unit(_ payload: Span<UInt8>, _ start: Int, _ size: Int, _ mark: inout PictureMark) -> Bool? {
        let header = payload[start]
        // obu_forbidden_bit.
        guard header & 0x80 == 0 else { return nil }
        if header & 4 != 0 {
            guard size > 1 else { return nil }
            mark.temporal = max(mark.temporal, payload[start + 1] >> 5)
            mark.spatial = max(mark.spatial, payload[start + 1] >> 3 & 3)
        }
        return header >> 3 & 15 == 1
    }
}
