import Units
import Wire

/// What stands at the front of a finished file of a recording: the beginning that its fragments were written for, with how long it is, and
/// an index of them, so that a player knows its length and seeks without reading all of it.
package enum RecordingHead {
    /// A reference has a place of 16 bits for how many there are.
    private static let mostReferences = 60_000
    private static let mostSize = 0x7FFF_FFFF

    /// - Parameters:
    ///   - beginning: as `RecordingWriter` made it.
    ///   - zero: when the file begins, ticks of the recording.
    ///   - fragments: those that follow it without a gap of bytes, at least one.
    /// - Returns: nil where the beginning is none of ours.
    package static func bytes(_ beginning: [UInt8], zero: Int64, hasPictures: Bool, fragments: [IndexedFragment]) -> [UInt8]? {
        guard let first = fragments.first, let last = fragments.last else { return nil }
        let length = max(0, (fragments.map(\.end).max() ?? last.end) - zero)
        guard let told = telling(length, in: beginning) else { return nil }
        let references = references(to: fragments)
        var file = Box()
        // Source: ISO/IEC 14496-12, 8.16.3.
        file.box("sidx", version: 1) { box in
            box.number(hasPictures ? PreviewChunk.pictureTrack : PreviewChunk.soundTrack, 4)
            box.number(Int(MediaTime.ticksPerSecond), 4)
            box.number(Int(max(0, first.start - zero)), 8)
            box.number(0, 8)
            box.number(0, 2)
            box.number(references.count, 2)
            for reference in references {
                box.number(reference.bytes, 4)
                box.number(Int(min(max(0, reference.duration), Int64(UInt32.max))), 4)
                // Begins with a picture that depends on none, of type 1, at its first byte.
                box.number(reference.isKey ? 0x9000_0000 : 0, 4)
            }
        }
        return told + file.bytes
    }

    private struct Reference {
        var bytes: Int
        var duration: Int64
        let isKey: Bool
    }

    /// One for all fragments from a key frame to the next; of very long files for some of these.
    private static func references(to fragments: [IndexedFragment]) -> [Reference] {
        let groups = max(1, fragments.count(where: \.isKey))
        let together = (groups + mostReferences - 1) / mostReferences
        var result: [Reference] = []
        var keys = 0
        for (index, fragment) in fragments.enumerated() {
            let next = index + 1 < fragments.count ? fragments[index + 1].start : fragment.end
            let duration = next - fragment.start
            if fragment.isKey { keys += 1 }
            let begins = fragment.isKey && (keys - 1) % together == 0
            if let last = result.last, !begins, last.bytes + fragment.bytes <= mostSize {
                result[result.count - 1].bytes += fragment.bytes
                result[result.count - 1].duration += duration
            } else {
                result.append(Reference(bytes: fragment.bytes, duration: duration, isKey: fragment.isKey))
            }
        }
        return result
    }

    /// The beginning with the film's length in it (`mehd`), which is known at the end alone.
    ///
    /// Source: ISO/IEC 14496-12, 8.8.2.
    private static func telling(_ length: Int64, in beginning: [UInt8]) -> [UInt8]? {
        guard let movie = place(of: "moov", in: beginning, 0..<beginning.count),
            let extends = place(of: "mvex", in: beginning, movie.lowerBound + 8..<movie.upperBound)
        else { return nil }
        var length = length
        if length > 1 << 50 { length = 1 << 50 }
        var box = Box()
        box.box("mehd", version: 1) { $0.number(Int(length), 8) }
        var bytes = beginning
        bytes.insert(contentsOf: box.bytes, at: extends.lowerBound + 8)
        for place in [movie, extends] { set(place.count + box.bytes.count, at: place.lowerBound, in: &bytes) }
        return bytes
    }

    private static func set(_ value: Int, at position: Int, in bytes: inout [UInt8]) {
        for index in 0..<4 { bytes[position + index] = UInt8(truncatingIfNeeded: value >> (8 * (3 - index))) }
    }

    /// Where a box lies among its siblings.
    private static func place(of name: StaticString, in bytes: [UInt8], _ range: Range<Int>) -> Range<Int>? {
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            let size = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard size >= 8, at + size <= range.upperBound else { return nil }
            if bytes[at + 4..<at + 8].elementsEqual("\(name)".utf8) { return at..<at + size }
            at += size
        }
        return nil
    }
}
