import Glibc
import Posix

/// Why an address does not answer, as far as the path to it says.
enum Silence: Equatable, Sendable {
    /// Its machine is there, and nothing listens at that port (ICMP).
    case refused
    /// The way there, in the kernel's words.
    case unreachable(String)
    case unanswered

    init(_ error: SystemError?) {
        switch error {
        case nil: self = .unanswered
        case let error? where error.code == ECONNREFUSED: self = .refused
        case let error?: self = .unreachable(error.reason)
        }
    }

    private var words: String {
        switch self {
        case .refused: "refused, nothing listens there"
        case .unreachable(let reason): "unreachable, \(reason)"
        case .unanswered: "no answer within \(LinkHealth.connectLimit.milliseconds / 1000) s"
        }
    }

    /// A receiver may have many addresses.
    private static let mostNamed = 4

    /// For a person: each address and why, in the order in which they were tried.
    static func words(of all: [(address: SocketAddress, silence: Silence)]) -> String {
        let named = all.prefix(mostNamed).map { "\($0.address): \($0.silence.words)" }.joined(separator: "; ")
        let rest = all.count > mostNamed ? "; and \(all.count - mostNamed) more" : ""
        return all.count == 1 ? "the receiver does not answer: \(named)" : "none of \(all.count) addresses answers: \(named)\(rest)"
    }
}
