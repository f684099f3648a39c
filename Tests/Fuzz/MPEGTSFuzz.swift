import MPEGTS

/// A transport stream, as a sender with a good key could make it: the reader never traps, holds a bounded amount, and gives out
/// only NAL units and groups that lie where it says.
package func fuzzMPEGTS(_ bytes: [UInt8]) -> String? {
    var reader = StreamReader()
    reader.makesGroups = true
    var violation: String?
    var position = 0
    while position < bytes.count {
        let end = min(bytes.count, position + 1316)
        reader.feed(Array(bytes[position..<end]), arrival: .milliseconds(position / 1316)) { event in
            look(event)
            violation = violation ?? check(event)
        }
        position = end
    }
    reader.finish { violation = violation ?? check($0) }
    return violation ?? [7, 188, 1472].lazy.compactMap { checkAligner(bytes, $0) }.first
}

/// What is asked of pictures that are to go into a room: answered, whatever stands there.
private func look(_ event: StreamReader.Event) {
    guard case .video(let picture) = event else { return }
    for set in picture.format?.parameterSets ?? [] { _ = PictureSize.isInterlaced(h264: set[...]) }
}

/// Cut as datagrams are: whole packets come out, every byte is in one of them, thrown away or kept, and of those less than a packet.
private func checkAligner(_ bytes: [UInt8], _ size: Int) -> String? {
    var aligner = PacketAligner()
    var aligned = 0
    for position in stride(from: 0, to: bytes.count, by: size) {
        let end = min(bytes.count, position + size)
        let packets = aligner.align(Array(bytes[position..<end]))
        guard packets.count % 188 == 0, stride(from: 0, to: packets.count, by: 188).allSatisfy({ packets[$0] == 0x47 }) else {
            return "what is aligned is no whole packets"
        }
        aligned += packets.count
        let kept = end - aligned - aligner.skippedBytes
        guard (0..<188).contains(kept), aligner.isWithinPacket == (kept > 0) else { return "\(kept) bytes are kept" }
    }
    return nil
}

private func check(_ event: StreamReader.Event) -> String? {
    switch event {
    case .program(let program): program.streams.count <= 32 ? nil : "a program of more than 32 streams"
    case .video(let unit):
        if unit.bytes.count > 4 << 20 {
            "a picture over its limit"
        } else if let last = unit.units.last, last.upperBound > unit.bytes.count {
            "a NAL unit beyond its picture"
        } else {
            zip(unit.units, unit.units.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound } ? nil : "NAL units that overlap"
        }
    case .audio(let unit): unit.bytes.count < 8192 && unit.format.sampleRate > 0 ? nil : "a sound frame that cannot be"
    case .group(let group): group.bytes.count % 188 == 0 && group.bytes.first == 0x47 ? nil : "a group of no whole packets"
    }
}
