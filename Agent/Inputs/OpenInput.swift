package import Posix
package import Wire

/// An input that was looked up and is ready to be put into a pipeline: what a device is called, or a file that is open.
package enum OpenInput: Sendable {
    case test
    case camera(Camera)
    case microphone(Microphone)
    case clip(Clip)

    package var id: String {
        switch self {
        case .test: InputCatalog.testID
        case .camera(let camera): camera.id
        case .microphone(let microphone): microphone.id
        case .clip(let clip): clip.id
        }
    }

    package var media: Input.Media {
        switch self {
        case .test: .both
        case .camera: .video
        case .microphone: .audio
        case .clip(let clip): clip.container.isSoundOnly ? .audio : .both
        }
    }
}

/// A V4L2 capture device with the modes it told.
package struct Camera: Sendable, Hashable {
    package let id: String
    /// `/dev/video0`, from the enumeration, never from a peer.
    package let path: String
    package let modes: [VideoMode]

    package init(id: String, path: String, modes: [VideoMode]) {
        self.id = id
        self.path = path
        self.modes = modes
    }
}

/// An ALSA capture device.
package struct Microphone: Sendable, Hashable {
    package let id: String
    /// ALSA's name of it: `hw:1,0`.
    package let device: String

    package init(id: String, device: String) {
        self.id = id
        self.device = device
    }
}

/// A media file of the configured folder, open for reading.
package final class Clip: Sendable {
    package let id: String
    package let container: Container
    private let descriptor: Descriptor

    /// What may be in the folder, by the ending of the name; each has its own demuxer and no other is tried.
    package enum Container: String, Sendable, CaseIterable {
        case mp4, mov, mkv, ts, mp3, wav

        package var isSoundOnly: Bool { self == .mp3 || self == .wav }
    }

    package init(id: String, container: Container, descriptor: consuming Descriptor) {
        self.id = id
        self.container = container
        self.descriptor = descriptor
    }

    /// A path that opens this very file anew, with its own offset, as long as the clip lives.
    package var path: String { "/proc/self/fd/\(descriptor.raw)" }
}
