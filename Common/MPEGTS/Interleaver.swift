package import Units

/// Merges pictures and sound into the order of their decode times.
///
/// A picture is known only when the next one begins, so sound overtakes it by a frame on the way out of a demuxer. Each
/// waits for the other, but no longer than `patience` of media: a stream whose sound has died goes on.
package struct Interleaver: Sendable {
    package enum Unit: Sendable, Hashable {
        case video(VideoUnit), audio(AudioUnit)

        package var decode: MediaTime {
            switch self {
            case .video(let unit): unit.decode
            case .audio(let unit): unit.presentation
            }
        }
    }

    /// 300 ms.
    package static let patience: Int64 = 27_000
    /// Units of one kind that are held at most, whatever their times say.
    package static let limit = 64

    private var video: [VideoUnit] = []
    private var audio: [AudioUnit] = []

    package init() {}

    package mutating func take(_ unit: Unit, _ emit: (Unit) -> Void) {
        switch unit {
        case .video(let picture): video.append(picture)
        case .audio(let sound): audio.append(sound)
        }
        while let next = ready() { emit(next) }
    }

    /// Gives out all that is held: the stream has one kind only, ended, or began anew.
    package mutating func flush(_ emit: (Unit) -> Void) {
        while let next = first() { emit(next) }
    }

    private mutating func ready() -> Unit? {
        if !video.isEmpty, !audio.isEmpty { return first() }
        return isImpatient ? first() : nil
    }

    private var isImpatient: Bool {
        if let first = video.first, let last = video.last {
            return video.count > Interleaver.limit || abs(last.decode.ticks - first.decode.ticks) > Interleaver.patience
        }
        guard let first = audio.first, let last = audio.last else { return false }
        return audio.count > Interleaver.limit || abs(last.presentation.ticks - first.presentation.ticks) > Interleaver.patience
    }

    private mutating func first() -> Unit? {
        guard let picture = video.first else { return audio.isEmpty ? nil : .audio(audio.removeFirst()) }
        if let sound = audio.first, sound.presentation <= picture.decode { return .audio(audio.removeFirst()) }
        video.removeFirst()
        return .video(picture)
    }
}
