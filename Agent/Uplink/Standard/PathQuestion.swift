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

/// Asks the path to an address that does not answer. librist tells of silence alone: its sockets are connected to nobody, so that they hear
/// nothing of ICMP.
///
/// What is asked is an empty datagram, which is no packet of RIST and of no stream.
final class PathQuestion {
    private let socket: UDPSocket?
    private var error: SystemError?

    init(_ address: SocketAddress, over device: String) {
        do {
            let socket = try UDPSocket(binding: .any(address.family), device: device)
            try socket.connect(to: address)
            try socket.send([])
            self.socket = socket
        } catch {
            socket = nil
            self.error = error as? SystemError
        }
    }

    /// What has come of it by now.
    var answer: Silence {
        if let socket, error == nil {
            // What came back is told by the next datagram (udp(7)).
            do { try socket.send([]) } catch { self.error = error as? SystemError }
        }
        return Silence(error)
    }
}
