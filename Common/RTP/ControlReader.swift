/// Why bytes are no RTCP that we act on; nothing of the compound is used.
package enum ControlFault: Error, Hashable, Sendable, CaseIterable {
    /// More than `ControlReader.byteLimit` bytes, or more than `ControlReader.packetLimit` packets.
    case size
    /// Fewer bytes than a header, or than the header's length.
    case short
    /// Not version 2.
    case version
    /// A packet's length does not fit what it holds, or its padding.
    case length
    /// A value that no sender writes: a reserved symbol, a bandwidth over 64 bits, a name that is not UTF-8, two names.
    case value
}

/// Reads RTCP compounds, reduced-size ones too (RFC 5506): all packets or none.
///
/// What it makes is bounded by the bytes that came: 64 packets, each with lists of at most one entry for every byte.
package enum ControlReader {
    /// No way carries a larger datagram that was not fragmented.
    package static let byteLimit = 2048
    package static let packetLimit = 64

    package static func read(_ bytes: Span<UInt8>) throws(ControlFault) -> [ControlPacket] {
        guard bytes.count <= byteLimit else { throw .size }
        guard !bytes.isEmpty else { throw .short }
        var packets: [ControlPacket] = []
        var index = 0
        while index < bytes.count {
            guard packets.count < packetLimit else { throw .size }
            guard bytes.count - index >= 4 else { throw .short }
            guard bytes[index] >> 6 == 2 else { throw .version }
            let end = index + 4 * (1 + Int(bytes.integer16(index + 2)))
            guard end <= bytes.count else { throw .short }
            var padding = 0
            // RFC 3550 wants padding in the last packet alone and in whole words; libwebrtc pads each transport feedback by 1 to 3 bytes.
            if bytes[index] & 0x20 != 0 {
                padding = Int(bytes[end - 1])
                guard padding > 0, padding <= end - index - 4 else { throw .length }
            }
            packets.append(try packet(Body(start: index + 4, end: end - padding, count: bytes[index] & 0x1f), bytes[index + 1], bytes))
            index = end
        }
        return packets
    }

    /// Where the body of one packet lies, behind the four bytes that all begin with.
    struct Body {
        let start: Int
        let end: Int
        /// The five bits of the header: a count or a format.
        let count: UInt8

        var byteCount: Int { end - start }
    }

    private static func packet(_ body: Body, _ type: UInt8, _ bytes: Span<UInt8>) throws(ControlFault) -> ControlPacket {
        switch (type, body.count) {
        case (ControlType.senderReport, _): .senderReport(try senderReport(body, bytes))
        case (ControlType.receiverReport, _): .receiverReport(try receiverReport(body, bytes))
        case (ControlType.description, _): .names(try names(body, bytes))
        case (ControlType.goodbye, _): .goodbye(sources: try goodbye(body, bytes))
        case (ControlType.transportFeedback, ControlType.nack): .nack(try nack(body, bytes))
        case (ControlType.transportFeedback, ControlType.transportWide): .transport(try TransportFeedback(body, bytes))
        case (ControlType.payloadFeedback, ControlType.pictureLoss): try pictureLoss(body, bytes)
        case (ControlType.payloadFeedback, ControlType.fullIntra): try fullIntra(body, bytes)
        case (ControlType.payloadFeedback, ControlType.application): try application(body, bytes)
        default: .other(type: type, format: body.count)
        }
    }

    private static func senderReport(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> SenderReport {
        guard body.byteCount >= 24 else { throw .length }
        let start = body.start
        let time = UInt64(bytes.integer32(start + 4)) << 32 | UInt64(bytes.integer32(start + 8))
        return SenderReport(
            source: bytes.integer32(start), time: NTPTime(time), timestamp: bytes.integer32(start + 12),
            packets: bytes.integer32(start + 16), bytes: bytes.integer32(start + 20), blocks: try blocks(body, from: start + 24, bytes))
    }

    private static func receiverReport(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> ReceiverReport {
        guard body.byteCount >= 4 else { throw .length }
        return ReceiverReport(source: bytes.integer32(body.start), blocks: try blocks(body, from: body.start + 4, bytes))
    }

    /// What lies behind the blocks is an extension of some profile: passed over.
    private static func blocks(_ body: Body, from start: Int, _ bytes: Span<UInt8>) throws(ControlFault) -> [ReportBlock] {
        let end = start + 24 * Int(body.count)
        guard end <= body.end else { throw .length }
        var blocks: [ReportBlock] = []
        for place in stride(from: start, to: end, by: 24) {
            blocks.append(
                ReportBlock(
                    source: bytes.integer32(place), fractionLost: bytes[place + 4], lost: signed24(bytes.integer24(place + 5)),
                    highest: bytes.integer32(place + 8), jitter: bytes.integer32(place + 12), lastReport: bytes.integer32(place + 16),
                    delay: bytes.integer32(place + 20)))
        }
        return blocks
    }

    static func signed24(_ value: UInt32) -> Int32 { Int32(bitPattern: value << 8) >> 8 }

    /// RFC 3550 section 6.5: each chunk is a source, items, and one to four zero bytes up to a whole word.
    private static func names(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> [SourceName] {
        var names: [SourceName] = []
        var index = body.start
        for _ in 0..<body.count {
            guard index + 8 <= body.end else { throw .length }
            let source = bytes.integer32(index)
            var isNamed = false
            index += 4
            while bytes[index] != 0 {
                guard index + 2 <= body.end else { throw .length }
                let end = index + 2 + Int(bytes[index + 1])
                // The zero that ends the items has to be there as well.
                guard end < body.end else { throw .length }
                if bytes[index] == 1 {
                    guard !isNamed else { throw .value }
                    names.append(SourceName(source: source, name: try text(bytes, index + 2..<end)))
                    isNamed = true
                }
                index = end
            }
            index = body.start + ((index - body.start) / 4 + 1) * 4
            guard index <= body.end else { throw .length }
        }
        return names
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ControlFault) -> String {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(bytes[index]) }
        guard let text = String(validating: copy, as: UTF8.self) else { throw .value }
        return text
    }

    /// The reason behind the sources is passed over, once its length is right.
    private static func goodbye(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> [UInt32] {
        let end = body.start + 4 * Int(body.count)
        guard end <= body.end else { throw .length }
        if end < body.end { guard end + 1 + Int(bytes[end]) <= body.end else { throw .length } }
        return sources(bytes, body.start..<end)
    }

    private static func nack(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> LostPackets {
        guard body.byteCount >= 12, body.byteCount % 4 == 0 else { throw .length }
        var groups: [LostPackets.Group] = []
        for place in stride(from: body.start + 8, to: body.end, by: 4) {
            groups.append(LostPackets.Group(first: bytes.integer16(place), following: bytes.integer16(place + 2)))
        }
        return LostPackets(sender: bytes.integer32(body.start), media: bytes.integer32(body.start + 4), groups: groups)
    }

    private static func pictureLoss(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> ControlPacket {
        guard body.byteCount == 8 else { throw .length }
        return .pictureLoss(sender: bytes.integer32(body.start), media: bytes.integer32(body.start + 4))
    }

    private static func fullIntra(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> ControlPacket {
        guard body.byteCount >= 16, body.byteCount % 8 == 0 else { throw .length }
        var requests: [FullIntraRequest] = []
        for place in stride(from: body.start + 8, to: body.end, by: 8) {
            requests.append(FullIntraRequest(media: bytes.integer32(place), number: bytes[place + 4]))
        }
        return .fullIntra(sender: bytes.integer32(body.start), requests: requests)
    }

    private static func application(_ body: Body, _ bytes: Span<UInt8>) throws(ControlFault) -> ControlPacket {
        guard body.byteCount >= 8 else { throw .length }
        guard body.byteCount >= 12, bytes.integer32(body.start + 8) == ControlType.bandwidthName else {
            return .other(type: ControlType.payloadFeedback, format: ControlType.application)
        }
        guard body.byteCount >= 16 else { throw .length }
        let count = Int(bytes[body.start + 12])
        guard body.byteCount == 16 + 4 * count else { throw .length }
        let exponent = UInt64(bytes[body.start + 13] >> 2)
        let mantissa = UInt64(bytes.integer24(body.start + 13) & 0x3_ffff)
        guard exponent == 0 || mantissa >> (64 - exponent) == 0 else { throw .value }
        return .bandwidth(
            BandwidthEstimate(
                sender: bytes.integer32(body.start), bitsPerSecond: mantissa << exponent,
                sources: sources(bytes, body.start + 16..<body.end)))
    }

    /// - Parameter range: of whole words.
    private static func sources(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt32] {
        var sources: [UInt32] = []
        for place in stride(from: range.lowerBound, to: range.upperBound, by: 4) { sources.append(bytes.integer32(place)) }
        return sources
    }
}
