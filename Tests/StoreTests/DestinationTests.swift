import Crypto
import Foundation
@testable import Store
import Testing
import Units
import Wire

@Suite struct DestinationTests {
    private let youtube = DestinationEndpoint.preset(.youtube)
    private let key = Secret("abcd-efgh-ijkl")

    @Test("a secret goes in, comes out for the receiver, and shows in nothing that is encoded or stored")
    func writeOnly() async throws {
        let folder = try Folder()
        let fixture = try await Fixture(.file(folder.path + "/a.db"))
        let destinations = fixture.store.destinations(in: fixture.scope)
        let made = try await destinations.create(name: "YouTube", endpoint: try #require(youtube), secret: key)
        #expect(made.hasSecret)
        #expect(try await destinations.secret(of: made.id) == key)
        let encoded = String(decoding: try JSONEncoder().encode(try await destinations.all()), as: UTF8.self)
        #expect(encoded.contains("youtube") && !encoded.contains("abcd"))
        try await fixture.store.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
            #expect(bytes.range(of: Data(key.revealed.utf8)) == nil)
        }
    }

    @Test("a secret is never sent to a place it was not given for")
    func moving() async throws {
        let fixture = try await Fixture()
        let destinations = fixture.store.destinations(in: fixture.scope)
        let made = try await destinations.create(name: "YouTube", endpoint: try #require(youtube), secret: key)
        let elsewhere = DestinationEndpoint.rtmp(.init(tls: false, host: "evil.example", port: 1935, application: "live"))
        await #expect(throws: StoreError.self) { try await destinations.change(made.id, name: "x", endpoint: elsewhere, secret: nil) }
        #expect(try await destinations.find(made.id) == made)
        let renamed = try await destinations.change(made.id, name: "Main", endpoint: made.endpoint, secret: nil)
        #expect(renamed.name == "Main")
        #expect(try await destinations.secret(of: made.id) == key)
        _ = try await destinations.change(made.id, name: "Main", endpoint: elsewhere, secret: Secret("other"))
        #expect(try await destinations.secret(of: made.id) == Secret("other"))
    }

    @Test("a sealed secret that was moved to another row does not open")
    func rowsAreBound() async throws {
        let fixture = try await Fixture()
        let destinations = fixture.store.destinations(in: fixture.scope)
        let first = try await destinations.create(name: "A", endpoint: try #require(youtube), secret: key)
        let second = try await destinations.create(name: "B", endpoint: try #require(youtube), secret: Secret("second"))
        try await fixture.store.write { transaction in
            try transaction.across(.operation).run(
                "UPDATE destinations SET secret = (SELECT secret FROM destinations WHERE id = \(first.id)) WHERE id = \(second.id)")
        }
        await #expect(throws: CryptoError.notAuthentic) { try await destinations.secret(of: second.id) }
    }

    @Test("a removed destination loses its secret, and its name is free again")
    func removal() async throws {
        let fixture = try await Fixture()
        let destinations = fixture.store.destinations(in: fixture.scope)
        let first = try await destinations.create(name: "A", endpoint: try #require(youtube), secret: key)
        await #expect(throws: StoreError.taken("name")) {
            try await destinations.create(name: "A", endpoint: try #require(youtube), secret: key)
        }
        try await destinations.remove(first.id)
        await #expect(throws: StoreError.missing("destination")) { try await destinations.secret(of: first.id) }
        _ = try await destinations.create(name: "A", endpoint: try #require(youtube), secret: key)
        #expect(try await destinations.all().count == 1)
    }

    @Test(
        "a field that could say more than it should is refused",
        arguments: [
            .rtmp(.init(tls: true, host: "a b", port: 1935, application: "live")),
            .rtmp(.init(tls: true, host: "a/b", port: 1935, application: "live")),
            .rtmp(.init(tls: true, host: "user@a", port: 1935, application: "live")),
            .rtmp(.init(tls: true, host: "", port: 1935, application: "live")),
            .rtmp(.init(tls: true, host: "a", port: 0, application: "live")),
            .rtmp(.init(tls: true, host: "a", port: 65_536, application: "live")),
            .rtmp(.init(tls: true, host: "a", port: 1935, application: "")),
            .rtmp(.init(tls: true, host: "a", port: 1935, application: "live/")),
            .rtmp(.init(tls: true, host: "a", port: 1935, application: "../x")),
            .rtmp(.init(tls: true, host: "a", port: 1935, application: "live ! filesink location=x")),
            .srt(.init(mode: .caller, host: "a?mode=listener", port: 9000)), .srt(.init(mode: .caller, host: "", port: 9000)),
            .srt(.init(mode: .caller, host: "a", port: 9000, streamID: "a\nb")),
            .srt(.init(mode: .caller, host: "a", port: 9000, latencyMs: 0)),
        ] as [DestinationEndpoint])
    func hostileFields(endpoint: DestinationEndpoint) async throws {
        let fixture = try await Fixture()
        await #expect(throws: StoreError.self) {
            try await fixture.store.destinations(in: fixture.scope).create(name: "A", endpoint: endpoint, secret: Secret("0123456789"))
        }
    }

    @Test("an SRT listener needs a passphrase, and a passphrase has 10 to 79 characters")
    func passphrases() async throws {
        let fixture = try await Fixture()
        let destinations = fixture.store.destinations(in: fixture.scope)
        let listener = DestinationEndpoint.srt(.init(mode: .listener, host: "", port: 0))
        await #expect(throws: StoreError.self) { try await destinations.create(name: "A", endpoint: listener, secret: nil) }
        await #expect(throws: StoreError.self) { try await destinations.create(name: "A", endpoint: listener, secret: Secret("short")) }
        _ = try await destinations.create(name: "A", endpoint: listener, secret: Secret("long enough"))
        let caller = DestinationEndpoint.srt(.init(mode: .caller, host: "2001:db8::1", port: 9000))
        let made = try await destinations.create(name: "B", endpoint: caller, secret: nil)
        #expect(try await destinations.secret(of: made.id) == nil)
    }
}
