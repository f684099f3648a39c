import Congestion
import RTP

/// The header of what a player gets in one section, with a place for what is known only when a packet leaves: its transport-wide number,
/// or its time.
struct OutgoingHeader {
    private let template: [UInt8]
    /// Where that place is; nil where the player has agreed on neither.
    let stamp: Int?

    /// - Parameter map: of the section.
    init(_ map: ExtensionMap, _ feedback: Downlink.Feedback) {
        var values = ExtensionValues()
        let kind: HeaderExtension
        switch feedback {
        case .transport:
            values.transportSequence = 0
            kind = .transportSequence
        case .receiver, .nothing:
            // By which a player that estimates by itself measures (draft-alvestrand-rmcat-remb-03 section 2.1).
            if feedback == .receiver { values.sendTime = 0 }
            kind = .sendTime
        }
        var bytes = [UInt8](repeating: 0, count: 32)
        var span = bytes.mutableSpan
        let fields = RTPFields(payloadType: 0, sequence: 0, timestamp: 0, source: 0)
        // try?: 32 bytes have room for a header and one extension of at most five bytes behind its own four.
        let count = (try? fields.write(into: &span, values, map)) ?? RTPHeader.fixedBytes
        bytes.removeLast(bytes.count - count)
        template = bytes
        // try?: what was just written is a header.
        if let header = try? RTPHeader(bytes.span), let place = try? ExtensionValues.place(of: kind, in: bytes.span, header, map) {
            stamp = place.lowerBound
        } else {
            stamp = nil
        }
    }

    /// - Returns: the header's bytes: where the payload goes; nil where there is no room.
    func write(_ fields: RTPFields, into bytes: inout MutableSpan<UInt8>) -> Int? {
        guard template.count <= bytes.count else { return nil }
        for index in template.indices { bytes[index] = template[index] }
        fields.rewrite(&bytes)
        return template.count
    }
}
