package import Posix

/// Over what a name was asked for.
package enum NameWay: Hashable, Sendable {
    /// Over this interface alone, by its own name servers.
    case link(String)
    /// By the system's resolver, as the routing table says.
    case system
}

/// What was heard of hosts: the last good answer of each way, and whether the ways told the truth. Holds no clock.
///
/// An answer stays until the same way gives another: where no server answers any more, the last addresses are used. A way
/// whose addresses led to somebody else, or to nobody, comes after those that have fewer such failures, and none is left out: the truth
/// may fail for its own reasons while nobody ever came as far as to find a lie out.
package struct NameBook: Sendable, Equatable {
    private struct Answer: Sendable, Equatable {
        /// Without a port.
        var addresses: [SocketAddress]
        var number: Int
        var failures = 0
    }

    private var hosts: [String: [NameWay: Answer]] = [:]
    /// Of the last answer: what came later has a higher one.
    package private(set) var number = 0

    private static let hostLimit = 16
    private static let wayLimit = 32
    private static let addressLimit = 8
    private static let resultLimit = 16

    package init() {}

    package mutating func heard(_ host: String, _ way: NameWay, _ addresses: [SocketAddress]) {
        guard !addresses.isEmpty else { return }
        number += 1
        var answers = hosts[host] ?? [:]
        let plain = addresses.prefix(Self.addressLimit).map(\.withoutPort)
        answers[way] = Answer(addresses: plain, number: number, failures: answers[way]?.failures ?? 0)
        if answers.count > Self.wayLimit, let oldest = answers.min(by: { $0.value.number < $1.value.number }) { answers[oldest.key] = nil }
        hosts[host] = answers
        guard hosts.count > Self.hostLimit else { return }
        func latest(_ answers: [NameWay: Answer]) -> Int { answers.values.map(\.number).max() ?? 0 }
        if let oldest = hosts.min(by: { latest($0.value) < latest($1.value) }) { hosts[oldest.key] = nil }
    }

    /// Whether the host was found at this address.
    package mutating func judged(_ address: SocketAddress, isRight: Bool) {
        let address = address.withoutPort
        for (host, answers) in hosts {
            for (way, answer) in answers where answer.addresses.contains(address) {
                hosts[host]?[way]?.failures = isRight ? 0 : min(answer.failures + 1, 8)
            }
        }
    }

    /// Where a host may be, best first: each way's first address, then each way's second; ways with fewer failures first.
    /// - Parameter number: of ways alike those that were heard after this come before the others.
    package func addresses(of host: String, since number: Int) -> [SocketAddress] {
        let answers = hosts[host] ?? [:]
        func order(_ answer: Answer) -> (Int, Int, Int) { (answer.failures, answer.number > number ? 0 : 1, answer.number) }
        let ways = answers.values.sorted { order($0) < order($1) }
        var result: [SocketAddress] = []
        for place in 0..<Self.addressLimit {
            for answer in ways where answer.addresses.indices.contains(place) && !result.contains(answer.addresses[place]) {
                result.append(answer.addresses[place])
            }
        }
        return Array(result.prefix(Self.resultLimit))
    }
}

extension SocketAddress {
    fileprivate var withoutPort: SocketAddress {
        var address = self
        address.port = 0
        return address
    }
}
