import FoundationEssentials
import Wire

/// What cannot be read as a message: which type it says it has, and where in it the fault lies.
///
/// For the log, and for whoever sent it. What it repeats of the message is cut to bounds, as all that comes from a device.
struct MalformedMessage: Error, CustomStringConvertible {
    private struct Label: Decodable {
        let type: String
    }

    /// nil where it does not say.
    let type: String?
    /// From the top of the message, such as `body.links[0].name`; empty for the message as a whole.
    let field: String
    let reason: String

    init(_ text: String, _ error: DecodingError) {
        // try?: what is no object, or has no type, does not say.
        let label = try? JSONDecoder().decode(Label.self, from: Data(text.utf8))
        let (path, reason) = Self.parts(of: error)
        type = label?.type.bounded(to: 40)
        field = path.fieldPath.bounded(to: 120)
        self.reason = reason.bounded(to: 200)
    }

    var description: String { "\(type ?? "no type")\(field.isEmpty ? "" : ", \(field)"): \(reason)" }

    private static func parts(of error: DecodingError) -> (path: [any CodingKey], reason: String) {
        if case .keyNotFound(let key, let context) = error { return (context.codingPath + [key], "it is missing") }
        if case .valueNotFound(_, let context) = error { return (context.codingPath, "it is null") }
        if case .typeMismatch(_, let context) = error { return (context.codingPath, context.debugDescription) }
        if case .dataCorrupted(let context) = error { return (context.codingPath, context.debugDescription) }
        return ([], "\(error)")
    }
}
