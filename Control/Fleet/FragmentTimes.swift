import Wire

/// When the pictures and the sound of a preview's fragment begin and how long they last, as its boxes say: in ticks of 90 kHz
/// (`PreviewChunk`). Nothing else of a fragment is looked at.
///
/// Source: ISO/IEC 14496-12, 8.8.4 to 8.8.12.
package struct FragmentTimes: Sendable, Equatable {
    package struct Run: Sendable, Equatable {
        package var start: Int64
        package var length: Int64
        package var end: Int64 { start + length }
    }

    package private(set) var pictures: Run?
    package private(set) var sound: Run?

    /// Three years: what begins later is no time.
    private static let latest: UInt64 = 1 << 43

    /// - Parameter fragment: whole.
    /// - Returns: nil for what is no fragment, has neither of the two tracks, or does not say how long its samples last.
    package init?(_ fragment: ArraySlice<UInt8>) {
        var hasMovie = false
        let isWhole = Self.each(fragment) { name, body in
            guard name == Self.name("moof") else { return true }
            guard !hasMovie else { return false }
            hasMovie = true
            return Self.each(body) { name, body in name == Self.name("traf") ? take(body) : true }
        }
        guard isWhole, hasMovie, pictures != nil || sound != nil else { return nil }
    }

    private mutating func take(_ track: ArraySlice<UInt8>) -> Bool {
        var (number, start, length): (UInt64?, UInt64?, Int64) = (nil, nil, 0)
        let isWhole = Self.each(track) { name, body in
            var fields = Fields(body)
            switch name {
            case Self.name("tfhd"):
                fields.skip(4)
                number = fields.number(4)
            case Self.name("tfdt"):
                let version = fields.number(1)
                fields.skip(3)
                start = fields.number(version == 1 ? 8 : 4)
            case Self.name("trun"):
                guard let more = Self.length(ofRun: &fields) else { return false }
                length += more
            default: break
            }
            return true
        }
        guard isWhole, let start, start < Self.latest else { return false }
        let run = Run(start: Int64(start), length: min(length, Int64(Self.latest)))
        switch number {
        case UInt64(PreviewChunk.pictureTrack)? where pictures == nil: pictures = run
        case UInt64(PreviewChunk.soundTrack)? where sound == nil: sound = run
        default: return false
        }
        return true
    }

    /// The sum of its samples' durations. Source: ISO/IEC 14496-12, 8.8.8.
    private static func length(ofRun fields: inout Fields) -> Int64? {
        fields.skip(1)
        guard let flags = fields.number(3), flags & 0x100 != 0, let count = fields.number(4) else { return nil }
        // Where the bytes lie; what the first sample is.
        for flag in [0x1, 0x4] as [UInt64] where flags & flag != 0 { fields.skip(4) }
        // Size, flags and the time of showing stand behind each duration.
        let behind = ([0x200, 0x400, 0x800] as [UInt64]).reduce(0) { $0 + (flags & $1 != 0 ? 4 : 0) }
        var sum: Int64 = 0
        for _ in 0..<count {
            guard let duration = fields.number(4) else { return nil }
            fields.skip(behind)
            sum += Int64(duration)
        }
        return sum
    }

    // MARK: Boxes

    private static func name(_ text: StaticString) -> UInt64 { "\(text)".utf8.reduce(0) { $0 << 8 | UInt64($1) } }

    /// - Returns: whether they fill `bytes`, each with its length, and `body` took them all.
    private static func each(_ bytes: ArraySlice<UInt8>, _ body: (UInt64, ArraySlice<UInt8>) -> Bool) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            var fields = Fields(rest)
            guard let size = fields.number(4), let name = fields.number(4), size >= 8, size <= rest.count else { return false }
            guard body(name, rest.prefix(Int(size)).dropFirst(8)) else { return false }
            rest = rest.dropFirst(Int(size))
        }
        return true
    }

    /// Numbers one after the other, their highest byte first.
    private struct Fields {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        mutating func skip(_ count: Int) { rest = rest.dropFirst(count) }

        /// - Returns: nil where they are at their end.
        mutating func number(_ count: Int) -> UInt64? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
