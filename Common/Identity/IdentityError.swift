/// Why a machine cannot become a device, or cannot be one.
package enum IdentityError: Error, Equatable, Sendable, CustomStringConvertible {
    case badServer(reason: String)
    /// The token file cannot be read, or holds something else than one token.
    case badToken(file: String, reason: String)
    /// A file of the state folder cannot be read or written, or holds something else.
    case state(file: String, reason: String)
    /// This machine belongs to another server already.
    case alreadyEnrolled(server: String)
    /// Control said no; only a person can help. The status is HTTP's.
    case refused(status: Int, reason: String)
    /// This machine's key is enrolled: its identity stands, if it still has it.
    case enrolledKey
    /// This machine's key was revoked for good.
    case revokedKey
    /// The server's certificate is not signed by the authority that the token names.
    case untrusted(server: String, reason: String)
    /// No answer after all attempts.
    case unreachable(server: String, reason: String)

    package var description: String {
        switch self {
        case .badServer(let reason): "server: \(reason)"
        case .badToken(let file, let reason): "token file \(file): \(reason)"
        case .state(let file, let reason): "state file \(file): \(reason)"
        case .alreadyEnrolled(let server):
            "this machine is enrolled at \(server) already; remove device.key and identity.json of the state folder to enroll it anew"
        case .refused(let status, let reason): "the server refused the enrollment (HTTP \(status)): \(reason)"
        case .enrolledKey:
            "the server knows this machine's key already, and identity.json is gone; remove device.key of the state folder to enroll it anew"
        case .revokedKey: "the server has revoked this machine's key"
        case .untrusted(let server, let reason): "\(server) is not the server that the token is for: \(reason)"
        case .unreachable(let server, let reason): "no answer from \(server): \(reason)"
        }
    }
}
