package import Posix

/// Why an input cannot be used.
package enum InputFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// No input of this id is there, and none was since the agent began.
    case unknown(String)
    /// A device that was there, and what it is called; it may be plugged in again.
    case gone(String, name: String)
    /// It is there and cannot be opened.
    case refused(String, SystemError)

    package var id: String {
        switch self {
        case .unknown(let id), .gone(let id, _), .refused(let id, _): id
        }
    }

    package var description: String {
        switch self {
        case .unknown(let id): "there is no input '\(id.prefix(100))'"
        case .gone(let id, let name): "the input '\(name.prefix(100))' (\(id.prefix(100))) is not there any more"
        case .refused(let id, let error): "the input '\(id.prefix(100))' cannot be opened: \(error)"
        }
    }
}
