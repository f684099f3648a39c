package import Posix

/// Which of the receiver's addresses a link tries: those of its families, in turn, with pauses that grow. Holds no clock.
package struct AddressChoice: Equatable, Sendable {
    package private(set) var candidates: [SocketAddress]
    private var place = 0
    private var failedRounds = 0

    /// - Parameters:
    ///   - receivers: all addresses of the receiver, best first.
    ///   - families: what the link has addresses of.
    package init(receivers: [SocketAddress], families: Set<SocketAddress.Family>) {
        candidates = receivers.filter { families.contains($0.family) }
    }

    package var current: SocketAddress? { candidates.isEmpty ? nil : candidates[place % candidates.count] }

    package enum Next: Equatable, Sendable {
        case tryNow(SocketAddress)
        /// All failed: pause this long, then try this one.
        case wait(Duration, SocketAddress)
        case none
    }

    /// The current address did not answer.
    package mutating func failed() -> Next {
        guard !candidates.isEmpty else { return .none }
        place += 1
        guard place % candidates.count == 0 else { return .tryNow(candidates[place % candidates.count]) }
        failedRounds = min(failedRounds + 1, 4)
        return .wait(.seconds(1 << (failedRounds - 1)), candidates[0])
    }

    /// Begins with an address that is known to answer, where it is one of them.
    package mutating func prefer(_ address: SocketAddress?) {
        guard let address, let index = candidates.firstIndex(of: address) else { return }
        candidates.insert(candidates.remove(at: index), at: 0)
    }

    /// The current address answered: the next round starts with it.
    package mutating func answered() {
        guard !candidates.isEmpty else { return }
        let index = place % candidates.count
        candidates = Array(candidates[index...] + candidates[..<index])
        place = 0
        failedRounds = 0
    }
}
