import Logging
import Posix
import Testing
import Wire

@testable import Uplink

@Suite("Names of a receiver")
struct ReceiverSearchTests {
    private struct NotFound: Error {}

    private let log = Log("test", threshold: .error)

    private func address(_ number: Int) -> SocketAddress { SocketAddress("198.51.100.\(number)", port: 5000)! }

    /// What a search has found, after each finding.
    private func search(
        _ hosts: [String], _ find: @escaping @Sendable (String) async throws -> [SocketAddress],
        until isEnough: @escaping @Sendable ([SocketAddress]) -> Bool
    ) async throws -> [[SocketAddress]] {
        let found = Guarded<[[SocketAddress]]>([])
        let (marks, mark) = AsyncStream.makeStream(of: [SocketAddress].self)
        let search = ReceiverSearch(
            hosts.map { Endpoint(host: $0, port: 5000) }, names: NameLookup(find: { host, _ in try await find(host) }), log: log
        ) { addresses in
            found.withLock { $0.append(addresses) }
            mark.yield(addresses)
        }
        try await withTimeout(.seconds(10)) { for await addresses in marks where isEnough(addresses) { return } }
        return withExtendedLifetime(search) { found.withLock { $0 } }
    }

    @Test("one that is not found, and one that nobody answers for, keep no other waiting")
    func each() async throws {
        let began = Instant.now
        let found = try await search(["stale.test", "hangs.test", "192.0.2.1", "good.test", "better.test"]) { host in
            switch host {
            case "good.test": return [address(4)]
            case "better.test": return [address(5), address(4)]
            case "hangs.test": try await Task.sleep(for: .seconds(60))
            default: break
            }
            throw NotFound()
        } until: {
            $0.count == 3
        }
        #expect(Instant.now - began < .seconds(5))
        let literal = SocketAddress("192.0.2.1", port: 5000)!
        #expect(found.first == [literal], "what needs no name is known at once")
        #expect(Set(found.last ?? []) == [literal, address(4), address(5)] && found.last?.first == literal)
    }

    @Test("one that is found later joins, and no name brings more than sixteen")
    func later() async throws {
        let asked = Guarded(0)
        let found = try await search(["late.test"]) { _ in
            let isFirst = asked.withLock { asked in
                asked += 1
                return asked == 1
            }
            if isFirst { throw NotFound() }
            return (1...40).map(address)
        } until: {
            !$0.isEmpty
        }
        #expect(found.last == (1...16).map(address))
    }

    @Test("nothing is looked up any more once the search is let go")
    func end() async throws {
        let asked = Guarded(0)
        _ = try await search(["stale.test", "good.test"]) { host in
            if host == "good.test" { return [address(1)] }
            asked.withLock { $0 += 1 }
            throw NotFound()
        } until: {
            !$0.isEmpty
        }
        let before = asked.withLock { $0 }
        try await Task.sleep(for: .milliseconds(2500))
        #expect(asked.withLock { $0 } <= before + 1)
    }
}
