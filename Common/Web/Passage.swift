package import Posix
package import TLS

/// Which connections to a TLS listener are another server's: they are passed on to it unopened, by what their first message says.
///
/// Every client of ours and every browser offers `http/1.1` or `h2` (RFC 7301), TURN clients of browsers nothing at all: so both may be known by one
/// name, on one port, under one certificate.
package struct Passage: Sendable, Hashable {
    /// Whom its clients ask for, in lower case.
    package var names: Set<String>
    /// Whether a client that asks for nobody is one of them: where they know the server by an address, which is no name (RFC 6066 section 3).
    package var takesNameless: Bool
    /// What of its own they may offer to speak: that alone decides too.
    package var protocols: Set<String>
    package var upstream: SocketAddress

    /// - Parameter protocols: of TURN there is `stun.turn` (RFC 7443 section 3).
    package init(names: Set<String>, takesNameless: Bool = false, protocols: Set<String>, upstream: SocketAddress) {
        self.names = names
        self.takesNameless = takesNameless
        self.protocols = protocols
        self.upstream = upstream
    }

    enum Verdict: Hashable {
        /// So many bytes more are needed, at least.
        case undecided(missing: Int)
        case ours
        case theirs
    }

    /// - Parameters:
    ///   - bytes: the first that came.
    ///   - isAll: no more comes. What is no whole hello then is ours, and TLS refuses it.
    func judge(_ bytes: UnsafeRawBufferPointer, isAll: Bool) -> Verdict {
        switch ClientHello.read(Array(bytes.prefix(ClientHello.mostBytes))) {
        case .partial(let missing) where !isAll: .undecided(missing: missing)
        case .partial, .foreign: .ours
        case .whole(let hello): takes(hello) ? .theirs : .ours
        }
    }

    package func takes(_ hello: ClientHello) -> Bool {
        guard hello.protocols.isEmpty else { return !protocols.isDisjoint(with: hello.protocols) }
        return hello.serverName.map { names.contains($0) } ?? takesNameless
    }
}
