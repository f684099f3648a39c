/// Why one end leaves.
package enum GoodbyeReason: UInt8, Hashable, Sendable, CaseIterable {
    /// This link only.
    case linkClosed = 0
    /// All links of the session.
    case sessionEnded = 1
    /// Another session of the stream is alive.
    case sessionBusy = 2
    /// The receiver takes no more of the stream.
    case streamEnded = 3
}

/// What a sealed datagram carries.
package enum Frame: Hashable, Sendable {
    /// Nothing but a size, that of the whole datagram: keeps a link known, and proves what fits through it.
    case probe(bytes: Int)
    /// One RTP packet.
    case media([UInt8])
    /// One RTCP compound packet.
    case control([UInt8])
    case report(Report)
    case status(FlowStatus)
    /// To be answered at once by a response with the same number.
    case challenge(UInt64)
    case response(UInt64)
    case goodbye(GoodbyeReason)

    private enum Kind: UInt8 { case probe, media, control, report, status, challenge, response, goodbye }

    /// Bytes behind the kind, for the capacity of a buffer.
    var roughBytes: Int {
        switch self {
        case .probe(let bytes): max(0, bytes - SecureLink.overheadBytes)
        case .media(let packet), .control(let packet): packet.count
        case .report: Report.byteLimit
        case .status, .challenge, .response, .goodbye: FlowStatus.byteCount
        }
    }

    /// Kind and body, as they stand in a datagram before it is sealed.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// The reverse.
    package init?(encoded: [UInt8]) {
        guard let frame = Self.decode(encoded, from: 0) else { return nil }
        self = frame
    }

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .probe:
            bytes.append(Kind.probe.rawValue)
            bytes.append(contentsOf: repeatElement(0, count: roughBytes))
        case .media(let packet):
            bytes.append(Kind.media.rawValue)
            bytes.append(contentsOf: packet)
        case .control(let packet):
            bytes.append(Kind.control.rawValue)
            bytes.append(contentsOf: packet)
        case .report(let report):
            bytes.append(Kind.report.rawValue)
            report.append(to: &bytes)
        case .status(let status):
            bytes.append(Kind.status.rawValue)
            status.append(to: &bytes)
        case .challenge(let number):
            bytes.append(Kind.challenge.rawValue)
            bytes.append64(number)
        case .response(let number):
            bytes.append(Kind.response.rawValue)
            bytes.append64(number)
        case .goodbye(let reason):
            bytes.append(Kind.goodbye.rawValue)
            bytes.append(reason.rawValue)
        }
    }

    /// Takes `bytes` apart from its kind on; what is before it is thrown away.
    /// - Returns: nil for a kind that is unknown, and a body that is not whole or has more behind it.
    static func decode(_ bytes: consuming [UInt8], from start: Int) -> Frame? {
        guard start < bytes.count, let kind = Kind(rawValue: bytes[start]) else { return nil }
        switch kind {
        case .probe: return .probe(bytes: bytes.count - start - 1 + SecureLink.overheadBytes)
        case .media:
            // In place: this array is the only copy, and media is what there is most of.
            bytes.removeFirst(start + 1)
            return .media(bytes)
        case .control: return .control(Array(bytes[(start + 1)...]))
        default: break
        }
        var reader = ByteReader(bytes, from: start + 1)
        let frame = fixed(kind, &reader)
        return reader.isAtEnd ? frame : nil
    }

    private static func fixed(_ kind: Kind, _ reader: inout ByteReader) -> Frame? {
        switch kind {
        case .report: Report(&reader).map { .report($0) }
        case .status: FlowStatus(&reader).map { .status($0) }
        case .challenge: reader.u64().map { .challenge($0) }
        case .response: reader.u64().map { .response($0) }
        case .goodbye: reader.u8().flatMap { GoodbyeReason(rawValue: $0) }.map { .goodbye($0) }
        case .probe, .media, .control: nil
        }
    }
}
