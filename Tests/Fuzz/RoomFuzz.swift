import RTP
import SDP

private let ids: ExtensionMap = {
    var map = ExtensionMap()
    for (index, kind) in HeaderExtension.allCases.enumerated() { _ = map.set(kind, index + 1) }
    return map
}()

/// An RTP packet of a room: its parts lie within it, and it is the same when it is written, sent again and unpacked.
func fuzzMediaRTP(_ bytes: [UInt8]) -> String? {
    guard let header = try? RTPHeader(bytes.span) else { return nil }
    let end = header.payload.upperBound
    if header.extensionRange.upperBound > header.payload.lowerBound || end + header.paddingBytes != bytes.count {
        return "parts that are not those of the packet"
    }
    guard let values = try? ExtensionValues(bytes.span, header, ids) else { return nil }
    var buffer = [UInt8](repeating: 0xee, count: bytes.count + 200)
    var span = buffer.mutableSpan
    guard let count = try? header.fields.write(into: &span, values, ids) else { return "a header that cannot be written" }
    let written = Array(buffer[..<count]) + bytes[header.payload]
    guard let again = try? RTPHeader(written.span), again.fields == header.fields, written[again.payload] == bytes[header.payload],
        (try? ExtensionValues(written.span, again, ids)) == values
    else { return "a packet that is another one when it is written and read" }
    for kind in HeaderExtension.allCases {
        guard let place = try? ExtensionValues.place(of: kind, in: bytes.span, header, ids) else { continue }
        if place.lowerBound < header.extensionRange.lowerBound || place.upperBound > header.extensionRange.upperBound {
            return "a value outside of the extensions"
        }
    }
    return retransmitted(written, again, values)
}

private func retransmitted(_ bytes: [UInt8], _ header: RTPHeader, _ values: ExtensionValues) -> String? {
    var fields = header.fields
    fields.source = ~fields.source
    fields.payloadType = 1
    fields.sequence = 7
    var buffer = [UInt8](repeating: 0xee, count: bytes.count + 200)
    var span = buffer.mutableSpan
    let original = header.fields.sequence
    guard let count = try? Retransmission.wrap(bytes.span, header, original: original, as: fields, values, ids, into: &span) else {
        return "a packet that cannot be sent again"
    }
    var sent = Array(buffer[..<count])
    guard let wrapped = try? RTPHeader(sent.span) else { return "a retransmission that is no packet" }
    var place = sent.mutableSpan
    let type = header.fields.payloadType
    guard let length = Retransmission.unwrap(&place, wrapped, source: header.fields.source, payloadType: type) else {
        return header.payload.isEmpty ? nil : "a retransmission without its original"
    }
    return Array(sent[..<length]) == bytes ? nil : "another original than was sent"
}

/// An RTCP compound of a room: what was read is read again from what is written of it.
func fuzzMediaRTCP(_ bytes: [UInt8]) -> String? {
    guard let packets = try? ControlReader.read(bytes.span) else { return nil }
    if packets.count > bytes.count / 4 { return "more packets than there are bytes for" }
    for packet in packets {
        if case .other = packet { continue }
        if case .transport(let feedback) = packet, feedback.arrivals.count > bytes.count { return "more arrivals than bytes" }
        var writer = ControlWriter(byteLimit: 1 << 18)
        guard writer.append(packet) else { return "a packet that cannot be written" }
        guard writer.bytes.count <= ControlReader.byteLimit else { continue }
        guard (try? ControlReader.read(writer.bytes.span)) == [packet] else {
            return "a packet that is another one when it is written and read"
        }
    }
    return nil
}

private let local: LocalTransport? = Fingerprint(.sha256, [UInt8](repeating: 7, count: 32)).map { print in
    let candidate = Candidate(host: "192.0.2.1", port: 7000, transport: .udp, preference: 1, foundation: "1")
    return LocalTransport(ufrag: "abcd", password: "0123456789abcdefghijkl", fingerprint: print, candidates: [candidate])
}

private let roomy = SDPLimits(bytes: 1 << 22, lines: 1 << 20, lineBytes: 1 << 16, sections: 1 << 10, attributes: 1 << 12)

/// A description: the same when it is written and read, and our answers to it are descriptions of as many sections.
func fuzzSDP(_ bytes: [UInt8]) -> String? {
    guard let description = try? SessionDescription(parsing: bytes), let local else { return nil }
    let text = description.text
    guard (try? SessionDescription(parsing: text, limits: roomy)) == description else {
        return "a description that is another one when it is written and read"
    }
    let tracks = [RoomCodec.vp8, .opus, .av1].enumerated().map { index, codec in
        SentTrack(
            codec: codec, stream: StreamName(stream: "s", track: "t\(index)"), name: "c", source: UInt32(index), retransmissionSource: 9)
    }
    for purpose in [Answerer.Purpose.publish(accepts: [.audio, .video, .application]), .play(tracks)] {
        var answerer = Answerer(codecs: .standard, local: local, sessionID: 1)
        guard let answer = try? answerer.answer(to: description, purpose) else { continue }
        if let violation = wrong(answer, description) { return violation }
    }
    var subscription = SubscriptionOffer(local: local, places: .reused, hasData: false, sessionID: 1)
    for track in tracks { _ = subscription.add(track) }
    guard let offer = subscription.offer() else { return "no offer" }
    guard let agreed = try? subscription.take(description) else { return nil }
    return agreed.sections.count <= offer.sections.count ? nil : "more sections than were offered"
}

private func wrong(_ answer: Answerer.Answer, _ offer: SessionDescription) -> String? {
    let sections = answer.description.sections
    if sections.count != offer.sections.count { return "an answer with other sections" }
    for (answered, offered) in zip(sections, offer.sections) {
        if answered.kind != offered.kind || answered.mid != offered.mid { return "a section of another kind or name" }
        if answered.port != 0, offered.isRejected { return "a section that is answered though it is stopped" }
        if !Set(answered.formats).isSubset(of: offered.formats) { return "a format that was not offered" }
    }
    if answer.sections.count > Answerer.sectionLimit { return "more sections than are taken" }
    if answer.remote?.fingerprints.contains(where: { !$0.algorithm.isStrong }) == true { return "a weak fingerprint" }
    guard (try? SessionDescription(parsing: answer.description.text, limits: roomy)) == answer.description else {
        return "an answer that is another one when it is written and read"
    }
    return nil
}

/// A trickled fragment: the same when it is written and read.
func fuzzSDPFragment(_ bytes: [UInt8]) -> String? {
    guard let fragment = try? TrickleFragment(parsing: bytes) else { return nil }
    _ = (fragment.ufrag, fragment.password)
    guard (try? TrickleFragment(parsing: Array(fragment.text.utf8), limits: roomy)) == fragment else {
        return "a fragment that is another one when it is written and read"
    }
    return nil
}
