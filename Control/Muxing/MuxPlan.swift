package import Posix
package import TrackSpool

/// A file that is made of a take: what one publisher sent in one life of the recorder, a picture with the sound that belongs to it, or
/// either alone.
package struct MuxPlan: Sendable, Hashable {
    package let picture: TakeTrack?
    package let sound: TakeTrack?
    /// All tracks of the same publisher and segment: by their reports together it is known when what was taken.
    let company: [TakeTrack]

    package enum Container: Sendable, Hashable {
        /// VP8 and Opus, or Opus alone.
        case webm
        /// H.264 and Opus.
        case mp4

        package var suffix: String {
            switch self {
            case .webm: "webm"
            case .mp4: "mp4"
            }
        }
    }

    package var container: Container { picture?.head.codec == .h264 ? .mp4 : .webm }

    /// Of its tracks' numbers, so that it is the same each time.
    package var name: String {
        let numbers = [picture, sound].compactMap { $0?.number }
        let tracks = numbers.map { "\($0.track)" }.joined(separator: "-")
        return "\(numbers.first?.segment ?? 0)-\(tracks).\(container.suffix)"
    }

    /// What there is to be made of a take. Sound belongs to the first picture of its publisher; further pictures, as of a screen, are files
    /// of their own.
    package static func all(of folder: TakeFolder) throws(SystemError) -> [MuxPlan] {
        var plans: [MuxPlan] = []
        var seen: Set<String> = []
        let tracks = try TakeTrack.all(of: folder)
        for track in tracks {
            guard seen.insert("\(track.number.segment) \(track.head.publisher)").inserted else { continue }
            let company = tracks.filter { $0.number.segment == track.number.segment && $0.head.publisher == track.head.publisher }
            let pictures = company.filter { $0.head.codec.isVideo }
            let sounds = company.filter { !$0.head.codec.isVideo }
            for index in 0..<max(pictures.count, sounds.count) {
                plans.append(
                    MuxPlan(
                        picture: index < pictures.count ? pictures[index] : nil, sound: index < sounds.count ? sounds[index] : nil,
                        company: company))
            }
        }
        return plans
    }
}
