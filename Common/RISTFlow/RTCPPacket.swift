/// One RTCP packet of a RIST flow. Source: RFC 3550 section 6; RFC 4585 section 6.2.1; TR-06-1:2020 section 5.
package enum RTCPPacket: Hashable, Sendable {
    case senderReport(SenderReport)
    /// Without report blocks; those of a peer are read over.
    case receiverReport(source: UInt32)
    /// SDES with the canonical name alone.
    case description(source: UInt32, name: String)
    /// Packets of the flow `media` that its receiver misses.
    case nack(NACK)
    case echoRequest(Echo)
    case echoResponse(Echo)

    package struct SenderReport: Hashable, Sendable {
        package var source: UInt32
        /// NTP, 32.32 bits.
        package var time: UInt64
        package var timestamp: UInt32
        package var packets: UInt32
        package var bytes: UInt32

        package init(source: UInt32, time: UInt64, timestamp: UInt32, packets: UInt32, bytes: UInt32) {
            self.source = source
            self.time = time
            self.timestamp = timestamp
            self.packets = packets
            self.bytes = bytes
        }
    }

    package struct NACK: Hashable, Sendable {
        package enum Form: Hashable, Sendable {
            /// RTPFB generic NACK: a number and sixteen bits for those behind it.
            case bitmask
            /// APP "RIST": a number and how many follow.
            case range
        }

        /// Of the media, as the sender of the flow has it.
        package var media: UInt32
        package var ranges: [SequenceRange]
        package var form: Form

        package init(media: UInt32, ranges: [SequenceRange], form: Form = .range) {
            self.media = media
            self.ranges = ranges
            self.form = form
        }
    }

    package struct Echo: Hashable, Sendable {
        package var source: UInt32
        /// Of the asking end, in a form of its own; the answer brings it back.
        package var time: UInt64
        /// How long the answer was held, in microseconds; 0 in a question.
        package var delay: UInt32

        package init(source: UInt32, time: UInt64, delay: UInt32 = 0) {
            self.source = source
            self.time = time
            self.delay = delay
        }
    }
}

extension RTCPPacket {
    private static let senderReportType: UInt8 = 200
    private static let receiverReportType: UInt8 = 201
    private static let descriptionType: UInt8 = 202
    private static let applicationType: UInt8 = 204
    private static let feedbackType: UInt8 = 205
    private static let name: UInt32 = 0x5249_5354  // "RIST"
    private static let rangeSubtype: UInt8 = 0
    private static let requestSubtype: UInt8 = 2
    private static let responseSubtype: UInt8 = 3
    private static let genericFormat: UInt8 = 1

    /// The packets of a compound; those of other types are read over.
    /// - Returns: nil where a length or a version is not right.
    package static func decode(_ bytes: [UInt8]) -> [RTCPPacket]? {
        var packets: [RTCPPacket] = []
        var index = 0
        repeat {
            // Padding is not used here.
            guard bytes.count - index >= 4, bytes[index] & 0xe0 == 0x80 else { return nil }
            let end = index + 4 * (1 + Int(bytes[index + 2]) << 8 + Int(bytes[index + 3]))
            guard end <= bytes.count else { return nil }
            switch one(Array(bytes[index..<end])) {
            case .known(let packet): packets.append(packet)
            case .other: break
            case .malformed: return nil
            }
            index = end
        } while index < bytes.count
        return packets
    }

    private enum Decoded {
        case known(RTCPPacket)
        case other
        case malformed
    }

    /// - Parameter bytes: of whole words, at least one.
    private static func one(_ bytes: [UInt8]) -> Decoded {
        let count = bytes[0] & 0x1f
        let packet: RTCPPacket?
        switch bytes[1] {
        case senderReportType: packet = senderReport(bytes, blocks: Int(count))
        case receiverReportType: packet = bytes.count >= 8 + 24 * Int(count) ? .receiverReport(source: integer(bytes, 4)) : nil
        case descriptionType: packet = description(bytes, chunks: count)
        case feedbackType:
            guard count == genericFormat else { return .other }
            packet = bitmask(bytes)
        case applicationType:
            guard bytes.count >= 12 else { return .malformed }
            guard integer(bytes, 8) == name, [rangeSubtype, requestSubtype, responseSubtype].contains(count) else { return .other }
            packet = application(bytes, count)
        default: return .other
        }
        return packet.map { .known($0) } ?? .malformed
    }

    private static func senderReport(_ bytes: [UInt8], blocks: Int) -> RTCPPacket? {
        guard bytes.count >= 28 + 24 * blocks else { return nil }
        return .senderReport(
            SenderReport(
                source: integer(bytes, 4), time: UInt64(integer(bytes, 8)) << 32 | UInt64(integer(bytes, 12)),
                timestamp: integer(bytes, 16), packets: integer(bytes, 20), bytes: integer(bytes, 24)))
    }

