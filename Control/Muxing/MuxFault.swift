package import GStreamer
package import Posix

/// Why no file was made. What was recorded is as it was.
package enum MuxFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing in it can be shown or heard: no key frame came, or no sound.
    case empty
    /// Files of this codec are not made; its log has everything.
    case codec(String)
    case disk(SystemError)
    case pipeline(String)

    package var description: String {
        switch self {
        case .empty: "nothing in it can be shown or heard"
        case .codec(let name): "no file is made of \(name)"
        case .disk(let error): "\(error)"
        case .pipeline(let reason): "the file could not be written: \(reason)"
        }
    }

    package init(_ error: GStreamerError) { self = .pipeline("\(error)") }
}
