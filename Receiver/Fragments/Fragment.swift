/// Pictures and sound that are given out together.
///
/// Source: ISO/IEC 14496-12, 8.8.
struct Fragment: Sendable {
    struct Sample: Sendable {
        /// Ticks of 90 kHz since the preview began.
        var decode: Int64
        /// From decoding to showing.
        var offset: Int64
        var duration: Int64
        let size: Int
        let isKey: Bool
    }

    /// Samples of one kind in the order of their decoding, with their bytes one after the other.
    struct Run: Sendable {
        private(set) var samples: [Sample] = []
        private(set) var bytes: [UInt8] = []

        var isEmpty: Bool { samples.isEmpty }
        var last: Sample? { samples.last }

        mutating func append(_ sample: Sample, _ body: (inout [UInt8]) -> Void) {
            body(&bytes)
            samples.append(sample)
        }

        /// How long the last one is shown is known when the next one is.
        mutating func endLast(at decode: Int64) {
            guard let last = samples.indices.last else { return }
            samples[last].duration = min(max(1, decode - samples[last].decode), Fragment.longest)
        }

        mutating func removeAll() {
            samples.removeAll(keepingCapacity: true)
            bytes.removeAll(keepingCapacity: true)
        }
    }

    let number: Int
    let pictures: Run
    let sound: Run
    /// When the file that it belongs to begins, on the clock of its samples.
    var zero: Int64 = 0

    /// Of one sample: what is longer is a hole.
    static let longest: Int64 = 900_000

    var bytes: [UInt8] {
        var file = Box()
        var places: [(at: Int, before: Int)] = []
        file.box("moof") { box in
            box.box("mfhd", version: 0) { $0.number(number, 4) }
            if !pictures.isEmpty { places.append((Fragment.add(pictures, InitSegment.pictureTrack, zero, &box), 0)) }
            if !sound.isEmpty { places.append((Fragment.add(sound, InitSegment.soundTrack, zero, &box), pictures.bytes.count)) }
        }
        for place in places { file.set(file.bytes.count + 8 + place.before, at: place.at) }
        file.box("mdat") { box in
            box.append(pictures.bytes)
            box.append(sound.bytes)
        }
        return file.bytes
    }

    /// - Returns: where it says how far behind the start of `moof` its bytes begin.
    private static func add(_ run: Run, _ track: Int, _ zero: Int64, _ movie: inout Box) -> Int {
        let isPictures = track == InitSegment.pictureTrack
        var place = 0
        movie.box("traf") { box in
            // From the start of this fragment.
            box.box("tfhd", version: 0, flags: 0x20000) { $0.number(track, 4) }
            box.box("tfdt", version: 1) { $0.number(Int(max(0, (run.samples.first?.decode ?? 0) - zero)), 8) }
            // Offset; for each sample duration, size and, for pictures, flags and when it is shown, which may be before.
            box.box("trun", version: 1, flags: isPictures ? 0xF01 : 0x301) { box in
                box.number(run.samples.count, 4)
                place = box.bytes.count
                box.number(0, 4)
                for sample in run.samples {
                    box.number(Int(sample.duration), 4)
                    box.number(sample.size, 4)
                    guard isPictures else { continue }
                    // Depends on none; or on others, and is none to begin with.
                    box.number(sample.isKey ? 0x200_0000 : 0x101_0000, 4)
                    box.number(Int(min(max(sample.offset, -longest), longest)), 4)
                }
            }
        }
        return place
    }
}
