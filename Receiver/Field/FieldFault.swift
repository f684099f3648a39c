import Outputs

/// Why a stream is not in its room, or not any more.
enum FieldFault: Error, Hashable, Sendable {
    /// It may work later by itself.
    case lost(String)
    /// Only a person can help.
    case hopeless(String)

    var word: FieldWord {
        switch self {
        case .lost(let reason): .lost(reason)
        case .hopeless(let reason): .hopeless(reason)
        }
    }
}
