package import Posix

/// Which of the receiver's addresses a link tries: those of its families, one after the other or several at the same time, with pauses that
/// grow after each round. Holds no clock.
package struct AddressChoice: Equatable, Sendable {
    package private(set) var candidates: [SocketAddress]
    /// In this round, and in vain.
    private var tried: Set<SocketAddress> = []
    private var failedRounds = 0

    /// - Parameters:
    ///   - receivers: all addresses of the receiver, best first.
    ///   - families: what the link has addresses of.
    package init(receivers: [SocketAddress], families: Set<SocketAddress.Family>) {
        var seen: Set<SocketAddress> = []
        candidates = receivers.filter { families.contains($0.family) && seen.insert($0).inserted }
    }

    /// The next of this round, where one after the other is tried.
    package var current: SocketAddress? { next(1).first }

    /// The next ones of this round, where several are tried at the same time.
    package func next(_ limit: Int) -> [SocketAddress] { Array(candidates.lazy.filter { !tried.contains($0) }.prefix(limit)) }

    package enum Next: Equatable, Sendable {
        case tryNow(SocketAddress)
        /// All failed: pause this long, then try this one.
        case wait(Duration, SocketAddress)
        case none
    }

    /// The current address did not answer.
    package mutating func failed() -> Next { failed(next(1)) }

    /// None of these answered.
    package mutating func failed(_ addresses: [SocketAddress]) -> Next {
        tried.formUnion(addresses)
        guard let current else { return endRound() }
        return .tryNow(current)
    }

    /// This one answers and is of no use: the next round begins with the others.
    package mutating func failed(after address: SocketAddress?) -> Next {
        if let address, let index = candidates.firstIndex(of: address) { candidates.append(candidates.remove(at: index)) }
        return endRound()
    }

    private mutating func endRound() -> Next {
        guard let first = candidates.first else { return .none }
        tried = []
        failedRounds = min(failedRounds + 1, 4)
        return .wait(.seconds(1 << (failedRounds - 1)), first)
    }

    /// Begins with an address that is known to answer, where it is one of them.
    package mutating func prefer(_ address: SocketAddress?) {
        guard let address, let index = candidates.firstIndex(of: address) else { return }
        candidates.insert(candidates.remove(at: index), at: 0)
    }

    /// The current address answered: the next round starts with it.
    package mutating func answered() { if let current { answered(current) } }

    /// This address answered: the next round starts with it, and ends with those before it.
    package mutating func answered(_ address: SocketAddress) {
        guard let index = candidates.firstIndex(of: address) else { return }
        candidates = Array(candidates[index...] + candidates[..<index])
        tried = []
        failedRounds = 0
    }
}
