/// What the process says that takes a stream into a room, a line each; its other way round it is given a `RoomTarget` as a line of JSON, and
/// behind that the transport stream.
package enum FieldWord: Sendable, Hashable {
    /// The room has it.
    case connected
    /// Somebody there cannot go on without a key frame.
    case keyFrame
    /// It may work later by itself.
    case lost(String)
    /// Only a person can help.
    case hopeless(String)

    /// Without its newline, and with none within.
    package var line: String {
        switch self {
        case .connected: "connected"
        case .keyFrame: "key"
        case .lost(let reason): "lost \(Self.plain(reason))"
        case .hopeless(let reason): "hopeless \(Self.plain(reason))"
        }
    }

    /// nil for what this version does not know.
    package init?(_ line: String) {
        let parts = line.split(separator: " ", maxSplits: 1)
        let reason = parts.count > 1 ? String(parts[1]) : "it does not say why"
        switch parts.first {
        case "connected": self = .connected
        case "key": self = .keyFrame
        case "lost": self = .lost(reason)
        case "hopeless": self = .hopeless(reason)
        default: return nil
        }
    }

    /// Of a line, at most.
    static let bytes = 1000

    private static func plain(_ text: String) -> String {
        let printable = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        return String(String(printable).prefix(200))
    }
}
