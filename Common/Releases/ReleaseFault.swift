/// Why a signed text is not believed.
package enum ReleaseFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not of the form: which line, from 1 (0 for the text as a whole), and what was expected.
    case malformed(line: Int, String)
    /// No signature is of a key that is trusted for this.
    case notSigned
    /// A signature is right, and its key is out of use. Unix seconds.
    case keyEnded(at: Int64)
    /// The list of keys that follows ours has the number after it, and no other.
    case wrongNumber(expected: Int, found: Int)

    package var description: String {
        switch self {
        case .malformed(0, let what): what
        case .malformed(let line, let what): "line \(line): \(what)"
        case .notSigned: "no signature of a key that is trusted for this"
        case .keyEnded(let end): "signed by a key that was in use until Unix second \(end)"
        case .wrongNumber(let expected, let found): "a list of keys with the number \(found); the next one has \(expected)"
        }
    }
}
