package import BondWire
package import RTP

/// How records lie in a file: one behind the other, each behind a head of sixteen bytes; all numbers big endian.
///
///      0  2  0x53 0x54: a record begins here
///      2  1  1 head, 2 packet, 3 report, 4 event
///      3  1  of a packet its layer, of an event its kind, else 0
///      4  2  bytes of the body
///      6  6  microseconds by the writer's clock
///     12  4  CRC-32C of the twelve bytes before and the body
///     16     body: of a packet an RTP header of twelve bytes and the payload; of a report source (4), NTP time (8) and timestamp (4); of an
///            event a count (4); of a head its fields
///
/// A file is only ever appended to. A writer that was killed leaves a part of a record at its end, which `LogReader` tells from the
/// rest.
package enum LogLayout {
    package static let headBytes = 16
    /// Of a body: no datagram of a room is larger.
    package static let bodyBytes = 4096

    static let mark: (UInt8, UInt8) = (0x53, 0x54)

    enum Kind: UInt8 { case head = 1, packet, report, event }

    /// Appends a record, without its checksum: `seal` is for whoever has the time.
    package static func append(_ record: LogRecord, to bytes: inout [UInt8]) {
        switch record {
        case .head(let head):
            let body = head.body
            begin(.head, 0, body.count, head.at, &bytes)
            bytes += body
        case .packet(let packet):
            append(packet.fields, layer: packet.layer, payload: packet.payload.count, at: packet.at, to: &bytes)
            bytes += packet.payload.prefix(payloadBytes)
        case .report(let report):
            begin(.report, 0, 16, report.at, &bytes)
            bytes.append(integer: UInt64(report.source), bytes: 4)
            bytes.append(integer: report.time.value, bytes: 8)
            bytes.append(integer: UInt64(report.timestamp), bytes: 4)
        case .event(let event):
            begin(.event, event.kind.rawValue, 4, event.at, &bytes)
            bytes.append(integer: UInt64(event.count), bytes: 4)
        }
    }

    /// Of a packet at most.
    package static let payloadBytes = bodyBytes - RTPHeader.fixedBytes

    /// Appends a packet's record but for its payload, of which the caller appends exactly `payload` bytes then, `payloadBytes` at most.
    package static func append(
        _ fields: RTPFields, layer: UInt8, payload: Int, at: Microseconds, to bytes: inout [UInt8]
    ) {
        begin(.packet, layer, RTPHeader.fixedBytes + min(payload, payloadBytes), at, &bytes)
        bytes.append(0x80)
        bytes.append((fields.marker ? 0x80 : 0) | fields.payloadType & 0x7f)
        bytes.append(integer: UInt64(fields.sequence), bytes: 2)
        bytes.append(integer: UInt64(fields.timestamp), bytes: 4)
        bytes.append(integer: UInt64(fields.source), bytes: 4)
    }

    private static func begin(_ kind: Kind, _ detail: UInt8, _ body: Int, _ at: Microseconds, _ bytes: inout [UInt8]) {
        bytes += [mark.0, mark.1, kind.rawValue, detail]
        bytes.append(integer: UInt64(body), bytes: 2)
        bytes.append(integer: UInt64(max(0, at)), bytes: 6)
        bytes.append(integer: 0, bytes: 4)
    }

    /// Writes the checksums of all records in `bytes`, which are whole and nothing else.
    ///
    /// - Returns: how many there are.
    @discardableResult
    package static func seal(_ bytes: inout [UInt8]) -> Int {
        var start = 0
        var count = 0
        while start + headBytes <= bytes.count {
            let end = start + headBytes + (Int(bytes[start + 4]) << 8 | Int(bytes[start + 5]))
            precondition(end <= bytes.count, "what is sealed are whole records")
            let sum = LogChecksum.value(bytes, start..<start + 12, start + headBytes..<end)
            for place in 0..<4 { bytes[start + 12 + place] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * place)) }
            start = end
            count += 1
        }
        return count
    }

    /// What a body says; nil for what no writer writes.
    static func record(_ kind: Kind, _ detail: UInt8, _ body: ArraySlice<UInt8>, at: Microseconds) -> LogRecord? {
        var rest = body
        switch kind {
        case .head: return TrackHead(body, at: at).map { .head($0) }
        case .packet: return packet(detail, body, at).map { .packet($0) }
        case .report:
            guard body.count == 16, let source = rest.popInteger(bytes: 4), let time = rest.popInteger(bytes: 8),
                let timestamp = rest.popInteger(bytes: 4)
            else { return nil }
            return .report(
                LoggedReport(
                    at: at, source: UInt32(truncatingIfNeeded: source), time: NTPTime(time),
                    timestamp: UInt32(truncatingIfNeeded: timestamp)))
        case .event:
            guard body.count == 4, let count = rest.popInteger(bytes: 4), let kind = LoggedEvent.Kind(rawValue: detail) else { return nil }
            return .event(LoggedEvent(at: at, kind: kind, count: UInt32(truncatingIfNeeded: count)))
        }
    }

    private static func packet(_ layer: UInt8, _ body: ArraySlice<UInt8>, _ at: Microseconds) -> LoggedPacket? {
        var rest = body
        guard rest.popFirst() == 0x80, let second = rest.popFirst(), let sequence = rest.popInteger(bytes: 2),
            let timestamp = rest.popInteger(bytes: 4), let source = rest.popInteger(bytes: 4)
        else { return nil }
        let fields = RTPFields(
            marker: second & 0x80 != 0, payloadType: second, sequence: UInt16(truncatingIfNeeded: sequence),
            timestamp: UInt32(truncatingIfNeeded: timestamp), source: UInt32(truncatingIfNeeded: source))
        return LoggedPacket(at: at, layer: layer, fields: fields, payload: Array(rest))
    }
}
