/// Why an output is not connected.
enum OutputFault: Error, Hashable, Sendable {
    /// It may work later by itself.
    case lost(String)
    /// Only a person can help.
    case hopeless(String)
    /// It was told to end.
    case ended

    var reason: String {
        switch self {
        case .lost(let reason), .hopeless(let reason): reason
        case .ended: "ended"
        }
    }
}
