import Forwarding

/// Packets of one source, whose codec the first byte chooses. Each record: steps of the sequence number and whether the timestamp moves, the
/// sizes of descriptor and payload, and these.
///
/// What is read lies inside of the packet; it is the same when it is read again, and what is written over it is what is read then. No number
/// goes out twice, whatever the packets say.
package func fuzzDescriptors(_ bytes: [UInt8]) -> String? {
    guard let first = bytes.first, let codec = Codec(rawValue: first % 5) else { return nil }
    var reader = PictureReader(codec)
    var track = TrackRewriter(codec, firstSequence: 1, firstTimestamp: 2)
    var sent = Set<UInt16>()
    var index = 1
    var number: Int64 = 70_000
    var timestamp: UInt32 = 0
    while index + 3 <= bytes.count {
        let steps = bytes[index]
        let descriptorEnd = min(index + 3 + Int(bytes[index + 1]), bytes.count)
        let payloadEnd = min(descriptorEnd + Int(bytes[index + 2]), bytes.count)
        let descriptor = Array(bytes[index + 3..<descriptorEnd])
        let payload = Array(bytes[descriptorEnd..<payloadEnd])
        index = payloadEnd
        number += Int64(steps & 7) - 1
        if steps & 8 != 0 { timestamp &+= 3000 }
        track.select(LayerTarget(layer: 0, spatial: steps >> 4 & 1 == 0 ? .max : 0, temporal: steps >> 5 & 3))
        let before = reader
        let mark = reader.read(payload.span, descriptor: descriptor.span, timestamp: timestamp)
        if let mark, let fault = writes(mark, before, payload, descriptor, timestamp) { return fault }
        let packet = SourcePacket(layer: 0, number: number, timestamp: timestamp, marker: steps & 0x80 != 0, mark: mark)
        // Some have a past, which may have any times.
        let backlog =
            steps & 0x48 == 0x48
            ? Backlog(
                first: number, last: number + Int64(steps & 7), firstTimestamp: timestamp,
                lastTimestamp: timestamp &+ UInt32(steps) &* 0x0101_0101, bytes: 1, holes: 0) : nil
        let sequence: UInt16
        switch track.take(packet, of: backlog, clocks: [], at: number * 1000) {
        case .forward(let out), .begin(let out): sequence = out.sequence
        case .blank(let blank, _): sequence = blank
        case .drop: continue
        }
        if !sent.insert(sequence).inserted { return "a number that went out twice" }
        if track.origin(of: sequence)?.number != number { return "a number whose packet is another" }
    }
    return nil
}

/// Other numbers, written over a copy, are what is read of it.
private func writes(
    _ mark: PictureMark, _ before: PictureReader, _ payload: [UInt8], _ descriptor: [UInt8], _ timestamp: UInt32
) -> String? {
    if let place = mark.number {
        let size = place.bits == 16 ? descriptor.count : payload.count
        if Int(place.place) + (place.bits == 7 ? 1 : 2) > size { return "a number outside of its packet" }
    }
    for place in [mark.base, mark.keyIndex] where place.map({ Int($0.place) >= payload.count }) ?? false {
        return "a byte outside of its packet"
    }
    var written = Rewritten(sequence: 0, timestamp: 0, marker: false)
    written.number = mark.number.map { ($0.value ^ 0x5a5a) & $0.mask }
    written.base = mark.base.map { ~$0.value }
    written.keyIndex = mark.keyIndex.map { $0.value ^ 0x1f }
    var newPayload = payload
    var newDescriptor = descriptor
    var payloadSpan = newPayload.mutableSpan
    written.write(mark, payload: &payloadSpan)
    var descriptorSpan = newDescriptor.mutableSpan
    written.write(mark, descriptor: &descriptorSpan)
    var reader = before
    guard var again = reader.read(newPayload.span, descriptor: newDescriptor.span, timestamp: timestamp) else {
        return "a packet that cannot be read once it is rewritten"
    }
    if again.number?.value != written.number || again.base?.value != written.base || again.keyIndex?.value != written.keyIndex {
        return "numbers that are others when they are read again"
    }
    again.number = mark.number
    again.base = mark.base
    again.keyIndex = mark.keyIndex
    return again == mark ? nil : "a packet that is another picture's once it is rewritten"
}
