import Units

/// What a stream's pictures are like, as far as a picture of ours in their place has to be like them.
package struct SlateFormat: Sendable, Hashable {
    package let coding: VideoCoding
    package let size: PictureSize
    /// `profile_idc` and `level_idc` of H.264; 0 for H.265, whose slate is of the main profile.
    package let profile: UInt8
    package let level: UInt8
    /// From one picture to the next, in ticks of 90 kHz.
    package let frame: Int64

    /// Of a picture of 4096 by 2304: what a sender could claim beyond would cost its host gigabytes.
    private static let points = 4096 * 2304

    /// - Returns: nil where the parameter sets do not tell the size, or where that is too large.
    package init?(_ format: VideoFormat, frame: Int64) {
        let sequence = format.parameterSets.first {
            !$0.isEmpty && NALUnits.role($0[0], format.coding) == .sequenceParameters && $0.count >= 4
        }
        guard let size = format.size, let sequence else { return nil }
        let isH264 = format.coding == .h264
        self.init(format.coding, size, profile: isH264 ? sequence[1] : 0, level: isH264 ? sequence[3] : 0, frame: frame)
    }

    /// As the words of a command line.
    package var words: [String] { [coding.rawValue, "\(size.width)", "\(size.height)", "\(profile)", "\(level)", "\(frame)"] }

    /// - Returns: nil for what `words` never gives.
    package init?(words: some Collection<String>) {
        let numbers = words.dropFirst().compactMap { Int($0) }
        guard words.count == 6, numbers.count == 5, let coding = words.first.flatMap({ VideoCoding(rawValue: $0) }) else { return nil }
        guard let size = PictureSize(width: numbers[0], height: numbers[1]) else { return nil }
        guard let profile = UInt8(exactly: numbers[2]), let level = UInt8(exactly: numbers[3]) else { return nil }
        self.init(coding, size, profile: profile, level: level, frame: Int64(numbers[4]))
    }

    private init?(_ coding: VideoCoding, _ size: PictureSize, profile: UInt8, level: UInt8, frame: Int64) {
        guard size.width * size.height <= SlateFormat.points, (1...MediaTime.ticksPerSecond).contains(frame) else { return nil }
        (self.coding, self.size, self.profile, self.level, self.frame) = (coding, size, profile, level, frame)
    }

    /// A group of one second, and no more pictures than that of a camera at 120 a second.
    package var pictures: Int { min(max(Int(MediaTime.ticksPerSecond / frame), 2), 120) }
}

/// A picture for when there is none: one group of pictures, encoded once, that is shown again and again.
package struct Slate: Sendable {
    package let format: SlateFormat
    /// Access units in Annex B form, a second of them; the first is a key frame with its parameter sets. None is shown in another
    /// order than it is decoded.
    package let pictures: [[UInt8]]

    /// Of all pictures together.
    package static let bytes = 4 << 20

    package init(format: SlateFormat, pictures: [[UInt8]]) {
        self.format = format
        self.pictures = pictures
    }

    /// One group in Annex B form, as an encoder gives it out: each picture begins with a delimiter.
    ///
    /// - Returns: nil for everything else.
    package init?(format: SlateFormat, coded: [UInt8]) {
        guard coded.count <= Slate.bytes else { return nil }
        var found: [(begin: Int, roles: Set<NALUnits.Role>)] = []
        var end = 0
        for unit in NALUnits.ranges(coded) {
            let role = NALUnits.role(coded[unit.lowerBound], format.coding)
            // A start code of four bytes belongs to what it begins.
            if role == .delimiter { found.append((end, [])) }
            guard !found.isEmpty, found.count <= format.pictures else { return nil }
            found[found.count - 1].roles.insert(role)
            end = unit.upperBound
        }
        guard found.count == format.pictures, found[0].roles.isSuperset(of: [.sequenceParameters, .pictureParameters, .keySlice]) else {
            return nil
        }
        guard found.dropFirst().allSatisfy({ $0.roles.contains(.slice) && !$0.roles.contains(.keySlice) }) else { return nil }
        let ends = found.dropFirst().map { $0.begin } + [coded.count]
        self.init(format: format, pictures: zip(found, ends).map { Array(coded[$0.begin..<$1]) })
    }
}
