package import Posix

/// Why an input cannot be used.
package enum InputFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// No input of this id is there, or not any more.
    case unknown(String)
    /// It is there and cannot be opened.
    case refused(String, SystemError)

    package var id: String {
        switch self {
        case .unknown(let id), .refused(let id, _): id
        }
    }

    package var description: String {
        switch self {
        case .unknown(let id): "there is no input '\(id.prefix(100))'"
        case .refused(let id, let error): "the input '\(id.prefix(100))' cannot be opened: \(error)"
        }
    }
}
