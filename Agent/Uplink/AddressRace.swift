import BondWire
import Posix

/// Handshakes with several of the receiver's addresses, begun a little apart, until one of them answers: the others are let go then.
///
/// A hello leaves nothing at the receiver, as its answer carries all that is to be remembered: what is let go is forgotten at both ends.
/// Each address is asked with a random of its own, which its answer has to bring: nobody else can answer in its place. Holds no clock and
/// opens nothing. **Source**: RFC 8305 section 5, with a datagram for a connection.
struct AddressRace {
    private struct Runner {
        let address: SocketAddress
        var dialer: Dialer
        /// Why the last datagram to it did not leave.
        var fault: SystemError?
    }

    /// Asked at the same time; what a link sends in vain is 76 bytes to each, seven times in a race at most.
    static let limit = 16
    /// From one's first hello to the next one's: RFC 8305 asks for 100 ms at least, and so sixteen have theirs within 1.5 s.
    static let stagger: Microseconds = 100_000

    private let dialer: Dialer
    private var waiting: ArraySlice<SocketAddress>
    private var runners: [Runner] = []
    private var nextStart: Microseconds
    /// When the last of them was asked first, or one answered.
    private var newsAt: Microseconds
    /// The first that answered.
    private(set) var answering: SocketAddress?
    /// - Parameters:
    ///   - addresses: best first; no more than `limit` take part.
    ///   - dialer: one that has not begun, of which each address gets a copy.
    init(_ addresses: [SocketAddress], by dialer: Dialer, at now: Microseconds) {
        self.dialer = dialer
        waiting = addresses.prefix(Self.limit)
        nextStart = now
        newsAt = now
    }

    /// Those that take part.
    var addresses: [SocketAddress] { runners.map(\.address) + waiting }

    /// These join, as far as there is room, unless one has answered.
    mutating func add(_ more: [SocketAddress], at now: Microseconds) {
        guard answering == nil else { return }
        let known = addresses
        nextStart = max(nextStart, now)
        waiting += more.filter { !known.contains($0) }.prefix(Self.limit - known.count)
    }

    /// What is to be sent now, and to whom.
    mutating func tick(at now: Microseconds) -> [(message: [UInt8], address: SocketAddress)] {
        var due: [(message: [UInt8], address: SocketAddress)] = []
        for index in runners.indices {
            if let again = runners[index].dialer.tick(at: now) { due.append((again, runners[index].address)) }
        }
        while now >= nextStart, let address = waiting.popFirst() {
            var runner = Runner(address: address, dialer: dialer)
            due.append((runner.dialer.start(at: now), address))
            runners.append(runner)
            nextStart += Self.stagger
            newsAt = now
        }
        return due
    }

    /// - Returns: what to do, and with whom; nil where the datagram answers none of the handshakes.
    mutating func take(_ datagram: [UInt8], at now: Microseconds) -> (step: DialStep, address: SocketAddress)? {
        for index in runners.indices {
            let step = runners[index].dialer.take(datagram, at: now)
            if case .nothing = step { continue }
            runners = [runners[index]]
            waiting = []
            // What is left of the handshake has as long again, so that a round trip may take the whole limit.
            newsAt = now
            answering = runners[0].address
            return (step, runners[0].address)
        }
        return nil
    }

    /// A datagram to this address did not leave; nil where one did.
    mutating func note(_ fault: SystemError?, at address: SocketAddress) {
        guard let index = runners.firstIndex(where: { $0.address == address }) else { return }
        runners[index].fault = fault
    }

    /// Whether each of them has had its time.
    func isOver(at now: Microseconds) -> Bool { waiting.isEmpty && now - newsAt >= Microseconds(BondLine.dialLimit) }

    /// Why it has come to nothing, for a person.
    var failure: String {
        if let answering { return "\(answering) answers, but does not complete the handshake" }
        let silences = runners.map { ($0.address, Silence($0.fault)) }
        return Silence.words(of: silences) + "; is the receiver running, is its UDP port open, is the key the same at both ends?"
    }
}
