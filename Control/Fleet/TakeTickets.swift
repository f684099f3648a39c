import Crypto
import Posix
package import Units
package import Web

/// Takes of recordings that pool hosts were asked to bring: a ticket lets one connection of that host in, once, and whoever asked does with it what
/// they wanted it for. Safe from any thread.
package final class TakeTickets: Sendable {
    package typealias Work = @Sendable (WebSocket) async -> Void

    private struct Entry {
        let host: DeviceID
        /// nil once the connection has come.
        var work: Work?
        var cut: (@Sendable () -> Void)?
    }

    private let entries = Guarded<[String: Entry]>([:])

    package init() {}

    /// - Parameter work: done with the connection, which ends when it returns.
    /// - Returns: the ticket.
    package func expect(from host: DeviceID, _ work: @escaping Work) -> String {
        let ticket = Base64URL.encode(randomBytes(16))
        entries.withLock { $0[ticket] = Entry(host: host, work: work) }
        return ticket
    }

    /// - Returns: whether nobody has come by it.
    @discardableResult
    package func forget(_ ticket: String) -> Bool {
        entries.withLock { entries in
            guard entries[ticket]?.work != nil else { return false }
            entries[ticket] = nil
            return true
        }
    }

    /// - Parameter cut: ends that connection, on whichever thread.
    func claim(_ ticket: String, of host: DeviceID, cut: @escaping @Sendable () -> Void) -> Work? {
        entries.withLock { entries in
            let own = entries.filter { $0.value.host == host }.keys
            guard let known = own.first(where: { constantTimeEqual(Array($0.utf8), Array(ticket.utf8)) }), let work = entries[known]?.work
            else { return nil }
            entries[known]?.work = nil
            entries[known]?.cut = cut
            return work
        }
    }

    /// The connection that came by it is over.
    func ended(_ ticket: String) { entries.withLock { $0[ticket] = nil } }

    /// The host is revoked.
    func forget(_ host: DeviceID) {
        let cuts = entries.withLock { entries in
            let own = entries.filter { $0.value.host == host }
            for ticket in own.keys { entries[ticket]?.work = nil }
            return own.values.compactMap { $0.cut }
        }
        for cut in cuts { cut() }
    }
}
