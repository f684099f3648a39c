package import Wire

/// The last seconds of a live preview as HLS has them: a media playlist, and the files that it names. Holds no clock, and a bounded
/// number of bytes.
///
/// A segment begins with a key frame wherever one comes in time. What is no longer listed is still given for as long as a player may ask for
/// it that had the playlist before. Numbers only go up, over every interruption, so that one address is always the same file.
///
/// Source: RFC 8216, sections 3.3, 4.3 and 6.2.
package struct HLSWindow: Sendable {
    private struct Segment {
        let number: Int
        /// What it follows: the number of an init segment.
        let beginning: Int
        /// Whether its format or its times do not follow from the segment before (4.3.2.3).
        let isBroken: Bool
        var pictures: Int64 = 0
        var sound: Int64 = 0
        var bytes: [UInt8] = []

        /// Ticks. Sound that goes by itself beside pictures does not make it longer.
        var length: Int64 { pictures > 0 ? pictures : sound }
    }

    private var listed: [Segment] = []
    private var retired: [Segment] = []
    /// The one that grows.
    private var growing: Segment?
    private var beginnings: [Int: [UInt8]] = [:]
    /// The number of the init segment that is valid; 0: none has come.
    private var beginning = 0
    private var nextNumber = 0
    /// Of the discontinuities that are not listed any more (4.3.3.3).
    private var discontinuities = 0
    private var isBroken = false
    private var awaitsKey = true
    private var pictureEnd: Int64?
    private var soundEnd: Int64?
    package private(set) var isOver = false

    /// Seconds; it never changes (6.2.1).
    private static let target = 3
    private static let clock: Int64 = 90_000
    /// From here on a segment ends before the next key frame: with any distance of key frames up to `longest` none is longer than that.
    private static let goal: Int64 = clock * 17 / 10
    /// Rounded it is the target; what is longer is cut where it stands.
    private static let longest: Int64 = clock * 34 / 10
    /// Of the playlist, at least: more than three times the target (6.2.2).
    private static let shown: Int64 = clock * 12
    /// How long a file is given that is not listed any more: as long as a segment and a playlist (6.2.2).
    private static let lag: Int64 = clock * 20
    /// Of the fragments' times, before they count as other ones.
    private static let tolerance: Int64 = clock / 2
    private static let segmentBytes = 8 << 20
    private static let countLimit = 64
    /// With the one that grows: 12 s of 16 Mbit/s. What is more is shown for a shorter time.
    package static let byteLimit = 32 << 20

    package init() {}

    /// Whether a player has enough to begin.
    package var isReady: Bool { isOver || listed.count > 1 }

    package var bytes: Int {
        (listed + retired).reduce((growing?.bytes.count ?? 0) + beginnings.values.reduce(0) { $0 + $1.count }) { $0 + $1.bytes.count }
    }

    package mutating func take(_ chunk: PreviewChunk) {
        guard !isOver else { return }
        switch chunk.kind {
        case .beginning: begin(chunk.bytes.dropFirst())
        case .key, .more: add(chunk)
        }
    }

    /// The next fragments do not follow from those before.
    package mutating func interrupt() {
        close()
        (isBroken, awaitsKey, pictureEnd, soundEnd) = (true, true, nil, nil)
    }

    /// Nobody plays: what was there is old by the time that somebody does.
    package mutating func forget() {
        growing = nil
        interrupt()
        while !listed.isEmpty { retire() }
        retired.removeAll()
        beginnings.removeAll()
    }

    /// There is no more of it.
    package mutating func end() {
        close()
        isOver = true
    }

    // MARK: What players get

    /// nil while there is nothing to play.
    package var playlist: String? {
        guard let first = listed.first else { return nil }
        var text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:\(Self.target)\n#EXT-X-MEDIA-SEQUENCE:\(first.number)\n"
        text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuities)\n"
        var mapped: Int?
        for segment in listed {
            if segment.isBroken { text += "#EXT-X-DISCONTINUITY\n" }
            if segment.beginning != mapped { text += "#EXT-X-MAP:URI=\"init-\(segment.beginning).mp4\"\n" }
            mapped = segment.beginning
            text += "#EXTINF:\(Self.seconds(segment.length)),\n\(segment.number).m4s\n"
        }
        return isOver ? text + "#EXT-X-ENDLIST\n" : text
    }

    /// - Parameter name: as the playlist has it, or had it some seconds ago.
    package func file(_ name: String) -> [UInt8]? {
        if name.hasPrefix("init-"), name.hasSuffix(".mp4") { return Self.number(name.dropFirst(5).dropLast(4)).flatMap { beginnings[$0] } }
        guard name.hasSuffix(".m4s"), let number = Self.number(name.dropLast(4)) else { return nil }
        return (listed + retired).first { $0.number == number }?.bytes
    }

    /// In one way of writing: each file has one name.
    private static func number(_ text: Substring) -> Int? { Int(text).flatMap { String($0) == text ? $0 : nil } }

    /// A sample may last longer than any segment may: the playlist has to keep its word.
    private static func seconds(_ ticks: Int64) -> String {
        let held = min(ticks, longest)
        let fraction = String(held % clock * 100_000 / clock)
        return "\(held / clock).\(String(repeating: "0", count: 5 - fraction.count))\(fraction)"
    }

    // MARK: What comes

    private mutating func begin(_ body: ArraySlice<UInt8>) {
        interrupt()
        beginning += 1
        // Its codec list has its length in front.
        let initial = body.dropFirst(1 + Int(body.first ?? 0))
        beginnings[beginning] = initial.isEmpty ? nil : Array(initial)
        tidy()
    }

    private mutating func add(_ chunk: PreviewChunk) {
        let body = chunk.bytes.dropFirst()
        // Up to the next key frame nothing can be shown that came behind what is missing.
        guard beginnings[beginning] != nil, let times = FragmentTimes(body) else { return awaitsKey = true }
        if chunk.kind == .key {
            if isElsewhere(times) { interrupt() }
            awaitsKey = false
            if let growing, growing.length >= Self.goal { close() }
        }
        guard !awaitsKey else { return }
        if let growing, isTooMuch(growing, times, body.count) { close() }
        var segment = growing ?? Segment(number: nextNumber, beginning: beginning, isBroken: isBroken && nextNumber > 0)
        (isBroken, growing) = (false, nil)
        segment.pictures += times.pictures?.length ?? 0
        segment.sound += times.sound?.length ?? 0
        segment.bytes += body
        growing = segment
        pictureEnd = times.pictures?.end ?? pictureEnd
        soundEnd = times.sound?.end ?? soundEnd
    }

    private func isElsewhere(_ times: FragmentTimes) -> Bool {
        let (start, end) = times.pictures.map { ($0.start, pictureEnd) } ?? (times.sound?.start ?? 0, soundEnd)
        return end.map { abs(start - $0) > Self.tolerance } ?? false
    }

    private func isTooMuch(_ segment: Segment, _ times: FragmentTimes, _ count: Int) -> Bool {
        let more = times.pictures?.length ?? (segment.pictures > 0 ? 0 : times.sound?.length ?? 0)
        return segment.length + more > Self.longest || segment.bytes.count + count > Self.segmentBytes
    }

    // MARK: The window

    private mutating func close() {
        guard let segment = growing else { return }
        growing = nil
        listed.append(segment)
        nextNumber = segment.number + 1
        tidy()
    }

    /// Lets go of what is too old, or too much.
    private mutating func tidy() {
        let used = Set((listed + retired).map(\.beginning)).union([beginning])
        beginnings = beginnings.filter { used.contains($0.key) }
        while let first = listed.first, listed.count > Self.countLimit || Self.length(listed) - first.length >= Self.shown { retire() }
        while retired.count > Self.countLimit || Self.length(retired) > Self.lag { retired.removeFirst() }
        while bytes > Self.byteLimit - Self.segmentBytes, !(listed.isEmpty && retired.isEmpty) {
            if retired.isEmpty { retire() }
            retired.removeFirst()
        }
    }

    private mutating func retire() {
        let segment = listed.removeFirst()
        if segment.isBroken { discontinuities += 1 }
        retired.append(segment)
    }

    private static func length(_ segments: [Segment]) -> Int64 { segments.reduce(0) { $0 + $1.length } }
}
