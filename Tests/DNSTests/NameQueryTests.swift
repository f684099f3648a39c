import DNS
import Foundation
import Posix
import Support
import Testing

/// Against dnsmasq, and stand-ins for name servers that are no good.
@Suite("A look-up by name servers of one's choice") struct NameQueryTests {
    private let loop: Loop

    init() throws { loop = try Loop(name: "names") }

    private func ask(_ host: String, _ servers: [SocketAddress], device: String? = nil) async -> NameQuery.Answer {
        await withCheckedContinuation { continuation in
            let kept = Guarded<Kept?>(nil)
            loop.submit { [loop] in
                let query = NameQuery(host: host, servers: servers, device: device, loop: loop) { answer in
                    kept.withLock { $0 = nil }
                    continuation.resume(returning: answer)
                }
                kept.withLock { $0 = Kept(query: query) }
                query.start()
            }
        }
    }

    /// Touched on the loop only.
    private struct Kept: @unchecked Sendable { let query: NameQuery }

    private func reason(_ answer: NameQuery.Answer) -> String? { if case .failure(let error) = answer { error.reason } else { nil } }

    @Test("has the addresses of both families, and NXDOMAIN is no answer")
    func found() async throws {
        try await onStage { stage in
            let server = try await NameServer(
                on: stage, at: "127.0.0.1", names: ["control.test": ["198.51.100.7", "2001:db8::7"], "four.test": ["198.51.100.4"]])
            let both = try await ask("control.test", [server.address]).get()
            #expect(both == [SocketAddress("2001:db8::7", port: 0)!, SocketAddress("198.51.100.7", port: 0)!])
            #expect(try await ask("four.test", [server.address]).get().map(\.host) == ["198.51.100.4"])
            #expect(reason(await ask("gone.test", [server.address])) == "Domain name not found")
            loop.stop()
        }
    }

    @Test("takes eight addresses at most, of both families, also of an answer that needs TCP")
    func many() async throws {
        try await onStage { stage in
            let addresses = (1...60).map { "198.51.100.\($0)" } + ["2001:db8::1"]
            let server = try await NameServer(on: stage, at: "127.0.0.1", names: ["many.test": addresses])
            let found = try await ask("many.test", [server.address]).get()
            #expect(found.count == 8 && found.filter { $0.family == .ipv6 }.count == 1)
            loop.stop()
        }
    }

    @Test(
        "a server that is no good is passed over, and costs no more than its time",
        arguments: [BadNameServer.Conduct.silent, .noise, .loops, .otherQuestion])
    func passedOver(conduct: BadNameServer.Conduct) async throws {
        try await onStage { stage in
            let bad = try BadNameServer(conduct)
            let good = try await NameServer(on: stage, at: "127.0.0.1", names: ["control.test": ["198.51.100.7"]])
            let began = Instant.now
            let answer = await ask("control.test", [bad.address, good.address])
            // An answer to this question that cannot be read ends it: c-ares takes it for the server's last word.
            if conduct == .loops {
                #expect(reason(answer) == "Misformatted DNS reply")
            } else {
                #expect(try answer.get().map(\.host) == ["198.51.100.7"])
            }
            #expect(Instant.now - began < .milliseconds(2500))
            #expect(bad.questions > 0)
            // Alone it ends, with a reason and in bounded time.
            let alone = Instant.now
            #expect(reason(await ask("control.test", [bad.address])) != nil)
            #expect(Instant.now - alone < .seconds(8))
            loop.stop()
        }
    }

    @Test("asks over its interface or not at all, and one that is cancelled says nothing")
    func bound() async throws {
        let silent = try BadNameServer(.silent)
        #expect(reason(await ask("control.test", [silent.address], device: "st-none")) != nil)
        #expect(silent.questions == 0)
        let said = Guarded(false)
        let loop = loop
        try await loop.spawnAndWait {
            let query = NameQuery(host: "control.test", servers: [silent.address], loop: loop) { _ in said.withLock { $0 = true } }
            query.start()
            // try?: nobody cancels it.
            for _ in 0..<500 where silent.questions == 0 { try? await loop.sleep(for: .milliseconds(10)) }
            query.cancel()
        }
        #expect(silent.questions > 0)
        try await loop.sleep(for: .milliseconds(50))
        #expect(!said.withLock { $0 })
        loop.stop()
    }

    @Test("the hosts file comes first")
    func hostsFile() async throws {
        let silent = try BadNameServer(.silent)
        #expect(try await ask("localhost", [silent.address]).get().contains { $0.isLoopback })
        #expect(silent.questions == 0)
        loop.stop()
    }
}

extension Loop {
    fileprivate func spawnAndWait(_ body: @escaping @Sendable () async -> Void) async throws { await spawn(body).value }
}