    private static func description(_ bytes: [UInt8], chunks: UInt8) -> RTCPPacket? {
        // One chunk: its source, the item CNAME, and at least one zero that ends it.
        guard chunks == 1, bytes.count >= 12, bytes[8] == 1 else { return nil }
        let end = 10 + Int(bytes[9])
        guard end < bytes.count, bytes[end...].allSatisfy({ $0 == 0 }), let name = String(validating: bytes[10..<end], as: UTF8.self) else {
            return nil
        }
        return .description(source: integer(bytes, 4), name: name)
    }

    private static func application(_ bytes: [UInt8], _ subtype: UInt8) -> RTCPPacket? {
        guard subtype != rangeSubtype else {
            let ranges = stride(from: 12, to: bytes.count, by: 4).map { index in
                let word = integer(bytes, index)
                return SequenceRange(first: UInt16(truncatingIfNeeded: word >> 16), more: UInt16(truncatingIfNeeded: word))
            }
            return ranges.isEmpty ? nil : .nack(NACK(media: integer(bytes, 4), ranges: ranges, form: .range))
        }
        // What lies behind the delay is padding, there to measure with a datagram of some size.
        guard bytes.count >= 24 else { return nil }
        let time = UInt64(integer(bytes, 12)) << 32 | UInt64(integer(bytes, 16))
        let echo = Echo(source: integer(bytes, 4), time: time, delay: integer(bytes, 20))
        return subtype == requestSubtype ? .echoRequest(echo) : .echoResponse(echo)
    }

    private static func bitmask(_ bytes: [UInt8]) -> RTCPPacket? {
        guard bytes.count >= 16 else { return nil }
        var ranges: [SequenceRange] = []
        for index in stride(from: 12, to: bytes.count, by: 4) {
            let word = integer(bytes, index)
            let first = UInt16(truncatingIfNeeded: word >> 16)
            append(first, to: &ranges)
            for bit in 0..<UInt16(16) where word >> UInt32(bit) & 1 == 1 { append(first &+ bit &+ 1, to: &ranges) }
        }
        return .nack(NACK(media: integer(bytes, 8), ranges: ranges, form: .bitmask))
    }

    private static func append(_ sequence: UInt16, to ranges: inout [SequenceRange]) {
        if let last = ranges.last, last.more < .max, last.first &+ last.more &+ 1 == sequence {
            ranges[ranges.count - 1].more += 1
        } else {
            ranges.append(SequenceRange(first: sequence))
        }
    }
}

extension RTCPPacket {
    /// - Parameter source: of the end that sends; a generic NACK names it beside the media.
    package static func encode(_ packets: [RTCPPacket], source: UInt32) -> [UInt8] {
        packets.reduce(into: []) { $0 += $1.bytes(source) }
    }

    private func bytes(_ sender: UInt32) -> [UInt8] {
        var body: [UInt8] = []
        switch self {
        case .senderReport(let report):
            body.append(report.source)
            body.append(UInt32(truncatingIfNeeded: report.time >> 32))
            body.append(UInt32(truncatingIfNeeded: report.time))
            body.append(report.timestamp)
            body.append(report.packets)
            body.append(report.bytes)
            return Self.packet(Self.senderReportType, 0, body)
        case .receiverReport(let source):
            body.append(source)
            return Self.packet(Self.receiverReportType, 0, body)
        case .description(let source, let name):
            body.append(source)
            let text = Array(name.utf8.prefix(255))
            body += [1, UInt8(text.count)] + text
            body += [UInt8](repeating: 0, count: 4 - body.count % 4)
            return Self.packet(Self.descriptionType, 1, body)
        case .nack(let nack): return Self.nack(nack, sender)
        case .echoRequest(let echo): return Self.echo(echo, Self.requestSubtype)
        case .echoResponse(let echo): return Self.echo(echo, Self.responseSubtype)
        }
    }

    private static func nack(_ nack: NACK, _ sender: UInt32) -> [UInt8] {
        var body: [UInt8] = []
        switch nack.form {
        case .range:
            body.append(nack.media)
            body.append(name)
            for range in nack.ranges { body.append(UInt32(range.first) << 16 | UInt32(range.more)) }
            return packet(applicationType, rangeSubtype, body)
        case .bitmask:
            body.append(sender)
            body.append(nack.media)
            for range in nack.ranges {
                // Seventeen packets to a word.
                for start in stride(from: 0, through: UInt32(range.more), by: 17) {
                    let following = min(16, UInt32(range.more) - start)
                    body.append(UInt32(range.first &+ UInt16(start)) << 16 | (1 << following - 1))
                }
            }
            return packet(feedbackType, genericFormat, body)
        }
    }

    private static func echo(_ echo: Echo, _ subtype: UInt8) -> [UInt8] {
        var body: [UInt8] = []
        body.append(echo.source)
        body.append(name)
        body.append(UInt32(truncatingIfNeeded: echo.time >> 32))
        body.append(UInt32(truncatingIfNeeded: echo.time))
        body.append(echo.delay)
        return packet(applicationType, subtype, body)
    }

    private static func packet(_ type: UInt8, _ count: UInt8, _ body: [UInt8]) -> [UInt8] {
        let words = body.count / 4
        return [0x80 | count, type, UInt8(truncatingIfNeeded: words >> 8), UInt8(truncatingIfNeeded: words)] + body
    }
}
