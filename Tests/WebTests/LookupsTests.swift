import Posix
import Testing
import Web

@Suite("Look-ups of what people name")
struct LookupsTests {
    private let one = "00000000000000000000000001"
    private let other = "00000000000000000000000002"
    private let address = SocketAddress("192.0.2.1", port: 1935)!

    /// A name server that answers when the test says so.
    private final class NameServer: Sendable {
        private let waiting = Guarded<[CheckedContinuation<Void, Never>]>([])
        var count: Int { waiting.withLock { $0.count } }

        func ask() async { await withCheckedContinuation { one in waiting.withLock { $0.append(one) } } }
        @discardableResult
        func answer() -> Int {
            let all = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for one in all { one.resume() }
            return all.count
        }
    }

    private func lookups(_ server: NameServer, patience: Duration) -> Lookups {
        Lookups(patience: patience) { [address] host, _ in
            if host.hasPrefix("slow") { await server.ask() }
            return .success(address)
        }
    }

    @Test("are left behind after a while, with a reason, and count until they have ended")
    func slow() async throws {
        let server = NameServer()
        let lookups = lookups(server, patience: .milliseconds(100))
        for number in 0..<Lookups.limit {
            let began = Instant.now
            await #expect(throws: OutboundGuard.Refusal.self) {
                try await lookups.admit(host: "slow\(number).example", port: 1935, for: one)
            }
            #expect(Instant.now - began < .seconds(5))
        }
        #expect(server.count == Lookups.limit)
        // The one who asks for them has no more of them, and others are not held up.
        await #expect(
            throws: OutboundGuard.Refusal.unresolvable(host: "n.example", reason: "4 names of your organisation are waited for already")
        ) {
            try await lookups.admit(host: "n.example", port: 1935, for: one)
        }
        #expect(try await lookups.admit(host: "192.0.2.7", port: 1935, for: one) == address, "an address needs no name server")
        #expect(try await lookups.admit(host: "n.example", port: 1935, for: other) == address)
        server.answer()
        while true {
            if let found = try? await lookups.admit(host: "n.example", port: 1935, for: one) {
                #expect(found == address)
                break
            }
            await Task.yield()
        }
    }

    @Test("of one more than may be under way have their turn when one has ended")
    func turns() async throws {
        let server = NameServer()
        let lookups = lookups(server, patience: .seconds(60))
        try await withThrowingTaskGroup(of: SocketAddress.self) { group in
            for number in 0...Lookups.limit {
                group.addTask { [one] in try await lookups.admit(host: "slow\(number).example", port: 1935, for: one) }
            }
            while server.count < Lookups.limit { await Task.yield() }
            server.answer()
            while server.count < 1 { await Task.yield() }
            server.answer()
            for try await found in group { #expect(found == address) }
        }
    }

    @Test("of many more than may be under way are refused at once: so many wait and no more")
    func crowd() async throws {
        let server = NameServer()
        let lookups = lookups(server, patience: .seconds(60))
        let (all, began) = (Lookups.limit + Lookups.queueLimit, Instant.now)
        await withTaskGroup(of: Bool.self) { group in
            for number in 0...all {
                group.addTask { [one] in (try? await lookups.admit(host: "slow\(number).example", port: 1935, for: one)) != nil }
            }
            // The first that ends: nobody has had an answer.
            #expect(await group.next() == false)
            #expect(Instant.now - began < .seconds(30))
            var answered = 0
            while answered < all, Instant.now - began < .seconds(60) {
                answered += server.answer()
                await Task.yield()
            }
            for await isFound in group { #expect(isFound) }
        }
    }

    @Test("that are refused by the guard say what it says, each time anew")
    func refused() async throws {
        let asked = Guarded(0)
        let refusal = OutboundGuard.Refusal.forbidden(host: "n.example", address: "10.1.2.3", kind: "private")
        let lookups = Lookups { [address] _, _ in
            asked.withLock { asked in
                asked += 1
                return asked == 1 ? .success(address) : .failure(refusal)
            }
        }
        #expect(try await lookups.admit(host: "n.example", port: 1935, for: one) == address)
        await #expect(throws: refusal) { try await lookups.admit(host: "n.example", port: 1935, for: one) }
    }
}
