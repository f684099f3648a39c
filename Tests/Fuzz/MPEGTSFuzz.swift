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
        reader.feed(Array(bytes[position..<end]), arrival: .milliseconds(position / 1316)) { violation = violation ?? check($0) }
        position = end
    }
    reader.finish { violation = violation ?? check($0) }
    return violation
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
