/// Fragments of a live preview that have the boxes of one and nothing to decode.
package enum FragmentBytes {
    /// - Parameters:
    ///   - start: of pictures and sound, in ticks of 90 kHz.
    ///   - pictures: how long each lasts; none: no such track.
    ///   - sound: the same.
    ///   - media: bytes.
    package static func fragment(at start: Int64, pictures: [Int] = [], sound: [Int] = [], media: Int = 8) -> [UInt8] {
        let tracks = [(1, pictures), (2, sound)].filter { !$0.1.isEmpty }
        let runs = tracks.map { track, lengths in
            let time = box("tfdt", number(1 << 24, 4) + number(Int(start), 8))
            return box("traf", box("tfhd", number(0x20000, 4) + number(track, 4)) + time + run(lengths))
        }
        return box("moof", box("mfhd", number(0, 8)) + runs.flatMap { $0 }) + box("mdat", [UInt8](repeating: 7, count: media))
    }

    private static func run(_ lengths: [Int]) -> [UInt8] {
        box("trun", number(1 << 24 | 0x301, 4) + number(lengths.count, 4) + number(0, 4) + lengths.flatMap { number($0, 4) + number(1, 4) })
    }

    /// What the body of a `PreviewChunk` has that is a beginning.
    package static func beginning(_ initial: [UInt8] = [1, 2, 3], codecs: String = "avc1.42e01e") -> [UInt8] {
        [UInt8(codecs.utf8.count)] + Array(codecs.utf8) + initial
    }

    package static func box(_ name: String, _ body: [UInt8]) -> [UInt8] { number(body.count + 8, 4) + Array(name.utf8) + body }

    package static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
