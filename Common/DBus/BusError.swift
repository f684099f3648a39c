/// Why something asked of a message bus did not work.
package enum BusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A function of sd-bus did not; `code` is an errno.
    case system(function: String, code: Int)
    /// The other side answered with an error, e.g. `org.freedesktop.DBus.Error.NameHasNoOwner`.
    case remote(name: String, text: String)
    /// Nobody answered in time, or whoever was asked has gone meanwhile.
    case unanswered
    /// The connection to the bus is over, or never came to be.
    case ended
    case cancelled
    /// An answer is deeper or larger than `ReadingLimits` allow.
    case tooLarge

    package var description: String {
        switch self {
        case .system(let function, let code): "\(function) failed with errno \(code)"
        case .remote(let name, let text): text.isEmpty ? name : "\(text) (\(name))"
        case .unanswered: "nobody answered"
        case .ended: "the connection to the message bus is over"
        case .cancelled: "cancelled"
        case .tooLarge: "the answer is larger than it may be"
        }
    }

    /// The error's name where the other side gave one.
    package var name: String? {
        if case .remote(let name, _) = self { name } else { nil }
    }
}
